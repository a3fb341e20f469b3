"""Missed visits that are to be made good, and what is learnt from the missed ones."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django_fsm import FSMField, transition

from contact_center.common.models import SafeFSM, TimeStampedModel
from patients.models import Patient
from scheduling.enums import Barrier, RecoveryPath
from scheduling.enums import RecoveryStatus as R
from scheduling.models.appointments import Appointment

ONGOING = [R.OPEN, R.CONTACTING]


class NoShowRecovery(SafeFSM, TimeStampedModel):
    """What is done about one missed visit: a message the same day, then calls, then a clinician looks at it."""

    appointment = models.OneToOneField(Appointment, on_delete=models.PROTECT, related_name="recovery")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="recoveries")
    status = FSMField(choices=R.choices, default=R.OPEN, protected=True)
    path = models.CharField(max_length=12, choices=RecoveryPath.choices, default=RecoveryPath.MISSED)
    call_due_at = models.DateTimeField(null=True, blank=True, help_text="When somebody shall call")
    calls = models.PositiveSmallIntegerField(default=0, help_text="Calls that reached nobody")
    flagged_at = models.DateTimeField(null=True, blank=True, help_text="Since when a clinician shall look at it")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    barrier = models.CharField(max_length=12, choices=Barrier.choices, blank=True)
    note = models.CharField(max_length=240, blank=True)
    rebooked_as = models.ForeignKey(
        Appointment, on_delete=models.PROTECT, null=True, blank=True, related_name="recoveries"
    )
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "no-show recoveries"
        ordering: ClassVar[list[str]] = ["call_due_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status__in=[R.REBOOKED, R.RECOVERED]) | Q(rebooked_as__isnull=False),
                name="recovery_booked_again_by_a_visit",
            )
        ]
        indexes = [
            models.Index(fields=["status", "call_due_at"], condition=Q(ended_at=None), name="recovery_to_do"),
            models.Index(fields=["patient"], name="recovery_of_patient"),
        ]

    def __str__(self) -> str:
        return f"no-show recovery {self.pk}"

    @transition(field=status, source=[R.OPEN], target=R.CONTACTING)
    def begin(self) -> None:
        """The patient is told, or called."""

    @transition(field=status, source=[R.OPEN, R.CONTACTING, R.UNREACHABLE, R.DECLINED, R.EXPIRED], target=R.REBOOKED)
    def rebook(self, appointment: Appointment) -> None:
        """A new visit is booked; only attending it makes the missed one good."""
        self.rebooked_as, self.ended_at = appointment, None

    @transition(field=status, source=[R.REBOOKED], target=R.RECOVERED)
    def recover(self) -> None:
        """The patient came."""
        self.ended_at = timezone.now()

    @transition(field=status, source=[R.REBOOKED], target=R.CONTACTING)
    def fall_back(self) -> None:
        """The new visit was cancelled or missed as well."""
        self.rebooked_as = None

    @transition(field=status, source=[R.OPEN, R.CONTACTING], target=R.DECLINED)
    def decline(self) -> None:
        """The patient wants no new visit."""
        self.ended_at = timezone.now()

    @transition(field=status, source=[R.OPEN, R.CONTACTING], target=R.UNREACHABLE)
    def give_up(self) -> None:
        """Nobody could be reached; a clinician has seen it."""
        self.ended_at = timezone.now()

    @transition(field=status, source=[R.OPEN, R.CONTACTING], target=R.EXPIRED)
    def expire(self) -> None:
        """It lies too far back."""
        self.ended_at = timezone.now()

    @transition(field=status, source=[R.OPEN, R.CONTACTING, R.REBOOKED, R.DECLINED, R.UNREACHABLE], target=R.VOID)
    def void(self) -> None:
        """The visit was not missed after all."""
        self.ended_at = timezone.now()

    @transition(field=status, source=[R.VOID], target=R.OPEN)
    def reopen(self) -> None:
        """It was missed after all."""
        self.ended_at = self.rebooked_as = self.flagged_at = None


class RiskModel(TimeStampedModel):
    """How likely visits are missed, learnt from the organisation's own visits. The newest active one counts."""

    terms = models.JSONField(help_text="Points by feature and value")
    card = models.JSONField(help_text="What it was made from, how good it is, and where it errs")
    visits = models.PositiveIntegerField()
    is_active = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["is_active"], condition=Q(is_active=True), name="risk_model_one_active")
        ]

    def __str__(self) -> str:
        return f"risk model {self.pk}"
