"""What a worker does with long work: claim, do items one by one, write files, hand over at the end of its time.

Each item is done in one transaction with its own row, so a worker that dies in the middle has done it or not, and
the next one goes on with the rest. Two workers at one job do no harm: a row is done by whoever holds its lock.
"""

import csv
import tempfile
from datetime import timedelta
from time import monotonic
from typing import IO, cast

import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from django.core.files.base import File
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from contact_center.common.deadline import Deadline
from contact_center.common.errors import Refused
from contact_center.jobs import signals
from contact_center.jobs.enums import ItemStatus, JobStatus
from contact_center.jobs.models import Job, JobItem
from contact_center.jobs.registry import Kind, kind_of
from contact_center.jobs.selectors import FILE_KEPT
from contact_center.jobs.services import QUEUE, TASK, end

log = structlog.get_logger(__name__)
SIGN_OF_LIFE_SECONDS = 2.0
STALE = timedelta(seconds=30)
"""A worker that gave no sign of life for so long is taken for dead."""
ROWS_PER_SIGN = 200
FORMULA_STARTS = tuple("=+-@＝＋－＠|%")


def run_jobs() -> int:
    """Work on whatever waits or was left by a dead worker, oldest first, for a minute; returns how many jobs."""
    deadline, begun = Deadline(TASK, QUEUE), 0
    after = 0
    while not deadline.is_over:
        job = _claim(after)
        if job is None:
            break
        after, begun = job.pk, begun + 1
        try:
            _work_on(job, deadline)
        except (SoftTimeLimitExceeded, OperationalError, InterfaceError):
            raise  # the rows say what is left; the next worker goes on
        except Exception as error:  # a fault of ours in this kind of work must not hold up the others
            log.error("job_broke", job_id=job.pk, error=type(error).__name__)
            _end(job.pk, "fail", _("Something went wrong. Our team can see what; try again later."))
    return begun


def _claim(after: int) -> Job | None:
    now = timezone.now()
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - STALE)
    with transaction.atomic():
        found = Job.objects.select_for_update(skip_locked=True, of=("self",)).select_related("owner")
        job = found.filter(free, status__in=[JobStatus.QUEUED, JobStatus.RUNNING], pk__gt=after).order_by("id").first()
        if job is None:
            return None
        if job.status == JobStatus.QUEUED:
            job.start()
        job.claimed_at = now
        job.save()
        signals.announce(signals.job_changed, job_id=job.pk, owner_id=job.owner_id)
        return job


def _work_on(job: Job, deadline: Deadline) -> None:
    kind = kind_of(job.kind)
    with translation.override(job.owner.language):
        if kind is None:
            _end(job.pk, "fail", _("This kind of work is not known here."))
        elif not job.owner.is_active:
            _end(job.pk, "fail", _("Whoever started it may not work here any more."))
        elif kind.write is not None:
            _write_file(job, kind)
        elif kind.make is not None:
            _make_file(job, kind)
        else:
            _do_items(job, kind, deadline)


def _do_items(job: Job, kind: Kind, deadline: Deadline) -> None:
    last_sign, after = monotonic(), 0
    while True:
        item_id = _do_next(job, kind, after)
        if item_id is None:
            break
        after = item_id
        if monotonic() - last_sign >= SIGN_OF_LIFE_SECONDS:
            last_sign = monotonic()
            if not _goes_on(job.pk):
                _end(job.pk, "stop")
                return
        if deadline.is_over:
            _release(job.pk)
            return
    if not _goes_on(job.pk):
        _end(job.pk, "stop")
    elif JobItem.objects.filter(job=job, status=ItemStatus.WAITING).exists():
        _release(job.pk)  # another worker holds those; it ends the job
    else:
        _end(job.pk, "finish")


def _do_next(job: Job, kind: Kind, after: int) -> int | None:
    """Do the next item that waits; its id, or None when none is left. Once however often it is tried."""
    with transaction.atomic():
        rows = JobItem.objects.select_for_update(skip_locked=True, of=("self",)).order_by("id")
        item = rows.filter(job=job, status=ItemStatus.WAITING, pk__gt=after).first()
        if item is None or Job.objects.filter(pk=job.pk, is_stop_wanted=True).exists():
            return None
        item.status, item.message = _try(job, kind, item.object_id)
        item.save(update_fields=["status", "message"])
        column = "done_count" if item.status == ItemStatus.DONE else "failed_count"
        Job.objects.filter(pk=job.pk).update(**{column: F(column) + 1})
        return int(item.pk)


def _try(job: Job, kind: Kind, object_id: int) -> tuple[str, str]:
    assert kind.do is not None
    try:
        with transaction.atomic():
            kind.do(job, object_id)
    except Refused as error:
        return ItemStatus.FAILED, str(error)[:240]
    except SoftTimeLimitExceeded:
        raise
    except (OperationalError, InterfaceError):
        if not connection.is_usable():
            raise
        return ItemStatus.FAILED, _("Somebody else was changing it at that moment. Try again.")
    except Exception as error:
        log.error("job_item_broke", job_id=job.pk, error=type(error).__name__)
        return ItemStatus.FAILED, _("Something went wrong with this one.")
    return ItemStatus.DONE, ""


def _goes_on(job_id: int) -> bool:
    """Give a sign of life and let the owner's screen see the progress; False when the owner wants it to stop."""
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job_id)
        job.claimed_at = timezone.now()
        job.save(update_fields=["claimed_at", "updated_at"])
        signals.announce(signals.job_changed, job_id=job.pk, owner_id=job.owner_id)
        return not job.is_stop_wanted


def _release(job_id: int) -> None:
    Job.objects.filter(pk=job_id).update(claimed_at=None)


def _end(job_id: int, how: str, *args: str) -> None:
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job_id)
        if not job.is_over:
            end(job, how, *args)


def _write_file(job: Job, kind: Kind) -> None:
    """Write all rows to a private file. One that was cut short is begun anew; nobody sees half a file."""
    assert kind.write is not None
    last_sign, count = monotonic(), -1  # the head is no row
    with tempfile.TemporaryFile("w+", encoding="utf-8-sig", newline="") as sheet:
        writer = csv.writer(sheet)
        for row in kind.write(job):
            writer.writerow([harmless(cell) for cell in row])
            count += 1
            if count % ROWS_PER_SIGN == 0 and monotonic() - last_sign >= SIGN_OF_LIFE_SECONDS:
                last_sign = monotonic()
                Job.objects.filter(pk=job.pk).update(done_count=count)
                if not _goes_on(job.pk):
                    _end(job.pk, "stop")
                    return
        sheet.seek(0)
        _keep_file(job.pk, count, File(cast("IO[bytes]", sheet.buffer), name="export.csv"))


def _make_file(job: Job, kind: Kind) -> None:
    """Let the kind write its file to a private one; cut short it is begun anew, refused it fails with the reason."""
    assert kind.make is not None
    last_sign, is_wanted = monotonic(), True

    def tell(done: int) -> bool:
        nonlocal last_sign, is_wanted
        if monotonic() - last_sign >= SIGN_OF_LIFE_SECONDS:
            last_sign = monotonic()
            Job.objects.filter(pk=job.pk).update(done_count=done)
            is_wanted = _goes_on(job.pk)
        return is_wanted

    with tempfile.TemporaryFile() as out:
        try:
            kind.make(job, out, tell)
        except Refused as error:
            _end(job.pk, "fail", str(error))
            return
        if not is_wanted:
            _end(job.pk, "stop")
            return
        out.seek(0)
        _keep_file(job.pk, job.total, File(out, name=f"made.{kind.ending}"))


def _keep_file(job_id: int, count: int, file: File) -> None:
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job_id)
        if job.is_over:
            return
        job.done_count = job.total = count
        job.file.save(f"{job_id}.{str(file.name).rpartition('.')[2]}", file, save=False)
        end(job, "finish")


def harmless(cell: object) -> str:
    """Text of a cell that no spreadsheet takes for a formula."""
    text = str(cell if cell is not None else "").replace("\x00", "")
    return "'" + text if text.lstrip()[:1] in FORMULA_STARTS else text


def expire_files() -> int:
    """Delete the files of exports that nobody may fetch any more; returns how many."""
    old = Job.objects.exclude(file="").filter(finished_at__lt=timezone.now() - FILE_KEPT)
    count = 0
    for job in old.order_by("id")[:500]:
        job.file.delete(save=False)
        Job.objects.filter(pk=job.pk).update(file="")
        count += 1
    return count
