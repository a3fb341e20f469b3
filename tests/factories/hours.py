"""Calendars, policies and closures."""

from datetime import time, timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from inbox.models import CalendarDay, CalendarRange, ServiceCalendar, SlaClock, SlaPolicy
from inbox.selectors.hours import forget_setup
from tests.factories.inbox import InteractionFactory


class CalendarFactory(DjangoModelFactory):
    """Monday to Friday, 9 to 18 in New York; `hours={weekday: [(opens, closes)]}` say otherwise."""

    class Meta:
        model = ServiceCalendar
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Calendar {n}")
    time_zone = "America/New_York"

    @factory.post_generation
    def hours(self, create, extracted, **kwargs):
        for weekday, ranges in (extracted or {weekday: [(time(9), time(18))] for weekday in range(5)}).items():
            for opens, closes in ranges:
                CalendarRange.objects.create(calendar=self, weekday=weekday, opens=opens, closes=closes)
        forget_setup()


class CalendarDayFactory(DjangoModelFactory):
    """A day on which it is closed."""

    class Meta:
        model = CalendarDay

    calendar = factory.SubFactory(CalendarFactory)
    name = "Staff day"


class SlaPolicyFactory(DjangoModelFactory):
    """First reply in 30 minutes, next in 60, resolved in 480, by the queue's hours; pauses while the patient acts."""

    class Meta:
        model = SlaPolicy
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Policy {n}")
    position = factory.Sequence(lambda n: n % 30_000)
    first_response_minutes = 30
    next_response_minutes = 60
    resolution_minutes = 480
    pauses_in = ["awaiting_patient", "snoozed"]

    @factory.post_generation
    def queues(self, create, extracted, **kwargs):
        self.queues.set(extracted or [])
        forget_setup()

    @factory.post_generation
    def reasons(self, create, extracted, **kwargs):
        self.reasons.set(extracted or [])
        forget_setup()


class SlaClockFactory(DjangoModelFactory):
    """A first reply that is due in half an hour."""

    class Meta:
        model = SlaClock

    interaction = factory.SubFactory(InteractionFactory)
    kind = "first_response"
    target = timedelta(minutes=30)
    started_at = factory.LazyFunction(timezone.now)
    due_at = factory.LazyFunction(lambda: timezone.now() + timedelta(minutes=30))
