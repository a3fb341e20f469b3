"""Times that become free again, who would like them, and to whom they are offered."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from contact_center.common.models import SafeFSM, TimeStampedModel
from inbox.enums import Weekday
from inbox.models import Message
from patients.models import Patient
from scheduling.enums import FreedEnd, Trigger, Urgency, VisitMode, WishEnd
from scheduling.enums import OfferStatus as O
from scheduling.models.appointments import Appointment
from scheduling.models.catalogue import HealthcareService, Location, Practitioner, Room


class CapacityRules(TimeStampedModel):
    """What is done by itself with freed times and missed visits of a service. Without a row: nothing."""

    service = models.OneToOneField(HealthcareService, on_delete=models.CASCADE, related_name="capacity_rules")
    is_offering = models.BooleanField(_("offer freed times"), default=True)
    group_size = models.PositiveSmallIntegerField(_("patients in a wave"), default=3, validators=[MinValueValidator(1)])
    interval_minutes = models.PositiveSmallIntegerField(
        _("minutes between waves"), default=20, validators=[MinValueValidator(1)]
    )
    offer_minutes = models.PositiveSmallIntegerField(
        _("minutes to answer"), default=60, validators=[MinValueValidator(5)]
    )
    cut_off_minutes = models.PositiveIntegerField(_("last offer before the visit, minutes"), default=120)
    horizon_days = models.PositiveSmallIntegerField(_("days ahead"), default=14)
    most_offers_a_day = models.PositiveSmallIntegerField(_("offers per patient and day"), default=3)
    grace_minutes = models.PositiveSmallIntegerField(
        _("minutes until a visit counts as missed"), null=True, blank=True, help_text=_("Empty: only people say so")
    )

    class Meta:
        verbose_name_plural = "capacity rules"
        constraints = [
            models.CheckConstraint(
                condition=Q(group_size__gte=1, interval_minutes__gte=1, offer_minutes__gte=5),
                name="capacity_rules_go_on",
            )
        ]

    def __str__(self) -> str:
        return f"capacity rules {self.pk}"


class WaitlistEntry(TimeStampedModel):
    """A patient who would like an (earlier) time. No sites or practitioners named: any. Times of day are the site's."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="waitlist_entries")
    service = models.ForeignKey(HealthcareService, on_delete=models.PROTECT, related_name="waitlist_entries")
    appointment = models.ForeignKey(
        Appointment,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="waitlist_entries",
        help_text="The visit that an earlier time takes the place of.",
    )
    urgency = models.CharField(max_length=8, choices=Urgency.choices, default=Urgency.ROUTINE)
    weekdays = ArrayField(models.PositiveSmallIntegerField(choices=Weekday.choices), default=list, blank=True)
    not_before = models.TimeField(null=True, blank=True)
    not_after = models.TimeField(null=True, blank=True, help_text="The visit has begun by then")
    first_date = models.DateField(null=True, blank=True)
    last_date = models.DateField(null=True, blank=True)
    notice_minutes = models.PositiveIntegerField(default=240, help_text="What the patient needs to get there")
    mode = models.CharField(max_length=10, choices=VisitMode.choices, default=VisitMode.ON_SITE)
    locations = models.ManyToManyField(Location, related_name="+", blank=True)
    practitioners = models.ManyToManyField(Practitioner, related_name="+", blank=True)
    note = models.CharField(max_length=240, blank=True)
    joined_at = models.DateTimeField(default=timezone.now)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_for = models.CharField(max_length=10, choices=WishEnd.choices, blank=True)

    class Meta:
        verbose_name_plural = "waitlist entries"
        ordering: ClassVar[list[str]] = ["joined_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "service"], condition=Q(closed_at=None), name="waitlist_entry_open_once"
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, closed_for="") | (Q(closed_at__isnull=False) & ~Q(closed_for="")),
                name="waitlist_entry_closed_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(not_before=None) | Q(not_after=None) | Q(not_after__gt=F("not_before")),
                name="waitlist_entry_hours_in_order",
            ),
            models.CheckConstraint(
                condition=Q(first_date=None) | Q(last_date=None) | Q(last_date__gte=F("first_date")),
                name="waitlist_entry_days_in_order",
            ),
        ]
        indexes = [
            models.Index(fields=["service", "joined_at"], condition=Q(closed_at=None), name="waitlist_open"),
        ]

    def __str__(self) -> str:
        return f"waitlist entry {self.pk}"


class FreedSlot(TimeStampedModel):
    """A time that became free: what freed it, the waves in which it was offered, and the visit that filled it.

    `freed_by` is unique, so that a time is counted once however often it was moved on.
    """

    freed_by = models.OneToOneField(Appointment, on_delete=models.PROTECT, related_name="freed_slot")
    trigger = models.CharField(max_length=10, choices=Trigger.choices)
    cause = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="cascade")
    service = models.ForeignKey(HealthcareService, on_delete=models.PROTECT, related_name="+")
    practitioner = models.ForeignKey(Practitioner, on_delete=models.PROTECT, related_name="+")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="+")
    room = models.ForeignKey(Room, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    mode = models.CharField(max_length=10, choices=VisitMode.choices)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    waves = models.PositiveSmallIntegerField(default=0)
    next_wave_at = models.DateTimeField(null=True, blank=True)
    filled_by = models.OneToOneField(
        Appointment, on_delete=models.PROTECT, null=True, blank=True, related_name="filled_slot"
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_for = models.CharField(max_length=10, choices=FreedEnd.choices, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["starts_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_at=None, closed_for="") | (Q(closed_at__isnull=False) & ~Q(closed_for="")),
                name="freed_slot_closed_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(filled_by=None) & ~Q(closed_for=FreedEnd.FILLED)
                | Q(filled_by__isnull=False, closed_for=FreedEnd.FILLED),
                name="freed_slot_filled_by_a_visit",
            ),
        ]
        indexes = [
            models.Index(fields=["next_wave_at"], condition=Q(closed_at=None), name="freed_slot_due"),
            models.Index(fields=["location", "closed_at"], name="freed_slot_of_site"),
        ]

    def __str__(self) -> str:
        return f"freed slot {self.pk}"


class SlotOffer(SafeFSM, TimeStampedModel):
    """A freed time offered to one patient of the waitlist. Of all offers of a time, one can be accepted."""

    freed = models.ForeignKey(FreedSlot, on_delete=models.CASCADE, related_name="offers")
    entry = models.ForeignKey(WaitlistEntry, on_delete=models.CASCADE, related_name="offers")
    status = FSMField(choices=O.choices, default=O.OFFERED, protected=True)
    wave = models.PositiveSmallIntegerField()
    rank = models.PositiveSmallIntegerField(help_text="From 1, among all who were offered this time")
    grounds = models.JSONField(default=dict, help_text="Points for urgency, wait, fit and fairness")
    offered_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    message = models.ForeignKey(Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    appointment = models.OneToOneField(
        Appointment, on_delete=models.PROTECT, null=True, blank=True, related_name="accepted_offer"
    )

    class Meta:
        ordering: ClassVar[list[str]] = ["freed", "rank"]
        constraints = [
            models.UniqueConstraint(fields=["freed", "entry"], name="slot_offer_once_per_entry"),
            models.UniqueConstraint(fields=["freed"], condition=Q(status=O.ACCEPTED), name="slot_offer_one_winner"),
            models.CheckConstraint(
                condition=Q(status=O.ACCEPTED, appointment__isnull=False) | ~Q(status=O.ACCEPTED) & Q(appointment=None),
                name="slot_offer_accepted_is_booked",
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(status=O.OFFERED), name="slot_offer_open"),
            models.Index(fields=["entry", "offered_at"], name="slot_offer_of_entry"),
        ]

    def __str__(self) -> str:
        return f"slot offer {self.pk}"

    @transition(field=status, source=[O.OFFERED], target=O.ACCEPTED)
    def accept(self, appointment: Appointment) -> None:
        """The patient takes it."""
        self.answered_at, self.appointment = timezone.now(), appointment

    @transition(field=status, source=[O.OFFERED], target=O.DECLINED)
    def decline(self) -> None:
        """The patient does not want this time, and stays on the waitlist."""
        self.answered_at = timezone.now()

    @transition(field=status, source=[O.OFFERED], target=O.EXPIRED)
    def expire(self) -> None:
        """Nobody answered in time."""

    @transition(field=status, source=[O.OFFERED], target=O.WITHDRAWN)
    def withdraw(self) -> None:
        """The time is gone, or the patient left the waitlist."""
