"""Delivery reports may come late, twice, in any order and for an earlier attempt; none moves a message back."""

import itertools

import pytest

from inbox.adapters.events import DeliveryReport
from inbox.models import Message
from inbox.services.reports import apply_report
from tests.factories.inbox import MessageFactory

pytestmark = pytest.mark.django_db
STATUSES = ["queued", "sending", "sent", "delivered", "read", "failed", "cancelled", "suppressed"]
AFTER = {  # status of the message → what each report makes of it; anything else leaves it
    "sending": {"queued": "sent", "sending": "sent", "sent": "sent", "delivered": "delivered", "read": "read",
                "failed": "failed"},
    "sent": {"delivered": "delivered", "read": "read", "failed": "failed"},
    "delivered": {"read": "read"},
    "failed": {"delivered": "delivered", "read": "read"},
}  # fmt: skip


def report(status, message, external_id="SM1"):
    return DeliveryReport(
        provider="twilio_messaging", external_id=external_id, status=status, our_id=str(message.public_id)
    )


def outbound(**given):
    return MessageFactory(
        direction="outbound", provider="twilio_messaging", gate_decision="send", external_id="", **given
    )


@pytest.mark.parametrize(
    ("status", "told"), itertools.product(STATUSES, ["queued", "sending", "sent", "delivered", "read", "failed"])
)
def test_every_report_on_every_status_moves_forward_or_not_at_all(status, told):
    message = outbound(status=status)
    assert apply_report(report(told, message), event=None) is True
    expected = AFTER.get(status, {}).get(told, status)
    kept = message.delivery_reports.get()
    assert Message.objects.get(pk=message.pk).status == expected
    assert (kept.status, kept.is_applied) == (told, expected != status)


def test_a_report_settles_a_message_that_was_queued_again_in_doubt():
    message = outbound(status="queued", attempts=1)
    apply_report(report("sent", message), event=None)
    message.refresh_from_db()
    assert (message.status, message.external_id) == ("sent", "SM1")


def test_a_late_report_of_an_earlier_attempt_says_nothing_about_the_new_one():
    message = outbound(status="sending", payload={"earlier_ids": ["SM0"]})
    apply_report(report("failed", message, external_id="SM0"), event=None)
    message.refresh_from_db()
    assert (message.status, message.external_id) == ("sending", "")


def test_the_providers_id_counts_more_than_ours_when_an_equal_text_was_bound_to_it():
    bound, other = outbound(status="sent"), outbound(status="sending")
    Message.objects.filter(pk=bound.pk).update(external_id="SM1")
    apply_report(report("delivered", other), event=None)
    assert [Message.objects.get(pk=m.pk).status for m in (bound, other)] == ["delivered", "sending"]


def test_a_report_on_nothing_of_ours_is_said_to_be_so():
    stranger = DeliveryReport(provider="twilio_messaging", external_id="SM9", status="sent", our_id="not-an-id")
    assert apply_report(stranger, event=None) is False
