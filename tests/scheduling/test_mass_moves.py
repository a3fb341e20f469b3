"""A practitioner is absent: patients are told in waves, choose another time, and are followed until all have one."""

import html
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from contact_center.common.errors import Refused
from scheduling import links
from scheduling.enums import LinkPurpose
from scheduling.models import Absence, Appointment, MassMove, MassMoveVisit, Reminder, SlotOffer, WaitlistEntry
from scheduling.selectors.agenda import next_open_day
from scheduling.selectors.mass_moves import get_mass_move
from scheduling.services import attendance, booking, mass_moves, offers, waitlist
from scheduling.services.waitlist import Wishes
from tests.factories.patients import PatientFactory
from tests.factories.scheduling import LocationFactory, PractitionerFactory, RoomFactory, RulesFactory, ScheduleFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def visits(clock, provider, sms_channel, visit_of):
    """Three visits of one practitioner in three days at nine, ten and eleven, and somebody else who is there."""
    made = []
    for number, hour in enumerate((9, 10, 11)):
        patient = PatientFactory(given_name=f"P{number}", phone=f"+1305555030{number}", language="en")
        visit = visit_of(patient, days=3, hour=hour)
        if made:
            Appointment.objects.filter(pk=visit.pk).update(practitioner=made[0].practitioner)
            visit.occupancy.practitioner = made[0].practitioner
            visit.occupancy.save()
        made.append(visit)
    other = PractitionerFactory(name="Dr. Osei", services=[made[0].service])
    ScheduleFactory(practitioner=other, location=made[0].location)
    return made


def begin(actor, visits, **extra):
    day = visits[0].starts_at.replace(hour=0)
    given = {"starts_at": day, "ends_at": day + timedelta(days=1), "reason": "sickness", "group_size": 2} | extra
    move = mass_moves.start(actor=actor, whom=visits[0].practitioner, **given)
    mass_moves.take_in(mass_move_id=move.pk)
    return move


def counts(move):
    return get_mass_move(move.pk).counts


def take_another_time(client, visit):
    url = links.address_of(visit.pk, LinkPurpose.MOVE)
    page = client.get(url).content.decode()
    slot = re.findall(r'name="slot" value="([^"]+)"', page)[1]
    answer = client.post(url, {"slot": slot, "seen": visit.pk})
    assert answer.status_code == 200, answer.content.decode()


def test_those_concerned_are_told_in_waves_and_followed_until_each_has_another_time(
    visits, agent, told, clock, client, signed_in
):
    move = begin(agent, visits)
    assert (counts(move), Reminder.objects.filter(dropped_at=None).count()) == ({"waiting": 3}, 0)
    assert mass_moves.carry_on() == 1
    assert counts(move) == {"told": 2, "waiting": 1}
    texts = told()
    assert [text.split(":")[0] for text in texts] == [f"P{n}, we are sorry" for n in (0, 1)]
    mass_moves.carry_on()
    assert counts(move) == {"told": 2, "waiting": 1}  # the interval is not over
    clock.shift(timedelta(minutes=15))
    mass_moves.carry_on()
    assert (counts(move), len(told())) == ({"told": 3}, 1)
    take_another_time(client, visits[0])
    assert counts(move) == {"moved": 1, "told": 2}
    clock.shift(timedelta(hours=25))
    assert counts(move) == {"moved": 1, "call": 2}
    page = signed_in(agent).get(f"/schedule/absences/{move.pk}/?show=call").content.decode()
    assert [f"P{n} " in page for n in range(3)] == [False, True, True]
    assert [f'href="/visits/{one.pk}/move/"' in page for one in visits] == [False, True, True]
    booking.cancel(actor=agent, appointment_id=visits[1].pk, asked_by="practitioner", reason="Absent")
    take_another_time(client, visits[2])
    mass_moves.carry_on()
    move.refresh_from_db()
    assert (counts(move), move.closed_at, move.waves) == ({"moved": 2, "cancelled": 1}, timezone.now(), 2)


def test_they_wait_for_freed_times_before_those_who_only_want_an_earlier_one(visits, agent):
    known = WaitlistEntry.objects.create(patient=visits[0].patient, service=visits[0].service, note="Mornings")
    begin(agent, visits)
    rows = list(WaitlistEntry.objects.values_list("patient__given_name", "urgency", "note").order_by("pk"))
    assert rows == [("P0", "soon", "Mornings"), ("P1", "soon", ""), ("P2", "soon", "")]
    known.refresh_from_db()
    assert known.appointment == visits[0]


def test_a_wait_that_an_absence_began_ends_with_the_visit_and_one_that_was_asked_for_goes_on(
    visits, agent, client, told
):
    asked = WaitlistEntry.objects.create(patient=visits[0].patient, service=visits[0].service)
    begin(agent, visits)
    told()
    wishes = Wishes(service_id=visits[1].service_id, appointment_id=visits[1].pk)
    mine = waitlist.join(actor=agent, patient_id=visits[1].patient_id, wishes=wishes)
    for visit in visits:
        take_another_time(client, visit)
    ended = WaitlistEntry.objects.get(patient=visits[2].patient)
    assert (ended.closed_for, ended.closed_at) == ("booked", timezone.now())
    for entry, visit in ((asked, visits[0]), (mine, visits[1])):
        entry.refresh_from_db()
        assert (entry.closed_at, entry.appointment) == (None, Appointment.objects.get(previous=visit))


@pytest.fixture
def two_of_one(visits, visit_of):
    """The first patient has a second visit of the same kind in the absence, in the afternoon."""
    second = visit_of(visits[0].patient, days=3, hour=15)
    Appointment.objects.filter(pk=second.pk).update(practitioner=visits[0].practitioner)
    return visits[0], second


def waits_with(visit):
    entry = WaitlistEntry.objects.get(patient=visit.patient)
    return entry.closed_for, entry.appointment_id


def test_who_has_two_visits_in_an_absence_waits_on_until_both_have_another_time(
    two_of_one, visits, agent, client, told
):
    first, second = two_of_one
    begin(agent, visits)
    told()
    assert waits_with(first) == ("", first.pk)
    take_another_time(client, first)
    assert waits_with(first) == ("", second.pk)
    take_another_time(client, second)
    assert waits_with(first) == ("booked", second.pk)


def test_who_takes_a_freed_time_for_one_of_two_visits_waits_on_with_the_other(two_of_one, visits, agent, visit_of):
    first, second = two_of_one
    begin(agent, visits)
    RulesFactory(service=first.service)
    other = visit_of(PatientFactory(), days=2, hour=9, is_planned=False)
    ScheduleFactory(practitioner=other.practitioner, location=other.location)
    booking.cancel(actor=agent, appointment_id=other.pk, asked_by="patient", reason="Ill")
    offers.run_waves()
    made = offers.accept(actor=None, offer_id=SlotOffer.objects.get(entry__patient=first.patient).pk)
    assert (made.previous_id, waits_with(first)) == (first.pk, ("", second.pk))


@pytest.mark.parametrize(
    "end",
    [
        lambda visit, agent: booking.cancel(actor=agent, appointment_id=visit.pk, asked_by="patient", reason="Ill"),
        lambda visit, agent: attendance.discard(actor=agent, appointment_id=visit.pk),
    ],
    ids=["cancelled", "discarded"],
)
def test_a_wait_that_an_absence_began_ends_when_the_visit_is_no_more(end, visits, agent):
    begin(agent, visits)
    end(visits[0], agent)
    assert WaitlistEntry.objects.get(patient=visits[0].patient).closed_for == "withdrawn"


def test_a_time_in_the_absence_is_offered_to_nobody(visits, agent):
    RulesFactory(service=visits[0].service)
    begin(agent, visits)
    booking.cancel(actor=agent, appointment_id=visits[0].pk, asked_by="patient", reason="Ill")
    assert not hasattr(visits[0], "freed_slot")


def test_old_links_of_the_visit_lead_to_another_time_and_confirm_nothing(visits, agent, client):
    begin(agent, visits)
    url = links.address_of(visits[0].pk, LinkPurpose.ANSWER)
    page = client.post(url, {"seen": visits[0].pk})
    text = page.content.decode()
    assert ("This visit cannot take place." in text, 'name="slot"' in text) == (True, True)
    assert Appointment.objects.get(pk=visits[0].pk).confirmation == "unconfirmed"


def test_who_was_moved_before_the_message_left_is_not_told(visits, agent, client, told):
    begin(agent, visits)
    mass_moves.carry_on()
    take_another_time(client, visits[0])
    assert [text[:3] for text in told() if "we are sorry" in text] == ["P1,"]


def test_nobody_is_told_at_night_and_who_cannot_be_told_is_called(visits, agent, clock):
    visits[0].patient.contact_points.all().delete()
    move = begin(agent, visits)
    clock.shift(timedelta(hours=11))  # eleven at night
    mass_moves.carry_on()
    assert counts(move) == {"waiting": 3}
    clock.shift(timedelta(hours=10))
    mass_moves.carry_on()
    assert counts(move) == {"call": 1, "told": 1, "waiting": 1}


def test_telling_is_stopped_and_goes_on_by_hand(visits, agent, signed_in):
    move = begin(agent, visits)
    browser = signed_in(agent)
    browser.post(f"/schedule/absences/{move.pk}/", {"verb": "stop"})
    mass_moves.carry_on()
    assert counts(move) == {"waiting": 3}
    browser.post(f"/schedule/absences/{move.pk}/", {"verb": "go-on"})
    mass_moves.carry_on()
    assert counts(move) == {"told": 2, "waiting": 1}
    assert browser.post(f"/schedule/absences/{move.pk}/", {"verb": "explode"}).status_code == 404


def test_an_absence_is_written_down_once_with_what_is_wrong_at_its_field(visits, signed_in, agent):
    browser = signed_in(agent)
    given = {
        "whom": f"practitioner-{visits[0].practitioner_id}", "reason": "sickness", "starts_at": "2026-06-04T00:00",
        "ends_at": "2026-06-05T00:00", "group_size": "2", "interval_minutes": "15", "form_key": "k1",
    }  # fmt: skip
    wrong = browser.post("/schedule/absences/", given | {"ends_at": "2026-06-03T00:00"})
    assert (wrong.status_code, "The end must come after the beginning." in wrong.content.decode()) == (422, True)
    for change, words in (
        ({"ends_at": given["starts_at"]}, "The end must come after the beginning."),
        ({"starts_at": "2027-03-14T02:30"}, "couldn’t be interpreted in time zone"),
        ({"starts_at": "2026-01-01T00:00", "ends_at": "2026-01-02T00:00"}, "must end after it begins, be to come"),
    ):
        page = browser.post("/schedule/absences/", given | change)
        assert (page.status_code, words in html.unescape(page.content.decode())) == (422, True), change
    urls = {browser.post("/schedule/absences/", given).url for _ in range(2)}
    move = MassMove.objects.get()
    assert (urls, Absence.objects.count()) == ({f"/schedule/absences/{move.pk}/"}, 1)
    for taken_in in (0, 3):  # that they wait is seen before each is followed
        assert (MassMoveVisit.objects.count(), counts(move)) == (taken_in, {"waiting": 3})
        assert "3 of 3 left" in browser.get("/schedule/absences/").content.decode()
        assert mass_moves.take_in(mass_move_id=move.pk)


def test_a_holiday_closes_a_site_by_its_name_and_its_patients_are_told(visits, signed_in, agent, told):
    elsewhere = LocationFactory(name="Coral Gables")
    Appointment.objects.filter(pk=visits[2].pk).update(location=elsewhere)
    site = visits[0].location
    given = {
        "whom": f"location-{site.pk}", "reason": "holiday", "name": "Founders' Day", "starts_at": "2026-06-04T00:00",
        "ends_at": "2026-06-05T00:00", "group_size": "5", "interval_minutes": "15",
    }  # fmt: skip
    page = signed_in(agent).post("/schedule/absences/", given, follow=True)
    shown = re.findall(r"<h1[^>]*>(.*?)</h1><span[^>]*>([^,]*),", html.unescape(page.content.decode()))
    assert (page.status_code, shown) == (200, [("Brickell", "Founders' Day")])
    mass_moves.carry_on()
    assert (counts(MassMove.objects.get()), sum("cannot see you" in text for text in told())) == ({"told": 2}, 2)
    day = signed_in(agent).get("/schedule/", {"day": "2026-06-04", "site": site.pk})
    assert "Founders' Day" in html.unescape(day.content.decode())
    assert signed_in(agent).post("/schedule/absences/", given | {"whom": "location-0"}).status_code == 422


def test_the_times_of_a_closing_are_those_of_the_site_and_of_a_person_the_desks(visits, signed_in, agent):
    site = LocationFactory(time_zone="America/Los_Angeles")
    room, browser = RoomFactory(location=site), signed_in(agent)
    given = {
        "reason": "holiday", "starts_at": "2026-06-04T00:00", "ends_at": "2026-06-05T00:00", "group_size": "5",
        "interval_minutes": "15",
    }  # fmt: skip
    for whom, hour in ((site, 7), (room, 7), (visits[0].practitioner, 4)):
        answer = browser.post("/schedule/absences/", given | {"whom": f"{whom._meta.model_name}-{whom.pk}"})
        absence = Absence.objects.latest("pk")
        assert (absence.starts_at, absence.whom) == (datetime(2026, 6, 4, hour, tzinfo=UTC), whom)
        for url in ("/schedule/absences/", answer.url):
            page = browser.get(url).content.decode()
            assert re.search(r"Thu 4 Jun, ([\d:]+) – Fri 5 Jun, ([\d:]+)", page).groups() == ("00:00", "00:00")
    ScheduleFactory(location=site)
    assert next_open_day(site, date(2026, 6, 3)) == date(2026, 6, 5)


def test_only_those_who_book_write_an_absence_down_and_none_that_is_over(visits, agent, partner_agent):
    with pytest.raises(PermissionDenied):
        begin(partner_agent, visits)
    for extra in (
        {"ends_at": timezone.now() - timedelta(hours=1)},
        {"starts_at": visits[2].ends_at + timedelta(days=2)},
    ):
        with pytest.raises(Refused):
            begin(agent, visits, **extra)
    assert MassMove.objects.count() == 0


@pytest.mark.parametrize("years", [0, 7000])
def test_an_absence_at_the_end_of_all_days_is_refused(years, agent):
    end = timezone.now().replace(year=9999, month=12, day=31)
    given = {
        "starts_at": end.replace(year=9999 - years),
        "ends_at": end.replace(hour=23, minute=59, second=59),
        "reason": "sickness",
    }
    with pytest.raises(Refused, match="a year at most"):
        mass_moves.start(actor=agent, whom=PractitionerFactory(), **given)


def test_two_absences_tell_of_the_same_visit_once(visits, agent, told):
    first, second = begin(agent, visits, group_size=9), begin(agent, visits, group_size=9)
    mass_moves.carry_on()
    assert (len(told()), counts(first), counts(second)) == (3, {"told": 3}, {"told": 3})
    rows = [list(move.visits.order_by("pk").values_list("message", "told_at")) for move in (first, second)]
    assert rows[0] == rows[1]
