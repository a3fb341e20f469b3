"""Who a person is, who has the work, how it ends, and what is kept from whom."""

import json
import threading
from datetime import timedelta

import pytest
import requests
from django.core.management import call_command
from django.utils import timezone

from contact_center.accounts.enums import Role
from contact_center.accounts.models import TeamMembership
from contact_center.accounts.services import create_api_key
from inbox.models import Interaction
from patients.models import ContactPoint
from tests.factories.patients import PatientFactory
from tests.simulator.fixtures import wait_for

PARTIAL = {"HX-Request": "true", "HX-Target": "workspace"}


def test_a_shared_phone_is_asked_about_each_time_and_stays_shared(hire, somebody, interaction_of, clinic):
    agent, phone = hire(), somebody()
    mother = PatientFactory(given_name="Ana", family_name="Pérez", phone=phone.number)
    son = PatientFactory(given_name="Leo", family_name="Pérez", phone=phone.number)
    phone.write("Is the visit tomorrow?", "sms")
    row = interaction_of(phone.number)
    page = agent.get(f"/inbox/{row.pk}/")
    assert (row.patient, row.is_contact_shared) == (None, True)
    assert sorted(page.texts("//aside//form//b")) == ["Ana Pérez", "Leo Pérez"]
    assert agent.post(f"/inbox/{row.pk}/link/", patient=son.pk).text("//aside//h3") == "Leo Pérez"
    points = ContactPoint.objects.filter(value=phone.number).order_by("patient_id")
    assert list(points.values_list("patient_id", flat=True)) == [mother.pk, son.pk]
    agent.post(f"/inbox/{row.pk}/take/")
    agent.wrap_up(row.pk, reason=clinic.reason.pk, disposition=clinic.resolved.pk)
    Interaction.objects.filter(pk=row.pk).update(closed_at=timezone.now() - timedelta(days=30))
    phone.write("And mine?", "sms")
    later = wait_for(lambda: Interaction.objects.filter(contact_value=phone.number).exclude(pk=row.pk).first())
    assert (later.patient, later.is_contact_shared) == (None, True)
    assert sorted(agent.get(f"/inbox/{later.pk}/").texts("//aside//form//b")) == ["Ana Pérez", "Leo Pérez"]


def test_of_two_agents_who_take_at_once_one_owns_it_and_the_other_reads_who(hire, somebody, interaction_of):
    phone = somebody()
    phone.write("Hello", "sms")
    row = interaction_of(phone.number)
    both = [hire(first_name="Ana", last_name="One"), hire(first_name="Ben", last_name="Two")]
    for staff in both:
        staff.http.headers.update(PARTIAL)
    start, answers = threading.Barrier(2), {}

    def take(staff):
        start.wait()
        answers[staff.user.pk] = staff.post(f"/inbox/{row.pk}/take/")

    threads = [threading.Thread(target=take, args=[staff]) for staff in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    row.refresh_from_db()
    owner, other = sorted(both, key=lambda staff: staff.user.pk != row.owner_id)
    assert (answers[owner.user.pk].status, answers[other.user.pk].status) == (200, 409)
    toast = json.loads(answers[other.user.pk].response.headers["HX-Trigger"])["toast"]
    assert toast == {"text": f"{owner.user} has taken this interaction already.", "kind": "danger"}
    assert (row.status, row.owner_id) == ("active", owner.user.pk)


def test_nothing_closes_without_a_next_step_and_the_patients_next_word_opens_it_again(
    hire, somebody, interaction_of, clinic, capsys
):
    agent, phone = hire(), somebody()
    phone.write("I need a new date.", "sms")
    row = interaction_of(phone.number)
    agent.post(f"/inbox/{row.pk}/take/")
    ending = {"reason": clinic.reason.pk, "disposition": clinic.open.pk, "outcome": "Asked the doctor."}
    refused = agent.wrap_up(row.pk, **ending)
    assert (refused.status, refused.value("outcome")) == (422, "Asked the doctor.")
    assert refused.of_class("field__error") == ["Say what happens next.", "Say who does it.", "Say by when."]
    step = {
        "next_step": "Call with a date",
        "next_step_owner": agent.user.pk,
        "next_step_date": timezone.localdate() + timedelta(days=1),
    }
    assert agent.wrap_up(row.pk, **ending, **step).notices() == ["Closed."]
    row.refresh_from_db()
    assert (row.status, row.case.next_step, row.case.owner_id) == ("closed", "Call with a date", agent.user.pk)
    phone.write("Tuesday would suit me.", "sms")
    again = interaction_of(phone.number, messages=2)
    assert (again.pk, again.status, again.case_id) == (row.pk, "queued", row.case_id)
    call_command("verify_audit")
    assert capsys.readouterr().out.endswith("entries, every link intact\n")


@pytest.fixture
def fertile(hire, somebody, interaction_of, clinic):
    """A conversation of the shared queue that has just turned out to be a sensitive one, and its agent."""
    agent, phone = hire(), somebody("Secret Person")
    phone.write("About the treatment", "sms")
    row = interaction_of(phone.number)
    agent.post(f"/inbox/{row.pk}/take/")
    return row, agent


def test_a_partner_agent_loses_sight_of_a_conversation_that_turns_out_sensitive(hire, fertile, clinic):
    row, agent = fertile
    partner = hire(role=Role.PARTNER_AGENT, teams=[clinic.partner])
    live = partner.socket()
    topic = f"interaction.{row.pk}"
    assert live.subscribe(topic)["type"] == "subscribed"
    assert partner.get(f"/inbox/{row.pk}/").status == 200
    agent.wrap_up(row.pk, reason=clinic.sensitive.pk, disposition=clinic.resolved.pk)
    heard = live.hear()
    while heard["type"] == "changed":  # rights are looked at together, a moment after the first change
        heard = live.hear()
    assert heard == {"type": "refused", "topics": [topic]}
    assert live.subscribe(topic)["topics"] == {}
    live.close()
    paths = [f"/inbox/{row.pk}/{rest}" for rest in ("", "talk/", "side/", "wrap-up/", "link/")]
    assert [partner.get(path).status for path in paths] == [404] * 5
    assert partner.post(f"/inbox/{row.pk}/reopen/").status == 404
    assert partner.post("/inbox/search/", view="closed", q=row.contact_value).tree.xpath("//a[@data-row]") == []


def test_a_partner_agents_pages_and_key_name_no_sensitive_reason(
    stack, hire, fertile, clinic, somebody, interaction_of
):
    row, agent = fertile
    patient = somebody()
    patient.write("Good morning", "sms")
    other = interaction_of(patient.number)
    agent.wrap_up(row.pk, reason=clinic.sensitive.pk, disposition=clinic.resolved.pk)
    partner = hire(role=Role.PARTNER_AGENT, teams=[clinic.partner])
    page = partner.get(f"/inbox/{other.pk}/wrap-up/")
    assert [name for name in page.texts("//select[@name='reason']/option") if name == "Fertility"] == []
    key, text = create_api_key(actor=None, name="Night partner", role=Role.PARTNER_AGENT)
    TeamMembership.objects.create(user=key.user, team=clinic.partner)
    paths = [f"interactions/{row.pk}/", f"interactions/{other.pk}/", "interactions/", "messages/", "reasons/"]
    answers = [
        requests.get(f"{stack.web_url}/api/v1/{path}", headers={"Authorization": f"Token {text}"}, timeout=10)
        for path in paths
    ]
    assert [answer.status_code for answer in answers] == [404, 200, 200, 200, 200]
    listed = [one["id"] for one in answers[2].json()["results"]]
    messages = [one["interaction"] for one in answers[3].json()["results"]]
    assert (row.pk in listed, other.pk in listed, row.pk in messages) == (False, True, False)
    assert "Fertility" not in answers[4].text
