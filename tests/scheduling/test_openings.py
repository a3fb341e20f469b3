"""Finding free times in the agenda as it is stored."""

from datetime import datetime, time, timedelta

import pytest
import time_machine
from django.utils import timezone

from contact_center.common.errors import Conflict
from scheduling.models import Absence
from scheduling.selectors import openings
from scheduling.selectors.openings import Search, find_slots, fit_of
from scheduling.services.booking import Wish, book
from scheduling.services.holds import hold_slot
from tests.factories.patients import PatientFactory
from tests.factories.scheduling import (
    LocationFactory,
    PractitionerFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
)
from tests.scheduling.conftest import ZONE

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 7, 0, tzinfo=ZONE)  # a Monday; the clock changes on the 8th


@pytest.fixture(autouse=True)
def _monday():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def service():
    return ServiceFactory(minutes=60, step_minutes=60, modes=["on_site", "video"])


@pytest.fixture
def doctor(service):
    return PractitionerFactory(services=[service])


def found(service, days=1, limit=20, **wishes):
    day = NOW.date()
    search = Search(service, day, day + timedelta(days=days - 1), **wishes)
    slots = find_slots(search, now=timezone.now(), limit=limit)
    return [(slot.practitioner_id, f"{slot.starts_at.astimezone(ZONE):%d %H:%M}") for slot in slots]


def test_a_schedule_opens_its_hours_and_an_absence_closes_some(service, doctor, site):
    ScheduleFactory(practitioner=doctor, location=site, hours=[(time(9), time(12))])
    Absence.objects.create(practitioner=doctor, starts_at=NOW.replace(hour=10), ends_at=NOW.replace(hour=10, minute=30))
    assert found(service) == [(doctor.pk, "02 09:00")] + [(doctor.pk, "02 10:30")]


def test_admins_say_where_when_and_by_whom_patients_are_seen(service, doctor, site, signed_in, admin):
    room, elsewhere = RoomFactory(location=site), RoomFactory(location=LocationFactory())
    given = {
        "practitioner": doctor.pk, "location": site.pk, "room": elsewhere.pk, "hours-TOTAL_FORMS": 1,
        "hours-INITIAL_FORMS": 0, "hours-0-weekday": 0, "hours-0-starts": "09:00", "hours-0-ends": "11:00",
    }  # fmt: skip
    office = signed_in(admin)
    refused = office.post("/admin/scheduling/schedule/add/", given)
    assert dict(refused.context["adminform"].form.errors) == {"room": ["This room is at another site."]}
    assert office.post("/admin/scheduling/schedule/add/", given | {"room": room.pk}).status_code == 302
    assert found(service) == [(doctor.pk, "02 09:00"), (doctor.pk, "02 10:00")]


def test_two_days_are_read_and_the_change_of_the_clock_moves_nothing(service, doctor, site):
    ScheduleFactory(practitioner=doctor, location=site, hours=[(time(9), time(10))])
    assert [when for _, when in found(service, days=9)] == [f"{day:02} 09:00" for day in range(2, 11)]


def test_what_is_asked_for_narrows_who_and_where(service, site):
    spanish, english = (PractitionerFactory(services=[service], languages=[one]) for one in ("es", "en"))
    elsewhere = LocationFactory(time_zone=ZONE.key)
    ScheduleFactory(practitioner=spanish, location=site, hours=[(time(9), time(10))])
    ScheduleFactory(practitioner=english, location=elsewhere, hours=[(time(9), time(10))])
    assert found(service, language="es") == [(spanish.pk, "02 09:00")]
    assert found(service, locations=frozenset({elsewhere.pk})) == [(english.pk, "02 09:00")]
    assert found(service, practitioners=frozenset({english.pk})) == [(english.pk, "02 09:00")]
    assert len(found(service, mode="video")) == 2
    assert found(service, mode="phone") == []


def test_a_schedule_for_some_services_opens_for_no_other(service, doctor, site):
    other = ServiceFactory()
    doctor.services.add(other)
    ScheduleFactory(practitioner=doctor, location=site).services.set([other])
    assert (found(service), len(found(other, limit=1))) == ([], 1)


@pytest.mark.parametrize("closed", ["practitioner", "location", "room", "service", "room_absence", "site_absence"])
def test_who_or_what_is_out_of_use_has_no_time(closed, service, doctor, site):
    room = RoomFactory(location=site)
    ScheduleFactory(practitioner=doctor, location=site, room=room)
    assert found(service, limit=1) == [(doctor.pk, "02 09:00")]
    if closed.endswith("_absence"):
        what = {"room": room} if closed.startswith("room") else {"location": site}
        Absence.objects.create(starts_at=NOW, ends_at=NOW + timedelta(days=1), **what)
    else:
        row = {"practitioner": doctor, "location": site, "room": room, "service": service}[closed]
        row.is_active = False
        row.save()
    assert found(service) == []


def test_a_schedule_is_open_in_its_days_only(service, doctor, site):
    day = NOW.date()
    ScheduleFactory(
        practitioner=doctor, location=site, hours=[(time(9), time(10))],
        valid_from_date=day + timedelta(days=1), valid_until_date=day + timedelta(days=2),
    )  # fmt: skip
    assert [when for _, when in found(service, days=9)] == ["03 09:00", "04 09:00"]


def test_visits_and_holds_take_time_until_they_end(service, doctor, site, agent):
    ScheduleFactory(practitioner=doctor, location=site, hours=[(time(9), time(12))])
    at = {"service_id": service.pk, "practitioner_id": doctor.pk, "location_id": site.pk}
    book(actor=agent, patient_id=PatientFactory().pk, wishes=[Wish(starts_at=NOW.replace(hour=9), **at)])
    hold_slot(actor=agent, wish=Wish(starts_at=NOW.replace(hour=11), **at))
    assert [when for _, when in found(service)] == ["02 10:00"]
    with time_machine.travel(NOW + timedelta(minutes=6), tick=False):
        assert [when for _, when in found(service)] == ["02 10:00", "02 11:00"]
        hold_slot(actor=agent, wish=Wish(starts_at=NOW.replace(hour=11), **at))
        with pytest.raises(Conflict):
            hold_slot(actor=agent, wish=Wish(starts_at=NOW.replace(hour=11), **at))


def test_what_is_read_hour_by_hour_is_what_is_read_at_once(service, doctor, site, agent, monkeypatch):
    service.buffer_before_minutes = 20
    service.save()
    ScheduleFactory(practitioner=doctor, location=site, hours=[(time(9), time(17))])
    ScheduleFactory(practitioner=PractitionerFactory(services=[service]), location=site, hours=[(time(8), time(13))])
    at = {"service_id": service.pk, "practitioner_id": doctor.pk, "location_id": site.pk}
    for hour in (10, 13):
        wish = Wish(starts_at=NOW.replace(hour=hour, minute=20), **at)
        book(actor=agent, patient_id=PatientFactory().pk, wishes=[wish])
    at_once = found(service, days=3, limit=200)
    monkeypatch.setattr(openings, "FIRST_HOURS_OF_ALL", 1)
    assert (len(at_once), found(service, days=3, limit=200)) == (27, at_once)


def test_the_number_of_statements_grows_with_no_row(service, site, django_assert_num_queries):
    def add():
        ScheduleFactory(practitioner=PractitionerFactory(services=[service]), location=site)

    add()
    search = Search(service, NOW.date(), NOW.date())
    with django_assert_num_queries(4):
        find_slots(search, now=NOW)
    for _ in range(5):
        add()
    with django_assert_num_queries(4):
        assert len(find_slots(search, now=NOW, limit=200)) == 48


def test_a_search_asks_for_the_time_the_service_takes(service):
    service.buffer_after_minutes = 10
    fit = fit_of(service)
    assert (fit.minutes, fit.buffer_before, fit.buffer_after, fit.step) == (60, 0, 10, 60)
