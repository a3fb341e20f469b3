"""Whether we know with whom we speak: checks of identity, the codes that prove an address, and the rules for both."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from contact_center.common.models import TimeStampedModel
from inbox.enums import CodeUse, IdentifierKind, IdentityMethod, IdentityOutcome, Unchecked
from inbox.models.interactions import Interaction
from inbox.models.messages import Message
from patients.models import Patient


def usual_kinds() -> list[str]:
    """What is asked for unless somebody chose otherwise."""
    return [IdentifierKind.FULL_NAME, IdentifierKind.BIRTH_DATE, IdentifierKind.DOCUMENT, IdentifierKind.PHONE]


class IdentityPolicy(TimeStampedModel):
    """The one row that says how identity is checked here."""

    required_count = models.PositiveSmallIntegerField(default=2)
    kinds = ArrayField(models.CharField(max_length=12, choices=IdentifierKind.choices), default=usual_kinds)
    valid_minutes = models.PositiveSmallIntegerField(default=30)
    most_failures = models.PositiveSmallIntegerField(default=3)
    unchecked = models.CharField(max_length=8, choices=Unchecked.choices, default=Unchecked.WARN)

    class Meta:
        verbose_name_plural = "identity policies"
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="identity_policy_is_one"),
            models.CheckConstraint(condition=Q(required_count__range=(1, 4)), name="identity_policy_count"),
            models.CheckConstraint(condition=Q(valid_minutes__range=(1, 720)), name="identity_policy_minutes"),
            models.CheckConstraint(condition=Q(most_failures__range=(1, 10)), name="identity_policy_failures"),
        ]

    def __str__(self) -> str:
        return "identity policy"


class IdentityCheck(models.Model):
    """One attempt to find out whether the person is the patient. Names of identifiers are kept, never what was said."""

    interaction = models.ForeignKey(Interaction, on_delete=models.CASCADE, related_name="identity_checks")
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, null=True, related_name="identity_checks")
    method = models.CharField(max_length=12, choices=IdentityMethod.choices)
    identifiers = ArrayField(models.CharField(max_length=12, choices=IdentifierKind.choices), default=list)
    outcome = models.CharField(max_length=10, choices=IdentityOutcome.choices)
    checked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    checked_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["interaction", "-id"], name="identity_check_latest")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(outcome=IdentityOutcome.PASSED) | Q(expires_at__isnull=False, patient__isnull=False),
                name="identity_passed_expires",
            )
        ]

    def __str__(self) -> str:
        return f"identity check {self.pk}"


class OneTimeCode(models.Model):
    """Six digits that prove that somebody reads an address. The digits are nowhere: they follow from `seed` and our
    secret key whenever they are needed."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    use = models.CharField(max_length=10, choices=CodeUse.choices)
    interaction = models.ForeignKey(Interaction, on_delete=models.CASCADE, null=True, related_name="one_time_codes")
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, null=True, related_name="one_time_codes")
    scheme = models.CharField(max_length=20)
    address = models.CharField(max_length=254)
    language = models.CharField(max_length=8, default="en")
    seed = models.CharField(max_length=64)
    message = models.OneToOneField(Message, on_delete=models.SET_NULL, null=True, related_name="one_time_code")
    handled_at = models.DateTimeField(null=True, help_text="When it was decided whether a message carries it.")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["address", "-created_at"], name="one_time_code_address"),
            models.Index(fields=["id"], condition=Q(handled_at=None), name="one_time_code_waiting"),
            models.Index(fields=["expires_at"], name="one_time_code_expiry"),
        ]

    def __str__(self) -> str:
        return f"one-time code {self.pk}"
