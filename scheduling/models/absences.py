"""Visits that cannot take place because somebody is absent, until each has another time."""

from typing import ClassVar

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contact_center.common.models import TimeStampedModel
from inbox.models import Message
from scheduling.enums import DropReason
from scheduling.models.agenda import Absence
from scheduling.models.appointments import Appointment
from scheduling.models.capacity import WaitlistEntry


class MassMove(TimeStampedModel):
    """Everybody whom an absence concerns is told, the earliest first and a few at a time, until each is rebooked."""

    absence = models.OneToOneField(Absence, on_delete=models.PROTECT, related_name="mass_move")
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    group_size = models.PositiveSmallIntegerField(
        _("patients in a wave"), default=10, validators=[MinValueValidator(1)]
    )
    interval_minutes = models.PositiveSmallIntegerField(
        _("minutes between waves"), default=15, validators=[MinValueValidator(1)]
    )
    waves = models.PositiveSmallIntegerField(default=0)
    next_wave_at = models.DateTimeField(null=True, blank=True, help_text="Empty: nobody is told any more by itself")
    closed_at = models.DateTimeField(null=True, blank=True, help_text="Since when nobody is left")

    class Meta:
        ordering: ClassVar[list[str]] = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(group_size__gte=1, interval_minutes__gte=1), name="mass_move_goes_on"),
            models.CheckConstraint(
                condition=Q(closed_at=None) | Q(next_wave_at=None), name="mass_move_that_is_over_tells_nobody"
            ),
        ]
        indexes = [models.Index(fields=["next_wave_at"], condition=Q(closed_at=None), name="mass_move_due")]

    def __str__(self) -> str:
        return f"mass move {self.pk}"


class MassMoveVisit(TimeStampedModel):
    """One visit of a mass move. What became of it, the visit itself says: it is moved, cancelled, or still to be."""

    mass_move = models.ForeignKey(MassMove, on_delete=models.CASCADE, related_name="visits")
    appointment = models.ForeignKey(Appointment, on_delete=models.PROTECT, related_name="mass_moves")
    wave = models.PositiveSmallIntegerField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    untold_for = models.CharField(max_length=12, choices=DropReason.choices, blank=True)
    message = models.ForeignKey(Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    entry = models.OneToOneField(
        WaitlistEntry,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="mass_move_visit",
        help_text="The wait that began with it, and ends with the visit unless the patient asked for it as well.",
    )

    class Meta:
        ordering: ClassVar[list[str]] = ["appointment__starts_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["mass_move", "appointment"], name="mass_move_visit_once"),
            models.CheckConstraint(condition=Q(told_at=None) | Q(untold_for=""), name="mass_move_visit_told_or_not"),
        ]
        indexes = [models.Index(fields=["message"], condition=Q(message__isnull=False), name="mass_move_message")]

    def __str__(self) -> str:
        return f"mass move visit {self.pk}"
