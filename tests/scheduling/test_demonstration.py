"""A day that passes at a click."""

from datetime import date, time, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from scheduling.enums import RecoveryStatus
from scheduling.models import (
    Appointment,
    AppointmentSeries,
    GroupSession,
    NoShowRecovery,
    Occupancy,
    WaitlistEntry,
    WeeklyHours,
)
from scheduling.selectors.openings import Search, find_slots
from scheduling.services.booking import Wish, book
from scheduling.services.demonstration import EVERY, let_a_day_pass
from tests.factories.patients import PatientFactory
from tests.factories.scheduling import (
    AppointmentFactory,
    EntryFactory,
    PractitionerFactory,
    ScheduleFactory,
    ServiceFactory,
    a_day_at,
)
from tests.scheduling.conftest import ZONE

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_reminders_go_out_and_visits_of_the_day_are_attended_or_missed(
    settings, clock, told, ana, visit_of, sms_channel
):
    settings.DEBUG = True
    coming = visit_of(ana, days=2, hour=11)
    todays = [
        visit_of(PatientFactory(given_name=f"P{n}", birth_date=date(1980, 1, 1)), days=0, hour=15, is_planned=False)
        for n in range(EVERY)
    ]
    sure = visit_of(PatientFactory(), days=0, hour=16, is_planned=False, confirmation="confirmed")
    before = told()
    passed = let_a_day_pass()
    assert (passed.came, passed.missed) == (EVERY, 1)
    (missing,) = [one for one in todays if one.pk % EVERY == 0]
    statuses = dict(Appointment.objects.values_list("pk", "status"))
    assert statuses == {
        coming.pk: "booked", sure.pk: "fulfilled", **{one.pk: "fulfilled" for one in todays}, missing.pk: "noshow",
    }  # fmt: skip
    assert list(NoShowRecovery.objects.values_list("appointment", "status")) == [(missing.pk, RecoveryStatus.OPEN)]
    assert (len(before), [text.partition(",")[0] for text in told()]) == (1, ["Ana"])


def test_neighbours_do_not_meet_on_the_way_and_the_week_goes_along(settings, clock):
    settings.DEBUG = True
    monday = AppointmentFactory(starts_at=timezone.now() + DAY, overbooked_number=1)
    tuesday = AppointmentFactory(
        starts_at=monday.starts_at + DAY, practitioner=monday.practitioner, location=monday.location,
        service=monday.service, overbooked_number=1,
    )  # fmt: skip
    monday.practitioner.services.set([monday.service])
    schedule = ScheduleFactory(practitioner=monday.practitioner, location=monday.location, hours=[(time(9), time(10))])
    schedule.hours.exclude(weekday=3).delete()
    entry = EntryFactory(service=monday.service, weekdays=[0, 3], last_date=monday.visit_date)
    series = AppointmentSeries.objects.create(
        patient=monday.patient, first_date=monday.visit_date, starts=time(9), weekdays=[0, 3], count=2,
        booking_key=uuid4(),
    )  # fmt: skip
    let_a_day_pass()
    series.refresh_from_db()
    assert (series.weekdays, series.first_date) == ([6, 2], monday.visit_date - DAY)
    spans = [row.span.lower for row in Occupancy.objects.order_by("span")]
    assert spans == [monday.starts_at - DAY, tuesday.starts_at - DAY]
    assert list(Appointment.objects.order_by("pk").values_list("visit_date", flat=True)) == [
        monday.visit_date - DAY, tuesday.visit_date - DAY,
    ]  # fmt: skip
    entry = WaitlistEntry.objects.get(pk=entry.pk)
    assert (entry.weekdays, entry.last_date) == ([6, 2], monday.visit_date - DAY)
    assert WeeklyHours.objects.get().weekday == 2
    found = find_slots(Search(monday.service, monday.visit_date, monday.visit_date + 7 * DAY), now=timezone.now())
    assert {slot.starts_at.weekday() for slot in found} == {2}


def test_outside_a_demonstration_no_day_passes(clock):
    visit = AppointmentFactory()
    with pytest.raises(RuntimeError, match="Only in a demonstration"):
        let_a_day_pass()
    assert Appointment.objects.get().starts_at == visit.starts_at


def test_a_group_goes_along_with_its_places(settings, clock, site):
    settings.DEBUG = True
    course, midwife = ServiceFactory(places=8), PractitionerFactory()
    midwife.services.set([course])
    ScheduleFactory(practitioner=midwife, location=site)
    at = a_day_at(10, ZONE)
    for _number in range(2):
        book(actor=None, patient_id=PatientFactory().pk, wishes=[Wish(course.pk, at, midwife.pk, site.pk)])
    let_a_day_pass()
    session = GroupSession.objects.get()
    assert (session.starts_at, list(session.visits.values_list("starts_at", flat=True))) == (at - DAY, [at - DAY] * 2)
    assert [(row.seat, row.span and row.span.lower) for row in session.seats.order_by("seat")] == [
        (0, at - DAY), (1, None), (2, None),
    ]  # fmt: skip
