"""Phones that several patients share: the question which of them a message is about."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from inbox.models.interactions import Interaction
from inbox.models.messages import Message
from patients.models import Patient


class PatientQuestion(models.Model):
    """We asked a shared address which patient is meant by `message`. One is open per interaction."""

    interaction = models.ForeignKey(Interaction, on_delete=models.CASCADE, related_name="patient_questions")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+", help_text="What was written.")
    asked_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, null=True, related_name="patient_questions")
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["interaction"], condition=Q(answered_at=None), name="patient_question_open_once"
            )
        ]

    def __str__(self) -> str:
        return f"patient question {self.pk}"


class PatientOption(models.Model):
    """One patient who may be meant, with the number that answers for them."""

    question = models.ForeignKey(PatientQuestion, on_delete=models.CASCADE, related_name="options")
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=120, help_text="As it was asked.")

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["question", "number"], name="patient_option_number_once")]

    def __str__(self) -> str:
        return f"patient option {self.pk}"
