"""The agenda by room, a week of all and of one, and times that were pointed at in it."""

import html
import re
from datetime import time, timedelta

import pytest
import time_machine
from django.db import connection
from django.db.models.signals import post_init
from django.test.utils import CaptureQueriesContext

from contact_center.audit.models import AuditEntry
from scheduling.enums import AgendaOf
from scheduling.models import Absence, Appointment, FreedSlot, SlotOffer
from scheduling.selectors import agenda
from scheduling.selectors.week import week_at
from scheduling.services.booking import Wish, book
from scheduling.services.holds import hold_slot
from tests.factories.patients import PatientFactory
from tests.factories.scheduling import (
    AppointmentFactory,
    EntryFactory,
    LocationFactory,
    PractitionerFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
)
from tests.scheduling.conftest import NOW, ZONE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("monday")]


@pytest.fixture
def service():
    return ServiceFactory(name="Cardiology", minutes=60, step_minutes=60)


@pytest.fixture
def room(site):
    return RoomFactory(location=site, name="Echo")


@pytest.fixture
def doctor(service, site, room):
    """Here every day from nine to twelve, in the room."""
    found = PractitionerFactory(name="Dr. Mehrotra", services=[service])
    ScheduleFactory(practitioner=found, location=site, room=room, hours=[(time(9), time(12))])
    return found


@pytest.fixture
def books(agent, service, doctor, site, room):
    """`books(day, hour)` is a visit in the June of the test."""

    def make(day, hour, patient=None, *, who=None, where=room):
        wish = Wish(
            service.pk,
            NOW.replace(day=day, hour=hour),
            (who or doctor).pk,
            site.pk,
            room_id=where.pk if where else None,
        )
        return book(actor=agent, patient_id=(patient or PatientFactory()).pk, wishes=[wish])[0]

    return make


def rows(page):
    """The lines of a week: name, and each cell's words."""
    text = page.content.decode().partition('<table class="week"')[2].partition("</table>")[0]
    lines = []
    for line in text.split("<tr>")[2:]:
        cells = [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in re.split(r"<td[^>]*>", line)]
        lines.append((cells[0], [html.unescape(cell) for cell in cells[1:]]))
    return lines


def test_a_week_says_of_each_practitioner_how_many_visits_and_free_hours_a_day_has(
    signed_in, agent, books, doctor, site
):
    books(2, 9), books(2, 11)
    Absence.objects.create(
        practitioner=doctor, starts_at=NOW.replace(day=3, hour=9), ends_at=NOW.replace(day=3, hour=11)
    )
    Absence.objects.create(location=site, starts_at=NOW.replace(day=4, hour=0), ends_at=NOW.replace(day=5, hour=0))
    page = signed_in(agent).get("/schedule/", {"range": "week", "site": site.pk, "day": "2026-06-03"})
    open_day = "0 visits 3 h free"
    assert rows(page) == [
        (
            "Dr. Mehrotra",
            [open_day, "2 visits 1 h free 2 not confirmed", "0 visits 1 h free", "Not there", *[open_day] * 3],
        )
    ]
    assert not AuditEntry.objects.filter(object_type="agenda").exists()  # nobody is named


def test_rooms_and_sites_stand_side_by_side_too(signed_in, agent, books, doctor, site, room):
    books(2, 9)
    other = LocationFactory(name="Aventura", time_zone=ZONE.key)
    ScheduleFactory(location=other, hours=[(time(8), time(10))])
    browser = signed_in(agent)
    week = {"range": "week", "site": site.pk, "day": "2026-06-02"}
    by_room, by_site = (rows(browser.get("/schedule/", week | {"of": of})) for of in ("room", "site"))
    assert [(name, cells[:2]) for name, cells in by_room] == [
        ("Echo", ["0 visits 3 h free", "1 visit 2 h free 1 not confirmed"])
    ]
    assert [(name, cells[1]) for name, cells in by_site] == [
        ("Aventura", "0 visits 2 h free"), ("Brickell", "1 visit 2 h free 1 not confirmed"),
    ]  # fmt: skip


def test_the_week_of_one_shows_its_days_as_columns_and_names_whom_one_may_know(signed_in, agent, books, site, room):
    visit, hidden = books(2, 9), books(3, 10)
    hidden.patient.sensitivity = "vip"
    hidden.patient.save()
    for of, who in (("practitioner", visit.practitioner_id), ("room", room.pk)):
        page = signed_in(agent).get("/schedule/", {"range": "week", "of": of, "who": who, "site": site.pk})
        columns = page.content.decode().split('<ol class="cal__col"')[1:]
        days = [re.search(r'data-day="([^"]+)"', one)[1] for one in columns]
        assert days == [f"2026-06-0{day}" for day in range(1, 8)]
        shown = [
            (html.unescape(re.sub(r"<[^>]+>", "", one)).count(visit.patient.full_name), "Taken" in one)
            for one in columns
        ]
        assert shown == [(0, False), (1, False), (0, True), *[(0, False)] * 4]
        assert AuditEntry.objects.filter(object_type="agenda").latest("pk").detail == {"found": [visit.patient_id]}


def test_a_day_by_room_puts_visits_without_a_room_last_and_only_those_to_come_can_be_carried(
    signed_in, agent, books, service, site
):
    free = PractitionerFactory(name="Dr. Abad", services=[service])
    ScheduleFactory(practitioner=free, location=site, hours=[(time(9), time(12))])
    roomed, roomless = books(2, 9), books(2, 10, who=free, where=None)
    page = signed_in(agent).get("/schedule/", {"of": "room", "site": site.pk, "day": "2026-06-02"}).content.decode()
    columns = page.split('<ol class="cal__col"')[1:]
    assert [re.search(r'aria-label="([^"]+)"', one)[1] for one in columns] == ["Echo", "Without a room"]
    assert [re.findall(r'data-move="([^"]+)"', one) for one in columns] == [
        [f"/visits/{roomed.pk}/move/"], [f"/visits/{roomless.pk}/move/"],
    ]  # fmt: skip
    with time_machine.travel(NOW.replace(day=2, hour=20), tick=False):
        page = signed_in(agent).get("/schedule/", {"of": "room", "site": site.pk, "day": "2026-06-02"})
    assert "data-move" not in page.content.decode()


def test_a_day_shows_who_may_miss_a_visit_who_missed_one_and_what_became_free(
    signed_in, agent, books, site, doctor, service
):
    often = PatientFactory(given_name="Ola", family_name="Often")
    for number in range(1, 4):
        at = NOW - timedelta(days=7 * number)
        AppointmentFactory(patient=often, status="noshow", starts_at=at, visit_date=at.date())
    books(2, 9, often)
    other = books(2, 10).patient.full_name
    missed = books(2, 11)
    Appointment.objects.filter(pk=missed.pk).update(status="noshow")
    freed = FreedSlot.objects.create(
        freed_by=missed, trigger="cancelled", service=service, practitioner=doctor, location=site, mode="on_site",
        starts_at=missed.starts_at, ends_at=missed.ends_at,
    )  # fmt: skip
    SlotOffer.objects.create(
        freed=freed, entry=EntryFactory(service=service), wave=1, rank=1, offered_at=NOW, expires_at=NOW.replace(hour=8)
    )
    page = signed_in(agent).get("/schedule/", {"site": site.pk, "day": "2026-06-02"}).content.decode()
    blocks = re.findall(r'class="appt" data-s="(\w+)".*?<b>(.*?)</b>', page)
    assert blocks == [
        ("risk", "Ola Often"), ("unconfirmed", other), ("noshow", missed.patient.full_name),
        ("freed", "Freed 11:00"),
    ]  # fmt: skip
    assert "Offered to 1 until 08:00" in page
    strip = " ".join(re.sub(r"<[^>]+>", " ", page.partition('class="stat-strip"')[2].partition("</div>")[0]).split())
    assert "1 did not come 1 may be missed 1 freed time " in strip


@pytest.fixture
def shown_with(signed_in, agent, doctor, site):
    """What is shown with this in the address, of a day, a week and the week of all sites; where links lead left out."""
    browser, ways = signed_in(agent), ({}, {"range": "week"}, {"range": "week", "of": "site"})

    def show(**given):
        pages = [browser.get("/schedule/", {"site": site.pk} | way | given).content.decode() for way in ways]
        return [re.sub(r'href="\?[^"]*"', "", re.search(r"<main.*</main>", page, re.S)[0]) for page in pages]

    return show


@pytest.mark.parametrize("given", [{"who": "9" * 40}, {"who": "²"}, {"skip": "-1"}, {"day": "soon"}])
def test_what_makes_no_sense_in_the_address_is_as_if_it_were_not_there(given, shown_with):
    assert shown_with(**given) == shown_with()


def test_an_agenda_of_the_moon_is_that_of_practitioners_and_a_day_of_long_ago_the_farthest(shown_with):
    assert shown_with(of="moon") == shown_with(of="practitioner")
    assert shown_with(day="0001-01-01") == shown_with(day=(NOW - timedelta(days=3660)).date())


def test_a_week_takes_the_same_number_of_statements_however_full_it_is(signed_in, agent, books, site, service):
    browser = signed_in(agent)

    def asked(**extra):
        with CaptureQueriesContext(connection) as found:
            browser.get("/schedule/", {"range": "week", "site": site.pk, "day": "2026-06-02"} | extra)
        return len(found)

    who = books(2, 9).practitioner_id
    ways = ({}, {"of": "site"}, {"of": "room"}, {"who": who})
    before = [[asked(**way) for way in ways] for _warm in range(2)][1]
    books(2, 10), books(3, 9)
    assert [[asked(**way) for way in ways] for _warm in range(2)][1] == before


def test_of_a_week_of_all_sites_only_visits_of_the_sites_shown_are_read(books, site, monkeypatch):
    elsewhere = LocationFactory(name="Aventura", time_zone=ZONE.key)
    ScheduleFactory(location=elsewhere, hours=[(time(8), time(10))])
    visit = books(2, 9)
    monkeypatch.setattr(agenda, "MOST_COLUMNS", 1)
    read = []

    def note(instance, **_given):
        read.append(instance.pk)

    post_init.connect(note, sender=Appointment)
    try:
        shown = [week_at(AgendaOf.SITE, site, visit.visit_date, skipped) for skipped in (0, 1)]
    finally:
        post_init.disconnect(note, sender=Appointment)
    names = [[str(line.owner) for line in week.lines] for week in shown]
    assert (names, [week.total for week in shown], read) == ([["Aventura"], ["Brickell"]], [2, 2], [visit.pk])


def pointed(browser, visit, **at):
    where = f"/visits/{visit.pk}/move/?" + "&".join(f"{name}={value}" for name, value in at.items())
    page = browser.get(where)
    text = html.unescape(page.content.decode())
    chosen = re.search(r'name="slot" value="([^"]+)" checked', text)
    return where, text, chosen and chosen[1]


def test_a_time_pointed_at_is_the_one_chosen_and_moves_the_visit_also_onto_half_of_itself(signed_in, agent, books):
    visit, browser = books(2, 9), signed_in(agent)
    where, text, chosen = pointed(browser, visit, day="2026-06-02", at="09:30", practitioner=visit.practitioner_id)
    assert "Until now Tuesday 2 June, 09:00 with Dr. Mehrotra." in text
    given = {"slot": chosen, "service": visit.service_id, "asked_by": "patient", "reason": "Bus"}
    answer = browser.post(where, given)
    made = Appointment.objects.get(previous=visit)
    assert (answer.url, made.starts_at, made.room_id) == (
        f"/visits/{made.pk}/", NOW.replace(day=2, hour=9, minute=30), visit.room_id,
    )  # fmt: skip


def test_the_time_that_was_sent_stays_chosen_when_it_is_refused(signed_in, agent, books):
    visit, browser = books(2, 9), signed_in(agent)
    where, text, pointed_at = pointed(browser, visit, day="2026-06-02", at="09:30", practitioner=visit.practitioner_id)
    other = re.findall(r'name="slot" value="([^"]+)"', text)[-1]
    given = {"service": visit.service_id, "asked_by": "patient", "reason": ""}
    for sent in (other, pointed_at):
        refused = browser.post(where, given | {"slot": sent})
        chosen = re.findall(r'name="slot" value="([^"]+)" checked', html.unescape(refused.content.decode()))
        assert (refused.status_code, set(chosen)) == (422, {sent})


def test_what_speaks_against_a_time_is_said_before_anybody_asks_why(signed_in, agent, books, doctor, site, room):
    visit, other = books(2, 9), books(2, 11)
    held = Wish(visit.service_id, NOW.replace(day=3, hour=9), doctor.pk, site.pk, room_id=room.pk)
    hold_slot(actor=agent, wish=held)
    browser = signed_in(agent)

    def said(day, at, **extra):
        _where, text, chosen = pointed(browser, visit, day=f"2026-06-0{day}", at=at, **extra)
        return chosen is None, re.findall(r"cannot be had:</p><p>([^<]+)</p>", text)

    assert said(2, "10:30") == (True, ["Dr. Mehrotra is taken from 11:00 to 12:00."])
    assert said(3, "09:30") == (True, ["Dr. Mehrotra: somebody else is just booking 09:00 to 10:00."])
    assert said(3, "15:00") == (True, ["Nobody sees patients at that time. Choose another one."])
    assert said(1, "06:00") == (True, ["This time is over. Choose a later one."])
    stranger = PractitionerFactory()
    assert said(3, "11:00", practitioner=stranger.pk) == (True, [f"{stranger.name} does not offer this: Cardiology."])
    assert said(4, "09:00") == (False, [])
    assert other.starts_at == NOW.replace(day=2, hour=11)


def test_a_visit_of_the_patient_at_that_time_is_a_warning_and_not_a_wall(signed_in, agent, books, service, site):
    patient = PatientFactory()
    second = PractitionerFactory(services=[service])
    ScheduleFactory(practitioner=second, location=site, hours=[(time(9), time(12))])
    visit = books(2, 9, patient)
    books(3, 10, patient, who=second, where=None)
    where, text, chosen = pointed(signed_in(agent), visit, day="2026-06-03", at="10:00")
    assert "The patient has another visit at that time: Cardiology, 10:00 to 11:00." in text
    given = {"slot": chosen, "service": service.pk, "asked_by": "patient", "reason": "Bus"}
    refused = signed_in(agent).post(where, given)
    assert (refused.status_code, Appointment.objects.filter(previous=visit).exists()) == (422, False)
    assert signed_in(agent).post(where, given | {"may_overlap": "on"}).status_code == 302


@pytest.mark.parametrize(
    "at", ["day=x&at=9", "day=9999-12-31&at=23:59", "day=2026-06-03&at=09:00&practitioner=99999999999999999999"]
)
def test_a_time_that_is_none_is_as_if_nothing_was_pointed_at(at, signed_in, agent, books):
    page = signed_in(agent).get(f"/visits/{books(2, 9).pk}/move/?{at}")
    assert (page.status_code, "Chosen in the schedule" in page.content.decode()) == (200, False)


def test_the_page_of_a_practitioners_week_leads_to_the_feed_for_those_who_may_share_it(
    signed_in, admin, agent, books, doctor, site
):
    week = {"range": "week", "who": doctor.pk, "site": site.pk}
    link = f'href="/practitioners/{doctor.pk}/calendar/"'
    assert [link in signed_in(person).get("/schedule/", week).content.decode() for person in (admin, agent)] == [
        True, False,
    ]  # fmt: skip
    doctor.user = agent
    doctor.save()
    assert link in signed_in(agent).get("/schedule/", week).content.decode()
