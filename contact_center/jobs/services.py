"""Long work: start, stop, try again, and what a worker does with it. Everything it knows are rows."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict, Refused
from contact_center.common.wake import wake_on_commit
from contact_center.jobs import policies, signals
from contact_center.jobs.enums import ItemStatus, JobStatus
from contact_center.jobs.models import Job, JobItem
from contact_center.jobs.registry import kind_of

TASK, QUEUE = "jobs.run_jobs", "reports"
MOST_ITEMS = 20_000


def start(
    *,
    owner: User,
    kind: str,
    title: str,
    items: Iterable[int] = (),
    parameters: dict[str, Any] | None = None,
    total: int | None = None,
) -> Job:
    """Write down work on `items` (ids, once each) and wake a worker after commit.

    `parameters` holds ids and words of ours, never patient data; `total` says how much an export without items will
    write. Raises Refused for an unknown kind, for work on nothing, and for more than `MOST_ITEMS` items.
    """
    if kind_of(kind) is None:
        raise Refused(_("This kind of work is not known here."))
    ids = list(dict.fromkeys(items))
    if not ids and not total:
        raise Refused(_("Nothing is selected."))
    if len(ids) > MOST_ITEMS:
        raise Refused(_("That is too much at once: %(limit)s at most.") % {"limit": MOST_ITEMS})
    with transaction.atomic():
        job = Job.objects.create(
            owner=owner, kind=kind, title=title[:120], parameters=parameters or {}, total=len(ids) or total or 0
        )
        JobItem.objects.bulk_create((JobItem(job=job, object_id=pk) for pk in ids), batch_size=2000)
        _record(owner, AuditAction.CREATED, job, kind=kind, total=job.total)
        wake_on_commit(TASK, QUEUE)
        signals.announce(signals.job_changed, job_id=job.pk, owner_id=owner.pk)
    return job


def stop(*, actor: User, job_id: int) -> Job:
    """Ask a job to stop; the item that is being done is finished first. Raises Conflict when it is over already.

    One that no worker has begun stops at once. What was done stays done.
    """
    with transaction.atomic():
        # First the trail, then the job: an item that is being done leaves its entry before it counts itself.
        _record(actor, AuditAction.CANCELLED, Job(pk=job_id))
        job = Job.objects.select_for_update().get(pk=job_id)
        if not policies.can_stop(actor, job):
            raise Conflict(_("This work is over already."))
        job.is_stop_wanted = True
        if job.status == JobStatus.QUEUED:
            end(job, "stop")
        else:
            job.save()
            signals.announce(signals.job_changed, job_id=job.pk, owner_id=job.owner_id)
        return job


def try_again(*, actor: User, job_id: int) -> Job:
    """A new job for whatever this one failed at or left. Raises Conflict while it runs or when nothing is left."""
    with transaction.atomic():
        job = Job.objects.select_for_update().get(pk=job_id)
        if not policies.can_try_again(actor, job):
            raise Conflict(_("Nothing is left to do."))
        left = job.items.exclude(status=ItemStatus.DONE).order_by("id").values_list("object_id", flat=True)
        again = start(
            owner=actor,
            kind=job.kind,
            title=job.title,
            items=left,
            parameters=job.parameters,
            total=None if job.items.exists() else job.total,
        )
        _record(actor, AuditAction.RETRIED, job, again=again.pk)
        return again


def end(job: Job, how: str, *args: str) -> None:
    """Finish, stop or fail a locked job in the caller's transaction, and say so; what it never tried is left."""
    getattr(job, how)(*args)
    job.claimed_at = None
    job.save()
    job.items.filter(status=ItemStatus.WAITING).update(status=ItemStatus.SKIPPED)
    signals.announce(signals.job_changed, job_id=job.pk, owner_id=job.owner_id)
    signals.announce(signals.job_finished, job_id=job.pk, owner_id=job.owner_id)


def note_download(*, actor: User, job: Job) -> None:
    """Leave a trace of an export's file being fetched."""
    with transaction.atomic():
        _record(actor, AuditAction.DOWNLOADED, job)


def _record(actor: User, action: AuditAction, job: Job, **detail: Any) -> None:
    record(actor=actor, action=action, object_type="job", object_id=job.pk, **detail)
