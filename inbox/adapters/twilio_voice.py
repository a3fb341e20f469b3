"""Twilio Programmable Voice: what it tells us of calls, what callers hear, and how calls are steered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any, ClassVar

from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

from inbox.adapters.base import Adapter, AdapterError, Capability, UnparseablePayload
from inbox.adapters.events import CallEvent, Event
from inbox.adapters.twilio_http import TwilioConfig, build_client, failures_explained
from inbox.adapters.twilio_messaging import TwilioMessagingAdapter
from inbox.adapters.twilio_words import GONE, VOICE_STATUS_PATH, clean, read_address, read_mail_time
from inbox.adapters.voice_script import Ask, GoOn, HangUp, Join, Music, Record, Say, Script

CLIENT = "client:agent-"
LOCALES = {"en": "en-US", "es": "es-US", "pt": "pt-BR"}
VOICES = {"en": "Polly.Joanna", "es": "Polly.Lupe", "pt": "Polly.Camila"}
MUSIC_URL = "http://com.twilio.sounds.music.s3.amazonaws.com/MARKOVICHAMP-Borghestral.mp3"
STATUSES = {
    "queued": "ringing",
    "initiated": "ringing",
    "ringing": "ringing",
    "in-progress": "answered",
    "answered": "answered",
    "completed": "ended",
    "busy": "busy",
    "no-answer": "unanswered",
    "canceled": "unanswered",
    "failed": "failed",
}
PARTICIPANT = {"participant-join": "joined", "participant-leave": "left", "conference-end": "room_ended"}
_SID = re.compile(r"[A-Za-z0-9]{2,64}")


class TwilioVoiceAdapter(Adapter):
    """Calls of one Twilio account, with conferences as rooms."""

    key: ClassVar[str] = "twilio_voice"
    capabilities: ClassVar[frozenset[Capability]] = frozenset({"receive"})

    def __init__(self, config: TwilioConfig) -> None:
        self.config = config
        self._signatures = TwilioMessagingAdapter(config)

    @cached_property
    def _connection(self) -> Any:
        return build_client(self.config)

    def verify(self, request_url: str, headers: Mapping[str, str], body: bytes, params: Mapping[str, Any]) -> None:
        """See Adapter.verify."""
        self._signatures.verify(request_url, headers, body, params)

    def parse(self, payload: Mapping[str, Any]) -> list[Event]:
        """See Adapter.parse. A request for words is the event `step`; all others are steps in a call's life."""
        words = {clean(name): clean(value) for name, value in payload.items()}
        external_id = words.get("CallSid", "")
        if words.get("StatusCallbackEvent") == "conference-end" and not external_id:
            external_id = words.get("ConferenceSid", "")
        if not _SID.fullmatch(external_id):
            raise UnparseablePayload("There is no call id.")
        return [
            CallEvent(
                provider=self.key,
                external_id=external_id,
                event=_event_of(words),
                sender=read_address(words.get("From", "")),
                recipient=read_address(words.get("To", "")),
                occurred_at=read_mail_time(words.get("Timestamp")),
                payload=_facts(words),
                raw=words,
            )
        ]

    def render(self, script: Script) -> str:
        """The script as TwiML."""
        response = VoiceResponse()
        for step in script:
            _write(response, step, self._url)
        return str(response)

    def _url(self, path: str) -> str:
        return path if "://" in path else f"{self.config.public_base_url.rstrip('/')}{path}"

    # ---- steering; all raise AdapterError ----
    def call_agent(self, room: str, user_id: int, caller_id: str, our_id: str) -> str:
        """Let the agent's device ring and meet in the room; returns the id of that leg."""
        return self._add(room, f"{CLIENT}{user_id}", caller_id, our_id, party="agent", is_last=True)

    def call_number(self, room: str, number: str, caller_id: str, our_id: str) -> str:
        """Call a phone number and let it meet in the room; returns the id of that leg."""
        return self._add(room, number, caller_id, our_id, party="patient", is_last=True)

    def consult(self, room: str, user_id: int, caller_id: str, our_id: str) -> str:
        """Let a colleague's device join the room; the room goes on when they leave."""
        return self._add(room, f"{CLIENT}{user_id}", caller_id, our_id, party="consulted", is_last=False)

    def _add(self, room: str, to: str, caller_id: str, our_id: str, *, party: str, is_last: bool) -> str:
        client, http = self._connection
        with failures_explained(http):
            participant = client.conferences(room).participants.create(
                from_=caller_id,
                to=to,
                status_callback=self._url(f"{VOICE_STATUS_PATH}?call={our_id}&party={party}"),
                status_callback_event=["ringing", "answered", "completed"],
                end_conference_on_exit=is_last,
                beep="false",
                timeout=30,
            )
            return str(participant.call_sid)

    def send_to(self, external_id: str, step: str) -> None:
        """Let a caller go on with another script."""
        client, http = self._connection
        with failures_explained(http):
            client.calls(external_id).update(url=self._url(step), method="POST")

    def hang_up(self, external_id: str) -> None:
        """End one leg; one that has ended already is no error."""
        client, http = self._connection
        with _gone_is_fine(), failures_explained(http):
            client.calls(external_id).update(status="completed")

    def hold(self, room: str, external_id: str, is_held: bool) -> None:
        """Let one party of a room hear music, or take part again."""
        client, http = self._connection
        with failures_explained(http):
            self._participant(client, room, external_id).update(hold=is_held)

    def make_last(self, room: str, external_id: str, is_last: bool) -> None:
        """Whether the room ends when this party leaves."""
        client, http = self._connection
        with failures_explained(http):
            self._participant(client, room, external_id).update(end_conference_on_exit=is_last)

    def _participant(self, client: Any, room: str, external_id: str) -> Any:
        found = client.conferences.list(friendly_name=room, status="in-progress", limit=1)
        if not found:
            raise AdapterError("The call has ended.", permanent=True, reason="unknown", code="20404")
        return client.conferences(found[0].sid).participants(external_id)


class _gone_is_fine(suppress):
    def __init__(self) -> None:
        super().__init__(AdapterError)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        return isinstance(error, AdapterError) and error.code in GONE


def _event_of(words: dict[str, str]) -> str:
    said = words.get("StatusCallbackEvent", "")
    if said in PARTICIPANT:
        return PARTICIPANT[said]
    if words.get("step") == "transcript":
        return "transcript"
    if words.get("told") == "status":
        status = STATUSES.get(words.get("CallStatus", ""))
        if status is None:
            raise UnparseablePayload(f"The status {words.get('CallStatus', '')[:40]!r} is not known.")
        return status
    return "step"


def _facts(words: dict[str, str]) -> dict[str, Any]:
    names = {
        "step": "step",
        "key": "Digits",
        "speech": "SpeechResult",
        "language": "lang",
        "queue": "queue",
        "round": "n",
        "call": "call",
        "party": "party",
        "recording": "RecordingUrl",
        "transcript": "TranscriptionText",
        "duration": "CallDuration",
        "sequence": "SequenceNumber",
        "direction": "Direction",
        "dial": "DialCallStatus",
    }
    return {ours: words[theirs] for ours, theirs in names.items() if words.get(theirs)}


def _write(response: Any, step: Any, url: Any) -> None:
    if isinstance(step, Say):
        response.say(step.text, language=LOCALES.get(step.language, "en-US"), voice=VOICES.get(step.language))
    elif isinstance(step, Music):
        response.play(MUSIC_URL, loop=max(1, step.seconds // 60))
    elif isinstance(step, GoOn):
        response.redirect(url(step.next), method="POST")
    elif isinstance(step, HangUp):
        response.hangup()
    elif isinstance(step, Ask):
        gather = Gather(
            action=url(step.next),
            method="POST",
            num_digits=1,
            timeout=step.seconds,
            input="dtmf speech" if step.hints else "dtmf",
            language=LOCALES.get(step.language, "en-US"),
            **({"hints": ", ".join(step.hints)} if step.hints else {}),
        )
        for part in step.parts:
            _write(gather, part, url)
        response.append(gather)
    elif isinstance(step, Join):
        dial = Dial(**({"action": url(step.next), "method": "POST"} if step.next else {}))
        dial.conference(
            step.room,
            beep=False,
            start_conference_on_enter=True,
            end_conference_on_exit=step.is_last,
            status_callback=url(VOICE_STATUS_PATH),
            status_callback_event="join leave end",
        )
        response.append(dial)
    elif isinstance(step, Record):
        response.record(
            action=url(step.next),
            method="POST",
            max_length=step.seconds,
            play_beep=True,
            transcribe=True,
            transcribe_callback=url(step.transcript),
        )
