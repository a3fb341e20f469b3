"""When queues are served: weekly hours, public holidays, days of their own, forced closing."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from contact_center.common.business_time import Hours
from contact_center.common.models import TimeStampedModel
from inbox.enums import Weekday


class ServiceCalendar(TimeStampedModel):
    """Hours in one time zone, with the public holidays of a country or a part of it."""

    name = models.CharField(max_length=80, unique=True)
    time_zone = models.CharField(max_length=64, help_text=_("IANA name, such as America/New_York"))
    country = models.CharField(max_length=2, blank=True, help_text=_("Whose public holidays apply; none for none."))
    subdivision = models.CharField(max_length=10, blank=True)
    version = models.PositiveIntegerField(default=1, help_text=_("Counts its changes; clocks remember theirs."))

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class CalendarDay(models.Model):
    """A date with hours of its own; without ranges it is closed. It wins over a public holiday."""

    calendar = models.ForeignKey(ServiceCalendar, on_delete=models.CASCADE, related_name="days")
    date = models.DateField()
    name = models.CharField(max_length=80)
    messages = models.JSONField(default=dict, blank=True, help_text=_("For patients, by language."))

    class Meta:
        ordering = ["date"]
        constraints = [models.UniqueConstraint(fields=["calendar", "date"], name="calendar_day_once")]

    def __str__(self) -> str:
        return f"{self.date} {self.name}"


class CalendarRange(models.Model):
    """From when to when it is open, on a weekday or on a day of its own. One that ends first runs past midnight."""

    calendar = models.ForeignKey(ServiceCalendar, on_delete=models.CASCADE, related_name="ranges")
    weekday = models.PositiveSmallIntegerField(choices=Weekday.choices, null=True, blank=True)
    day = models.ForeignKey(CalendarDay, on_delete=models.CASCADE, null=True, blank=True, related_name="ranges")
    opens = models.TimeField()
    closes = models.TimeField()

    class Meta:
        ordering = ["weekday", "opens"]
        constraints = [
            models.CheckConstraint(
                condition=Q(weekday__range=(0, 6), day__isnull=True) | Q(weekday__isnull=True, day__isnull=False),
                name="calendar_range_of_weekday_or_day",
            ),
            models.UniqueConstraint(
                fields=["calendar", "weekday", "opens"], condition=Q(day=None), name="calendar_range_once_a_weekday"
            ),
            models.UniqueConstraint(
                fields=["day", "opens"], condition=Q(day__isnull=False), name="calendar_range_once_a_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}–{self.closes:%H:%M}"

    @property
    def hours(self) -> Hours:
        """The same in minutes."""
        return Hours.of(self.opens, self.closes)


class ForcedClosure(models.Model):
    """Closed whatever the calendar says, with words for patients; until its end or until somebody opens again."""

    calendar = models.ForeignKey(ServiceCalendar, on_delete=models.CASCADE, related_name="closures")
    from_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True, blank=True)
    messages = models.JSONField(default=dict, blank=True, help_text=_("For patients, by language."))
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-from_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(until_at__isnull=True) | Q(until_at__gte=F("from_at")), name="forced_closure_ends_after"
            ),
            models.UniqueConstraint(fields=["calendar"], condition=Q(until_at=None), name="forced_closure_open_once"),
        ]

    def __str__(self) -> str:
        return f"closure {self.pk}"


class SetupVersion(models.Model):
    """What a calendar, or the list of policies, was after a change, so that it can be brought back."""

    kind = models.CharField(max_length=20)
    object_id = models.BigIntegerField(null=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    note = models.CharField(max_length=120, blank=True)
    state = models.JSONField()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["kind", "object_id", "-id"], name="setup_version_of")]

    def __str__(self) -> str:
        return f"{self.kind} version {self.pk}"
