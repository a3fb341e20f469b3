"""What callers said lies with the provider too: its copies go when ours are gone or, where that is wanted, safe.

A copy that is the only one, because ours could not be fetched, stays until it was erased here or its time of keeping is
over.
"""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from contact_center.common.deadline import Deadline
from inbox.adapters.base import AdapterError
from inbox.enums import AttachmentStatus, RecordingStatus
from inbox.models import Attachment, Call, Recording
from inbox.services.call_provider import ask
from inbox.services.locks import try_held
from inbox.services.recording_store import digest_of

log = structlog.get_logger(__name__)
R = RecordingStatus
TASK, QUEUE = "inbox.forget_copies", "default"
SAFE_AFTER = timedelta(hours=1)
AGAIN_AFTER, SELDOM = timedelta(minutes=10), timedelta(days=1)
OUT_OF_REACH = ("provider_down", "rate_limited")


def forget_copies(*, limit: int = 200) -> int:
    """Let the provider delete its copies of recordings and voicemails; returns how many it did. One worker at a time.

    A copy of which ours cannot be read as it was stored is kept. What does not succeed is tried again ever more seldom
    and holds up no other copy; a provider that is out of reach is left alone until the next run.
    """
    with try_held("forget-copies") as is_mine:
        if not is_mine:
            return 0
        now, done, deadline = timezone.now(), 0, Deadline(TASK, QUEUE)
        for row in [*_recordings(now)[:limit], *_voicemails(now)[:limit]]:
            if deadline.is_over:
                break
            try:
                done += _forget_recording(row, now) if isinstance(row, Recording) else _forget_voicemail(row, now)
            except AdapterError as error:
                log.warning(
                    "copy_not_deleted", model=type(row).__name__, pk=row.pk, reason=error.reason, code=error.code
                )
                if error.reason in OUT_OF_REACH:
                    break
        return done


def _recordings(now: datetime) -> QuerySet[Recording]:
    is_due = Q(is_erased=True)
    if settings.DELETE_RECORDINGS_AT_PROVIDER:
        is_due |= Q(status=R.STORED, stored_at__lt=now - SAFE_AFTER)
    rows = Recording.objects.filter(is_due, forgotten_at=None)
    return rows.exclude(external_id="").exclude(next_attempt_at__gt=now).order_by("pk")


def _forget_recording(recording: Recording, now: datetime) -> bool:
    row = Recording.objects.filter(pk=recording.pk)
    row.update(attempts=recording.attempts + 1, next_attempt_at=_again_at(now, recording.attempts))
    if recording.file and not _is_as_stored(recording):
        log.error("recording_damaged", recording_id=recording.pk)
        return False
    ask(lambda voice: voice.delete_recording(recording.external_id))
    return bool(row.update(forgotten_at=now))


def _again_at(now: datetime, attempts: int) -> datetime:
    return now + min(AGAIN_AFTER * 2 ** min(attempts, 10), SELDOM)


def _is_as_stored(recording: Recording) -> bool:
    try:
        with recording.file.open("rb") as content:
            return digest_of(content) == recording.digest
    except OSError:
        return False


def _voicemails(now: datetime) -> QuerySet[Call]:
    sound = Attachment.objects.filter(
        message__provider=OuterRef("provider"), message__external_id=OuterRef("voicemail_id")
    )
    is_ours_gone = ~Q(Exists(sound.exclude(file="", source_url="")))
    is_due = is_ours_gone & (Q(voicemail_url="") | Q(Exists(sound)))  # else there never was one of ours
    if settings.DELETE_RECORDINGS_AT_PROVIDER:
        is_safe = Exists(sound.filter(status=AttachmentStatus.CLEAN).exclude(file=""))
        is_due |= Q(is_safe, ended_at__lt=now - SAFE_AFTER)
    rows = Call.objects.filter(is_due, voicemail_forgotten_at=None).exclude(voicemail_id="")
    return rows.exclude(voicemail_next_attempt_at__gt=now).order_by("pk")


def _forget_voicemail(call: Call, now: datetime) -> bool:
    row = Call.objects.filter(pk=call.pk)
    row.update(
        voicemail_attempts=call.voicemail_attempts + 1,
        voicemail_next_attempt_at=_again_at(now, call.voicemail_attempts),
    )
    sound = Attachment.objects.filter(message__provider=call.provider, message__external_id=call.voicemail_id)
    if not all(_has_its_size(one) for one in sound if one.file):
        log.error("voicemail_damaged", call_id=call.pk)
        return False
    ask(lambda voice: voice.delete_recording(call.voicemail_id))
    return bool(row.update(voicemail_forgotten_at=now))


def _has_its_size(sound: Attachment) -> bool:
    try:
        return sound.file.size == sound.size
    except OSError:
        return False
