"""A send in doubt is settled by what the provider shows, or left to a person; never sent twice on a guess."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from inbox.adapters.events import SendResult
from inbox.adapters.twilio_messaging import TwilioMessagingAdapter
from inbox.enums import GateDecision, MessageStatus
from inbox.models import Message
from inbox.services.doubts import reconcile_sends
from tests.factories.inbox import InteractionFactory, MessageFactory, MessageTemplateFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def listed(monkeypatch):
    """What the provider lists, as (recipient, text, id); the list fails for a recipient named in `broken`."""
    rows, broken = [], []

    def find_sent(self, outbound, since, exclude_ids=()):
        if outbound.recipient.value in broken:
            raise KeyError(outbound.recipient.value)
        for recipient, text, sid in rows:
            if recipient == outbound.recipient.value and sid not in exclude_ids and outbound.text in ("", text):
                return SendResult(sid, "sent", {})
        return None

    monkeypatch.setattr(TwilioMessagingAdapter, "find_sent", find_sent)
    return SimpleNamespace(rows=rows, broken=broken)


@pytest.fixture
def in_doubt(sms_channel, agent):
    def make(address="+13055550123", text="Your appointment is on Monday", **given):
        known = sms_channel.interactions.filter(contact_value=address).first()
        person = known or InteractionFactory(channel=sms_channel, contact_value=address, owner=agent)
        given = {"status": MessageStatus.SENDING, "attempts": 1, "gate_decision": GateDecision.SEND} | given
        claimed_at = timezone.now() - timedelta(minutes=5)
        return MessageFactory(
            interaction=person,
            channel=sms_channel,
            channel_kind="sms",
            direction="outbound",
            provider=given.pop("provider", "twilio_messaging"),
            address_scheme="phone",
            address=address,
            text=text,
            external_id=given.pop("external_id", ""),
            claimed_at=claimed_at,
            **given,
        )

    return make


def outcome(message):
    found = Message.objects.get(pk=message.pk)
    return found.status, found.external_id, found.error_code


def test_a_message_in_the_list_was_sent_and_one_that_is_not_is_sent_again(in_doubt, listed):
    there, not_there = in_doubt("+13055550123"), in_doubt("+13055550124")
    listed.rows.append(("+13055550123", there.text, "SM1"))
    assert reconcile_sends() == 2
    assert (outcome(there), outcome(not_there)) == (("sent", "SM1", ""), ("queued", "", ""))


def test_a_template_that_the_provider_may_have_written_differently_is_left_to_a_person(in_doubt, listed):
    message = in_doubt(text="Your appointment is on Monday", template=MessageTemplateFactory())
    listed.rows.append((message.address, "Your appointment is on Mon.", "SM1"))
    assert reconcile_sends() == 1
    assert outcome(message) == ("failed", "", "unknown_outcome")


def test_rows_that_belong_to_other_messages_and_earlier_attempts_leave_no_doubt(in_doubt, listed):
    sent = in_doubt(status=MessageStatus.SENT, external_id="SM1", payload={"earlier_ids": ["SM0"]})
    message = in_doubt(text="Another text", template=MessageTemplateFactory())
    listed.rows += [(sent.address, sent.text, "SM0"), (sent.address, sent.text, "SM1")]
    assert reconcile_sends() == 1
    assert outcome(message) == ("queued", "", "")


def test_a_row_that_cannot_be_judged_leaves_the_others_to_be_settled(in_doubt, listed):
    poison, fine = in_doubt("+13055550123"), in_doubt("+13055550124")
    listed.broken.append("+13055550123")
    assert reconcile_sends() == 1
    assert (outcome(poison)[0], outcome(fine)[0]) == ("sending", "queued")


def test_a_message_in_doubt_of_a_provider_that_is_not_installed_fails_with_a_reason(in_doubt, listed):
    lost, fine = in_doubt("+13055550123", provider="carrier_pigeon"), in_doubt("+13055550124")
    assert reconcile_sends() == 2
    assert (outcome(lost), outcome(fine)[0]) == (("failed", "", "unknown_adapter"), "queued")
