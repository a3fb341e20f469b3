"""Patients book for themselves: looked for with GET, kept with POST, theirs once a code proves an address."""

import html
import re
from datetime import date, time, timedelta
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client

from inbox.models import Interaction, Message, OneTimeCode
from inbox.services.codes import digits_of
from inbox.services.portal import send_waiting_codes
from patients.models import Patient
from scheduling.models import Appointment, Occupancy, Reminder, WaitlistEntry
from scheduling.services import holds
from scheduling.services.booking import Wish, book
from tests.factories.patients import PatientFactory, RelatedPersonFactory
from tests.factories.scheduling import LocationFactory, PractitionerFactory, ScheduleFactory, ServiceFactory
from tests.scheduling.conftest import NOW, ZONE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("monday")]
PHONE = "+13055550123"
ANA = {
    "given_name": "Ana", "family_name": "Prado", "day": "14", "month": "3", "year": "1967", "address": "(305) 555-0123",
}  # fmt: skip


@pytest.fixture
def clinic(sms_channel):
    """One service, offered to patients from nine to eleven at one site by one practitioner."""
    service = ServiceFactory(
        code="cardiology", name="Cardiology", minutes=60, step_minutes=60, notice_minutes=120, horizon_days=3,
        is_public=True, preparation={"en": "Bring images.", "es": "Traiga estudios."}, needs=["documents"],
    )  # fmt: skip
    site = LocationFactory(name="Brickell", time_zone=ZONE.key)
    doctor = PractitionerFactory(name="Dr. Mehrotra", services=[service])
    ScheduleFactory(practitioner=doctor, location=site, hours=[(time(9), time(11))])
    return SimpleNamespace(service=service, site=site, doctor=doctor, where="/book/?service=cardiology&mode=on_site")


def offered(page):
    return [html.unescape(value) for value in re.findall(r'name="slot" value="([^"]+)"', page.content.decode())]


def days(page):
    return [int(day) for day in re.findall(r'class="day-btn"[^>]*day=2026-06-(\d\d)', page.content.decode())]


def hidden(page):
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.content.decode())
    return {name: html.unescape(value) for name, value in found if name != "csrfmiddlewaretoken"}


def kept(clinic, client, number=0):
    """The address of the page on which a time that is kept is booked."""
    answer = client.post(clinic.where, {"slot": offered(client.get(clinic.where))[number]})
    assert answer.status_code == 302, answer.content.decode()
    return answer.url


def digits():
    send_waiting_codes()
    return digits_of(OneTimeCode.objects.latest("pk"))


def confirm(client, url, **given):
    """Write the details and the digits; the last answer."""
    page = client.post(url, ANA | given)
    assert page.status_code == 200, page.content.decode()
    return client.post(url, hidden(page) | {"code": digits()})


def test_a_patient_who_is_new_chooses_holds_proves_and_reads_the_receipt(clinic, client):
    assert "Cardiology" in client.get("/book/").content.decode()
    assert "Brickell" in client.get("/book/?service=cardiology").content.decode()
    page = client.get(clinic.where)
    assert (days(page), len(offered(page))) == ([1, 2, 3, 4], 2)
    nine = NOW.replace(day=3, hour=9).timestamp()
    assert offered(client.get(clinic.where + "&day=2026-06-03"))[0].startswith(f"{nine:.0f}:")
    url = kept(clinic, client, 1)
    assert "until 07:05" in client.get(url).content.decode()
    answer = confirm(client, url, needs="interpreter", wants_earlier="on", preferred_channel="sms")
    assert (answer.status_code, answer.url) == (302, url)
    visit = Appointment.objects.get()
    patient = visit.patient
    assert (patient.given_name, patient.birth_date, patient.preferred_channel) == ("Ana", date(1967, 3, 14), "sms")
    assert list(patient.contact_points.values_list("scheme", "value")) == [("phone", PHONE)]
    assert (visit.starts_at, visit.booked_by, visit.status) == (NOW.replace(hour=10), None, "booked")
    assert sorted(visit.needs.values_list("kind", "is_required")) == [("documents", True), ("interpreter", False)]
    assert list(WaitlistEntry.objects.values_list("patient", "appointment")) == [(patient.pk, visit.pk)]
    assert Occupancy.objects.filter(hold_token__isnull=False).count() == 0
    assert Reminder.objects.filter(kind="booked").count() == 1
    text = client.get(url).content.decode()
    assert ("Your visit is booked" in text, "Bring images." in text, "Documents" in text, "Prado" in text) == (
        True, True, True, False,
    )  # fmt: skip


def test_a_patient_books_a_place_of_a_group_that_was_kept_for_them(clinic, client):
    type(clinic.service).objects.update(places=2)
    url = kept(clinic, client)
    (held,) = Occupancy.objects.filter(seat=1)
    assert (confirm(client, url).url, Occupancy.objects.filter(hold_token=held.hold_token).count()) == (url, 0)
    visit = Appointment.objects.get()
    seats = Occupancy.objects.order_by("seat").values_list("seat", "appointment", "held_until_at")
    assert list(seats) == [(0, None, None), (1, visit.pk, None)]
    assert (visit.session_id, visit.status, visit.starts_at) == (held.session_id, "booked", NOW.replace(hour=9))
    assert "Your visit is booked" in client.get(url).content.decode()


def test_the_pages_speak_the_patients_language_and_nobody_keeps_or_finds_them(clinic):
    client = Client(headers={"accept-language": "es"})
    url = kept(clinic, client)
    confirm(client, url)
    answer = client.get(url)
    assert ("Traiga estudios." in answer.content.decode(), Patient.objects.get().language) == (True, "es")
    assert [answer[name] for name in ("Cache-Control", "X-Robots-Tag")] == ["no-store", "noindex, nofollow"]


def test_where_and_with_whom_is_said_once_where_all_times_have_it_in_common(clinic, client):
    def shown():
        text = client.get(clinic.where).content.decode()
        return [text.count(words) for words in ("<small>Brickell", "<span>Brickell", "<span>Dr. Mehrotra")]

    assert shown() == [0, 1, 1]
    other = PractitionerFactory(name="Dr. Osei", services=[clinic.service])
    ScheduleFactory(practitioner=other, location=LocationFactory(time_zone=ZONE.key), hours=[(time(9), time(11))])
    assert shown() == [2, 0, 0]


def test_looking_changes_nothing(clinic, client):
    url = kept(clinic, client)
    before = (Occupancy.objects.count(), OneTimeCode.objects.count(), Appointment.objects.count())
    for address in ("/book/", clinic.where, "/book/wait/?service=cardiology&mode=on_site", url, url):
        assert (client.get(address).status_code, client.head(address).status_code) == (200, 200)
    assert (Occupancy.objects.count(), OneTimeCode.objects.count(), Appointment.objects.count()) == before


@pytest.mark.parametrize(
    ("known", "is_same"),
    [
        ({}, True),
        ({"given_name": "ana maría"}, True),
        ({"given_name": "Anabel"}, False),
        ({"birth_date": date(1967, 3, 15)}, False),
        ({"phone": "+13055550199"}, False),
        ({"deceased_date": date(2025, 1, 1)}, False),
    ],
)
def test_a_known_patient_is_one_of_that_day_and_name_at_the_proved_address(known, is_same, clinic, client):
    given = {"given_name": "Ana", "birth_date": date(1967, 3, 14), "phone": PHONE} | known
    patient = PatientFactory(**given)
    page = client.post(url := kept(clinic, client), ANA)
    answer = client.post(url, hidden(page) | {"code": digits()})
    assert (answer.status_code, (Appointment.objects.get().patient == patient)) == (302, is_same)


def test_who_may_act_for_a_patient_books_for_them_with_their_own_number(clinic, client):
    mother = PatientFactory(phone=PHONE)
    child = PatientFactory(given_name="Ana", birth_date=date(2018, 3, 14))
    RelatedPersonFactory(patient=child, relative=mother, is_proxy=True, scopes=["appointments"])
    confirm(client, kept(clinic, client), year="2018")
    assert Appointment.objects.get().patient == child


def test_known_and_unknown_are_told_the_same_and_both_get_a_code(clinic):
    PatientFactory(given_name="Ana", birth_date=date(1967, 3, 14), phone=PHONE)
    texts = []
    for address in ("(305) 555-0123", "(305) 555-0199"):
        client = Client()
        page = client.post(kept(clinic, client), ANA | {"address": address})
        text = re.sub(r'(value|name="(slot|ticket|csrf)\w*")="[^"]+"', "", page.content.decode())
        texts.append((page.status_code, text.replace(address, "")))
        assert send_waiting_codes() == 1
    assert texts[0] == texts[1]
    assert Message.objects.count() == Interaction.objects.filter(status="closed").count() == 2


def test_wrong_digits_book_nothing_and_the_third_time_end_the_code(clinic, client):
    url = kept(clinic, client)
    page = client.post(url, ANA)
    right = digits()
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    given = hidden(page)
    statuses = [client.post(url, given | {"code": code}).status_code for code in (wrong, wrong, wrong, right)]
    assert (statuses, Appointment.objects.count(), Patient.objects.count()) == ([422] * 4, 0, 0)
    forged = client.post(url, given | {"code": right, "ticket": "x" + given["ticket"]})
    assert (forged.status_code, Appointment.objects.count()) == (422, 0)


def test_the_same_form_sent_twice_books_once(clinic, client):
    url = kept(clinic, client)
    page = client.post(url, ANA)
    given = hidden(page) | {"code": digits()}
    first, second = client.post(url, given), client.post(url, given)
    assert [first.status_code, second.status_code] == [302, 200]
    assert (Appointment.objects.count(), Patient.objects.count()) == (1, 1)


def test_a_held_time_is_offered_to_nobody_else_and_a_hold_that_ran_out_books_while_it_is_free(clinic, client):
    url = kept(clinic, client)
    assert len(offered(Client().get(clinic.where))) == 1
    with time_machine.travel(NOW + timedelta(minutes=6), tick=False):
        gone = client.get(url)
        assert (gone.status_code, "Nothing was booked" in gone.content.decode()) == (410, True)
        assert confirm(client, url).status_code == 302
    assert Appointment.objects.count() == 1


def test_who_loses_the_race_takes_another_time_with_the_same_digits(clinic, client, agent):
    url = kept(clinic, client)
    page = client.post(url, ANA)
    given = hidden(page) | {"code": digits()}
    Occupancy.objects.all().delete()
    wish = Wish(clinic.service.pk, NOW.replace(hour=9), clinic.doctor.pk, clinic.site.pk)
    book(actor=agent, patient_id=PatientFactory().pk, wishes=[wish])
    lost = client.post(url, given)
    assert (lost.status_code, len(offered(lost))) == (409, 3)
    assert client.post(url, hidden(lost) | {"slot": offered(lost)[0]}).status_code == 302
    assert Appointment.objects.get(patient__given_name="Ana").starts_at == NOW.replace(hour=10)
    assert "10:00" in client.get(url).content.decode()


def test_who_comes_second_to_a_time_keeps_none_and_reads_what_is_left(clinic, client):
    page = Client().get(clinic.where)
    kept(clinic, client)
    late = Client().post(clinic.where, {"slot": offered(page)[0]})
    assert (late.status_code, offered(late), Occupancy.objects.count()) == (409, [offered(page)[1]], 1)
    assert "This time has just been taken." in late.content.decode()


def test_another_choice_gives_the_time_before_back(clinic, client):
    token = kept(clinic, client).split("/")[2]
    client.post(f"{clinic.where}&{urlencode({'kept': token})}", {"slot": offered(client.get(clinic.where))[0]})
    assert [row.span.lower for row in Occupancy.objects.all()] == [NOW.replace(hour=10)]


def test_who_would_rather_wait_gives_the_time_back_that_was_kept(clinic, client):
    token = kept(clinic, client).split("/")[2]
    shown = client.get(f"{clinic.where}&{urlencode({'kept': token})}").content.decode()
    url = html.unescape(re.search(r'href="(/book/wait/[^"]+)"', shown)[1])
    page = client.post(url, ANA | {"hours": "morning", "notice_minutes": "240"})
    assert Occupancy.objects.count() == 1
    assert "You are on the waitlist" in client.post(url, hidden(page) | {"code": digits()}).content.decode()
    assert Occupancy.objects.count() == 0


def test_ten_thousand_holds_from_one_address_are_ten_for_five_minutes(clinic, client, monkeypatch):
    clinic.service.horizon_days = 60
    clinic.service.save()
    monkeypatch.setattr("scheduling.booking_views.is_over", lambda *args, **kwargs: False)  # as when Redis is away
    statuses = []
    for number in range(holds.MOST_FROM_A_NETWORK + 2):
        day = f"&day={NOW.date() + timedelta(days=number // 2)}&from={NOW.date() + timedelta(days=number // 2)}"
        slot = offered(client.get(clinic.where + day))[0]
        statuses.append(client.post(clinic.where + day, {"slot": slot}).status_code)
    assert (statuses, Occupancy.objects.count()) == ([302] * 10 + [422] * 2, 10)
    assert Client(REMOTE_ADDR="203.0.113.9").post(clinic.where + day, {"slot": slot}).status_code == 302


def test_a_network_that_asks_too_much_waits(clinic, client, monkeypatch):
    monkeypatch.setattr("scheduling.link_pages.TRIED", 1)
    assert [client.post(clinic.where, {}).status_code for _ in range(5)] == [422] * 4 + [429]


@pytest.mark.parametrize(
    "change", [{"is_public": False}, {"is_active": False}, {"notice_minutes": 60 * 24 * 3}, {"modes": ["video"]}]
)
def test_what_is_not_offered_to_patients_is_not_kept(change, clinic, client):
    slot = offered(client.get(clinic.where))[0]
    for name, value in change.items():
        setattr(clinic.service, name, value)
    clinic.service.save()
    assert client.post(clinic.where, {"slot": slot}).status_code in (200, 422)
    assert Occupancy.objects.count() == 0


@pytest.mark.parametrize("slot", ["", "1780000000:1:1:0:on_site:forged"])
def test_a_time_that_was_not_offered_is_refused(slot, clinic, client):
    assert (client.post(clinic.where, {"slot": slot}).status_code, Occupancy.objects.count()) == (422, 0)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"address": "305 555 01"}, "This is not a complete phone number"),
        ({"day": "31", "month": "2"}, "This day is not in the calendar."),
        ({"year": "2027"}, "This day is still to come."),
        ({"given_name": " "}, "Write the first name."),
    ],
)
def test_what_is_missing_is_said_at_its_field_and_what_was_typed_stays(given, sentence, clinic, client):
    page = client.post(kept(clinic, client), ANA | given)
    text = html.unescape(page.content.decode())
    assert (page.status_code, sentence in text, 'value="Prado"' in text) == (422, True, True)
    assert OneTimeCode.objects.count() == 0


def test_one_patient_books_so_many_and_then_calls_us(clinic, client, monkeypatch):
    monkeypatch.setattr("scheduling.services.self_booking.MOST_TO_COME", 1)
    confirm(client, kept(clinic, client))
    other = confirm(Client(), kept(clinic, client))
    assert (other.status_code, Appointment.objects.count()) == (422, 1)
    assert "several visits already" in other.content.decode()


def test_a_stale_or_forged_page_is_no_page(clinic, client):
    url = kept(clinic, client)
    assert client.get(url[:-3] + "xx/").status_code == 404
    with time_machine.travel(NOW + timedelta(hours=3), tick=False):
        assert client.get(url).status_code == 404


def test_when_nothing_is_left_a_patient_waits_with_wishes(clinic, client, agent):
    wishes = [
        Wish(clinic.service.pk, NOW.replace(hour=hour) + timedelta(days=day), clinic.doctor.pk, clinic.site.pk)
        for day in range(4)
        for hour in (9, 10)
    ]
    book(actor=agent, patient_id=PatientFactory().pk, wishes=wishes)
    where = f"{clinic.where}&location={clinic.site.pk}"
    assert "No times left for now" in client.get(where).content.decode()
    url = where.replace("/book/", "/book/wait/")
    given = ANA | {"weekdays": ["0", "2"], "hours": "morning", "notice_minutes": "240", "last_date": "2026-07-01"}
    page = client.post(url, given)
    found = re.findall(r'<input type="hidden" name="weekdays" value="(\d)"', page.content.decode())
    sent = hidden(page) | {"weekdays": found, "code": digits()}
    answers = [client.post(url, sent) for _ in range(2)]
    assert ["You are on the waitlist" in answer.content.decode() for answer in answers] == [True, True]
    entry = WaitlistEntry.objects.get()
    assert (entry.patient.given_name, entry.weekdays, entry.not_after, entry.notice_minutes, entry.last_date) == (
        "Ana", [0, 2], time(12), 240, date(2026, 7, 1),
    )  # fmt: skip
    assert (list(entry.locations.all()), entry.urgency, entry.added_by) == ([clinic.site], "routine", None)
    assert (client.post(url, sent | {"code": "000000"}).status_code, client.get("/book/wait/").status_code) == (
        422,
        302,
    )


@pytest.mark.parametrize(
    "address", ["/book/?service=%00", "/book/wait/?service=%00", "&from=9999-12-31&day=9999-12-31"]
)
def test_an_address_that_nobody_wrote_opens_a_page_all_the_same(address, clinic, client):
    answer = client.get(address if address.startswith("/") else clinic.where + address)
    assert answer.status_code == (302 if "wait" in address else 200)
