"""What must be known of a patient now and what is expected: alerts, programs, pending results, coverage."""

from datetime import date

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from contact_center.common.encrypted import EncryptedTextField
from contact_center.common.models import SafeFSM, TimeStampedModel
from patients.enums import AlertKind, AlertSeverity, CoverageStatus, EnrolmentStatus, PendingKind, PendingStatus
from patients.models.people import Patient

E, P = EnrolmentStatus, PendingStatus


def _somebody(related_name: str = "+") -> models.ForeignKey:  # type: ignore[type-arg]
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name=related_name
    )


class AlertQuerySet(models.QuerySet["Alert"]):
    def valid_on(self, day: date) -> "AlertQuerySet":
        """Begun, not ended by hand, not expired on that day."""
        begun = self.filter(ended_at=None, starts_date__lte=day)
        return begun.filter(Q(expires_date=None) | Q(expires_date__gte=day))


class Alert(TimeStampedModel):
    """Something everybody who opens the record must see first, until a day or until somebody ends it."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="alerts")
    kind = models.CharField(_("kind"), max_length=16, choices=AlertKind.choices)
    severity = models.CharField(
        _("severity"), max_length=10, choices=AlertSeverity.choices, default=AlertSeverity.WARNING
    )
    text = models.CharField(_("text"), max_length=240)
    starts_date = models.DateField(default=timezone.localdate)
    expires_date = models.DateField(null=True, blank=True, help_text=_("The last day it is shown."))
    created_by = _somebody()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = _somebody()

    objects = AlertQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_date=None) | Q(expires_date__gte=models.F("starts_date")),
                name="alert_expires_after_it_starts",
            )
        ]
        indexes = [models.Index(fields=["patient"], condition=Q(ended_at=None), name="alert_patient_open")]

    def __str__(self) -> str:
        return f"alert {self.pk}"


class CareProgram(TimeStampedModel):
    """A way of care with steps that follow one another, such as the follow-up after an operation."""

    name = models.CharField(max_length=120, unique=True)
    description = models.CharField(max_length=240, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ProgramStep(models.Model):
    """One step; it is due so many days after the one before it was done, the first after enrolling."""

    program = models.ForeignKey(CareProgram, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=160)
    days = models.PositiveSmallIntegerField(default=7)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["program", "position"], name="program_step_once")]

    def __str__(self) -> str:
        return self.title


class ProgramEnrolment(SafeFSM, TimeStampedModel):
    """A patient in a program: which step is next, who does it, by when. Never active without a dated step."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="enrolments")
    program = models.ForeignKey(CareProgram, on_delete=models.PROTECT, related_name="enrolments")
    status = FSMField(default=E.ACTIVE, choices=E.choices, protected=True)
    step = models.ForeignKey(ProgramStep, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    step_due_date = models.DateField(null=True, blank=True)
    owner = _somebody("enrolments")
    started_date = models.DateField(default=timezone.localdate)
    ended_at = models.DateTimeField(null=True, blank=True)
    why_left = models.CharField(max_length=240, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "program"], condition=Q(status=E.ACTIVE), name="enrolment_active_once"
            ),
            models.CheckConstraint(condition=Q(status__in=E.values), name="enrolment_status_known"),
            models.CheckConstraint(
                condition=~Q(status=E.ACTIVE) | Q(step__isnull=False, step_due_date__isnull=False),
                name="enrolment_active_has_dated_step",
            ),
        ]
        indexes = [models.Index(fields=["owner", "step_due_date"], condition=Q(status=E.ACTIVE), name="enrolment_due")]

    def __str__(self) -> str:
        return f"enrolment {self.pk}"

    @transition(field=status, source=E.ACTIVE, target=E.COMPLETED)
    def complete(self) -> None:
        """The last step is done."""
        self._end()

    @transition(field=status, source=E.ACTIVE, target=E.LEFT)
    def leave(self, why: str) -> None:
        """The patient does not go on with it."""
        self.why_left = why
        self._end()

    def _end(self) -> None:
        self.step, self.step_due_date, self.ended_at = None, None, timezone.now()


class StepCompletion(models.Model):
    """A step of an enrolment that was done, when and by whom."""

    enrolment = models.ForeignKey(ProgramEnrolment, on_delete=models.CASCADE, related_name="completions")
    step = models.ForeignKey(ProgramStep, on_delete=models.PROTECT, related_name="+")
    done_at = models.DateTimeField(default=timezone.now)
    done_by = _somebody()
    note = models.CharField(max_length=240, blank=True)

    class Meta:
        ordering = ["done_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["enrolment", "step"], name="step_completion_once")]

    def __str__(self) -> str:
        return f"step completion {self.pk}"


class PendingResult(SafeFSM, TimeStampedModel):
    """A result or an authorisation that is waited for. It is over when the patient was told, not when it arrives."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="pending_results")
    kind = models.CharField(max_length=16, choices=PendingKind.choices)
    title = models.CharField(max_length=160)
    requested_date = models.DateField(default=timezone.localdate)
    expected_date = models.DateField()
    status = FSMField(default=P.WAITING, choices=P.choices, protected=True)
    owner = _somebody("pending_results")
    arrived_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=P.values), name="pending_status_known"),
            models.CheckConstraint(
                condition=Q(expected_date__gte=models.F("requested_date")), name="pending_expected_after_request"
            ),
        ]
        indexes = [
            models.Index(
                fields=["patient"], condition=Q(status__in=[P.WAITING, P.ARRIVED]), name="pending_patient_open"
            )
        ]

    def __str__(self) -> str:
        return f"pending result {self.pk}"

    @transition(field=status, source=P.WAITING, target=P.ARRIVED)
    def arrive(self) -> None:
        """It is here; now the patient must hear of it."""
        self.arrived_at = timezone.now()

    @transition(field=status, source=P.ARRIVED, target=P.TOLD)
    def tell(self) -> None:
        """The patient knows."""
        self.told_at = self.ended_at = timezone.now()

    @transition(field=status, source=[P.WAITING, P.ARRIVED], target=P.CANCELLED)
    def cancel(self) -> None:
        """Nobody waits for it any more."""
        self.ended_at = timezone.now()


class Coverage(TimeStampedModel):
    """Who pays, for what time (FHIR Coverage)."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="coverages")
    payer = models.CharField(max_length=120)
    plan = models.CharField(max_length=120, blank=True)
    member_number = EncryptedTextField(blank=True, validators=[MaxLengthValidator(60)])
    valid_from_date = models.DateField(null=True, blank=True)
    valid_until_date = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=16, choices=CoverageStatus.choices, default=CoverageStatus.ACTIVE)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_from_date=None)
                | Q(valid_until_date=None)
                | Q(valid_until_date__gte=models.F("valid_from_date")),
                name="coverage_ends_after_it_begins",
            ),
            models.CheckConstraint(condition=~Q(payer=""), name="coverage_has_payer"),
        ]
        indexes = [models.Index(fields=["patient", "status"], name="coverage_patient")]

    def __str__(self) -> str:
        return f"coverage {self.pk}"


class LifeEvent(TimeStampedModel):
    """Something of a patient's life worth remembering when one talks to them."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="life_events")
    text = models.CharField(max_length=240)
    happened_date = models.DateField(null=True, blank=True)
    recorded_by = _somebody()

    class Meta:
        ordering = ["-happened_date", "-pk"]

    def __str__(self) -> str:
        return f"life event {self.pk}"
