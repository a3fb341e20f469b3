"""Recordings of calls: begun when somebody answers who may be recorded, paused by the agent, ended with the talk.

Whoever changes a recording holds the lock of its call first. A row is written before the provider is asked, so that
two never run at once; what the provider tells later of a recording finds that row.
"""

from datetime import datetime
from functools import partial

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict, Refused
from contact_center.common.wake import wake_on_commit
from inbox import realtime
from inbox.adapters.base import AdapterError
from inbox.adapters.events import CallEvent
from inbox.enums import (
    MAY_RECORD,
    RECORDING_LIVE,
    TALKING,
    CallMomentKind,
    CallStatus,
    Direction,
    PauseReason,
    RecordingConsent,
    RecordingMode,
    RecordingStatus,
)
from inbox.models import Call, Recording, TranscriptLine
from inbox.selectors.voice import address_of
from inbox.selectors.voice_lines import line_of
from inbox.services.attachments import FETCH_QUEUE, FETCH_TASK
from inbox.services.call_provider import ask, do, steer
from inbox.services.call_rows import locked_call, note, own_call, show

C, M, R = CallStatus, CallMomentKind, RecordingStatus
SECONDS_PER_WORD = 0.4
"""What was said is told when it has been said; about so long before, it began."""


def mode_of(call: Call) -> RecordingMode:
    """How calls with this person are recorded in the queue where the call is now."""
    line = line_of(call.channel.address)
    known = call.interaction.contact_value if call.interaction.contact_scheme == "phone" else ""
    return line.mode_for(known, call.queue_id) if line else RecordingMode.OFF


def live_recording(call: Call) -> Recording | None:
    """The recording that runs or is paused now."""
    found: Recording | None = call.recordings.filter(status__in=RECORDING_LIVE).first()
    return found


def begin(call_id: int) -> Recording | None:
    """Record a call from now on, if it may be recorded and is not yet. None when not, or the provider does not answer.

    Whom we called is told first, where people are told.
    """
    _announce_to_called(call_id)
    with realtime.atomic():
        call = locked_call(call_id)
        is_due = call.status in TALKING and call.recording_consent in MAY_RECORD and mode_of(call) != RecordingMode.OFF
        if not is_due or live_recording(call) is not None:
            return None
        recording = Recording.objects.create(call=call, agent=call.agent, started_at=timezone.now())
    try:
        external_id = ask(lambda voice: voice.start_recording(call.external_id, str(call_id)))
    except AdapterError as error:
        if error.doubtful:  # it may run unseen, and could be neither paused nor ended
            steer(lambda voice: voice.stop_recording(call.external_id))
        _not_begun(recording.pk)
        return None
    return _begun(recording.pk, external_id)


def _announce_to_called(call_id: int) -> None:
    """One whom we called hears it in the conference, alone; without that they are not recorded."""
    call = Call.objects.select_related("channel", "interaction").get(pk=call_id)
    is_new = call.direction == Direction.OUTBOUND and call.status in TALKING and not call.recording_consent
    if not is_new or mode_of(call) != RecordingMode.ANNOUNCE:
        return
    words = address_of("announcement", lang=call.language, call=call_id)
    if steer(lambda voice: voice.announce(call.room, call.external_id, words)):
        _agree(call_id, RecordingConsent.ANNOUNCED)
    else:
        with realtime.atomic():
            note(locked_call(call_id), M.NOT_RECORDED)


def _agree(call_id: int, consent: RecordingConsent, actor: User | None = None) -> None:
    with realtime.atomic():
        call = locked_call(call_id)
        call.recording_consent = consent
        call.save(update_fields=["recording_consent", "updated_at"])
        note(call, M.CONSENT, user=actor, detail=consent)
        if actor is not None:
            record(
                actor=actor, action=AuditAction.CHANGED, object_type="call", object_id=call_id,
                patient_id=call.interaction.patient_id, recording_consent=consent,
            )  # fmt: skip


def _locked(recording_id: int) -> tuple[Call, Recording]:
    call = locked_call(Recording.objects.values_list("call_id", flat=True).get(pk=recording_id))
    return call, Recording.objects.select_for_update(of=("self",)).get(pk=recording_id)


def _not_begun(recording_id: int) -> None:
    with realtime.atomic():
        call, recording = _locked(recording_id)
        if recording.external_id:
            return  # it began all the same, and the provider has told so
        if recording.is_live:
            recording.end(timezone.now())
        if recording.status == R.ENDED:
            recording.lose(_("The telephone service did not begin it."))
        recording.save()
        note(call, M.NOT_RECORDED)
        show(call, call.interaction)


def _begun(recording_id: int, external_id: str) -> Recording:
    with realtime.atomic():
        call, recording = _locked(recording_id)
        recording.external_id = recording.external_id or external_id
        recording.save()
        note(call, M.RECORDED, user=call.agent)
        show(call, call.interaction)
        if not recording.is_live and not call.is_over:
            _stop_on_commit(call, external_id)
    if recording.is_live:
        _write_down_from_now(call, recording)
        if Call.objects.filter(pk=call.pk, status=C.HELD).exists():
            follow_hold(call.pk, is_held=True)
    return recording


def _write_down_from_now(call: Call, recording: Recording) -> None:
    line = line_of(call.channel.address)
    if line is None or not line.transcribes:
        return
    ids: list[str] = []
    steer(lambda voice: ids.append(voice.transcribe(call.external_id, call.language, str(call.pk))))
    if not ids:
        return
    with realtime.atomic():
        _call, found = _locked(recording.pk)
        if found.status == R.ACTIVE:
            found.transcript_id = ids[0]
            found.save()
            return
    steer(lambda voice: voice.stop_transcribing(call.external_id, ids[0]))


# ---- what agents do ----
def pause_recording(*, actor: User, call_id: int, reason: PauseReason) -> Recording:
    """Record nothing of one's call until it is resumed, and write nothing down.

    Raises Conflict when nothing is recorded, Refused when the provider does not do it: then it is still recorded.
    """
    call, recording = _own_live(actor, call_id)
    if recording.status == R.ACTIVE:
        try:
            _pause_with_provider(call, recording)
        except AdapterError as error:
            sorry = _("The recording could not be paused. Do not take such details yet; try again.")
            raise Refused(sorry) from error
    return _paused(recording.pk, reason, actor)


def _pause_with_provider(call: Call, recording: Recording) -> None:
    if recording.transcript_id:
        ask(lambda voice: voice.stop_transcribing(call.external_id, recording.transcript_id))
    ask(lambda voice: voice.pause_recording(call.external_id, recording.external_id))


def _paused(recording_id: int, reason: PauseReason, actor: User | None) -> Recording:
    with realtime.atomic():
        call, recording = _locked(recording_id)
        if recording.status == R.ACTIVE:
            recording.pause(timezone.now(), reason)
            note(call, M.REC_PAUSED, user=actor, detail=reason)
        elif recording.status == R.PAUSED and reason != PauseReason.HOLD:
            recording.pause_reason = reason  # it does not go on by itself when the caller comes back
        recording.transcript_id = ""
        recording.save()
        show(call, call.interaction)
        return recording


def resume_recording(*, actor: User, call_id: int) -> Recording:
    """Record one's call again; while the caller is on hold, as soon as they are back.

    Raises Conflict when nothing is recorded, Refused when the provider does not answer.
    """
    call, recording = _own_live(actor, call_id)
    if recording.status == R.ACTIVE:
        return recording
    if call.status == C.HELD:
        with realtime.atomic():
            call, recording = _locked(recording.pk)
            recording.pause_reason = PauseReason.HOLD if recording.status == R.PAUSED else ""
            recording.save()
            show(call, call.interaction)
            return recording
    do(lambda voice: voice.resume_recording(call.external_id, recording.external_id))
    return _resumed(call, recording.pk, actor)


def _resumed(call: Call, recording_id: int, actor: User | None) -> Recording:
    with realtime.atomic():
        call, recording = _locked(recording_id)
        is_resumed = recording.status == R.PAUSED
        if is_resumed:
            recording.resume(timezone.now())
            recording.save()
            note(call, M.REC_RESUMED, user=actor)
            show(call, call.interaction)
    if is_resumed:
        _write_down_from_now(call, recording)
    return recording


def _own_live(actor: User, call_id: int) -> tuple[Call, Recording]:
    call = own_call(actor, call_id)
    recording = live_recording(call)
    if recording is None:
        raise Conflict(_("This call is not being recorded."))
    if not recording.external_id:
        raise Conflict(_("The recording is just beginning. Try again in a moment."))
    return call, recording


def record_after_consent(*, actor: User, call_id: int) -> Recording:
    """The person said to the agent that the call may be recorded: note that, and record it.

    Raises Refused where calls are never recorded and when the provider does not answer, Conflict for another's call.
    """
    call = own_call(actor, call_id)
    if mode_of(call) == RecordingMode.OFF:
        raise Refused(_("Calls in this queue are not recorded."))
    if (live := live_recording(call)) is not None:
        return live
    if call.recording_consent not in MAY_RECORD:
        _agree(call_id, RecordingConsent.SPOKEN, actor)
    recording = begin(call_id)
    if recording is None:
        raise Refused(_("The telephone service does not answer. Try again in a moment."))
    return recording


def follow_hold(call_id: int, is_held: bool) -> None:
    """While the caller hears music nothing is recorded; what was paused for another reason stays paused.

    Where the provider does not take it up again, the agent sees that it is paused and may.
    """
    call = Call.objects.select_related("channel").get(pk=call_id)
    recording = live_recording(call)
    if recording is None or not recording.external_id:
        return
    if is_held and recording.status == R.ACTIVE:
        try:
            _pause_with_provider(call, recording)
        except AdapterError:
            return  # then the music is on the recording
        _paused(recording.pk, PauseReason.HOLD, None)
        return
    is_ours = not is_held and recording.pause_reason == PauseReason.HOLD
    if is_ours and steer(lambda voice: voice.resume_recording(call.external_id, recording.external_id)):
        _resumed(call, recording.pk, None)


def end_live(call: Call, at: datetime) -> None:
    """What is recorded of this call, whose row is locked, ends here; if somebody answers again, another one begins."""
    recording = call.recordings.select_for_update(of=("self",)).filter(status__in=RECORDING_LIVE).first()
    if recording is None:
        return
    transcript_id = recording.transcript_id
    recording.end(at)
    recording.save()
    if call.is_over:
        return
    note(call, M.REC_STOPPED, at=at)
    if transcript_id:
        leg = call.external_id
        transaction.on_commit(lambda: steer(lambda voice: voice.stop_transcribing(leg, transcript_id)))
    _stop_on_commit(call, recording.external_id)


def _stop_on_commit(call: Call, external_id: str) -> None:
    if external_id:
        stop = partial(_stop, call.external_id, external_id)
        transaction.on_commit(stop)


def _stop(leg: str, external_id: str) -> None:
    steer(lambda voice: voice.stop_recording(leg, external_id))


# ---- what the provider tells ----
def apply_recording_event(call: Call, item: CallEvent, at: datetime) -> None:
    """Make what the provider tells of a recording part of the record; the call's row is locked. Twice or late, the
    same comes of it."""
    if item.event == "spoken":
        _write_line(call, item, at)
        return
    recording = _told_of(call, item.payload.get("recording_id", ""))
    if recording.is_live:
        recording.end(at)
    if item.event == "recording_absent":
        if recording.status == R.ENDED:
            recording.lose(_("Nothing was recorded."))
    else:
        if recording.status == R.MISSING:
            recording.retry()
        recording.seconds = _number(item.payload.get("seconds")) or 0
        recording.channels = _number(item.payload.get("channels")) or recording.channels
        if recording.status == R.ENDED:
            recording.next_attempt_at = None
            wake_on_commit(FETCH_TASK, FETCH_QUEUE)
    recording.save()


def _told_of(call: Call, external_id: str) -> Recording:
    """The row of this recording: by its id, else the one whose id was not known yet, else a new one: none is lost."""
    found = call.recordings.select_for_update(of=("self",))
    recording: Recording | None = found.filter(external_id=external_id).first()
    recording = recording or found.filter(external_id="").last() or Recording(call=call, agent=call.agent)
    recording.external_id = external_id
    return recording


def _write_line(call: Call, item: CallEvent, at: datetime) -> None:
    recording = call.recordings.last()
    words = item.payload.get("words", "").strip()
    if recording is None or not words or recording.status == R.PAUSED:
        return  # a line that comes while it is paused may hold what nobody should write down
    began = recording.offset_of(at) - SECONDS_PER_WORD * len(words.split())
    TranscriptLine.objects.get_or_create(
        recording=recording,
        key=f"{item.payload.get('transcript_id', '')}:{item.payload.get('line', '')}"[:80],
        defaults={"offset": max(0.0, began), "party": item.payload["speaker"], "text": words[:4000]},
    )


def _number(text: object) -> int | None:
    written = str(text or "")
    return int(written) if written.isdecimal() and len(written) < 7 else None
