"""Who opened a protected record, why, and for how long."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from contact_center.common.models import TimeStampedModel
from patients.models.people import Patient


class BreakGlassQuerySet(models.QuerySet["BreakGlass"]):
    def open_now(self, at: Any = None) -> "BreakGlassQuerySet":
        """Neither expired nor ended, at the moment `at` if it is not now."""
        return self.filter(ended_at=None, expires_at__gt=at or timezone.now())


class BreakGlass(TimeStampedModel):
    """The right of one person to open one protected record for an hour, with the reason they gave."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="broken_glass")
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="broken_glass")
    reason = models.CharField(max_length=500)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = BreakGlassQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="break_glass_has_reason")]
        indexes = [
            models.Index(fields=["user", "-expires_at"], condition=Q(ended_at=None), name="break_glass_open"),
            models.Index(fields=["patient", "-id"], name="break_glass_patient"),
        ]

    def __str__(self) -> str:
        return f"break-glass {self.pk}"
