"""The page behind a link: GET changes nothing, one link does one thing, and old, late and forged ones are kind."""

import html
import re
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from scheduling import links
from scheduling.enums import LinkPurpose as P
from scheduling.forms import unsealed
from scheduling.models import Appointment, Reminder
from scheduling.services import booking
from tests.factories.scheduling import LocationFactory, PractitionerFactory, ScheduleFactory, ServiceFactory
from tests.scheduling.conftest import NOON, ZONE

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon():
    cache.clear()
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def visit(ana):
    service = ServiceFactory(
        name="Cardiology", names={"es": "Cardiología"}, modes=["on_site", "video"], preparation={"en": "Bring images."}
    )
    site = LocationFactory(
        name="Brickell", time_zone=ZONE.key, address="1221 Brickell Plaza", directions={"en": "The lift is left."}
    )
    doctor = PractitionerFactory(name="Dr. Mehrotra", services=[service], video_url="https://video.example/mehrotra")
    ScheduleFactory(practitioner=doctor, location=site)
    wish = booking.Wish(service.pk, NOON.replace(hour=9) + timedelta(days=3), doctor.pk, site.pk)
    return booking.book(actor=None, patient_id=ana.pk, wishes=[wish])[0]


def at(visit, purpose, **options):
    return f"/v/{links.token_for(visit.pk, purpose, **options)}/"


def text_of(answer):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def post(visit, purpose, **given):
    return Client().post(at(visit, purpose), {"seen": visit.pk} | given)


def now_of(visit):
    row = Appointment.objects.get(pk=visit.pk)
    return row.status, row.confirmation


@pytest.mark.parametrize("purpose", P)
def test_looking_changes_nothing_and_is_kept_nowhere(visit, purpose):
    before = Appointment.objects.values().get()
    for browser in (Client(), Client(headers={"user-agent": "facebookexternalhit/1.1"})):
        for method in (browser.get, browser.head):
            answer = method(at(visit, purpose))
            assert (answer.status_code, answer["X-Robots-Tag"], answer["Cache-Control"]) == (
                200,
                "noindex, nofollow",
                "no-store",
            )
    assert Appointment.objects.values().get() == before


def test_the_page_says_when_and_where_in_the_patients_language_and_nothing_more_about_them(visit, ana):
    ana.language = "es"
    ana.save()
    page = text_of(Client().get(at(visit, P.ANSWER)))
    assert ("Cardiología" in page, "09:00" in page, "Brickell" in page, "Dr. Mehrotra" in page) == (True,) * 4
    assert [word for word in ("Prado", ana.mrn, "+1305", str(ana.birth_date)) if word in page] == []


def test_a_tap_confirms_and_the_link_of_another_purpose_does_not(visit):
    post(visit, P.DIRECTIONS)
    assert now_of(visit) == ("booked", "unconfirmed")
    assert "Thank you, we expect you on Thursday" in text_of(post(visit, P.ANSWER))
    assert now_of(visit) == ("booked", "confirmed")


def test_cancelling_needs_a_reason_at_its_place(visit):
    refused = post(visit, P.CANCEL)
    assert (refused.status_code, "Choose what fits best." in text_of(refused), now_of(visit)[0]) == (
        422,
        True,
        "booked",
    )
    assert "Your visit is cancelled" in text_of(post(visit, P.CANCEL, reason="transport"))
    row = Appointment.objects.get(pk=visit.pk)
    assert (row.status, row.cancelled_for, row.cancel_reason) == ("cancelled", "patient", "I have no way to get there")
    again = Client().get(at(visit, P.ANSWER))
    assert (again.status_code, "This visit was cancelled" in text_of(again)) == (410, True)


def test_moving_offers_times_takes_one_and_old_links_lead_to_the_new_visit(visit):
    page = Client().get(at(visit, P.MOVE)).content.decode()
    slots = [html.unescape(slot) for slot in re.findall(r'name="slot" value="([^"]+)"', page)]
    assert len(slots) == 6
    refused = post(visit, P.MOVE)
    assert (refused.status_code, "Choose a time." in text_of(refused)) == (422, True)
    assert post(visit, P.MOVE, slot="1780000000:1:1:0:on_site:forged").status_code == 422
    assert "Your visit is moved" in text_of(post(visit, P.MOVE, slot=slots[3]))
    new = Appointment.objects.get(previous=visit)
    page = Client().get(at(visit, P.ANSWER))
    assert "This visit was moved. Below is the one that is booked now." in text_of(page)
    stale = post(visit, P.ANSWER)  # somebody who saw the old time confirms nothing
    assert (stale.status_code, now_of(new)) == (409, ("booked", "unconfirmed"))
    Client().post(at(visit, P.ANSWER), {"seen": new.pk})
    assert now_of(new) == ("booked", "confirmed")


def test_a_time_that_was_taken_meanwhile_is_said_and_the_visit_stays(visit):
    page = Client().get(at(visit, P.MOVE)).content.decode()
    slots = [html.unescape(slot) for slot in re.findall(r'name="slot" value="([^"]+)"', page)]
    from scheduling.forms import unsealed
    from tests.factories.patients import PatientFactory

    given = unsealed(slots[1])
    booking.book(actor=None, patient_id=PatientFactory().pk, wishes=[booking.Wish(visit.service_id, **given)])
    late = post(visit, P.MOVE, slot=slots[1])
    assert (late.status_code, "has just been taken" in text_of(late), now_of(visit)[0]) == (409, True, "booked")


def test_check_in_opens_two_hours_before(visit):
    assert "You can check in from Thursday 4 June, 07:00." in text_of(Client().get(at(visit, P.CHECK_IN)))
    assert (post(visit, P.CHECK_IN).status_code, now_of(visit)[0]) == (422, "booked")
    with time_machine.travel(visit.starts_at - timedelta(minutes=30), tick=False):
        assert [text_of(post(visit, P.CHECK_IN)).count("You are checked in") for _ in range(2)] == [1, 1]
    assert now_of(visit)[0] == "checked-in"


def test_preparing_is_ticked_and_what_the_patient_needs_is_on_the_list(visit):
    refused = post(visit, P.PREPARE, words="I use a wheelchair")
    page = refused.content.decode()
    assert (refused.status_code, "Tick this when you have read it." in page, "I use a wheelchair" in page) == (
        422,
        True,
        True,
    )
    post(visit, P.PREPARE, is_read="on", needs=["transport"], words="I use a wheelchair")
    row = Appointment.objects.get(pk=visit.pk)
    needs = list(row.needs.values_list("kind", "is_required", "settled_at"))
    assert (row.prepared_at, row.patient_words, needs) == (
        timezone.now(),
        "I use a wheelchair",
        [("transport", False, None)],
    )


def test_a_missing_translation_of_the_preparation_is_said(visit, ana):
    ana.language = "pt"
    ana.save()
    page = Client().get(at(visit, P.PREPARE)).content.decode()
    assert ('<span lang="en">Bring images.' in page) is True


def test_the_video_room_opens_a_quarter_of_an_hour_before(visit):
    Appointment.objects.filter(pk=visit.pk).update(mode="video")
    assert "video.example" not in Client().get(at(visit, P.VIDEO)).content.decode()
    with time_machine.travel(visit.starts_at - timedelta(minutes=10), tick=False):
        assert 'href="https://video.example/mehrotra"' in Client().get(at(visit, P.VIDEO)).content.decode()


def test_forged_links_are_unknown_and_each_changed_letter_is_noticed(visit):
    token = links.token_for(visit.pk, P.ANSWER)
    for place in range(len(token)):
        other = "A" if token[place] != "A" else "B"
        try:
            said = links.read(token[:place] + other + token[place + 1 :])
        except links.Forged:
            continue
        assert said == links.read(token)  # only bits that carry nothing may differ
    for forged in ("x", "no-token", token[:-2], token + "AAAA", "%C3%A9", "a" * 2000):
        assert Client().get(f"/v/{forged}/").status_code == 404


def test_a_late_link_keeps_the_visit_and_sends_a_new_one_to_the_address_on_record_only(visit):
    late = at(visit, P.CANCEL, days=-1)
    page = Client().get(late)
    assert (page.status_code, "Your visit has not changed." in text_of(page), "Brickell" in text_of(page)) == (
        410,
        True,
        False,
    )
    for _ in range(3):
        assert "A new link is on its way" in text_of(Client().post(late, {"reason": "ill"}))
    assert (Reminder.objects.filter(kind="again").count(), now_of(visit)[0]) == (1, "booked")
    assert Client().post(late).status_code == 410


def test_too_many_pages_from_one_network_wait(visit):
    answers = [Client().post(at(visit, P.DIRECTIONS)).status_code for _ in range(21)]
    assert answers == [200] * 20 + [429]


def test_forms_carry_a_token_against_other_sites(visit):
    assert Client(enforce_csrf_checks=True).post(at(visit, P.ANSWER), {"seen": visit.pk}).status_code == 403
    assert now_of(visit) == ("booked", "unconfirmed")


def test_a_second_click_on_a_time_is_told_the_same(visit):
    page = Client().get(at(visit, P.MOVE)).content.decode()
    slot = html.unescape(re.findall(r'name="slot" value="([^"]+)"', page)[2])
    key = re.search(r'name="key" value="([^"]+)"', page)[1]
    given = {"seen": visit.pk, "slot": slot, "key": key}
    answers = [Client().post(at(visit, P.MOVE), given) for _click in range(2)]
    assert [(one.status_code, "Your visit is moved" in text_of(one)) for one in answers] == [(200, True)] * 2
    assert Appointment.objects.filter(previous=visit).count() == 1
    wish = booking.Wish(key=uuid.UUID(key), service_id=visit.service_id, **unsealed(slot))
    same = booking.move(actor=None, appointment_id=visit.pk, wish=wish, asked_by="patient", reason="x")
    assert same.previous == visit


def test_the_page_of_a_link_gives_none_that_lasts_longer(visit):
    page = Client().get(at(visit, P.ANSWER, days=1)).content.decode()
    found = [links.read(token) for token in re.findall(r"/v/([\w-]+)/", page)]
    assert {one.until for one in found} == {links.read(links.token_for(visit.pk, P.ANSWER, days=1)).until}


@pytest.mark.parametrize("words", ["from=9999-12-31", "from=9999-12-30&until=9999-12-31"])
def test_other_times_from_the_last_day_of_all_are_none(words, visit):
    address = links.address_of(visit.pk, P.MOVE)
    assert Client().get(f"{address}?{words}").status_code == 200
