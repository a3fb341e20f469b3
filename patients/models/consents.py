"""What a patient allowed or forbade."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from contact_center.common.models import TimeStampedModel
from patients.enums import ConsentPurpose, ConsentStatus
from patients.models.people import Patient


class ConsentText(models.Model):
    """What patients are shown when they are asked about one purpose. A published version never changes: a new one
    takes its place, and whoever answered keeps the words they saw."""

    purpose = models.CharField(max_length=12, choices=ConsentPurpose.choices)
    language = models.CharField(max_length=8)
    version = models.PositiveSmallIntegerField()
    text = models.TextField()
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["purpose", "language", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["purpose", "language", "version"], name="consent_text_version_once"),
            models.CheckConstraint(condition=~models.Q(text=""), name="consent_text_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.language} {self.version}"


class Consent(TimeStampedModel):
    """The latest word of a patient on one purpose and channel kind; a withdrawal is a new row."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=12, choices=ConsentPurpose.choices)
    channel_kind = models.CharField(max_length=12)
    status = models.CharField(max_length=10, choices=ConsentStatus.choices)
    source = models.CharField(max_length=60)
    text_version = models.CharField(max_length=40, blank=True)
    text = models.ForeignKey(
        ConsentText, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="What was shown."
    )
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["-recorded_at"]
        indexes = [
            models.Index(fields=["patient", "purpose", "channel_kind", "-recorded_at"], name="consent_latest"),
        ]

    def __str__(self) -> str:
        return f"consent {self.pk}"
