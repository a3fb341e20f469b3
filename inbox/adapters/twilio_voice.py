"""Twilio Programmable Voice: what it tells us of calls, what callers hear, and how calls are steered."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, ClassVar

from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

from inbox.adapters.base import Adapter, AdapterError, Capability, UnparseablePayload
from inbox.adapters.events import CallEvent, Event
from inbox.adapters.twilio_device import CLIENT, user_of
from inbox.adapters.twilio_http import TwilioConfig, failures_explained
from inbox.adapters.twilio_messaging import TwilioMessagingAdapter
from inbox.adapters.twilio_recordings import LOCALES, TwilioRecordings, gone_is_fine
from inbox.adapters.twilio_words import GONE, VOICE_STATUS_PATH, clean, read_address, read_mail_time
from inbox.adapters.voice_script import Ask, GoOn, HangUp, Join, Music, Record, Say, Script

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
RECORDING = {"completed": "recording_ready", "absent": "recording_absent"}
PARTICIPANT = {"participant-join": "joined", "participant-leave": "left", "conference-end": "room_ended"}
_SID = re.compile(r"[A-Za-z0-9]{2,64}")


class TwilioVoiceAdapter(TwilioRecordings, Adapter):
    """Calls of one Twilio account, with conferences as rooms."""

    key: ClassVar[str] = "twilio_voice"
    capabilities: ClassVar[frozenset[Capability]] = frozenset({"receive", "media"})

    def __init__(self, config: TwilioConfig) -> None:
        self.config = config
        self._signatures = TwilioMessagingAdapter(config)

    def verify(self, request_url: str, headers: Mapping[str, str], body: bytes, params: Mapping[str, Any]) -> None:
        """See Adapter.verify."""
        self._signatures.verify(request_url, headers, body, params)

    def parse(self, payload: Mapping[str, Any]) -> list[Event]:
        """See Adapter.parse. A request for words is the event `step`; all others are steps in a call's life.

        A device says itself what it asks for, so of its words only the call it wants to be in is heard (`user` is whose
        device it is): nobody joins another's call by asking for a caller's step.
        """
        words = {clean(name): clean(value) for name, value in payload.items()}
        external_id = words.get("CallSid", "")
        is_of_room = words.get("StatusCallbackEvent") == "conference-end" or words.get("step") == "announcement"
        if is_of_room and not external_id:
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
                occurred_at=_moment(words),
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

    # ---- steering; all raise AdapterError ----
    def call_agent(self, room: str, user_id: int, caller_id: str, our_id: str) -> str:
        """Let the agent's device ring and meet in the room; returns the id of that leg."""
        return self._add(room, _device(user_id, our_id, "agent"), caller_id, our_id, party="agent", is_last=True)

    def call_number(self, room: str, number: str, caller_id: str, our_id: str) -> str:
        """Call a phone number and let it meet in the room; returns the id of that leg."""
        return self._add(room, number, caller_id, our_id, party="patient", is_last=True)

    def consult(self, room: str, user_id: int, caller_id: str, our_id: str) -> str:
        """Let a colleague's device join the room; the room goes on when they leave."""
        device = _device(user_id, our_id, "consulted")
        return self._add(room, device, caller_id, our_id, party="consulted", is_last=False)

    def _add(self, room: str, to: str, caller_id: str, our_id: str, *, party: str, is_last: bool, **given: Any) -> str:
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
                **given,
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
        with gone_is_fine(), failures_explained(http):
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

    # ---- supervisors ----
    def supervise(
        self, room: str, user_id: int, caller_id: str, our_id: str, *, is_heard: bool, agent_leg: str = ""
    ) -> str:
        """Let a supervisor's device join the room; returns the id of that leg.

        Unless `is_heard` nobody hears them. With `agent_leg` they are heard on that leg alone.
        """
        return self._add(
            room, _device(user_id, our_id, "supervisor"), caller_id, our_id, party="supervisor", is_last=False,
            **_coaching(is_heard, agent_leg),
        )  # fmt: skip

    def let_speak(self, room: str, external_id: str, *, is_heard: bool, agent_leg: str = "") -> None:
        """Whether and by whom a supervisor in the room is heard; see `supervise`."""
        client, http = self._connection
        with failures_explained(http):
            self._participant(client, room, external_id).update(**_coaching(is_heard, agent_leg))

    def silence(self, room: str, external_id: str) -> bool:
        """Let nobody hear one party of a room; False when they are not in it any more."""
        try:
            self.let_speak(room, external_id, is_heard=False)
        except AdapterError as error:
            if error.code in GONE:
                return False
            raise
        return True

    def announce(self, room: str, external_id: str, step: str) -> None:
        """Let one party of the room hear a script; the others hear nothing of it."""
        client, http = self._connection
        with failures_explained(http):
            self._participant(client, room, external_id).update(announce_url=self._url(step), announce_method="POST")

    def _participant(self, client: Any, room: str, external_id: str) -> Any:
        found = client.conferences.list(friendly_name=room, status="in-progress", limit=1)
        if not found:
            raise AdapterError("The call has ended.", permanent=True, reason="unknown", code="20404")
        return client.conferences(found[0].sid).participants(external_id)


def _moment(words: dict[str, str]) -> datetime | None:
    """The provider's time: of calls as mails have it, of what was said in ISO 8601."""
    try:
        moment = datetime.fromisoformat(words.get("Timestamp", ""))
    except ValueError:
        return read_mail_time(words.get("Timestamp"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _device(user_id: int, our_id: str, party: str) -> str:
    """Somebody's browser, which learns with the call what it rings for."""
    return f"{CLIENT}{user_id}?call={our_id}&party={party}"


def _coaching(is_heard: bool, agent_leg: str) -> dict[str, Any]:
    """A participant who coaches is heard by that leg only; one who does not, and is not muted, by everybody."""
    coach = {"coaching": True, "call_sid_to_coach": agent_leg} if is_heard and agent_leg else {"coaching": False}
    return {"muted": not is_heard} | coach


def _event_of(words: dict[str, str]) -> str:
    if words.get("From", "").startswith("client:") and words.get("told") != "status":
        return "step"
    said = words.get("StatusCallbackEvent", "")
    if said in PARTICIPANT:
        return PARTICIPANT[said]
    if words.get("step") == "transcript":
        return "transcript"
    if words.get("TranscriptionEvent"):
        return "spoken" if words["TranscriptionEvent"] == "transcription-content" else "other"
    if words.get("RecordingStatus"):
        return RECORDING.get(words["RecordingStatus"], "other")
    if words.get("told") == "status":
        status = STATUSES.get(words.get("CallStatus", ""))
        if status is None:
            raise UnparseablePayload(f"The status {words.get('CallStatus', '')[:40]!r} is not known.")
        return status
    return "step"


def _facts(words: dict[str, str]) -> dict[str, Any]:
    if words.get("From", "").startswith("client:"):
        said = {"step": "device", "user": user_of(words["From"]), "direction": "outbound"}
        asked = {"call": words.get("call", ""), "round": words.get("n", "")} if words.get("told") != "status" else {}
        return said | asked
    names = {
        "step": "step",
        "key": "Digits",
        "speech": "SpeechResult",
        "language": "lang",
        "queue": "queue",
        "rule": "rule",
        "round": "n",
        "call": "call",
        "party": "party",
        "recording": "RecordingUrl",
        "transcript": "TranscriptionText",
        "duration": "CallDuration",
        "sequence": "SequenceNumber",
        "direction": "Direction",
        "dial": "DialCallStatus",
        "consent": "consent",
        "quoted": "quoted",
        "recording_id": "RecordingSid",
        "seconds": "RecordingDuration",
        "channels": "RecordingChannels",
        "transcript_id": "TranscriptionSid",
        "line": "SequenceId",
    }
    facts: dict[str, Any] = {ours: words[theirs] for ours, theirs in names.items() if words.get(theirs)}
    if (user := user_of(words.get("To", "").partition("?")[0])) is not None:
        facts["user"] = user
    return facts | (_spoken(words) if words.get("TranscriptionData") else {})


def _spoken(words: dict[str, str]) -> dict[str, str]:
    """What was said and by whom; the inbound track of a leg is the person at the phone."""
    with suppress(ValueError, AttributeError):
        said = str(json.loads(words["TranscriptionData"]).get("transcript", ""))
        return {"words": said, "speaker": "patient" if words.get("Track") == "inbound_track" else "agent"}
    raise UnparseablePayload("What was said cannot be read.")


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
            **({"transcribe": True, "transcribe_callback": url(step.transcript)} if step.transcript else {}),
        )
