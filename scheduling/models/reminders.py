"""What patients are told about visits, what they answer, and what must be arranged before."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from contact_center.common.models import TimeStampedModel
from inbox.models import Message
from patients.models import Patient
from scheduling.enums import Answer, DropReason, NeedKind, ReminderKind
from scheduling.models.appointments import Appointment


class Reminder(TimeStampedModel):
    """One thing to tell about one visit: planned, then handed to the outbox or dropped. Never handed twice.

    Visits of one patient on one day share a message.
    """

    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="reminders")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="visit_reminders")
    kind = models.CharField(max_length=12, choices=ReminderKind.choices)
    channel_kind = models.CharField(max_length=12, blank=True, help_text="The way the patient preferred when planned.")
    due_at = models.DateTimeField()
    handed_at = models.DateTimeField(null=True, blank=True)
    message = models.ForeignKey(Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    dropped_at = models.DateTimeField(null=True, blank=True)
    drop_reason = models.CharField(max_length=12, choices=DropReason.choices, blank=True)
    answer = models.CharField(max_length=10, choices=Answer.choices, blank=True)
    rating = models.PositiveSmallIntegerField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    reply = models.ForeignKey(Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering: ClassVar[list[str]] = ["due_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["appointment", "kind", "channel_kind", "due_at"], name="reminder_planned_once"
            ),
            models.UniqueConstraint(
                fields=["appointment", "kind"],
                condition=Q(dropped_at=None) & ~Q(kind=ReminderKind.AGAIN),
                name="reminder_of_a_kind_once",
            ),
            models.CheckConstraint(condition=Q(handed_at=None) | Q(dropped_at=None), name="reminder_handed_or_dropped"),
            models.CheckConstraint(
                condition=Q(dropped_at=None, drop_reason="") | (Q(dropped_at__isnull=False) & ~Q(drop_reason="")),
                name="reminder_dropped_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(rating=None) | Q(rating__gte=1, rating__lte=5), name="reminder_rating_in_range"
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at", "patient"], condition=Q(handed_at=None, dropped_at=None), name="reminder_due"
            ),
            models.Index(fields=["message"], condition=Q(message__isnull=False), name="reminder_message"),
        ]

    def __str__(self) -> str:
        return f"reminder {self.pk}"

    @property
    def is_planned(self) -> bool:
        """Neither handed to the outbox nor dropped."""
        return self.handed_at is None and self.dropped_at is None


class VisitQuestion(models.Model):
    """We asked which of several visits a patient's answer is about. One is open per patient and address."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="visit_questions")
    address = models.CharField(max_length=254)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+", help_text="What was written.")
    answer = models.CharField(max_length=10, choices=Answer.choices, help_text="What was understood.")
    appointment_ids = ArrayField(models.BigIntegerField(), help_text="In the order of the numbers that were offered.")
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "address"], condition=Q(answered_at=None), name="visit_question_open_once"
            )
        ]

    def __str__(self) -> str:
        return f"visit question {self.pk}"


class Need(TimeStampedModel):
    """Something to be arranged before a visit. While a required one is open, the visit cannot be confirmed."""

    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="needs")
    kind = models.CharField(max_length=14, choices=NeedKind.choices)
    is_required = models.BooleanField(default=False)
    note = models.CharField(max_length=240, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering: ClassVar[list[str]] = ["kind"]
        constraints = [models.UniqueConstraint(fields=["appointment", "kind"], name="need_once_per_visit")]

    def __str__(self) -> str:
        return f"need {self.pk}"
