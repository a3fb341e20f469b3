"""The page that says whether a message would go is the gate's own word."""

from datetime import time

import pytest
from django.urls import reverse
from django.utils import timezone

from inbox import gate
from inbox.enums import GateDecision, MessagePurpose
from inbox.selectors.gate_facts import facts_for
from inbox.selectors.reach import PURPOSES, reach_matrix
from tests.factories.inbox import InteractionFactory, MessageFactory, OptOutFactory
from tests.factories.patients import ConsentFactory, PatientFactory

pytestmark = pytest.mark.django_db
NOON = "2026-03-11T16:00:00+00:00"


@pytest.fixture
def patient(sms_channel, email_channel, whatsapp_channel, time_machine):
    time_machine.move_to(NOON, tick=False)
    return PatientFactory(phone="+13055550123", email="ana@example.org", time_zone="America/New_York")


def decisions(patient, at=None):
    _columns, rows = reach_matrix(patient, at or timezone.now())
    return {str(purpose): [answer.decision for _column, answer in cells] for purpose, cells in rows}


def test_by_day_without_any_word_care_and_reminders_go_and_surveys_do_not(patient):
    goes, no = "send", "suppress"
    assert decisions(patient) == {  # WhatsApp free, WhatsApp template, SMS, e-mail
        "reply": [no, goes, goes, goes],
        "care": [no, goes, goes, goes],
        "reminders": [no, goes, goes, goes],
        "surveys": [no, no, no, no],
        "marketing": [no, no, no, no],
    }


def test_stop_consent_and_an_open_window_are_seen(patient, whatsapp_channel):
    OptOutFactory(address="+13055550123", channel_kind="sms")
    ConsentFactory(patient=patient, purpose="surveys", channel_kind="email", status="granted")
    talk = InteractionFactory(channel=whatsapp_channel, patient=patient, contact_value="+13055550123")
    MessageFactory(interaction=talk, address="+13055550123")
    found = decisions(patient)
    assert (found["care"], found["surveys"]) == (["send", "send", "suppress", "send"], ["suppress"] * 3 + ["send"])


def test_the_hours_a_patient_named_take_the_place_of_our_night(patient):
    patient.contact_from, patient.contact_until = time(17), time(20)
    patient.save()
    _columns, rows = reach_matrix(patient, timezone.now())
    answers = {str(purpose): cells[2][1] for purpose, cells in rows}
    assert (answers["reply"].decision, answers["reminders"].decision) == ("send", "defer")
    assert answers["reminders"].until_at.isoformat() == "2026-03-11T21:00:00+00:00"
    late = timezone.datetime.fromisoformat("2026-03-11T23:30:00+00:00")
    assert decisions(patient, late)["reminders"][2] == "send"


def test_every_cell_is_what_the_gate_says_of_a_real_message(patient, sms_channel, agent):
    """Whatever is on record: switches, words, opt-outs, bounces."""
    talk = InteractionFactory(channel=sms_channel, patient=patient, contact_value="+13055550123", owner=agent)
    for change in (
        {},
        {"is_do_not_contact": True},
        {"deceased_date": timezone.localdate()},
        {"contact_from": time(22), "contact_until": time(6)},
    ):
        type(patient).objects.filter(pk=patient.pk).update(**change)
        patient.refresh_from_db()
        shown = {purpose: cells[2][1].decision for purpose, cells in reach_matrix(patient, timezone.now())[1]}
        for purpose in PURPOSES:
            real = MessageFactory(interaction=talk, direction="outbound", purpose=purpose)
            verdict = gate.decide(facts_for(real))
            assert (purpose, shown[purpose]) == (purpose, verdict.decision), change
            real.delete()


def test_the_page_shows_another_moment_and_keeps_a_mistake(patient, agent, signed_in):
    client, url = signed_in(agent), reverse("inbox:reach", args=[patient.pk])
    night = client.get(url, {"at": "2026-03-12T02:00"}).content.decode()
    assert night.count('data-decision="defer"') == 6
    assert client.get(url, {"at": "tomorrow"}).status_code == 422


def test_overnight_hours_have_their_end_on_the_next_day():
    hours = (time(22), time(6))
    at = timezone.datetime.fromisoformat("2026-03-11T12:00:00+00:00")
    assert gate.quiet_until(at, "UTC", hours).isoformat() == "2026-03-11T22:00:00+00:00"
    for hour in ("22:00", "23:59", "05:59"):
        assert gate.quiet_until(at.replace(hour=int(hour[:2]), minute=int(hour[3:])), "UTC", hours) is None
    assert gate.quiet_until(at.replace(hour=6, minute=0), "UTC", hours) is not None


def test_a_one_time_code_passes_the_wish_not_to_be_contacted_and_no_stop():
    base = {"purpose": MessagePurpose.CODE, "channel_kind": "sms", "now": timezone.now()}
    found = [
        gate.decide(gate.SendFacts(**base, **facts)).decision
        for facts in ({}, {"is_do_not_contact": True}, {"is_opted_out": True}, {"is_deceased": True})
    ]
    assert found == [GateDecision.SEND, GateDecision.SEND, GateDecision.SUPPRESS, GateDecision.SUPPRESS]
