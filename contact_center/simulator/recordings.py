"""Recordings, transcriptions and queues of the simulated provider, with a small generated tone as their sound."""

from __future__ import annotations

import io
import json
import math
import struct
import time
import wave
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

from aiohttp import web

from contact_center.simulator.calls import Calls, SimulatedCall
from contact_center.simulator.config import Config
from contact_center.simulator.store import new_sid
from contact_center.simulator.twilio_words import API, Refusal

RATE = 8000
MOST_SECONDS = 600
LIVE = ("in-progress", "paused")


@dataclass
class SimulatedRecording:
    """What one recording knows of itself; its sound is made when somebody fetches it."""

    call_sid: str
    channels: int = 1
    callback: str = ""
    events: tuple[str, ...] = ("completed",)
    source: str = "StartCallRecordingAPI"
    sid: str = field(default_factory=lambda: new_sid("RE"))
    status: str = "in-progress"
    created: float = field(default_factory=time.time)
    spoken: float = 0.0
    since: float | None = field(default_factory=time.time)

    @property
    def seconds(self) -> int:
        """How long it plays; what was paused is not in it."""
        running = time.time() - self.since if self.since is not None else 0.0
        return min(MOST_SECONDS, max(1, round(self.spoken + running)))

    def go_on(self, status: str) -> None:
        """Record, pause, or end."""
        if self.since is not None:
            self.spoken += time.time() - self.since
        self.status, self.since = status, time.time() if status == "in-progress" else None


@dataclass
class SimulatedTranscription:
    """What is said on one leg is told while this runs."""

    call_sid: str
    callback: str
    language: str
    name: str = ""
    sid: str = field(default_factory=lambda: new_sid("GT"))
    status: str = "in-progress"
    lines: int = 0


def tone(seconds: int, channels: int) -> bytes:
    """A WAV of so many seconds: a high tone on the first channel, a lower one on the second."""
    pitches = (440.0, 330.0)[:channels]
    second = b"".join(
        struct.pack("<h", int(3000 * math.sin(2 * math.pi * pitch * step / RATE)))
        for step in range(RATE)
        for pitch in pitches
    )
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(second * seconds)
    return buffer.getvalue()


class RecordingApi:
    """Twilio's Recordings, Transcriptions and Queues over the calls of one simulator."""

    def __init__(self, config: Config, calls: Calls) -> None:
        self.config, self.calls = config, calls
        self.recordings: dict[str, SimulatedRecording] = {}
        self.transcriptions: dict[str, SimulatedTranscription] = {}
        self.queues: dict[str, dict[str, Any]] = {}
        calls.when_over.append(self._end_with)
        calls.when_said.append(self._write_down)
        calls.keep_message = self._keep_message

    def routes(self, guard: Any) -> list[web.RouteDef]:
        """The routes; `guard(point, handler)` authenticates and makes trouble."""
        root, sid = f"{API}/{{account}}", "{sid:[A-Za-z0-9]+}"
        running = r"{sid:[A-Za-z0-9]+|Twilio\.CURRENT}"
        of_call = f"{root}/Calls/{{call}}"
        return [
            web.post(f"{of_call}/Recordings.json", guard("recording", self.start)),
            web.get(f"{of_call}/Recordings.json", guard("list", self.list)),
            web.post(f"{of_call}/Recordings/{running}.json", guard("recording", self.change)),
            web.get(f"{root}/Recordings.json", guard("list", self.list)),
            web.get(f"{root}/Recordings/{sid}.json", guard("fetch", self.show)),
            web.delete(f"{root}/Recordings/{sid}.json", guard("recording", self.delete)),
            web.get(f"{root}/Recordings/{sid}{{kind:|\\.mp3|\\.wav}}", guard("media", self.sound)),
            web.post(f"{of_call}/Transcriptions.json", guard("recording", self.transcribe)),
            web.post(f"{of_call}/Transcriptions/{sid}.json", guard("recording", self.stop_transcription)),
            web.get(f"{root}/Queues.json", guard("list", self.list_queues)),
            web.post(f"{root}/Queues.json", guard("call", self.make_queue)),
        ]

    # ---- recordings ----
    def _call(self, request: web.Request) -> SimulatedCall:
        call = self.calls.calls.get(request.match_info["call"])
        if call is None:
            raise Refusal(20404, request.path)
        return call

    def _recording(self, request: web.Request) -> SimulatedRecording:
        sid, call = request.match_info["sid"], request.match_info.get("call")
        if sid == "Twilio.CURRENT":
            live = (one for one in self.recordings.values() if one.call_sid == call and one.status in LIVE)
            sid = next((one.sid for one in live), "")
        recording = self.recordings.get(sid)
        if recording is None:
            raise Refusal(20404, request.path)
        return recording

    async def start(self, request: web.Request) -> web.Response:
        """Record a leg that is being talked on."""
        call, form = self._call(request), await request.post()
        if call.is_over or call.status == "ringing":
            raise Refusal(21220)
        recording = SimulatedRecording(
            call.sid,
            channels=2 if form.get("RecordingChannels") == "dual" else 1,
            callback=str(form.get("RecordingStatusCallback", "")),
            events=tuple(str(one) for one in form.getall("RecordingStatusCallbackEvent", ["completed"])),
        )
        self.recordings[recording.sid] = recording
        return web.json_response(self._call_recording_json(recording), status=201)

    async def change(self, request: web.Request) -> web.Response:
        """Pause, go on, or stop."""
        recording, status = self._recording(request), str((await request.post()).get("Status", ""))
        if recording.status not in LIVE or status not in (*LIVE, "stopped"):
            raise Refusal(21220)
        recording.go_on(status)
        if status == "stopped":
            self._complete(recording)
        return web.json_response(self._call_recording_json(recording))

    async def list(self, request: web.Request) -> web.Response:
        """Those of one call, or all."""
        call = request.match_info.get("call")
        found = [one for one in self.recordings.values() if call in (None, one.call_sid)]
        shape = self._call_recording_json if call else self._recording_json
        return web.json_response(_page(request, len(found)) | {"recordings": [shape(one) for one in found]})

    async def show(self, request: web.Request) -> web.Response:
        """One of them."""
        return web.json_response(self._recording_json(self._recording(request)))

    async def delete(self, request: web.Request) -> web.Response:
        """Gone for good."""
        self.recordings.pop(self._recording(request).sid)
        return web.Response(status=204)

    async def sound(self, request: web.Request) -> web.Response:
        """The sound, once it is ready. There is no encoder here: it is a WAV under either name, and says so."""
        recording = self._recording(request)
        if recording.status in LIVE:
            raise Refusal(20404, request.path)
        wanted = int(request.query.get("RequestedChannels", recording.channels))
        content = tone(recording.seconds, min(wanted, recording.channels))
        return web.Response(body=content, content_type="audio/x-wav")

    def _end_with(self, call: SimulatedCall) -> None:
        for recording in self.recordings.values():
            if recording.call_sid == call.sid and recording.status in LIVE:
                recording.go_on("completed")
                self._complete(recording)
        for one in self.transcriptions.values():
            if one.call_sid == call.sid:
                one.status = "stopped"

    def _complete(self, recording: SimulatedRecording) -> None:
        recording.status = "completed"
        call = self.calls.calls[recording.call_sid]
        if recording.callback and "completed" in recording.events:
            self.calls.tell(call, recording.callback, self._told(recording))

    def _told(self, recording: SimulatedRecording) -> dict[str, str]:
        root = f"{self.calls.deliveries.own_url}{API}/{self.config.account_sid}"
        return {
            "AccountSid": self.config.account_sid,
            "CallSid": recording.call_sid,
            "RecordingSid": recording.sid,
            "RecordingUrl": f"{root}/Recordings/{recording.sid}",
            "RecordingStatus": recording.status,
            "RecordingDuration": str(recording.seconds),
            "RecordingChannels": str(recording.channels),
            "RecordingStartTime": formatdate(recording.created),
            "RecordingSource": recording.source,
            "RecordingTrack": "both",
        }

    def _keep_message(self, call: SimulatedCall) -> dict[str, str]:
        """A voicemail has been spoken."""
        recording = SimulatedRecording(call.sid, source="RecordVerb", status="completed", spoken=5.0, since=None)
        self.recordings[recording.sid] = recording
        told = self._told(recording)
        return {name: told[name] for name in ("RecordingUrl", "RecordingSid", "RecordingDuration")}

    # ---- transcriptions ----
    async def transcribe(self, request: web.Request) -> web.Response:
        """Tell what is said on a leg from now on."""
        call, form = self._call(request), await request.post()
        if call.is_over:
            raise Refusal(21220)
        found = SimulatedTranscription(
            call.sid, str(form.get("StatusCallbackUrl", "")), str(form.get("LanguageCode", "en-US"))
        )
        self.transcriptions[found.sid] = found
        return web.json_response(self._transcription_json(found))

    async def stop_transcription(self, request: web.Request) -> web.Response:
        """Tell nothing more."""
        found = self.transcriptions.get(request.match_info["sid"])
        if found is None:
            raise Refusal(20404, request.path)
        found.status = "stopped"
        return web.json_response(self._transcription_json(found))

    def _write_down(self, call: SimulatedCall, words: str) -> None:
        for one in self.transcriptions.values():
            if one.call_sid == call.sid and one.status == "in-progress" and one.callback and not call.is_held:
                one.lines += 1
                params = {
                    "AccountSid": self.config.account_sid,
                    "CallSid": call.sid,
                    "TranscriptionSid": one.sid,
                    "TranscriptionEvent": "transcription-content",
                    "TranscriptionData": json.dumps({"transcript": words, "confidence": 0.98}),
                    "LanguageCode": one.language,
                    "Track": "inbound_track",
                    "Final": "true",
                    "SequenceId": str(one.lines),
                    "Timestamp": datetime.now(UTC).isoformat(),
                }
                self.calls.tell(call, one.callback, params)

    # ---- queues ----
    async def list_queues(self, request: web.Request) -> web.Response:
        """Every queue there is."""
        return web.json_response(_page(request, len(self.queues)) | {"queues": list(self.queues.values())})

    async def make_queue(self, request: web.Request) -> web.Response:
        """A queue of the provider's; nobody waits in it, for callers wait in rooms of their own."""
        form = await request.post()
        sid = new_sid("QU")
        self.queues[sid] = _times(time.time()) | {
            "sid": sid,
            "account_sid": self.config.account_sid,
            "friendly_name": str(form.get("FriendlyName", "")),
            "current_size": 0,
            "average_wait_time": 0,
            "max_size": int(str(form.get("MaxSize", "100"))),
            "uri": f"{API}/{self.config.account_sid}/Queues/{sid}.json",
        }
        return web.json_response(self.queues[sid], status=201)

    # ---- as JSON ----
    def _common(self, one: SimulatedRecording) -> dict[str, Any]:
        return _times(one.created) | {
            "account_sid": self.config.account_sid,
            "api_version": "2010-04-01",
            "call_sid": one.call_sid,
            "conference_sid": None,
            "start_time": formatdate(one.created),
            "duration": None if one.status in LIVE else str(one.seconds),
            "sid": one.sid,
            "price": None,
            "price_unit": "USD",
            "status": one.status,
            "channels": one.channels,
            "source": one.source,
            "error_code": None,
            "encryption_details": None,
        }

    def _call_recording_json(self, one: SimulatedRecording) -> dict[str, Any]:
        uri = f"{API}/{self.config.account_sid}/Calls/{one.call_sid}/Recordings/{one.sid}.json"
        return self._common(one) | {"uri": uri, "track": "both"}

    def _recording_json(self, one: SimulatedRecording) -> dict[str, Any]:
        uri = f"{API}/{self.config.account_sid}/Recordings/{one.sid}"
        own = {"media_url": f"{self.calls.deliveries.own_url}{uri}", "subresource_uris": {}}
        return self._common(one) | own | {"uri": f"{uri}.json"}

    def _transcription_json(self, one: SimulatedTranscription) -> dict[str, Any]:
        return {
            "sid": one.sid,
            "account_sid": self.config.account_sid,
            "call_sid": one.call_sid,
            "name": one.name or None,
            "status": one.status,
            "date_updated": formatdate(time.time()),
            "uri": f"{API}/{self.config.account_sid}/Calls/{one.call_sid}/Transcriptions/{one.sid}.json",
        }


def _times(moment: float) -> dict[str, str]:
    return {"date_created": formatdate(moment), "date_updated": formatdate(moment)}


def _page(request: web.Request, count: int) -> dict[str, Any]:
    page = {"page": 0, "page_size": 50, "start": 0, "end": max(0, count - 1), "uri": request.path_qs}
    return page | {"first_page_uri": request.path_qs, "next_page_uri": None, "previous_page_uri": None}
