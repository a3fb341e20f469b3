"""Visits, and the time they take."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django_fsm import FSMField, transition

from contact_center.common.models import SafeFSM, TimeStampedModel
from patients.models import Patient
from scheduling.enums import AppointmentStatus as S
from scheduling.enums import Confirmation, Party, VisitMode
from scheduling.models.catalogue import HealthcareService, Location, Practitioner, Room
from scheduling.models.groups import GroupSession
from scheduling.models.series import AppointmentSeries


class Appointment(SafeFSM, TimeStampedModel):
    """One visit of one patient. Moving it makes a new one whose `previous` is this; a chain has one outcome."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="appointments")
    service = models.ForeignKey(HealthcareService, on_delete=models.PROTECT, related_name="appointments")
    practitioner = models.ForeignKey(Practitioner, on_delete=models.PROTECT, related_name="appointments")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="appointments")
    room = models.ForeignKey(Room, on_delete=models.PROTECT, null=True, blank=True, related_name="appointments")
    session = models.ForeignKey(
        GroupSession,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="visits",
        help_text="The group in which it takes place",
    )
    series = models.ForeignKey(
        AppointmentSeries, on_delete=models.PROTECT, null=True, blank=True, related_name="visits"
    )
    series_number = models.PositiveSmallIntegerField(null=True, blank=True, help_text="From 1, in order of the pattern")
    mode = models.CharField(max_length=10, choices=VisitMode.choices, default=VisitMode.ON_SITE)
    status = FSMField(choices=S.choices, default=S.BOOKED, protected=True)
    confirmation = models.CharField(
        max_length=12, choices=Confirmation.choices, default=Confirmation.UNCONFIRMED, blank=True
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    note = models.CharField(max_length=240, blank=True)
    previous = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="next")
    booking_key = models.UUIDField(null=True, blank=True, unique=True, help_text="The request that booked it")
    overbooked_number = models.PositiveSmallIntegerField(null=True, blank=True)
    visit_date = models.DateField(help_text="The day of the visit at its site")
    booked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)
    prepared_at = models.DateTimeField(null=True, blank=True, help_text="The patient has read how to prepare.")
    patient_words = models.CharField(
        max_length=500, blank=True, db_default="", help_text="What the patient wants us to know before."
    )
    arrived_at = models.DateTimeField(null=True, blank=True)
    fulfilled_at = models.DateTimeField(null=True, blank=True)
    noshow_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_for = models.CharField(max_length=12, choices=Party.choices, blank=True)
    cancel_reason = models.CharField(max_length=240, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["starts_at", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="appointment_takes_time"),
            models.CheckConstraint(
                condition=Q(previous=None) | ~Q(previous=F("id")), name="appointment_not_before_itself"
            ),
            models.UniqueConstraint(
                fields=["practitioner", "visit_date", "overbooked_number"],
                condition=Q(overbooked_number__isnull=False) & ~Q(status__in=[S.CANCELLED, S.ENTERED_IN_ERROR]),
                name="appointment_overbooking_counted",
            ),
            models.UniqueConstraint(
                fields=["series", "series_number"],
                condition=Q(series__isnull=False) & ~Q(status__in=[S.CANCELLED, S.ENTERED_IN_ERROR]),
                name="appointment_once_in_series",
            ),
            models.CheckConstraint(
                condition=Q(series=None, series_number=None) | Q(series__isnull=False, series_number__isnull=False),
                name="appointment_numbered_in_series",
            ),
        ]
        indexes = [
            models.Index(fields=["patient", "-starts_at"], name="appointment_of_patient"),
            models.Index(fields=["practitioner", "starts_at"], name="appointment_of_practitioner"),
            models.Index(fields=["starts_at"], name="appointment_by_time"),
        ]

    def __str__(self) -> str:
        return f"appointment {self.pk}"

    @property
    def is_to_come(self) -> bool:
        """Booked, and not begun yet."""
        return self.status in (S.PENDING, S.BOOKED) and self.starts_at > timezone.now()

    @transition(field=status, source=[S.PROPOSED, S.PENDING, S.WAITLIST], target=S.BOOKED)
    def settle(self) -> None:
        """What was only proposed or awaited is booked."""

    @transition(field=status, source=[S.BOOKED, S.NOSHOW], target=S.ARRIVED)
    def arrive(self) -> None:
        """The patient is here, late or not."""
        self.arrived_at, self.noshow_at = timezone.now(), None

    @transition(field=status, source=[S.BOOKED, S.ARRIVED], target=S.CHECKED_IN)
    def check_in(self) -> None:
        """The patient's papers are in order."""
        self.arrived_at = self.arrived_at or timezone.now()

    @transition(field=status, source=[S.ARRIVED, S.CHECKED_IN], target=S.FULFILLED)
    def fulfil(self) -> None:
        """The visit took place."""
        self.fulfilled_at = timezone.now()

    @transition(field=status, source=[S.BOOKED], target=S.NOSHOW)
    def miss(self) -> None:
        """The patient did not come."""
        self.noshow_at = timezone.now()

    @transition(field=status, source=[S.NOSHOW], target=S.BOOKED)
    def take_back_miss(self) -> None:
        """It was not so: the visit stands as before."""
        self.noshow_at = None

    @transition(field=status, source=[S.PROPOSED, S.PENDING, S.BOOKED, S.WAITLIST], target=S.CANCELLED)
    def cancel(self, *, asked_by: str, reason: str) -> None:
        """It will not take place."""
        self.cancelled_at, self.cancelled_for, self.cancel_reason = timezone.now(), asked_by, reason

    @transition(
        field=status,
        source=[S.PROPOSED, S.PENDING, S.BOOKED, S.ARRIVED, S.CHECKED_IN, S.NOSHOW, S.WAITLIST],
        target=S.ENTERED_IN_ERROR,
    )
    def discard(self) -> None:
        """It should never have been there."""


class Occupancy(models.Model):
    """Time of a practitioner and a room that is taken, by a visit or by a hold while somebody fills in a form.

    Visits and holds share the table because only one table can keep two of them from overlapping. A group has one row
    with its time (seat 0), whose end, if it has one, is that of its last hold; the rows of its places have no time of
    their own, so that they do not exclude one another. That `of_places` is what the group has, a foreign key says.
    """

    practitioner = models.ForeignKey(Practitioner, on_delete=models.CASCADE, related_name="+")
    room = models.ForeignKey(Room, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    span = DateTimeRangeField(null=True, blank=True, help_text="With buffers, half-open; empty for a place of a group")
    session = models.ForeignKey(GroupSession, on_delete=models.CASCADE, null=True, blank=True, related_name="seats")
    seat = models.PositiveSmallIntegerField(null=True, blank=True, help_text="0 is the time of the whole group")
    of_places = models.PositiveSmallIntegerField(null=True, blank=True)
    appointment = models.OneToOneField(
        Appointment, on_delete=models.CASCADE, null=True, blank=True, related_name="occupancy"
    )
    hold_token = models.UUIDField(null=True, blank=True, unique=True)
    held_until_at = models.DateTimeField(null=True, blank=True)
    held_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )

    held_from = models.CharField(
        max_length=64, blank=True, db_default="", help_text="Digest of the network a patient's hold came from"
    )

    class Meta:
        verbose_name_plural = "occupancies"
        constraints = [
            ExclusionConstraint(
                name="occupancy_practitioner_once",
                expressions=[("practitioner", RangeOperators.EQUAL), ("span", RangeOperators.OVERLAPS)],
            ),
            ExclusionConstraint(
                name="occupancy_room_once",
                expressions=[("room", RangeOperators.EQUAL), ("span", RangeOperators.OVERLAPS)],
                condition=Q(room__isnull=False),
            ),
            models.CheckConstraint(
                condition=Q(appointment__isnull=False, hold_token=None, held_until_at=None)
                | Q(appointment=None, hold_token__isnull=False, held_until_at__isnull=False)
                | Q(seat__isnull=False, seat=0, appointment=None, hold_token=None),
                name="occupancy_is_visit_or_hold",
            ),
            models.CheckConstraint(
                condition=Q(session=None, seat=None, of_places=None, span__isnull=False)
                | Q(session__isnull=False, seat__isnull=False, seat=0, of_places=None, span__isnull=False)
                | Q(
                    session__isnull=False,
                    seat__isnull=False,
                    of_places__isnull=False,
                    seat__gte=1,
                    seat__lte=F("of_places"),
                    span=None,
                ),
                name="occupancy_seat_in_group",
            ),
            models.UniqueConstraint(fields=["session", "seat"], name="occupancy_seat_once"),
            models.CheckConstraint(condition=Q(span__isempty=False), name="occupancy_takes_time"),
        ]
        indexes = [
            models.Index(fields=["held_until_at"], condition=Q(held_until_at__isnull=False), name="occupancy_holds"),
            GistIndex(fields=["span"], name="occupancy_by_time"),  # those of the constraints begin with one owner
        ]

    def __str__(self) -> str:
        return f"occupancy {self.pk}"
