"""Long work: one job, its items, and what became of each."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django_fsm import FSMField, transition

from contact_center.common.models import SafeFSM, TimeStampedModel
from contact_center.jobs.enums import ItemStatus, JobStatus

J = JobStatus


class Job(SafeFSM, TimeStampedModel):
    """Work on many things that one person asked for. `kind` names its handler, `parameters` carries ids and words of
    ours, never patient data.
    """

    kind = models.CharField(max_length=40)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="jobs")
    title = models.CharField(max_length=120)
    parameters = models.JSONField(default=dict)
    status = FSMField(default=J.QUEUED, choices=J.choices, protected=True)
    total = models.PositiveIntegerField(default=0)
    done_count = models.PositiveIntegerField(default=0)
    failed_count = models.PositiveIntegerField(default=0)
    is_stop_wanted = models.BooleanField(default=False)
    claimed_at = models.DateTimeField(null=True, blank=True, help_text="Last sign of life of the worker.")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=240, blank=True)
    file = models.FileField(upload_to="jobs/", blank=True, help_text="What an export made.")

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=Q(status__in=J.values), name="job_status_known")]
        indexes = [
            models.Index(fields=["owner", "-id"], name="job_owner_recent"),
            models.Index(fields=["id"], condition=Q(status__in=[J.QUEUED, J.RUNNING]), name="job_open"),
        ]

    def __str__(self) -> str:
        return f"job {self.pk}"

    @property
    def is_over(self) -> bool:
        """Done, stopped or failed."""
        return self.status in (J.DONE, J.STOPPED, J.FAILED)

    @transition(field=status, source=J.QUEUED, target=J.RUNNING)
    def start(self) -> None:
        """A worker has begun."""
        self.started_at = timezone.now()

    @transition(field=status, source=J.RUNNING, target=J.DONE)
    def finish(self) -> None:
        """Every item was tried."""
        self.finished_at = timezone.now()

    @transition(field=status, source=[J.QUEUED, J.RUNNING], target=J.STOPPED)
    def stop(self) -> None:
        """Its owner stopped it; what was done stays done."""
        self.finished_at = timezone.now()

    @transition(field=status, source=[J.QUEUED, J.RUNNING], target=J.FAILED)
    def fail(self, why: str) -> None:
        """It cannot go on."""
        self.error = why[:240]
        self.finished_at = timezone.now()


class JobItem(models.Model):
    """One thing of a job, by its id, and what became of it."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="items")
    object_id = models.BigIntegerField()
    status = models.CharField(max_length=10, choices=ItemStatus.choices, default=ItemStatus.WAITING)
    message = models.CharField(max_length=240, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "object_id"], name="job_item_once")]
        indexes = [
            models.Index(fields=["job", "id"], condition=Q(status=ItemStatus.WAITING), name="job_item_waiting"),
            models.Index(fields=["job", "id"], condition=Q(status=ItemStatus.FAILED), name="job_item_failed"),
        ]

    def __str__(self) -> str:
        return f"item {self.object_id} of job {self.job_id}"
