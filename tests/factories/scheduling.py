"""A small agenda."""

from datetime import time, timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from scheduling.models import (
    Appointment,
    CapacityRules,
    HealthcareService,
    Location,
    Occupancy,
    Practitioner,
    Room,
    Schedule,
    WaitlistEntry,
    WeeklyHours,
)
from tests.factories.patients import PatientFactory


class LocationFactory(DjangoModelFactory):
    class Meta:
        model = Location

    name = factory.Sequence(lambda n: f"Site {n}")
    time_zone = "America/New_York"


class RoomFactory(DjangoModelFactory):
    class Meta:
        model = Room

    location = factory.SubFactory(LocationFactory)
    name = factory.Sequence(lambda n: f"Room {n}")


class ServiceFactory(DjangoModelFactory):
    class Meta:
        model = HealthcareService

    code = factory.Sequence(lambda n: f"service-{n}")
    name = factory.Sequence(lambda n: f"Service {n}")
    minutes = 30
    step_minutes = 30
    modes = ["on_site"]


class PractitionerFactory(DjangoModelFactory):
    """Somebody who offers `services`."""

    class Meta:
        model = Practitioner
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Dr. {n}")
    languages = ["en"]

    @factory.post_generation
    def services(self, create, extracted, **kwargs):
        self.services.set(extracted or [])


class ScheduleFactory(DjangoModelFactory):
    """Every day from nine to five."""

    class Meta:
        model = Schedule
        skip_postgeneration_save = True

    practitioner = factory.SubFactory(PractitionerFactory)
    location = factory.SubFactory(LocationFactory)

    @factory.post_generation
    def hours(self, create, extracted, **kwargs):
        for weekday in range(7):
            for starts, ends in extracted or [(time(9), time(17))]:
                WeeklyHours.objects.create(schedule=self, weekday=weekday, starts=starts, ends=ends)


class AppointmentFactory(DjangoModelFactory):
    """A booked visit of half an hour in two days, with its time taken."""

    class Meta:
        model = Appointment
        skip_postgeneration_save = True

    patient = factory.SubFactory(PatientFactory)
    service = factory.SubFactory(ServiceFactory)
    practitioner = factory.SubFactory(PractitionerFactory)
    location = factory.SubFactory(LocationFactory)
    starts_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=2))
    ends_at = factory.LazyAttribute(lambda visit: visit.starts_at + timedelta(minutes=30))
    visit_date = factory.LazyAttribute(lambda visit: visit.starts_at.date())

    @factory.post_generation
    def occupancy(self, create, extracted, **kwargs):
        span = (self.starts_at, self.ends_at)
        Occupancy.objects.create(practitioner=self.practitioner, room=self.room, span=span, appointment=self)


def a_day_at(hour, zone, *, days=3, minute=0):
    """So many days from now at this time of the local clock, aware."""
    local = timezone.now().astimezone(zone) + timedelta(days=days)
    return local.replace(hour=hour, minute=minute, second=0, microsecond=0)


class RulesFactory(DjangoModelFactory):
    """Waves of two, every twenty minutes."""

    class Meta:
        model = CapacityRules

    service = factory.SubFactory(ServiceFactory)
    group_size = 2


class EntryFactory(DjangoModelFactory):
    """Somebody who waits for `service`."""

    class Meta:
        model = WaitlistEntry

    patient = factory.SubFactory(PatientFactory)
    service = factory.SubFactory(ServiceFactory)


def an_open_visit(**values):
    """A booked visit with a practitioner who sees patients every day there, so that others can be booked too."""
    visit = AppointmentFactory(**values)
    visit.practitioner.services.set([visit.service])
    ScheduleFactory(practitioner=visit.practitioner, location=visit.location)
    return visit
