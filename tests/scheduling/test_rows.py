"""Several services in one trip: found in their order, booked all or not at all."""

import html
import re
from datetime import time, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contact_center.common.errors import Refused
from scheduling.forms import sealed
from scheduling.models import Appointment, Occupancy, Prerequisite
from scheduling.selectors.openings import Search
from scheduling.selectors.rows import find_rows, ordered
from scheduling.services.booking import Wish, book
from scheduling.slots import Slot
from tests.factories.patients import PatientFactory
from tests.factories.scheduling import LocationFactory, PractitionerFactory, ScheduleFactory, ServiceFactory
from tests.scheduling.conftest import NOW, ZONE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("monday")]


@pytest.fixture
def offered_by(site):
    """`offered_by(name, start, end)` is a service of half an hour whose only practitioner is there daily."""

    def make(name, start, end, where=site):
        service = ServiceFactory(name=name, minutes=30, step_minutes=30)
        who = PractitionerFactory(name=f"Dr. {name}", services=[service])
        ScheduleFactory(practitioner=who, location=where, hours=[(time(start), time(end))])
        return service

    return make


@pytest.fixture
def blood(offered_by):
    return offered_by("Blood", 9, 10)


@pytest.fixture
def talk(offered_by):
    return offered_by("Cardiology", 9, 13)


def ways(*services, days=1, most_wait=120, limit=12):
    services, gaps = ordered(services)
    searches = [Search(one, NOW.date(), NOW.date() + timedelta(days=days - 1)) for one in services]
    found = find_rows(searches, gaps, now=timezone.now(), most_wait=most_wait, limit=limit)
    return [[f"{slot.starts_at.astimezone(ZONE):%d %H:%M}" for slot in way] for way in found]


def test_visits_follow_one_another_as_they_were_chosen_or_as_their_prerequisites_ask(blood, talk):
    assert ways(blood, talk) == [["01 09:00", "01 09:30"], ["01 09:30", "01 10:00"]]
    assert ways(talk, blood) == [["01 09:00", "01 09:30"]]
    Prerequisite.objects.create(service=talk, first=blood, least_minutes=60, most_minutes=90)
    assert ways(talk, blood) == [["01 09:00", "01 10:30"], ["01 09:30", "01 11:00"]]


def test_results_that_take_days_are_waited_for_and_ways_over_several_days_are_found(blood, talk):
    Prerequisite.objects.create(service=talk, first=blood, least_minutes=24 * 60)
    assert ways(blood, talk, days=1) == [["01 09:00", "02 09:30"], ["01 09:30", "02 10:00"]]
    assert ways(blood, talk, days=2, limit=3)[2:] == [["02 09:00", "03 09:30"]]


def test_a_visit_that_must_come_six_weeks_later_is_found_as_far_ahead_as_it_is_offered(blood, talk):
    Prerequisite.objects.create(service=talk, first=blood, least_minutes=42 * 24 * 60)
    assert ways(blood, talk, days=28, limit=1) == [["01 09:00", "13 09:30"]]
    talk.horizon_days = 41
    assert ways(blood, talk, days=28) == []


def test_a_time_at_a_site_is_shown_once_however_many_begin_then(site, offered_by):
    other = LocationFactory(name="Aventura", time_zone=ZONE.key)
    early, late = offered_by("Blood", 9, 10), offered_by("Cardiology", 9, 11)
    ScheduleFactory(practitioner=late.practitioners.get(), location=other, hours=[(time(9), time(11))])
    for where in (other, site):
        doctor = PractitionerFactory(services=[early])
        ScheduleFactory(practitioner=doctor, location=where, hours=[(time(9), time(10))])
    services, gaps = ordered([early, late])
    searches = [Search(one, NOW.date(), NOW.date()) for one in services]
    found = find_rows(searches, gaps, now=timezone.now(), most_wait=120)
    assert [(f"{way[0].starts_at.astimezone(ZONE):%H:%M}", way[0].location_id) for way in found] == [
        ("09:00", site.pk), ("09:00", other.pk), ("09:30", site.pk), ("09:30", other.pk),
    ]  # fmt: skip


def test_a_row_stays_at_one_site(blood, offered_by):
    elsewhere = LocationFactory(time_zone=ZONE.key)
    assert ways(blood, offered_by("Eyes", 9, 13, where=elsewhere)) == []


def test_prerequisites_in_a_circle_are_refused_in_words_and_one_of_itself_by_the_database(blood, talk):
    Prerequisite.objects.create(service=talk, first=blood)
    with pytest.raises(IntegrityError), transaction.atomic():
        Prerequisite.objects.create(service=talk, first=talk)
    Prerequisite.objects.create(service=blood, first=talk)
    with pytest.raises(Refused, match="one by one"):
        ordered([blood, talk])


def test_the_number_of_statements_does_not_grow_with_the_ways(blood, talk, offered_by):
    def count(*services):
        with CaptureQueriesContext(connection) as found:
            ways(*services, limit=1)
        return len(found)

    before = count(blood, talk)
    ScheduleFactory(practitioner=PractitionerFactory(services=[blood, talk]), location=LocationFactory())
    assert count(blood, talk) == before


@pytest.fixture
def page_of(signed_in, agent, blood, talk):
    """Address and text of the page on which an agent looks for both; cardiology was chosen first."""
    patient = PatientFactory()
    browser = signed_in(agent)
    where = f"/patients/{patient.pk}/visits/book/?service={talk.pk}&second={blood.pk}&mode=on_site&wait=120"

    def look(**more):
        return browser.get(where, more) if more else browser.get(where)

    look.where, look.browser, look.patient = where, browser, patient
    return look


def rows(page):
    return [html.unescape(value) for value in re.findall(r'name="row" value="([^"]+)"', page.content.decode())]


def test_an_agent_books_a_row_with_one_click_and_a_second_click_books_nothing_more(page_of, blood, talk):
    Prerequisite.objects.create(service=talk, first=blood)
    page = page_of()
    given = {"row": rows(page)[0], "service": talk.pk, "key": str(uuid4()), "note": "Together"}
    answers = [page_of.browser.post(page_of.where, given) for _click in range(2)]
    made = list(Appointment.objects.order_by("starts_at"))
    assert [(one.service, one.starts_at, one.note, one.patient) for one in made] == [
        (blood, NOW.replace(hour=9), "Together", page_of.patient),
        (talk, NOW.replace(hour=9, minute=30), "Together", page_of.patient),
    ]
    assert [answer.url for answer in answers] == [f"/visits/{made[0].pk}/"] * 2


def test_when_one_of_a_row_was_taken_nothing_is_booked_and_the_rest_is_offered(page_of, agent, blood, talk, site):
    found = rows(page_of())
    doctor = blood.practitioners.get()
    wish = Wish(blood.pk, NOW.replace(hour=9, minute=30), doctor.pk, site.pk)
    book(actor=agent, patient_id=PatientFactory().pk, wishes=[wish])
    refused = page_of.browser.post(page_of.where, {"row": found[0], "service": talk.pk})
    text = refused.content.decode()
    assert (refused.status_code, "This time has just been taken." in text) == (409, True)
    assert (Appointment.objects.filter(patient=page_of.patient).count(), found[0] in rows(refused)) == (0, False)


def test_what_usually_comes_before_is_named_and_a_row_that_was_not_offered_is_refused(page_of, blood, talk, offered_by):
    eyes = offered_by("Eyes", 9, 10)
    Prerequisite.objects.create(service=talk, first=eyes)
    assert "Cardiology usually comes after Eyes." in page_of().content.decode()
    forged = page_of.browser.post(page_of.where, {"row": "1:2:3:4:0:on_site:x", "service": talk.pk})
    assert (forged.status_code, "Choose one of the times offered." in forged.content.decode()) == (422, True)


def test_a_service_is_chosen_once(signed_in, agent, blood):
    where = f"/patients/{PatientFactory().pk}/visits/book/?service={blood.pk}&second={blood.pk}&mode=on_site"
    assert "Choose each visit once." in signed_in(agent).get(where).content.decode()


def test_a_visit_that_is_moved_stays_one(signed_in, agent, blood, talk, page_of):
    page_of.browser.post(page_of.where, {"row": rows(page_of())[0], "service": talk.pk})
    visit = Appointment.objects.earliest("starts_at")
    where = f"/visits/{visit.pk}/move/?service={visit.service_id}&second={talk.pk}&mode=on_site"
    text = page_of.browser.get(where).content.decode()
    assert ('name="second"' in text, 'name="row"' in text, 'name="slot"' in text) == (False, False, True)


def test_a_row_is_kept_while_one_talks_and_its_booking_takes_the_place_of_the_hold(
    page_of, signed_in, supervisor, blood, talk
):
    given = {"row": rows(page_of())[0], "service": talk.pk, "key": str(uuid4())}
    kept = [page_of.browser.post(page_of.where, given | {"verb": "hold"}) for _click in range(2)][1]
    text = kept.content.decode()
    assert (kept.status_code, "Nobody else can take this until 07:05." in text, rows(kept)[0]) == (
        200, True, given["row"],
    )  # fmt: skip
    assert Occupancy.objects.filter(held_until_at=NOW + timedelta(minutes=5)).count() == 2
    elsewhere = signed_in(supervisor).post(page_of.where, given | {"key": str(uuid4())})
    assert (elsewhere.status_code, Appointment.objects.count()) == (409, 0)
    assert page_of.browser.post(page_of.where, given).status_code == 302
    assert [(one.appointment is None) for one in Occupancy.objects.all()] == [False, False]


def test_a_row_that_was_kept_is_free_again_when_a_single_other_time_is_booked(page_of, blood, talk, site):
    given = {"service": talk.pk, "key": str(uuid4())}
    page_of.browser.post(page_of.where, given | {"row": rows(page_of())[0], "verb": "hold"})
    at = int(NOW.replace(hour=12).timestamp())
    other = sealed(Slot(at, talk.practitioners.get().pk, at + 1800, site.pk), "on_site")
    assert page_of.browser.post(page_of.where, given | {"slot": other}).status_code == 302
    assert [one.appointment.starts_at for one in Occupancy.objects.all()] == [NOW.replace(hour=12)]


@pytest.mark.parametrize(("verb", "left"), [("hold", 1), ("release", 0)])
def test_of_a_row_that_was_kept_nothing_stays_so_when_a_single_time_is_kept_or_given_back(
    page_of, talk, site, blood, verb, left
):
    given = {"service": talk.pk, "key": str(uuid4())}
    page_of.browser.post(page_of.where, given | {"row": rows(page_of())[0], "verb": "hold"})
    at = int(NOW.replace(hour=12).timestamp())
    other = sealed(Slot(at, talk.practitioners.get().pk, at + 1800, site.pk), "on_site")
    page_of.browser.post(page_of.where, given | {"slot": other, "verb": verb})
    assert [one.span.lower for one in Occupancy.objects.all()] == [NOW.replace(hour=12)] * left


def test_keeping_is_all_or_nothing_and_what_is_kept_can_be_given_back(page_of, agent, blood, talk, site):
    first, second = rows(page_of())[:2]
    given = {"service": talk.pk, "key": str(uuid4())}
    wish = Wish(blood.pk, NOW.replace(hour=9, minute=30), blood.practitioners.get().pk, site.pk)
    book(actor=agent, patient_id=PatientFactory().pk, wishes=[wish])
    refused = page_of.browser.post(page_of.where, given | {"row": first, "verb": "hold"})
    held = Occupancy.objects.filter(hold_token__isnull=False)
    assert (refused.status_code, held.count()) == (409, 0)
    free = next(one for one in rows(refused) if one != second)
    page_of.browser.post(page_of.where, given | {"row": free, "verb": "hold"})
    assert held.count() == 2
    answer = page_of.browser.post(page_of.where, given | {"row": free, "verb": "release"})
    assert (answer.status_code, held.count(), free in rows(answer)) == (200, 0, True)
