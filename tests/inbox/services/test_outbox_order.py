"""What leaves, leaves in order, and one broken row never holds up the others."""

from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from django.db import transaction
from django.utils import timezone

from contact_center.common import deadline
from inbox.adapters import events
from inbox.enums import Direction, MessageStatus
from inbox.models import Message, ProviderHealth
from inbox.services import outbox
from inbox.services.outbox import deliver_message, drain_outboxes, enqueue, retry_message
from inbox.services.reports import apply_report
from tests.factories.inbox import InteractionFactory, MessageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(sms_channel, agent):
    return InteractionFactory(channel=sms_channel, contact_value="+13055550123", owner=agent)


def texts(requests):
    return [parse_qs(body)["Body"][0] for body in requests]


def write(person, *words, **given):
    return [enqueue(interaction=person, text=word, author=person.owner, **given) for word in words]


def put_off(message, seconds, **given):
    at = timezone.now() + timedelta(seconds=seconds)
    Message.objects.filter(pk=message.pk).update(next_attempt_at=at, **given)


def test_a_reply_waits_for_the_earlier_one_that_is_leaving(person, twilio_accepts):
    first, _second = write(person, "one", "two")
    Message.objects.filter(pk=first.pk).update(status=MessageStatus.SENDING, claimed_at=timezone.now())
    assert (drain_outboxes(), texts(twilio_accepts)) == (0, [])
    Message.objects.filter(pk=first.pk).update(status=MessageStatus.QUEUED)
    assert (drain_outboxes(), texts(twilio_accepts)) == (2, ["one", "two"])


def test_a_reply_does_not_overtake_one_that_is_tried_again_in_a_moment(person, twilio_accepts):
    first, _second = write(person, "one", "two")
    put_off(first, 10, attempts=1)
    assert (drain_outboxes(), texts(twilio_accepts)) == (0, [])


@pytest.mark.parametrize(("seconds", "attempts"), [(3600, 0), (300, 4)])
def test_a_message_put_off_for_long_holds_nothing_up(person, twilio_accepts, seconds, attempts):
    first, _second = write(person, "later", "now")
    put_off(first, seconds, attempts=attempts)
    assert (drain_outboxes(), texts(twilio_accepts)) == (1, ["now"])


def test_another_person_and_another_channel_do_not_wait(person, whatsapp_channel, sms_channel, twilio_accepts):
    (first,) = write(person, "one")
    Message.objects.filter(pk=first.pk).update(status=MessageStatus.SENDING, claimed_at=timezone.now())
    write(InteractionFactory(channel=sms_channel, contact_value="+13055550124", owner=person.owner), "to another")
    there = InteractionFactory(channel=whatsapp_channel, contact_value="+13055550123", owner=person.owner)
    MessageFactory(interaction=there, channel=whatsapp_channel, direction=Direction.INBOUND, address="+13055550123")
    write(there, "elsewhere")
    assert (drain_outboxes(), texts(twilio_accepts)) == (2, ["to another", "elsewhere"])


def test_a_message_of_a_provider_that_is_not_installed_fails_with_a_reason_and_the_next_one_leaves(
    person, twilio_accepts
):
    (lost,) = write(person, "one")
    Message.objects.filter(pk=lost.pk).update(provider="carrier_pigeon")
    write(person, "two")
    assert drain_outboxes() == 2
    lost.refresh_from_db()
    assert (lost.status, lost.error_code, texts(twilio_accepts)) == ("failed", "unknown_adapter", ["two"])
    assert not ProviderHealth.objects.filter(adapter="carrier_pigeon").exists()


def test_a_message_that_breaks_its_delivery_does_not_stop_the_others(person, sms_channel, twilio_accepts, monkeypatch):
    (poison,) = write(person, "poison")
    write(InteractionFactory(channel=sms_channel, contact_value="+13055550124", owner=person.owner), "fine")
    real = outbox.outbound_of

    def break_on_poison(message):
        if message.pk == poison.pk:
            raise ValueError("broken row")
        return real(message)

    monkeypatch.setattr(outbox, "outbound_of", break_on_poison)
    assert (drain_outboxes(), texts(twilio_accepts)) == (2, ["fine"])
    assert Message.objects.get(pk=poison.pk).status == MessageStatus.SENDING


def test_a_run_that_is_over_its_time_leaves_the_rest_in_the_queue_and_asks_for_another(
    person, twilio_accepts, monkeypatch
):
    woken = []
    write(person, "one", "two", "three")
    monkeypatch.setattr(deadline, "wake", lambda *task: woken.append(task))
    monkeypatch.setattr(deadline, "DRAIN_SECONDS", 5.0)
    clock = iter([0.0, 1.0, 2.0, *[6.0] * 20])
    monkeypatch.setattr(deadline, "monotonic", lambda: next(clock))
    assert (drain_outboxes(), texts(twilio_accepts)) == (2, ["one", "two"])
    assert woken == [("inbox.drain_outboxes", "outbound")]


def test_a_mail_that_was_sent_again_and_came_back_again_is_failed_again(email_channel, agent):
    person = InteractionFactory(channel=email_channel, contact_value="x@example.com", owner=agent)
    (message,) = write(person, "Good morning")
    deliver_message(message.pk)
    message.refresh_from_db()
    bounce = events.DeliveryReport(
        provider="email",
        external_id=message.external_id,
        status="failed",
        reason="unreachable",
        error_text="Mailbox full",
        our_id=str(message.public_id),
    )
    for _ in range(2):
        assert message.status == MessageStatus.SENT
        with transaction.atomic():
            apply_report(bounce, event=None)
        message.refresh_from_db()
        assert message.status == MessageStatus.FAILED
        retry_message(actor=agent, message_id=message.pk)
        deliver_message(message.pk)
        message.refresh_from_db()


def test_a_late_report_of_an_earlier_text_does_not_touch_the_new_one(person, twilio_accepts):
    (message,) = write(person, "Good morning")
    deliver_message(message.pk)
    message.refresh_from_db()
    old = message.external_id
    failed = events.DeliveryReport(
        provider="twilio_messaging", external_id=old, status="failed", our_id=str(message.public_id)
    )
    with transaction.atomic():
        apply_report(failed, event=None)
    retry_message(actor=person.owner, message_id=message.pk)
    deliver_message(message.pk)
    with transaction.atomic():
        apply_report(failed, event=None)
    message.refresh_from_db()
    assert (message.status, message.payload["earlier_ids"]) == (MessageStatus.SENT, [old])
