"""The outbox: claimed once, judged by the gate, and honest about what is not known."""

from datetime import timedelta

import pytest
import responses
from django.utils import timezone

from contact_center.common.errors import Conflict
from inbox.enums import GateDecision, MessagePurpose, MessageStatus
from inbox.models import Message, ProviderHealth
from inbox.services import providers
from inbox.services.doubts import reconcile_sends
from inbox.services.locks import lock_key
from inbox.services.outbox import cancel_message, deliver_message, drain_outboxes, enqueue, retry_message
from tests.factories.inbox import InteractionFactory, OptOutFactory

pytestmark = pytest.mark.django_db
M = MessageStatus


@pytest.fixture
def person(sms_channel, agent):
    return InteractionFactory(channel=sms_channel, contact_value="+13055550123", owner=agent)


@pytest.fixture
def queued(person, agent):
    return enqueue(interaction=person, text="Good morning", author=agent)


def listed(twilio_api, *rows):
    twilio_api.add(responses.GET, twilio_api.messages_url, json={"messages": list(rows), "next_page_uri": None})


def row(sid, text="Good morning", to="+13055550123"):
    now = timezone.now().strftime("%a, %d %b %Y %H:%M:%S +0000")
    return {"sid": sid, "body": text, "to": to, "from": "+15005550100", "direction": "outbound-api",
            "status": "sent", "date_created": now, "date_sent": now}  # fmt: skip


def grow_stale(message):
    Message.objects.filter(pk=message.pk).update(claimed_at=timezone.now() - timedelta(minutes=5))


def test_an_accepted_message_is_sent_with_the_providers_id(queued, twilio_accepts):
    drain_outboxes()
    queued.refresh_from_db()
    assert (queued.status, queued.attempts, queued.gate_decision) == (M.SENT, 1, GateDecision.SEND)
    assert (len(queued.external_id), len(twilio_accepts)) == (34, 1)


def test_the_same_key_queues_once_and_another_interaction_is_another_message(person, agent, sms_channel):
    first = enqueue(interaction=person, text="A", author=agent, idempotency_key="k")
    again = enqueue(interaction=person, text="A", author=agent, idempotency_key="k")
    other = enqueue(interaction=InteractionFactory(channel=sms_channel), text="A", author=agent, idempotency_key="k")
    assert (first.pk == again.pk, first.pk == other.pk, Message.objects.count()) == (True, False, 2)


def test_a_message_for_later_stays_until_its_time(person, agent, twilio_accepts):
    enqueue(interaction=person, text="Later", author=agent, not_before_at=timezone.now() + timedelta(hours=1))
    assert (drain_outboxes(), twilio_accepts) == (0, [])


def test_a_message_being_sent_or_done_is_never_claimed_again(queued, twilio_accepts):
    deliver_message(queued.pk)
    deliver_message(queued.pk)
    deliver_message(queued.pk + 999)
    assert len(twilio_accepts) == 1


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [(400, 21211, M.FAILED), (429, 20429, M.QUEUED), (500, 20500, M.SENDING), (503, 20503, M.SENDING)],
)
def test_a_refusal_fails_a_rate_limit_waits_and_a_server_error_is_in_doubt(queued, twilio_api, status, code, expected):
    refusal = {"code": code, "message": "no", "status": status}
    twilio_api.add(responses.POST, twilio_api.messages_url, json=refusal, status=status)
    drain_outboxes()
    queued.refresh_from_db()
    assert (queued.status, queued.error_code) == (expected, str(code))


def test_a_doubtful_send_that_the_provider_lists_is_recorded_and_not_repeated(queued, twilio_api):
    twilio_api.add(responses.POST, twilio_api.messages_url, json={"code": 20500}, status=500)
    drain_outboxes()
    grow_stale(queued)
    listed(twilio_api, row("SM" + "d" * 32))
    assert reconcile_sends() == 1
    drain_outboxes()
    queued.refresh_from_db()
    assert (queued.status, queued.external_id) == (M.SENT, "SM" + "d" * 32)
    assert len([call for call in twilio_api.calls if call.request.method == "POST"]) == 1


@pytest.mark.parametrize(
    ("ours", "theirs", "is_ours"),
    [
        ("“Fasting” — from 8…", '"Fasting" - from 8...', True),
        ("Good\u00a0morning", "Good morning", True),
        ("👍", "👎", False),
        ("Good morning", "Good evening", False),
    ],
)
def test_a_text_that_twilio_wrote_with_other_quotes_is_still_ours(person, agent, twilio_api, ours, theirs, is_ours):
    message = enqueue(interaction=person, text=ours, author=agent)
    twilio_api.add(responses.POST, twilio_api.messages_url, json={"code": 20500}, status=500)
    drain_outboxes()
    grow_stale(message)
    listed(twilio_api, row("SM" + "d" * 32, text=theirs))
    assert reconcile_sends() == 1
    message.refresh_from_db()
    assert message.status == (M.SENT if is_ours else M.QUEUED)


def test_a_doubtful_send_that_the_provider_does_not_list_goes_out_again(queued, twilio_api):
    twilio_api.add(responses.POST, twilio_api.messages_url, json={"code": 20500}, status=500)
    drain_outboxes()
    grow_stale(queued)
    listed(twilio_api, row("SM" + "e" * 32, text="Something else"))
    assert reconcile_sends() == 1
    queued.refresh_from_db()
    assert (queued.status, queued.external_id) == (M.QUEUED, "")


def test_a_doubtful_send_stays_in_doubt_while_the_provider_does_not_answer(queued, twilio_api):
    twilio_api.add(responses.POST, twilio_api.messages_url, json={"code": 20500}, status=500)
    drain_outboxes()
    grow_stale(queued)
    twilio_api.add(responses.GET, twilio_api.messages_url, json={"code": 20500}, status=500)
    assert reconcile_sends() == 0
    queued.refresh_from_db()
    assert queued.status == M.SENDING


@pytest.mark.django_db(transaction=True)
def test_a_send_under_way_is_not_taken_for_one_that_failed(queued, settings):
    import psycopg2

    from tests.faults.lab import database_url

    Message.objects.filter(pk=queued.pk).update(
        status=M.SENDING, gate_decision="send", claimed_at=timezone.now() - timedelta(minutes=5)
    )
    other = psycopg2.connect(database_url())
    other.cursor().execute("SELECT pg_advisory_lock_shared(%s)", [lock_key("send", "sms", "+13055550123")])
    try:
        assert reconcile_sends() == 0
    finally:
        other.close()


def test_a_message_that_ended_its_worker_five_times_is_given_up_visibly(queued, twilio_api):
    Message.objects.filter(pk=queued.pk).update(
        status=M.SENDING, gate_decision="send", attempts=5, claimed_at=timezone.now() - timedelta(minutes=5)
    )
    listed(twilio_api)
    reconcile_sends()
    queued.refresh_from_db()
    assert (queued.status, queued.error_code) == (M.FAILED, "gave_up")


def test_an_outage_of_hours_uses_up_no_attempts_and_one_of_a_day_does(queued, twilio_api):
    twilio_api.add(responses.POST, twilio_api.messages_url, json={"code": 20429}, status=429)
    Message.objects.filter(pk=queued.pk).update(attempts=50)
    drain_outboxes()
    queued.refresh_from_db()
    assert queued.status == M.QUEUED
    day_ago = timezone.now() - timedelta(hours=25)
    Message.objects.filter(pk=queued.pk).update(created_at=day_ago, next_attempt_at=None)
    drain_outboxes()
    queued.refresh_from_db()
    assert queued.status == M.FAILED


def test_five_failures_in_a_row_open_the_breaker_and_a_success_closes_it():
    for number in range(5):
        assert (providers.open_until("twilio_messaging"), number) == (None, number)
        providers.note_failure("twilio_messaging", "down")
    assert providers.open_until("twilio_messaging") is not None
    providers.note_success("twilio_messaging")
    health = ProviderHealth.objects.get()
    assert (providers.open_until("twilio_messaging"), health.consecutive_failures) == (None, 0)


def test_a_suppressed_message_says_why_and_a_person_can_send_it_when_the_reason_is_gone(
    queued, supervisor, twilio_accepts
):
    stop = OptOutFactory(address="+13055550123")
    drain_outboxes()
    queued.refresh_from_db()
    assert (queued.status, queued.gate_reason) == (M.SUPPRESSED, "opted_out")
    stop.ended_at = timezone.now()
    stop.save()
    retry_message(actor=supervisor, message_id=queued.pk)
    drain_outboxes()
    queued.refresh_from_db()
    assert (queued.status, len(twilio_accepts)) == (M.SENT, 1)


def test_a_cancelled_message_never_leaves_and_a_sent_one_cannot_be_cancelled(
    queued, person, agent, supervisor, twilio_accepts
):
    cancel_message(actor=supervisor, message_id=queued.pk)
    sent = enqueue(interaction=person, text="Other", author=agent)
    drain_outboxes()
    with pytest.raises(Conflict):
        cancel_message(actor=supervisor, message_id=sent.pk)
    assert len(twilio_accepts) == 1


def test_a_message_that_waits_for_the_morning_keeps_its_attempts(person, time_machine):
    time_machine.move_to("2026-03-11T03:30:00+00:00", tick=False)
    message = enqueue(interaction=person, text="Reminder", author=None, purpose=MessagePurpose.REMINDERS)
    drain_outboxes()
    message.refresh_from_db()
    assert (message.status, message.gate_reason, message.attempts) == (M.QUEUED, "quiet_hours", 0)
    assert message.next_attempt_at > timezone.now()
