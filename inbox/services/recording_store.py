"""Recordings come from the provider into our store, with a checksum."""

import hashlib
from datetime import timedelta
from typing import IO

import structlog
from django.conf import settings
from django.core.files import File
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.common.deadline import Deadline
from inbox import realtime
from inbox.adapters.base import AdapterError, FetchedMedia, MediaRefused
from inbox.enums import FileProblem, RecordingStatus
from inbox.models import Recording
from inbox.services.attachments import FETCH_QUEUE, FETCH_TASK, FileRefused, judge, kept_with_rows, note_written
from inbox.services.call_provider import voice
from inbox.services.locks import try_held

log = structlog.get_logger(__name__)
R = RecordingStatus
BACKOFF = [timedelta(seconds=s) for s in (10, 30, 120, 600, 1800, 7200, 21600, 43200)]
UNTOLD = timedelta(minutes=1)
"""When the provider has not told by then that a recording is ready, we look for it."""
NEVER_TOLD = timedelta(hours=6)


def fetch_recordings(*, limit: int = 50) -> int:
    """Fetch what the provider has ready, for a minute at most; returns how many were tried. One worker at a time."""
    with try_held("fetch-recordings") as is_mine:
        if not is_mine:
            return 0
        _give_up_untold()
        deadline, tried = Deadline(FETCH_TASK, FETCH_QUEUE), 0
        for recording_id in list(_due().values_list("pk", flat=True)[:limit]):
            if deadline.is_over or not fetch_recording(recording_id):
                break
            tried += 1
        return tried


def _due() -> QuerySet[Recording]:
    now = timezone.now()
    is_ready = Q(seconds__isnull=False) | Q(ended_at__lt=now - UNTOLD)
    found = Recording.objects.filter(is_ready, status=R.ENDED).exclude(external_id="")
    return found.exclude(next_attempt_at__gt=now).order_by("pk")


def _give_up_untold() -> None:
    for recording_id in Recording.objects.filter(
        status=R.ENDED, external_id="", ended_at__lt=timezone.now() - NEVER_TOLD
    ).values_list("pk", flat=True):
        _lose(recording_id, _("The telephone service never told of it."))


def fetch_recording(recording_id: int) -> bool:
    """Fetch one; False when the provider does not answer, so that the others are left for later."""
    with realtime.atomic():
        found = Recording.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=recording_id)
        recording = found.filter(status=R.ENDED).first()
        if recording is None or recording.attempts >= len(BACKOFF):
            if recording is not None:
                _lose(recording_id, recording.error or _("It stopped its worker several times."))
            return True
        recording.next_attempt_at = timezone.now() + BACKOFF[recording.attempts]
        recording.attempts += 1
        recording.save()
    try:
        ref = voice().recording_ref(recording.external_id, recording.channels)
        fetched = voice().fetch_media(ref, settings.MAX_RECORDING_BYTES)
    except MediaRefused as error:
        _lose(recording_id, str(error))
    except AdapterError as error:
        if error.permanent or recording.attempts >= len(BACKOFF):
            _lose(recording_id, error.message)
        return error.reason != "provider_down"
    else:
        _keep(recording_id, fetched)
    return True


def _keep(recording_id: int, fetched: FetchedMedia) -> None:
    with fetched.content as content, kept_with_rows(), realtime.atomic():
        recording = Recording.objects.select_for_update(of=("self",)).select_related("call").get(pk=recording_id)
        if recording.status != R.ENDED:
            return
        try:
            recording.content_type = _audio_type(content, fetched)
        except FileRefused:
            recording.lose(_("What the provider gave is no sound."))
        else:
            recording.digest, recording.size = digest_of(content), fetched.size
            content.seek(0)
            recording.file.save("unused", File(content), save=False)
            note_written(str(recording.file.name))
            recording.keep(timezone.now())
        recording.save()
        realtime.touch(realtime.interaction_topic(recording.call.interaction_id))


def _audio_type(content: IO[bytes], fetched: FetchedMedia) -> str:
    found = judge(content, fetched.content_type, fetched.size, most=settings.MAX_RECORDING_BYTES)
    if not found.startswith("audio/"):
        raise FileRefused(FileProblem.TYPE)
    return found


def digest_of(content: IO[bytes]) -> str:
    """SHA-256 of everything in it, in hexadecimal."""
    content.seek(0)
    found = hashlib.sha256()
    while chunk := content.read(1_048_576):
        found.update(chunk)
    return found.hexdigest()


def _lose(recording_id: int, why: str) -> None:
    with realtime.atomic():
        recording = Recording.objects.select_for_update(of=("self",)).select_related("call").get(pk=recording_id)
        if recording.status == R.ENDED:
            recording.lose(why or _("The telephone service does not give it to us."))
            recording.save()
            log.error("recording_missing", recording_id=recording_id)
            realtime.touch(realtime.interaction_topic(recording.call.interaction_id))
