"""Legal holds, how long data is kept, and requests to be forgotten."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django_fsm import FSMField, transition

from contact_center.common.models import SafeFSM, TimeStampedModel
from patients.enums import DataClass, ErasureStatus
from patients.models.people import Patient

E = ErasureStatus
PEOPLE = settings.AUTH_USER_MODEL


class LegalHold(TimeStampedModel):
    """Nothing it covers is erased or grows too old: one patient's data or, without one, everybody's."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, null=True, blank=True, related_name="legal_holds")
    data_classes = ArrayField(
        models.CharField(max_length=12, choices=DataClass.choices), default=list, blank=True, help_text="Empty: all."
    )
    reason = models.CharField(max_length=240)
    placed_by = models.ForeignKey(PEOPLE, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(PEOPLE, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["patient"], condition=Q(lifted_at=None), name="legal_hold_in_force")]

    def __str__(self) -> str:
        return f"legal hold {self.pk}"

    def covers(self, data_class: str) -> bool:
        """True when it keeps this class of data."""
        return not self.data_classes or data_class in self.data_classes


class RetentionRule(TimeStampedModel):
    """How many days one class of data is kept. Without a row, or without days, it is kept until somebody erases it."""

    data_class = models.CharField(max_length=12, choices=DataClass.choices, unique=True)
    days = models.PositiveIntegerField(null=True, blank=True)
    changed_by = models.ForeignKey(PEOPLE, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["data_class"]
        constraints = [models.CheckConstraint(condition=Q(days=None) | Q(days__gte=1), name="retention_days_some")]

    def __str__(self) -> str:
        return f"retention of {self.data_class}"


class RetentionRun(models.Model):
    """What one night took away, by table. One row per day makes it once a night."""

    date = models.DateField(unique=True)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    counts = models.JSONField(default=dict)

    class Meta:
        ordering = ["-date"]

    def __str__(self) -> str:
        return f"retention run of {self.date}"


class ErasureRequest(SafeFSM, TimeStampedModel):
    """A patient's wish to be forgotten: asked for by one person, approved by another, honouring legal holds."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="erasure_requests")
    reason = models.CharField(max_length=240)
    requested_by = models.ForeignKey(PEOPLE, on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(PEOPLE, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    why_declined = models.CharField(max_length=240, blank=True)
    status = FSMField(default=E.REQUESTED, choices=E.choices, protected=True)
    kept_classes = ArrayField(models.CharField(max_length=12), default=list, blank=True)
    counts = models.JSONField(default=dict)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=E.values), name="erasure_status_known"),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")), name="erasure_by_two_people"
            ),
            models.UniqueConstraint(
                fields=["patient"], condition=Q(status__in=[E.REQUESTED, E.APPROVED, E.HELD]), name="erasure_once_open"
            ),
        ]

    def __str__(self) -> str:
        return f"erasure request {self.pk}"

    @transition(field=status, source=[E.REQUESTED, E.HELD], target=E.APPROVED)
    def approve(self) -> None:
        """A second person agreed; a worker erases."""
        self.decided_at = timezone.now()

    @transition(field=status, source=E.REQUESTED, target=E.DECLINED)
    def decline(self, why: str) -> None:
        """A second person said no, and why."""
        self.decided_at, self.why_declined = timezone.now(), why

    @transition(field=status, source=E.APPROVED, target=E.DONE)
    def finish(self) -> None:
        """Nothing of it is left outside the statistics."""
        self.finished_at = timezone.now()

    @transition(field=status, source=E.APPROVED, target=E.HELD)
    def hold(self) -> None:
        """A legal hold keeps a part; it is approved once more when the hold ends."""
        self.finished_at = timezone.now()

    @transition(field=status, source=E.APPROVED, target=E.REQUESTED)
    def refuse(self) -> None:
        """Something stood in the way after all; somebody decides again."""
        self.decided_at = None
