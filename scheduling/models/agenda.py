"""When practitioners see patients, and when they do not."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from contact_center.common.models import TimeStampedModel
from inbox.enums import Weekday
from scheduling.enums import AbsenceReason
from scheduling.models.catalogue import HealthcareService, Location, Practitioner, Room


class Schedule(TimeStampedModel):
    """A practitioner's weekly pattern at one site. No services named: all that the practitioner offers."""

    practitioner = models.ForeignKey(Practitioner, on_delete=models.CASCADE, related_name="schedules")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="schedules")
    room = models.ForeignKey(Room, on_delete=models.PROTECT, null=True, blank=True, related_name="schedules")
    services = models.ManyToManyField(HealthcareService, related_name="+", blank=True)
    valid_from_date = models.DateField(null=True, blank=True)
    valid_until_date = models.DateField(null=True, blank=True, help_text=_("The last day"))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_from_date=None)
                | Q(valid_until_date=None)
                | Q(valid_until_date__gte=F("valid_from_date")),
                name="schedule_ends_after_it_begins",
            )
        ]

    def __str__(self) -> str:
        return f"schedule {self.pk}"

    def clean(self) -> None:
        """Raise ValidationError for a room that is somewhere else."""
        if self.room is not None and self.room.location_id != self.location_id:
            raise ValidationError({"room": _("This room is at another site.")})


class WeeklyHours(models.Model):
    """One range of a schedule in the site's local time; it ends on the next day when `ends` is before `starts`."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="hours")
    weekday = models.PositiveSmallIntegerField(choices=Weekday.choices)
    starts = models.TimeField()
    ends = models.TimeField()

    class Meta:
        ordering = ["weekday", "starts"]
        constraints = [
            models.CheckConstraint(condition=~Q(starts=F("ends")), name="weekly_hours_take_time"),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="weekly_hours_on_a_day"),
        ]

    def __str__(self) -> str:
        return f"weekly hours {self.pk}"


class Absence(TimeStampedModel):
    """Time in which a practitioner, a room or a whole site is not available."""

    practitioner = models.ForeignKey(
        Practitioner, on_delete=models.CASCADE, null=True, blank=True, related_name="absences"
    )
    room = models.ForeignKey(Room, on_delete=models.CASCADE, null=True, blank=True, related_name="absences")
    location = models.ForeignKey(Location, on_delete=models.CASCADE, null=True, blank=True, related_name="absences")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=12, choices=AbsenceReason.choices, default=AbsenceReason.LEAVE)
    name = models.CharField(
        _("name"), max_length=60, blank=True, help_text=_("Such as that of a holiday; staff read it.")
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="absence_takes_time"),
            models.CheckConstraint(
                condition=Q(practitioner__isnull=False, room=None, location=None)
                | Q(practitioner=None, room__isnull=False, location=None)
                | Q(practitioner=None, room=None, location__isnull=False),
                name="absence_of_one",
            ),
        ]
        indexes = [models.Index(fields=["ends_at"], name="absence_to_come")]

    def __str__(self) -> str:
        return f"absence {self.pk}"

    @property
    def whom(self) -> Practitioner | Room | Location | None:
        """Who or what is not available."""
        return self.practitioner or self.room or self.location

    @property
    def time_zone(self) -> str | None:
        """See `clock_of`."""
        return clock_of(self.whom)

    @property
    def words(self) -> str:
        """Why, as staff read it: its name, else the kind of reason."""
        return self.name or self.get_reason_display()


def clock_of(whom: Practitioner | Room | Location | None) -> str | None:
    """The time zone in which an absence is said: of a site or a room the site's, of a person None, the desk's."""
    site = whom.location if isinstance(whom, Room) else whom
    return site.time_zone if isinstance(site, Location) else None
