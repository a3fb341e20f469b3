"""Reading long work: only one's own."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from contact_center.accounts.models import User
from contact_center.jobs.enums import ItemStatus, JobStatus
from contact_center.jobs.models import Job, JobItem
from contact_center.jobs.registry import kind_of

FILE_KEPT = timedelta(hours=24)
FEW = 3
"""So many items must be done before the time left says anything."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One item that was not done: what it is (empty where the person may no longer see it), where, and why."""

    title: str
    url: str
    why: str
    was_tried: bool


def jobs_visible_to(user: User) -> QuerySet[Job]:
    """The person's own jobs, newest first."""
    return Job.objects.filter(owner=user).order_by("-id") if user.is_active else Job.objects.none()


def get_job_for(user: User, pk: int) -> Job:
    """One of the person's own jobs. Raises Job.DoesNotExist for all others alike."""
    return jobs_visible_to(user).get(pk=pk)


def open_jobs_of(user: User) -> int:
    """How many of the person's jobs wait or run."""
    return jobs_visible_to(user).filter(status__in=[JobStatus.QUEUED, JobStatus.RUNNING]).count()


def troubles_of(user: User, job: Job, *, limit: int = 100) -> list[Trouble]:
    """Items that failed or were left, in order, at most `limit`. Two queries and those of the kind's `describe`."""
    found = list(
        JobItem.objects.filter(job=job, status__in=[ItemStatus.FAILED, ItemStatus.SKIPPED]).order_by("id")[:limit]
    )
    kind = kind_of(job.kind)
    named = kind.describe(user, [item.object_id for item in found]) if kind and kind.describe else {}
    return [
        Trouble(*named.get(item.object_id, ("", "")), item.message, item.status == ItemStatus.FAILED) for item in found
    ]


def seconds_left(job: Job, *, now: datetime | None = None) -> int | None:
    """An estimate from the pace so far; None before a few items are done, and when the job does not run."""
    tried = job.done_count + job.failed_count
    if job.status != JobStatus.RUNNING or job.started_at is None or tried < FEW or not job.total:
        return None
    elapsed = ((now or timezone.now()) - job.started_at).total_seconds()
    return max(1, round(elapsed / tried * max(0, job.total - tried)))


def file_until(job: Job) -> datetime | None:
    """Until when the file of an export can be fetched; None when there is none or it has gone."""
    if not job.file or job.finished_at is None:
        return None
    until = job.finished_at + FILE_KEPT
    return until if until > timezone.now() else None
