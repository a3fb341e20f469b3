"""The agenda's pages through HTTP."""

import html
import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contact_center.audit.models import AuditEntry
from inbox import portal
from patients.timeline import Look, timeline_of
from scheduling.models import Absence, Appointment, WeeklyHours
from scheduling.services.booking import Wish, book, move
from tests.factories.patients import PatientFactory
from tests.factories.scheduling import (
    AppointmentFactory,
    PractitionerFactory,
    ScheduleFactory,
    ServiceFactory,
)
from tests.scheduling.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("monday")]


@pytest.fixture
def service():
    return ServiceFactory(
        name="Cardiology", minutes=60, step_minutes=60, preparation={"en": "Bring images.", "es": "Traiga estudios."}
    )


@pytest.fixture
def doctor(service, site):
    found = PractitionerFactory(name="Dr. Mehrotra", services=[service])
    ScheduleFactory(practitioner=found, location=site, hours=[(time(9), time(11))])
    return found


@pytest.fixture
def patient():
    return PatientFactory(given_name="Ana", family_name="Prado", language="es")


@pytest.fixture
def visit(agent, patient, service, doctor, site):
    wish = Wish(service.pk, NOW.replace(hour=9) + timedelta(days=1), doctor.pk, site.pk)
    return book(actor=agent, patient_id=patient.pk, wishes=[wish])[0]


def offered(page):
    return [html.unescape(value) for value in re.findall(r'name="slot" value="([^"]+)"', page.content.decode())]


def test_an_agent_finds_a_time_books_it_and_reads_the_preparation_in_the_patients_language(
    signed_in, agent, patient, service, doctor, site
):
    browser = signed_in(agent)
    where = f"/patients/{patient.pk}/visits/book/?service={service.pk}&mode=on_site&part=morning"
    page = browser.get(where)
    slots = offered(page)
    assert len(slots) == 24
    answer = browser.post(where, {"slot": slots[1], "service": service.pk, "note": "Chest pain"})
    made = Appointment.objects.get()
    assert (answer.status_code, answer.url) == (302, f"/visits/{made.pk}/")
    assert (made.starts_at, made.note, made.booked_by) == (NOW.replace(hour=10), "Chest pain", agent)
    shown = browser.get(answer.url).content.decode()
    assert ("Traiga estudios." in shown, "Dr. Mehrotra" in shown, "Monday 1 June, 10:00" in shown) == (True,) * 3


def test_a_second_click_books_nothing_more(signed_in, agent, patient, service, doctor):
    browser = signed_in(agent)
    where = f"/patients/{patient.pk}/visits/book/?service={service.pk}&mode=on_site"
    given = {
        "slot": offered(browser.get(where))[0],
        "service": service.pk,
        "key": "0f7c1d5e-3c0a-4d53-9f1e-1d2f3a4b5c6d",
    }
    assert [browser.post(where, given).url for _ in range(2)] == [f"/visits/{Appointment.objects.get().pk}/"] * 2


def test_the_loser_of_a_race_keeps_the_words_and_chooses_among_what_is_left(
    signed_in, agent, visit, service, doctor, site
):
    browser = signed_in(agent)
    other = PatientFactory()
    where = f"/patients/{other.pk}/visits/book/?service={service.pk}&mode=on_site"
    slots = offered(browser.get(where))
    book(
        actor=agent, patient_id=PatientFactory().pk,
        wishes=[Wish(service.pk, NOW.replace(hour=9), doctor.pk, site.pk)],
    )  # fmt: skip
    page = browser.post(where, {"slot": slots[0], "service": service.pk, "note": "Keep me"})
    text = page.content.decode()
    assert (page.status_code, "This time has just been taken." in text, "Keep me" in text) == (409, True, True)
    assert slots[0] not in offered(page)


@pytest.mark.parametrize(
    ("slot", "sentence"),
    [("", "Choose a time."), ("1780000000:1:1:0:on_site:forged", "Choose one of the times offered.")],
)
def test_a_time_that_was_not_offered_is_refused_at_the_field(
    slot, sentence, signed_in, agent, patient, service, doctor
):
    where = f"/patients/{patient.pk}/visits/book/?service={service.pk}&mode=on_site"
    page = signed_in(agent).post(where, {"slot": slot, "service": service.pk})
    assert (page.status_code, sentence in page.content.decode(), Appointment.objects.count()) == (422, True, 0)


def test_a_visit_is_moved_with_who_asked_and_why_and_the_old_page_leads_on(signed_in, agent, visit):
    browser = signed_in(agent)
    where = f"/visits/{visit.pk}/move/"
    slot = offered(browser.get(where))[0]
    query = f"?service={visit.service_id}&mode=on_site"
    given = {"slot": slot, "service": visit.service_id, "asked_by": "patient", "reason": "Work"}
    new = Appointment.objects.get(pk=browser.post(where + query, given).url.split("/")[2])
    old = Appointment.objects.get(pk=visit.pk)
    assert (new.previous, old.status, old.cancel_reason) == (visit, "cancelled", "Work")
    assert f'href="/visits/{new.pk}/"' in browser.get(f"/visits/{old.pk}/").content.decode()


def test_cancelling_needs_a_reason_at_its_field(signed_in, agent, visit):
    browser = signed_in(agent)
    refused = browser.post(f"/visits/{visit.pk}/cancel/", {"asked_by": "patient", "reason": ""})
    assert (refused.status_code, "Say why." in refused.content.decode()) == (422, True)
    browser.post(f"/visits/{visit.pk}/cancel/", {"asked_by": "patient", "reason": "Ill"})
    assert Appointment.objects.get().status == "cancelled"


def test_each_verb_does_what_it_says_or_says_why_not(signed_in, agent, visit):
    browser = signed_in(agent)
    browser.post(f"/visits/{visit.pk}/confirm/")
    assert Appointment.objects.get().confirmation == "confirmed"
    page = browser.post(f"/visits/{visit.pk}/miss/", follow=True)
    assert "The time of this visit has not come yet." in html.unescape(page.content.decode())
    with time_machine.travel(visit.starts_at + timedelta(hours=2), tick=False):
        browser = signed_in(agent)
        for verb, status in (
            ("miss", "noshow"),
            ("arrive", "arrived"),
            ("check-in", "checked-in"),
            ("fulfil", "fulfilled"),
        ):
            browser.post(f"/visits/{visit.pk}/{verb}/")
            assert Appointment.objects.get().status == status
    assert browser.post(f"/visits/{visit.pk}/explode/").status_code == 404


def test_the_day_shows_visits_absences_and_hides_whose_visit_one_may_not_know(
    signed_in, supervisor, agent, visit, doctor, site, service
):
    Absence.objects.create(
        practitioner=doctor, starts_at=NOW + timedelta(days=1, hours=3), ends_at=NOW + timedelta(days=1, hours=4),
        reason="meeting",
    )  # fmt: skip
    text = signed_in(agent).get(f"/schedule/?day=2026-06-02&site={site.pk}").content.decode()
    assert ("Ana Prado" in text, "Meeting" in text, "09:00" in text) == (True, True, True)
    entry = AuditEntry.objects.filter(object_type="agenda").latest("pk")
    assert (entry.action, entry.detail) == ("searched", {"found": [visit.patient_id]})
    visit.patient.sensitivity = "vip"
    visit.patient.save()
    text = signed_in(agent).get(f"/schedule/?day=2026-06-02&site={site.pk}").content.decode()
    assert ("Ana Prado" in text, "Taken" in text) == (False, True)


def test_more_practitioners_than_fit_are_shown_in_turns_and_all_of_them_counted(
    signed_in, agent, site, service, monkeypatch
):
    monkeypatch.setattr("scheduling.selectors.agenda.MOST_COLUMNS", 2)
    for name in ("Dr. C", "Dr. A", "Dr. B"):
        found = PractitionerFactory(name=name, services=[service])
        ScheduleFactory(practitioner=found, location=site, hours=[(time(9), time(11))])
        wish = Wish(service.pk, NOW.replace(hour=9) + timedelta(days=1), found.pk, site.pk)
        book(actor=agent, patient_id=PatientFactory().pk, wishes=[wish])
    browser = signed_in(agent)

    def shown(skip):
        text = browser.get("/schedule/", {"day": "2026-06-02", "site": site.pk, "skip": skip}).content.decode()
        counts = re.findall(r"(\d) of 3, by name|<b>(\d+%|3)</b>", text)
        return re.findall(r'aria-label="(Dr\. .)"', text), re.findall(r'rel="(\w+)"[^>]*skip=(\d+)', text), counts

    told = [("", "50%"), ("", "3")]
    assert shown("") == (["Dr. A", "Dr. B"], [("next", "2")], [*told, ("2", "")])
    assert shown("2") == (["Dr. C"], [("prev", "0")], [*told, ("1", "")])
    assert shown("99") == shown("x") == shown("")


def test_a_day_on_which_nobody_is_there_leads_to_the_next_on_which_somebody_is(signed_in, agent, site, doctor):
    monday = date(2027, 3, 1)
    WeeklyHours.objects.exclude(weekday=0).delete()
    zone = ZoneInfo(site.time_zone)
    begin = datetime(2027, 3, 8, tzinfo=zone)
    Absence.objects.create(location=site, starts_at=begin, ends_at=begin + timedelta(days=1), reason="other")
    browser = signed_in(agent)

    def leads_to(day):
        return browser.get(f"/schedule/?day={day}&site={site.pk}").context["next_open"]

    assert [leads_to(monday - timedelta(days=1)), leads_to(monday), leads_to(date(2027, 3, 2))] == [
        monday, None, date(2027, 3, 15)
    ]  # fmt: skip
    WeeklyHours.objects.all().delete()
    assert leads_to(monday) is None


def test_a_day_that_is_no_day_is_today(signed_in, agent, site, doctor):
    for day in ("", "2026-13-45", "0001-01-01", "9999-12-31", "x" * 5000):
        assert signed_in(agent).get("/schedule/", {"day": day, "site": "y"}).status_code == 200


def test_the_number_of_statements_of_a_day_grows_with_no_visit(signed_in, agent, service, site, doctor):
    browser = signed_in(agent)

    def ask():
        return browser.get(f"/schedule/?day=2026-06-02&site={site.pk}")

    def add(hour):
        wish = Wish(service.pk, NOW.replace(hour=hour) + timedelta(days=1), doctor.pk, site.pk)
        book(actor=agent, patient_id=PatientFactory().pk, wishes=[wish])

    add(9)
    ask()
    with CaptureQueriesContext(connection) as one:
        ask()
    add(10)
    with CaptureQueriesContext(connection) as two:
        ask()
    assert len(one) == len(two)


def test_the_patients_page_shows_a_visit_as_a_piece_a_next_step_and_in_the_line(signed_in, agent, visit, patient):
    text = html.unescape(signed_in(agent).get(f"/patients/{patient.pk}/").content.decode())
    assert ("Tue 2 Jun, 09:00" in text, "Cardiology, Not confirmed" in text) == (True, True)
    assert text.count(f'href="/visits/{visit.pk}/"') >= 3
    assert f'href="/patients/{patient.pk}/visits/book/"' in text


def test_the_patients_page_says_which_visits_were_missed_and_which_were_moved(
    signed_in, agent, visit, patient, service, doctor, site
):
    later = Wish(service.pk, visit.starts_at + timedelta(hours=1), doctor.pk, site.pk)
    move(actor=agent, appointment_id=visit.pk, wish=later, asked_by="patient", reason="Work")
    missed = AppointmentFactory(patient=patient, status="noshow", starts_at=NOW - timedelta(days=3))
    page = signed_in(agent).get(f"/patients/{patient.pk}/").content.decode()
    piece = page.partition('id="piece-visits"')[2].partition("</section>")[0]
    assert re.findall(r'href="/visits/(\d+)/"', piece) == [str(visit.next.pk), str(missed.pk)]
    assert re.findall(r'class="chip[^>]*>(?:<svg.*?</svg>)?([^<]+)<', piece) == ["Not confirmed", "Did not come"]
    line = timeline_of(agent, patient, Look()).entries
    assert [entry.chip[0] for entry in line if entry.kind == "visit"] == ["Booked", "Moved", "Did not come"]


def test_the_patients_own_page_says_when_and_where(visit):
    section = next(one for one in portal.sections() if one.key == "visits")
    text = render_to_string(section.template, {"data": section.context(visit.patient, visit.patient)})
    assert ("Tuesday 2 June, 09:00" in text, "Dr. Mehrotra" in text, "Brickell" in text) == (True, True, True)
    assert section.scope == "appointments"


def test_hidden_patients_visits_are_not_there_and_partner_agents_book_nothing(signed_in, agent, partner_agent, visit):
    browser = signed_in(partner_agent)
    assert [browser.get(url).status_code for url in (f"/visits/{visit.pk}/", "/schedule/")] == [404, 403]
    assert browser.post(f"/visits/{visit.pk}/confirm/").status_code == 404
    visit.patient.sensitivity = "vip"
    visit.patient.save()
    assert signed_in(agent).get(f"/visits/{visit.pk}/").status_code == 404
    assert timezone.now() == NOW


def test_a_time_beside_the_agenda_is_offered_where_a_visit_is_likely_to_be_missed(
    signed_in, agent, patient, visit, service, doctor, site
):
    for days in (10, 20, 30, 40):
        at = NOW - timedelta(days=days)
        AppointmentFactory(
            patient=patient, practitioner=doctor, location=site, service=service, starts_at=at, status="noshow",
            noshow_at=at, visit_date=at.date(),
        )  # fmt: skip
    browser, other = signed_in(agent), PatientFactory()
    where = f"/patients/{other.pk}/visits/book/?service={service.pk}&mode=on_site"

    def beside():
        return [
            html.unescape(one)
            for one in re.findall(r'name="beside" value="([^"]+)"', browser.get(where).content.decode())
        ]

    assert beside() == []
    doctor.daily_overbooking = 1
    Appointment.objects.filter(pk=visit.pk).update(confirmation="declined")
    doctor.save()
    found = beside()
    assert (len(found), found[0].split(":")[0]) == (1, str(int(visit.starts_at.timestamp())))
    free = offered(browser.get(where))[0]
    both = browser.post(where, {"beside": found[0], "slot": free, "service": service.pk})
    assert (both.status_code, "Choose one time." in both.content.decode()) == (422, True)
    answer = browser.post(where, {"beside": found[0], "service": service.pk})
    made = Appointment.objects.get(patient=other)
    assert (answer.status_code, made.starts_at, made.overbooked_number) == (302, visit.starts_at, 1)
    assert beside() == []
