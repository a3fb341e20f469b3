"""Patients on their own page: who is signed in there."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from patients.models import Patient


class PortalSession(models.Model):
    """A patient who proved an address and a birth date. The browser holds a signed key; only its digest is here."""

    digest = models.CharField(max_length=64, unique=True)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="portal_sessions")
    acting_for = models.ForeignKey(
        Patient, on_delete=models.CASCADE, related_name="portal_sessions_about", help_text="Whose page is looked at."
    )
    scheme = models.CharField(max_length=20)
    address = models.CharField(max_length=254, help_text="The one that was proved.")
    created_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["patient"], condition=Q(ended_at=None), name="portal_session_open")]

    def __str__(self) -> str:
        return f"portal session {self.pk}"
