"""Do-not-contact and deceased: what waits is stopped at once, nothing leaves after, nothing returns alone."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from inbox.enums import MessagePurpose, MessageStatus
from inbox.models import Message, Notification
from inbox.selectors.reach import stopped_messages
from inbox.services.locks import try_held
from inbox.services.outbox import deliver_message, drain_outboxes, enqueue
from patients.services.records import update_patient
from tests.factories.inbox import InteractionFactory, MessageFactory
from tests.factories.patients import PatientFactory

M = MessageStatus


@pytest.fixture
def patient(db):
    return PatientFactory(phone="+13055550123")


@pytest.fixture
def talk(patient, sms_channel, agent):
    return InteractionFactory(channel=sms_channel, contact_value="+13055550123", patient=patient, owner=agent)


def waiting(talk, author=None, **fields):
    return enqueue(interaction=talk, text="Hello", author=author, **fields)


def statuses():
    return [(row.status, row.gate_reason) for row in Message.objects.filter(direction="outbound").order_by("pk")]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("switch", "reason"), [({"is_do_not_contact": True}, "do_not_contact"), ({"deceased_date": "today"}, "deceased")]
)
def test_a_switch_stops_what_waits_now_later_or_at_a_chosen_time(talk, patient, agent, twilio_accepts, switch, reason):
    tomorrow = timezone.now() + timedelta(days=1)
    waiting(talk, purpose=MessagePurpose.REMINDERS)
    waiting(talk, purpose=MessagePurpose.REMINDERS, not_before_at=tomorrow)
    waiting(talk, author=agent, scheduled_at=tomorrow)
    if "deceased_date" in switch:
        switch = {"deceased_date": timezone.localdate()}
    update_patient(actor=agent, patient_id=patient.pk, **switch)
    assert statuses() == [(M.SUPPRESSED, reason)] * 3
    assert (drain_outboxes(), twilio_accepts) == (0, [])


@pytest.mark.django_db
def test_other_patients_and_the_answer_to_stop_are_left_alone(talk, patient, agent, sms_channel):
    other = InteractionFactory(channel=sms_channel, patient=PatientFactory(), owner=agent)
    waiting(other, purpose=MessagePurpose.REMINDERS)
    waiting(talk, purpose=MessagePurpose.OPT_OUT_CONFIRMATION)
    update_patient(actor=agent, patient_id=patient.pk, is_do_not_contact=True)
    assert statuses() == [(M.QUEUED, "")] * 2


@pytest.mark.django_db
def test_taking_the_switch_back_sends_nothing_and_lists_what_was_stopped(
    talk, patient, agent, signed_in, twilio_accepts
):
    stopped = waiting(talk, author=agent)
    update_patient(actor=agent, patient_id=patient.pk, is_do_not_contact=True)
    update_patient(actor=agent, patient_id=patient.pk, is_do_not_contact=False)
    assert (drain_outboxes(), twilio_accepts, list(stopped_messages(agent, patient))) == (0, [], [stopped])
    page = signed_in(agent)
    shown = page.get(reverse("inbox:switches", args=[patient.pk])).content.decode()
    assert shown.count(reverse("inbox:retry", args=[stopped.pk])) == 1
    page.post(reverse("inbox:retry", args=[stopped.pk]))
    drain_outboxes()
    assert (statuses(), len(twilio_accepts)) == ([(M.SENT, "allowed")], 1)


@pytest.mark.django_db
def test_a_switch_that_was_on_already_stops_nothing_twice(talk, patient, agent):
    update_patient(actor=agent, patient_id=patient.pk, is_do_not_contact=True)
    answer = waiting(talk, author=agent)
    MessageFactory(interaction=talk, address="+13055550123")
    update_patient(actor=agent, patient_id=patient.pk, is_do_not_contact=True, site_name="Norte")
    answer.refresh_from_db()
    assert answer.status == M.QUEUED


@pytest.mark.django_db
def test_the_author_of_a_stopped_message_is_told_unless_they_did_it(talk, patient, agent, supervisor):
    waiting(talk, author=agent)
    update_patient(actor=supervisor, patient_id=patient.pk, is_do_not_contact=True)
    assert list(Notification.objects.values_list("user", "kind")) == [(agent.pk, "send_failed")]


@pytest.mark.django_db
def test_a_message_claimed_before_the_switch_is_stopped_by_the_gate(talk, patient, agent, twilio_accepts, monkeypatch):
    message = waiting(talk, author=agent)
    from inbox.services import outbox

    claim = outbox._claim

    def claim_and_switch(message_id):
        claimed = claim(message_id)
        type(patient).objects.filter(pk=patient.pk).update(is_do_not_contact=True)
        return claimed

    monkeypatch.setattr(outbox, "_claim", claim_and_switch)
    deliver_message(message.pk)
    assert (statuses(), twilio_accepts) == ([(M.SUPPRESSED, "do_not_contact")], [])


def wait_until(is_so, seconds=10):
    deadline = time.monotonic() + seconds
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.02)
    return is_so()


def somebody_waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return cursor.fetchone()[0] > 0


@pytest.mark.django_db(transaction=True)
def test_the_switch_waits_for_a_send_under_way_and_nothing_leaves_after_it(talk, patient, agent, twilio_accepts):
    waiting(talk, author=agent)
    begun, done = threading.Event(), threading.Event()

    def switch():
        try:
            begun.set()
            update_patient(actor=agent, patient_id=patient.pk, is_do_not_contact=True)
            done.set()
        finally:
            connection.close()

    with try_held("send", "sms", "+13055550123") as is_mine:
        assert is_mine
        thread = threading.Thread(target=switch)
        thread.start()
        begun.wait(5)
        assert wait_until(somebody_waits_for_a_lock) and not done.is_set()
        assert type(patient).objects.get(pk=patient.pk).is_do_not_contact is False
    thread.join(10)
    assert done.is_set()
    drain_outboxes()
    assert (statuses(), twilio_accepts) == ([(M.SUPPRESSED, "do_not_contact")], [])
