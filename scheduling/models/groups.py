"""Visits of several patients at once."""

from typing import ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from contact_center.common.models import TimeStampedModel
from scheduling.enums import Party, VisitMode
from scheduling.models.catalogue import HealthcareService, Location, Practitioner, Room


class GroupSession(TimeStampedModel):
    """One time at which several patients are seen together. It begins with the first who takes a place.

    Its time is one row of `Occupancy` (seat 0); each place that is taken or held is another, numbered from 1 to
    `places`, so that the database counts them. Without anybody in it, it takes no time. Why it was cancelled stands in
    the visits, whose words go when their patient is erased.
    """

    service = models.ForeignKey(HealthcareService, on_delete=models.PROTECT, related_name="sessions")
    practitioner = models.ForeignKey(Practitioner, on_delete=models.PROTECT, related_name="sessions")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="+")
    room = models.ForeignKey(Room, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    mode = models.CharField(max_length=10, choices=VisitMode.choices, default=VisitMode.ON_SITE)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    places = models.PositiveSmallIntegerField(validators=[MinValueValidator(1)])
    cancelled_at = models.DateTimeField(null=True, blank=True, help_text="Since when nobody can join")
    cancelled_for = models.CharField(max_length=12, choices=Party.choices, blank=True)
    moved_to = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["starts_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["practitioner", "service", "starts_at"],
                condition=Q(cancelled_at=None),
                name="group_session_once",
            ),
            models.UniqueConstraint(fields=["id", "places"], name="group_session_places"),  # what seats refer to
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="group_session_takes_time"),
            models.CheckConstraint(condition=Q(places__gte=1), name="group_session_has_places"),
            models.CheckConstraint(
                condition=Q(moved_to=None) | Q(cancelled_at__isnull=False), name="group_session_moved_is_over"
            ),
        ]

    def __str__(self) -> str:
        return f"group session {self.pk}"
