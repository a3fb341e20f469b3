"""How soon we answer and resolve, and the clocks that measure it."""

from datetime import datetime, timedelta
from typing import Protocol

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contact_center.common.models import TimeStampedModel
from inbox.enums import ChannelKind, ClockKind, Counting, PauseState, Priority, StopReason
from inbox.models.desk import Queue, Reason
from inbox.models.hours import ServiceCalendar
from inbox.models.interactions import Interaction


class SlaPolicy(TimeStampedModel):
    """What is promised to which interactions. Of several the first that fits counts; an empty condition fits all."""

    name = models.CharField(max_length=80, unique=True)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)
    queues = models.ManyToManyField(Queue, blank=True, related_name="sla_policies")
    reasons = models.ManyToManyField(Reason, blank=True, related_name="sla_policies")
    priorities = ArrayField(models.PositiveSmallIntegerField(choices=Priority.choices), default=list, blank=True)
    channel_kinds = ArrayField(models.CharField(max_length=12, choices=ChannelKind.choices), default=list, blank=True)
    first_response_minutes = models.PositiveIntegerField(null=True, blank=True)
    next_response_minutes = models.PositiveIntegerField(null=True, blank=True)
    resolution_minutes = models.PositiveIntegerField(null=True, blank=True)
    counting = models.CharField(max_length=10, choices=Counting.choices, default=Counting.QUEUE)
    calendar = models.ForeignKey(
        ServiceCalendar, on_delete=models.PROTECT, null=True, blank=True, related_name="sla_policies"
    )
    pauses_in = ArrayField(models.CharField(max_length=20, choices=PauseState.choices), default=list, blank=True)
    warn_percent = models.PositiveSmallIntegerField(
        default=25, help_text=_("Warn when this share of the time is left.")
    )

    class Meta:
        ordering = ["position", "pk"]
        verbose_name_plural = "SLA policies"
        constraints = [
            models.CheckConstraint(condition=Q(warn_percent__range=(0, 90)), name="sla_policy_warn_percent"),
            models.CheckConstraint(
                condition=Q(counting=Counting.CALENDAR, calendar__isnull=False)
                | (~Q(counting=Counting.CALENDAR) & Q(calendar__isnull=True)),
                name="sla_policy_calendar_where_counted",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Counts(Protocol):
    """What a clock asks of a calendar."""

    def add_business_time(self, start: datetime, duration: timedelta) -> datetime | None: ...
    def business_time_between(self, start: datetime, end: datetime) -> timedelta: ...


class SlaClock(models.Model):
    """One promise to one interaction in one episode: since when, until when, and what became of it.

    It runs until it is met or stopped; a pause keeps the time that was left. `used` is the counted time before
    `counting_since_at`. At its end `calendar_time` is all that passed and `business_time` what counted.
    """

    interaction = models.ForeignKey(Interaction, on_delete=models.CASCADE, related_name="clocks", db_index=False)
    episode = models.PositiveSmallIntegerField(default=1)
    kind = models.CharField(max_length=16, choices=ClockKind.choices)
    policy = models.ForeignKey(SlaPolicy, on_delete=models.SET_NULL, null=True, related_name="clocks")
    calendar = models.ForeignKey(
        ServiceCalendar, on_delete=models.PROTECT, null=True, related_name="+", help_text="None never closes."
    )
    calendar_version = models.PositiveIntegerField(default=0)
    target = models.DurationField()
    warn_percent = models.PositiveSmallIntegerField(default=25)
    started_at = models.DateTimeField()
    counting_since_at = models.DateTimeField(null=True)
    used = models.DurationField(default=timedelta)
    due_at = models.DateTimeField(null=True)
    warn_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    paused = models.DurationField(default=timedelta)
    warned_at = models.DateTimeField(null=True)
    breached_at = models.DateTimeField(null=True)
    met_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)
    stopped_why = models.CharField(max_length=10, blank=True, choices=StopReason.choices)
    calendar_time = models.DurationField(null=True)
    business_time = models.DurationField(null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["interaction", "kind"], condition=Q(met_at=None, stopped_at=None), name="sla_clock_runs_once"
            ),
            models.CheckConstraint(
                condition=Q(met_at__isnull=True) | Q(stopped_at__isnull=True), name="sla_clock_ends_one_way"
            ),
            models.CheckConstraint(
                condition=Q(paused_at__isnull=True) | Q(counting_since_at__isnull=True),
                name="sla_clock_pauses_or_counts",
            ),
        ]
        indexes = [
            models.Index(fields=["interaction", "episode", "kind"], name="sla_clock_of_interaction"),
            # The look for what is due reads those that run and have not told yet, soonest first.
            models.Index(
                fields=["warn_at"],
                condition=Q(met_at=None, stopped_at=None, paused_at=None, warned_at=None, breached_at=None),
                name="sla_clock_to_warn",
            ),
            models.Index(
                fields=["due_at"],
                condition=Q(met_at=None, stopped_at=None, paused_at=None, breached_at=None),
                name="sla_clock_to_breach",
            ),
            models.Index(
                fields=["calendar", "calendar_version"],
                condition=Q(met_at=None, stopped_at=None),
                name="sla_clock_by_calendar",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} clock {self.pk}"

    @property
    def is_running(self) -> bool:
        """Neither met nor stopped; it may be paused."""
        return self.met_at is None and self.stopped_at is None

    def count(self, calendar: Counts, at: datetime) -> None:
        """Count from `at` on what is left, and say when it ends; one that is over keeps its deadline."""
        self.counting_since_at = at
        if self.used >= self.target and self.due_at is not None:
            return
        self.due_at = calendar.add_business_time(at, self.target - self.used)
        until_warning = self.target * (100 - self.warn_percent) / 100 - self.used
        self.warn_at = calendar.add_business_time(at, until_warning)

    def pause(self, calendar: Counts, at: datetime) -> None:
        """Hold it; the time that is left stays."""
        self.used = self.used_until(calendar, at)
        self.counting_since_at, self.paused_at = None, at

    def resume(self, calendar: Counts, at: datetime) -> None:
        """Count on with the time that was left."""
        if self.paused_at is not None:
            self.paused += max(at - self.paused_at, timedelta())
        self.paused_at = None
        self.count(calendar, at)

    def meet(self, calendar: Counts, at: datetime) -> None:
        """What was promised has happened, in time or not."""
        self._end(calendar, at)
        self.met_at = at

    def stop(self, calendar: Counts, at: datetime, why: StopReason) -> None:
        """It does not apply any more; whether it would have been met is not known."""
        self._end(calendar, at)
        self.stopped_at, self.stopped_why = at, why

    def bring_back(self) -> None:
        """What ended it was taken back: it counts on as if it had not ended."""
        if self.paused_at is None:
            self.counting_since_at, self.used = self.met_at or self.stopped_at, self.business_time or timedelta()
        self.met_at = self.stopped_at = self.calendar_time = self.business_time = None
        self.stopped_why = ""

    def used_until(self, calendar: Counts, at: datetime) -> timedelta:
        """Counted time until `at`, without pauses."""
        if self.counting_since_at is None:
            return self.used
        return self.used + calendar.business_time_between(self.counting_since_at, at)

    def _end(self, calendar: Counts, at: datetime) -> None:
        is_late = self.due_at is not None and self.paused_at is None and at > self.due_at
        if is_late and self.breached_at is None:
            self.breached_at = self.due_at
        self.calendar_time = max(at - self.started_at, timedelta())
        self.business_time = self.used_until(calendar, at)
