"""Calendars that leave the house: right at every change of the clock, without names unless allowed, revocable."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone

from contact_center.audit.models import AuditEntry
from inbox.models import Message
from inbox.services.outbox import deliver_message
from scheduling import links
from scheduling.calendar_text import Entry, calendar_text
from scheduling.enums import LinkPurpose
from scheduling.links import address_of
from scheduling.models import Absence, CalendarFeed
from scheduling.selectors.calendars import feed_address
from scheduling.services.booking import Wish, book, cancel, move
from scheduling.services.calendars import end_feed, make_feed
from scheduling.services.handing_over import hand_over_due
from tests.factories.accounts import UserFactory
from tests.factories.patients import ContactPointFactory, PatientFactory
from tests.factories.scheduling import (
    AppointmentFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    a_day_at,
    an_open_visit,
)

ZONE = ZoneInfo("America/New_York")
ICS = Path(__file__).resolve().parents[3] / "shared" / "data" / "ics"


def read(text):
    """Events as {name: value}, lines unfolded, by the rules of RFC 5545."""
    assert text.endswith("\r\n") and all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    lines = re.sub("\r\n[ \t]", "", text).split("\r\n")
    events, plain = [], {"\\n": "\n", "\\,": ",", "\\;": ";", "\\\\": "\\"}
    for line in lines:
        name, _colon, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            events.append({})
        elif events and name not in ("END", ""):
            events[-1][name] = re.sub(r"\\[n,;\\]", lambda match: plain[match[0]], value)
    return events


def at(text):
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def page(address):
    return Client().get(address.removeprefix(re.match(r"https?://[^/]+", address)[0]))


@pytest.mark.skipif(not ICS.is_dir(), reason="the calendars are not here")
def test_what_calendars_of_many_zones_say_is_written_as_the_same_moment():
    moments, files = [], 0
    for one in json.loads((ICS / "expected.json").read_text()):
        starts = [event["start"] for event in one.get("first") or []]
        aware = [datetime.fromisoformat(text) for text in starts if re.search(r"T.*[+-]\d\d:\d\d$", text)]
        files, moments = files + bool(aware), moments + aware
    entries = [
        Entry(str(number), moment, moment + timedelta(minutes=30), moment, "Visit")
        for number, moment in enumerate(moments)
    ]
    written = [at(event["DTSTART"]) for event in read(calendar_text(entries))]
    right = sum(one == moment for one, moment in zip(written, moments, strict=True))
    print(f"ICS: {right} of {len(moments)} moments of {files} calendars written as the same moment")
    assert (right, len(moments) > 20) == (len(moments), True)


@pytest.mark.parametrize(
    ("zone", "local", "written"),
    [
        ("America/New_York", "2026-03-08T01:30", "20260308T063000Z"),
        ("America/New_York", "2026-03-08T03:30", "20260308T073000Z"),
        ("Europe/Lisbon", "2026-10-25T12:00", "20261025T120000Z"),
        ("Australia/Lord_Howe", "2026-04-05T12:00", "20260405T013000Z"),
        ("America/Sao_Paulo", "2026-12-31T23:30", "20270101T023000Z"),
        ("Pacific/Kiritimati", "2026-01-01T09:00", "20251231T190000Z"),
    ],
)
def test_a_local_time_is_one_moment_in_every_calendar(zone, local, written):
    moment = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone))
    (event,) = read(calendar_text([Entry("1", moment, moment, moment, "Visit")]))
    assert event["DTSTART"] == written


def test_words_come_back_as_they_were_and_no_line_is_too_long():
    words = "Olá, traga; o \\ cartão\nSegunda linha " + "ñ✓" * 120
    moment = timezone.now()
    (event,) = read(calendar_text([Entry("1", moment, moment, moment, "A\rB\x07", words=words)]))
    assert (event["DESCRIPTION"], event["SUMMARY"]) == (words, "A\nB")


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        calendar_text([Entry("1", datetime(2026, 1, 1), timezone.now(), timezone.now(), "x")])


@pytest.fixture
def visit(db):
    return an_open_visit(
        starts_at=a_day_at(10, ZONE), location__time_zone=ZONE.key, location__name="Brickell",
        patient__given_name="Ana", patient__family_name="Soler",
    )  # fmt: skip


@pytest.fixture
def feed(visit, admin):
    return make_feed(actor=admin, practitioner_id=visit.practitioner_id, shows_patients=False)


def test_a_feed_shows_visits_and_absences_without_names(visit, feed):
    at_noon = a_day_at(12, ZONE)
    Absence.objects.create(practitioner=visit.practitioner, starts_at=at_noon, ends_at=at_noon + timedelta(hours=1))
    AppointmentFactory()  # somebody else's
    answer = page(feed_address(feed))
    first, away = read(answer.content.decode())
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("text/calendar; charset=utf-8", "no-store")
    assert (at(first["DTSTART"]), first["SUMMARY"], first["LOCATION"]) == (
        visit.starts_at,
        visit.service.name,
        "Brickell",
    )
    assert (at(away["DTSTART"]), away["SUMMARY"]) == (at_noon, "Away: Leave")
    assert b"Soler" not in answer.content


def test_a_feed_says_when_a_site_or_a_room_is_closed_where_the_practitioner_is(visit, feed):
    room, noon = RoomFactory(location=visit.location, name="Echo"), a_day_at(12, ZONE)
    ScheduleFactory(practitioner=visit.practitioner, location=visit.location, room=room)
    ScheduleFactory(practitioner=visit.practitioner, location=visit.location, room=room)
    elsewhere = RoomFactory(location=visit.location)
    times = [{"starts_at": noon + timedelta(hours=n), "ends_at": noon + timedelta(hours=n + 1)} for n in range(3)]
    Absence.objects.create(location=visit.location, **times[0], reason="holiday", name="Founders' Day")
    Absence.objects.create(room=room, **times[1], reason="other")
    Absence.objects.create(room=elsewhere, **times[2])
    closed = [one["SUMMARY"] for one in read(page(feed_address(feed)).content.decode())[1:]]
    assert closed == ["Closed: Brickell, Founders' Day", "Closed: Echo, Something else"]


def test_a_group_is_one_entry_with_how_many_come_and_nobodys_name(visit, admin):
    group = ServiceFactory(name="Prenatal class", places=3, minutes=60, step_minutes=60)
    visit.practitioner.services.add(group)
    wish = Wish(group.pk, a_day_at(14, ZONE), visit.practitioner_id, visit.location_id)
    members = [book(actor=None, patient_id=PatientFactory().pk, wishes=[wish])[0] for _ in range(2)]
    named = make_feed(actor=admin, practitioner_id=visit.practitioner_id, shows_patients=True)

    def told():
        found = read(page(feed_address(named)).content.decode())
        return [(one["SUMMARY"], at(one["DTSTART"]), one["LOCATION"]) for one in found if "group-" in one["UID"]]

    assert told() == [("Prenatal class · 2/3", wish.starts_at, "Brickell")]
    assert AuditEntry.objects.filter(action="exported").latest("pk").detail["patients"] == [visit.patient_id]
    cancel(actor=None, appointment_id=members[0].pk, asked_by="patient", reason="Ill")
    assert told() == [("Prenatal class · 1/3", wish.starts_at, "Brickell")]
    cancel(actor=None, appointment_id=members[1].pk, asked_by="patient", reason="Ill")
    assert told() == []


def test_names_are_shown_only_where_that_was_allowed_and_never_of_protected_patients(visit, admin):
    hidden = AppointmentFactory(
        practitioner=visit.practitioner, patient__sensitivity="vip", starts_at=a_day_at(15, ZONE)
    )
    named = make_feed(actor=admin, practitioner_id=visit.practitioner_id, shows_patients=True)
    first, second = read(page(feed_address(named)).content.decode())
    assert (first["SUMMARY"], second["SUMMARY"]) == (f"{visit.service.name} · Ana Soler", hidden.service.name)
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.detail["patients"]) == ("exported", [visit.patient_id])


def test_a_practitioner_makes_a_feed_but_gives_out_no_names(visit, agent):
    visit.practitioner.user = agent
    visit.practitioner.save()
    assert make_feed(actor=agent, practitioner_id=visit.practitioner_id, shows_patients=False).made_by == agent
    with pytest.raises(PermissionDenied):
        make_feed(actor=agent, practitioner_id=visit.practitioner_id, shows_patients=True)
    with pytest.raises(PermissionDenied):
        make_feed(actor=UserFactory(), practitioner_id=visit.practitioner_id, shows_patients=False)


def test_an_address_that_was_ended_changed_or_guessed_opens_nothing(visit, feed, admin):
    old = feed_address(feed)
    new = feed_address(make_feed(actor=admin, practitioner_id=visit.practitioner_id, shows_patients=False))
    assert [page(old).status_code, page(new).status_code, page(new[:-3] + "x/").status_code] == [404, 200, 404]
    end_feed(actor=admin, practitioner_id=visit.practitioner_id)
    assert (page(new).status_code, CalendarFeed.objects.count()) == (404, 0)


def test_the_page_makes_shows_and_ends_an_address(visit, signed_in, admin):
    browser, url = signed_in(admin), f"/practitioners/{visit.practitioner_id}/calendar/"
    assert "Make an address" in browser.get(url).content.decode()
    assert browser.post(url, {"verb": "make", "shows_patients": "on"}).status_code == 302
    made = CalendarFeed.objects.get()
    assert made.shows_patients and feed_address(made) in browser.get(url).content.decode()
    browser.post(url, {"verb": "end"})
    assert not CalendarFeed.objects.exists()


def test_a_patient_takes_a_visit_into_a_calendar_where_it_is_moved_not_doubled(visit):
    link = address_of(visit.pk, LinkPurpose.CALENDAR)
    (before,) = read(page(link).content.decode())
    wish = Wish(visit.service_id, a_day_at(14, ZONE), visit.practitioner_id, visit.location_id)
    new = move(actor=None, appointment_id=visit.pk, wish=wish, asked_by="patient", reason="Work")
    answer = page(link)
    (after,) = read(answer.content.decode())
    assert (before["UID"], before["SEQUENCE"], after["SEQUENCE"]) == (after["UID"], "0", "2")
    assert (at(after["DTSTART"]), answer["Content-Disposition"]) == (new.starts_at, 'attachment; filename="visit.ics"')
    assert visit.practitioner.name in after["DESCRIPTION"] and "Soler" not in answer.content.decode()


def test_the_page_of_a_link_offers_the_file(visit):
    shown = page(address_of(visit.pk, LinkPurpose.ANSWER)).content.decode()
    assert "Add to my calendar" in shown


def test_the_link_in_the_calendar_ends_with_the_one_that_led_to_it_and_goes_with_the_visit(visit):
    until = int(timezone.now().timestamp()) + 3600
    link = address_of(visit.pk, LinkPurpose.CALENDAR, until=until)
    (event,) = read(page(link).content.decode())
    assert links.read(event["URL"].rstrip("/").rpartition("/")[2]).until == until
    cancel(actor=None, appointment_id=visit.pk, asked_by="patient", reason="Work")
    (gone,) = read(page(link).content.decode())
    assert (gone["STATUS"], "URL" in gone) == ("CANCELLED", False)


def test_the_feed_of_somebody_locked_out_opens_nothing_and_names_end_with_the_right_to_share_them(visit, admin, agent):
    visit.practitioner.user = agent
    visit.practitioner.save()
    address = feed_address(make_feed(actor=admin, practitioner_id=visit.practitioner_id, shows_patients=True))
    (named,) = read(page(address).content.decode())
    admin.is_active = False
    admin.save()
    (plain,) = read(page(address).content.decode())
    assert [one["SUMMARY"].endswith("Ana Soler") for one in (named, plain)] == [True, False]
    agent.is_active = False
    agent.save()
    assert page(address).status_code == 404


@pytest.fixture
def mails(clock, ana, visit_of, email_channel, mailoutbox):
    """`mails()` are the files of each mail that leaves now, to Ana, who likes mails best."""
    ContactPointFactory(patient=ana, scheme="email", value="ana@example.org")
    ana.preferred_channel = "email"
    ana.save()

    def leave():
        mailoutbox.clear()
        hand_over_due()
        for message in Message.objects.filter(direction="outbound", status="queued").order_by("pk"):
            deliver_message(message.pk)
        return [mail.attachments for mail in mailoutbox]

    return leave


def test_a_mail_that_confirms_visits_brings_a_calendar_file_for_each_without_a_word_about_health(mails, ana, visit_of):
    ana.language = "es"
    ana.save()
    first, second = visit_of(ana), visit_of(ana, hour=11)
    (files,) = mails()
    assert [(name, kind) for name, _content, kind in files] == [
        ("cita.ics", "application/ics"), ("cita-2.ics", "application/ics"),
    ]  # fmt: skip
    events = [read(content.decode())[0] for _name, content, _kind in files]
    assert [at(event["DTSTART"]) for event in events] == [first.starts_at, second.starts_at]
    assert (events[0]["LOCATION"], "Cardiology" in str(events), "Ana" in str(events)) == ("Brickell", False, False)
    assert events[0]["DESCRIPTION"] == "Dr. Mehrotra\n\n1221 Brickell Plaza"


def test_a_mail_with_words_behind_a_link_brings_no_file(mails, ana, visit_of):
    visit_of(ana)
    hand_over_due()
    Message.objects.update(is_sensitive=True)
    assert mails() == [[]]


@pytest.mark.parametrize(
    ("mode", "mailed", "own"),
    [
        ("on_site", ("Brickell", "Dr. Mehrotra\n\n1221 Brickell Plaza"), "Brickell, 1221 Brickell Plaza"),
        ("video", ("by video", "Dr. Mehrotra"), "by video"),
        ("phone", ("by phone", "Dr. Mehrotra"), "by phone"),
    ],
)
def test_a_patient_reads_the_site_only_of_a_visit_there_and_never_the_room(mode, mailed, own, mails, ana, visit_of):
    visit = visit_of(ana, mode=mode)
    visit.room = RoomFactory(location=visit.location, name="Oncology 2")
    visit.save()
    ((name, content, _kind),) = mails()[0]
    (event,) = read(content.decode())
    assert (name, event["LOCATION"], event["DESCRIPTION"]) == ("visit.ics", *mailed)
    (taken,) = read(page(address_of(visit.pk, LinkPurpose.CALENDAR)).content.decode())
    assert (taken["LOCATION"], taken["DESCRIPTION"]) == (own, "Dr. Mehrotra")


def test_a_moved_visit_comes_as_the_same_entry_and_a_reminder_brings_no_file(mails, ana, visit_of, clock):
    visit = visit_of(ana)
    ((before,),) = [read(content.decode()) for _name, content, _kind in mails()[0]]
    ScheduleFactory(practitioner=visit.practitioner, location=visit.location)
    wish = Wish(visit.service_id, visit.starts_at + timedelta(hours=2), visit.practitioner_id, visit.location_id)
    new = move(actor=None, appointment_id=visit.pk, wish=wish, asked_by="patient", reason="Work")
    ((after,),) = [read(content.decode()) for _name, content, _kind in mails()[0]]
    assert (after["UID"], before["SEQUENCE"], after["SEQUENCE"]) == (before["UID"], "0", "2")
    assert at(after["DTSTART"]) == new.starts_at
    clock.move_to(new.starts_at - timedelta(days=2, hours=-1))
    assert mails() == [[]]
