"""Pairs of records that may be of one person, and the keys under which they are found."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, transition

from contact_center.common.models import SafeFSM, TimeStampedModel
from patients.enums import SuggestionLevel, SuggestionStatus
from patients.models.people import Patient

S = SuggestionStatus


class MatchProfile(models.Model):
    """The keys of one record (numbers that tell nothing) and a print of what was compared; made from the record."""

    patient = models.OneToOneField(Patient, on_delete=models.CASCADE, primary_key=True, related_name="match_profile")
    keys = ArrayField(models.BigIntegerField(), default=list)
    fingerprint = models.CharField(max_length=32)
    compared_at = models.DateTimeField(null=True, blank=True, help_text="Empty: waits to be compared.")

    class Meta:
        indexes = [
            GinIndex(fields=["keys"], name="match_profile_keys", fastupdate=False),
            models.Index(fields=["patient"], condition=Q(compared_at=None), name="match_profile_waiting"),
        ]

    def __str__(self) -> str:
        return f"match profile of patient {self.patient_id}"


class DuplicateSuggestion(SafeFSM, TimeStampedModel):
    """Two records that may be of one person; `score` in bits beyond chance. Only people decide on it."""

    first = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="+")
    score = models.FloatField()
    level = models.CharField(max_length=10, choices=SuggestionLevel.choices)
    reasons = ArrayField(models.CharField(max_length=24), default=list)
    fingerprint = models.CharField(max_length=65, help_text="What was compared; once it changes, no is asked again.")
    status = FSMField(default=S.OPEN, choices=S.choices, protected=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="duplicate_suggestion_once"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="duplicate_suggestion_ordered"),
            models.CheckConstraint(condition=Q(status__in=S.values), name="duplicate_suggestion_status_known"),
        ]
        indexes = [
            models.Index(fields=["level", "-score"], condition=Q(status=S.OPEN), name="duplicate_suggestion_open"),
        ]

    def __str__(self) -> str:
        return f"suggestion {self.pk}"

    @transition(field=status, source=S.OPEN, target=S.DISMISSED)
    def dismiss(self) -> None:
        """A person said that these are two people."""

    @transition(field=status, source=S.DISMISSED, target=S.OPEN)
    def reopen(self) -> None:
        """What was compared has changed since, or the no was taken back."""
        self.decided_by, self.decided_at = None, None

    @transition(field=status, source=[S.OPEN, S.DISMISSED], target=S.MERGED)
    def settle(self) -> None:
        """The records were merged."""

    @transition(field=status, source=S.MERGED, target=S.DISMISSED)
    def part(self) -> None:
        """The merge was undone, so a person said that these are two people."""
