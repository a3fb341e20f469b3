"""Every form that makes something may be sent twice: by a double click, a reload, a retry."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from inbox.models import CannedReply, Case, Macro, Processor, RoutingRule, SavedView, ServiceCalendar, SlaPolicy, Task
from patients.models import Alert, Patient
from scheduling.models import NoShowRecovery
from scheduling.services import attendance
from tests.factories.inbox import ChecklistFactory, InteractionFactory
from tests.factories.patients import PatientFactory
from tests.factories.scheduling import AppointmentFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "dialogs"}
PERSON = {"given_name": "Ana", "family_name": "Lima", "language": "pt"}


@pytest.fixture
def mine(agent, sms_channel):
    return InteractionFactory(channel=sms_channel, owner=agent, patient=PatientFactory())


def sent_twice(client, url, data, *, to="", number=0):
    """Open the page, send its form two times as it was drawn; both answers and the key that was drawn."""
    keys = re.findall(r'name="form_key" value="([^"]+)"', client.get(url, headers=HTMX).content.decode())
    return [client.post(to or url, data | {"form_key": keys[number]}, headers=HTMX) for _ in range(2)]


def soon():
    return timezone.localdate() + timedelta(days=2)


@pytest.mark.parametrize(
    ("name", "data", "number", "model", "made"),
    [
        ("tasks", lambda: {"title": "Call the lab"}, 0, Task, 1),
        ("tasks", lambda: {"checklist": ChecklistFactory().pk}, 1, Task, 2),
        ("case", lambda: {"do": "open", "title": "X", "next_step": "Ask", "next_step_date": soon()}, 0, Case, 1),
        ("link", lambda: PERSON | {"linked": ""}, 0, Patient, 1),
    ],
)
def test_a_form_about_a_conversation_makes_one(name, data, number, model, made, agent, mine, signed_in):
    if name == "link":
        mine.patient = None
        mine.save()
    given, before = data(), model.objects.count()
    url = reverse(f"inbox:{name}", args=[mine.pk])
    to = reverse("inbox:create-patient", args=[mine.pk]) if name == "link" else ""
    answers = sent_twice(signed_in(agent), url, given, to=to, number=number)
    assert [answer.status_code for answer in answers] == [200, 200]
    assert model.objects.count() - before == made


@pytest.mark.parametrize(
    ("name", "data", "model"),
    [
        ("canned-new", {"title": "Hi", "shortcode": "hi", "body": "Hello", "keeper": "own"}, CannedReply),
        ("macro-new", {"name": "Rest", "keeper": "own", "step_0": "snooze:1"}, Macro),
        ("saved-view-new", {"name": "Spanish", "language": ["es"], "match": "all", "order": "due"}, SavedView),
    ],
)
def test_what_is_kept_for_later_is_kept_once_and_both_answers_lead_to_it(name, data, model, agent, signed_in):
    one, two = sent_twice(signed_in(agent), reverse(f"inbox:{name}"), data)
    assert (one.status_code, one.get("Location"), model.objects.count()) == (302, two.get("Location"), 1)


def test_a_patient_is_created_once_for_a_new_conversation(agent, signed_in, sms_channel):
    person = {f"new-{name}": value for name, value in PERSON.items()}
    given = {"do": "create", "address": "+13055550142", "way": f"{sms_channel.pk} +13055550142", **person}
    one, two = sent_twice(signed_in(agent), reverse("inbox:start"), given)
    assert (one.context["patient"], Patient.objects.count()) == (two.context["patient"], 1)


def test_what_is_added_to_a_record_is_added_once(agent, mine, signed_in):
    url = reverse("patients:alert-new", args=[mine.patient_id])
    sent_twice(signed_in(agent), url, {"text": "Hard of hearing", "kind": "other", "severity": "warning"})
    assert Alert.objects.count() == 1


WEEK = {f"day_{day}": "08:00-18:00" for day in range(5)}
CALENDAR = {"name": "Desk", "time_zone": "America/New_York", "country": "", "subdivision": "", **WEEK}
POLICY = {"name": "Soon", "first_response_minutes": "30", "counting": "always", "warn_percent": "25"}
PROCESSOR = {"name": "Letters Ltd.", "region": "Florida"}


@pytest.mark.parametrize(
    ("name", "data", "model"),
    [
        ("hours-new", CALENDAR, ServiceCalendar),
        ("sla-new", POLICY, SlaPolicy),
        ("routing-new", {"name": "Mail"}, RoutingRule),
        ("processor-new", PROCESSOR, Processor),
    ],
)
def test_what_sets_the_desk_up_is_made_once(name, data, model, admin, queue, signed_in):
    if model is RoutingRule:
        data = data | {"queue": queue.pk}
    before = model.objects.count()
    one, two = sent_twice(signed_in(admin), reverse(f"inbox:{name}"), data)
    assert (one.status_code, one.get("Location"), model.objects.count() - before) == (302, two.get("Location"), 1)


def test_a_call_that_reached_nobody_counts_once(agent, signed_in):
    visit = AppointmentFactory(
        starts_at=timezone.now() - timedelta(hours=1), patient=PatientFactory(birth_date="1970-01-01")
    )
    attendance.mark_missed(actor=None, appointment_id=visit.pk)
    row = NoShowRecovery.objects.get()
    called = reverse("scheduling:capacity-change", args=["recovery", row.pk, "called"])
    sent_twice(signed_in(agent), reverse("scheduling:capacity"), {}, to=called)
    row.refresh_from_db()
    assert row.calls == 1
