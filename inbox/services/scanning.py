"""Virus scanning of files: what is kept is looked at before anybody gets it, when a scanner is configured."""

import uuid
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.deadline import Deadline
from contact_center.common.wake import wake_on_commit
from inbox import realtime
from inbox.adapters import scanner
from inbox.enums import AttachmentStatus, ScanStatus
from inbox.models import Attachment, Upload
from inbox.services.locks import try_held

log = structlog.get_logger(__name__)
TASK, QUEUE = "inbox.scan_files", "default"
MAX_ATTEMPTS = 6
BACKOFF = [timedelta(seconds=s) for s in (10, 60, 300, 900, 3600)]
LEASE = timedelta(minutes=2)
SCANNING = "scanning"
"""The word of both tables for what waits."""
BATCH = 100


def admit(attachment: Attachment) -> None:
    """Let a kept file wait for the scanner; where none is configured it is available at once, and says so."""
    if settings.SCAN_BACKEND:
        attachment.hold()
        attachment.attempts, attachment.next_attempt_at = 0, None
        wake_on_commit(TASK, QUEUE)
    else:
        attachment.accept()


def scan_files(*, limit: int = 500) -> int:
    """Look at what waits and is due, for a minute, one worker at a time; returns how many were looked at.

    A scanner that does not answer ends the run: the rows say what is left. Files from before a scanner was configured
    are looked at too, and are not available until then.
    """
    if not settings.SCAN_BACKEND:
        return 0
    with try_held("scan-files") as is_mine:
        if not is_mine:
            return 0
        _take_up_unscanned()
        deadline, looked = Deadline(TASK, QUEUE), 0
        while looked < limit and not deadline.is_over:
            row = _lease(Attachment.objects.all()) or _lease(Upload.objects.all())
            if row is None:
                break
            looked += 1
            if not _scan(row):
                break
        return looked


def scan_upload_now(upload_id: int) -> None:
    """Look at one uploaded file at once, so that its author need not wait; without an answer the worker goes on."""
    row = _lease(Upload.objects.filter(pk=upload_id)) if settings.SCAN_BACKEND else None
    if row is not None:
        _scan(row)


def scan_again(*, attachment_id: int) -> None:
    """Look again at a file that could not be checked."""
    with realtime.atomic():
        row = Attachment.objects.select_for_update().get(pk=attachment_id)
        if row.status == AttachmentStatus.UNCHECKED:
            row.rescan()
            row.attempts, row.next_attempt_at = 0, None
            row.save()
            wake_on_commit(TASK, QUEUE)


def _take_up_unscanned() -> None:
    with transaction.atomic():
        rows = Attachment.objects.select_for_update(skip_locked=True, of=("self",))
        for row in rows.filter(status=AttachmentStatus.CLEAN, scanned_at=None).exclude(file="").order_by("-id")[:BATCH]:
            row.rescan()
            row.attempts, row.next_attempt_at = 0, None
            row.save()
        waiting = Upload.objects.select_for_update(skip_locked=True).filter(status=ScanStatus.UNSCANNED, sent_with=None)
        for upload in waiting.order_by("-id")[:BATCH]:
            upload.hold()
            upload.save()


def _lease(rows: QuerySet[Any]) -> Any:
    """One row that is due, marked so that no other worker takes it; None when there is none."""
    with transaction.atomic():
        due = rows.select_for_update(skip_locked=True, of=("self",)).exclude(next_attempt_at__gt=timezone.now())
        row = due.filter(status=SCANNING).order_by("next_attempt_at", "id").first()
        if row is not None:
            row.attempts += 1
            row.next_attempt_at = timezone.now() + LEASE
            row.save()
        return row


def _scan(row: Attachment | Upload) -> bool:
    """Ask the scanner and settle the row; False when the scanner does not answer."""
    try:
        with row.file.open("rb") as content:
            virus = scanner.scan(settings.SCAN_BACKEND, content, timeout=settings.SCAN_TIMEOUT_SECONDS)
    except (scanner.ScannerRefused, FileNotFoundError) as error:
        _settle(row, "give_up_scan", why=type(error).__name__)
        return True
    except scanner.ScannerUnavailable as error:
        _put_off(row, why=str(error))
        return False
    _settle(row, "quarantine" if virus else "pass_scan", virus=virus)
    return True


def _put_off(row: Attachment | Upload, why: str) -> None:
    log.warning("scanner_away", kind=type(row).__name__, row_id=row.pk, attempts=row.attempts, error=why)
    if row.attempts >= MAX_ATTEMPTS:
        _settle(row, "give_up_scan", why=why)
    else:
        due = timezone.now() + BACKOFF[row.attempts - 1]
        type(row).objects.filter(pk=row.pk).update(next_attempt_at=due)


def _settle(row: Attachment | Upload, how: str, *, virus: str = "", why: str = "") -> None:
    with realtime.atomic():
        fresh: Any = type(row).objects.select_for_update(of=("self",)).filter(pk=row.pk, status=SCANNING).first()
        if fresh is None:
            return
        getattr(fresh, how)()
        if virus:
            fresh.file.name = _move_away(str(fresh.file.name))
            _note_virus(fresh, virus)
        fresh.save()
        if isinstance(fresh, Attachment):
            realtime.touch(realtime.interaction_topic(fresh.message.interaction_id))
    if why:
        log.warning("file_not_scanned", kind=type(row).__name__, row_id=row.pk, error=why)


def _move_away(name: str) -> str:
    """Copy the content to where nothing is served from; the old one goes after commit."""
    with default_storage.open(name, "rb") as content:
        kept = default_storage.save(f"quarantine/{uuid.uuid4().hex}", content)
    transaction.on_commit(lambda: default_storage.delete(name))
    return kept


def _note_virus(row: Attachment | Upload, virus: str) -> None:
    interaction = row.message.interaction if isinstance(row, Attachment) else row.interaction
    kind = "attachment" if isinstance(row, Attachment) else "upload"
    record(
        actor=None, action=AuditAction.CHANGED, object_type=kind, object_id=row.pk,
        patient_id=interaction.patient_id if interaction else None, virus=virus,
    )  # fmt: skip
    log.error("virus_found", kind=kind, row_id=row.pk)
