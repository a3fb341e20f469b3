"""What the provider lists and our books say must be the same, both ways; `reconcile` names each difference."""

import io

import pytest
import responses
from django.core.management import CommandError, call_command
from django.utils import timezone

from inbox.models import Message, WebhookEvent
from inbox.services.gaps import fill_gaps
from inbox.services.ledger import drain_ledger
from inbox.services.outbox import drain_outboxes, enqueue
from tests.factories.inbox import InteractionFactory

pytestmark = pytest.mark.django_db
SID = "SM" + "a" * 32


def row(sid, direction="inbound", **given):
    now = timezone.now().strftime("%a, %d %b %Y %H:%M:%S +0000")
    ours, theirs = "+15005550100", "+13055550123"
    return {
        "sid": sid, "direction": direction, "body": "Hello", "status": "received", "num_media": "0",
        "from": theirs if direction == "inbound" else ours, "to": ours if direction == "inbound" else theirs,
        "date_sent": now, "date_created": now, "account_sid": "AC1",
    } | given  # fmt: skip


@pytest.fixture
def provider_lists(twilio_api):
    def lists(*rows):
        twilio_api.add(responses.GET, twilio_api.messages_url, json={"messages": list(rows), "next_page_uri": None})

    return lists


def reconcile(**options):
    out = io.StringIO()
    try:
        call_command("reconcile", stdout=out, **options)
    except CommandError as error:
        return out.getvalue().splitlines(), str(error)
    return out.getvalue().splitlines(), ""


def test_equal_books_are_said_to_be_complete(sms_channel, provider_lists, patient_writes, agent, twilio_accepts):
    interaction = patient_writes("Hello", to=sms_channel, sid=SID)
    reply = enqueue(interaction=interaction, text="Good morning", author=agent)
    drain_outboxes()
    reply.refresh_from_db()
    provider_lists(row(reply.external_id, "outbound-api"), row(SID))
    assert reconcile() == (["twilio_messaging: 2 events, 0 unaccounted"], "")


def test_each_gap_is_named_and_the_command_fails(sms_channel, provider_lists):
    person = InteractionFactory(channel=sms_channel)
    ours = Message.objects.create(
        interaction=person, channel=sms_channel, channel_kind="sms", direction="outbound", status="sent",
        gate_decision="send", provider="twilio_messaging", external_id="SM" + "c" * 32, sent_at=timezone.now(),
    )  # fmt: skip
    provider_lists(row("SM" + "b" * 32, "outbound-api"), row(SID))
    lines, error = reconcile()
    assert lines == [
        f"twilio_messaging {SID}: inbound, not in the ledger",
        f"twilio_messaging SM{'b' * 32}: left without an outbox row",
        f"twilio_messaging message {ours.pk}: sent by our books, not in the provider's list",
        "twilio_messaging: 2 events, 3 unaccounted",
    ]
    assert error == "3 unaccounted"


def test_a_gap_is_filled_on_request_and_processed_like_a_webhook(sms_channel, provider_lists):
    provider_lists(row(SID))
    lines, error = reconcile(fill=True)
    drain_ledger()
    assert (lines[0], error) == (f"twilio_messaging {SID}: inbound, not in the ledger, added", "")
    assert list(Message.objects.values_list("external_id", "text")) == [(SID, "Hello")]


def test_the_regular_check_fills_gaps_once_and_knows_what_came_by_webhook(sms_channel, provider_lists, patient_writes):
    patient_writes("Hello", to=sms_channel, sid=SID)
    provider_lists(row("SM" + "b" * 32), row(SID))
    assert (fill_gaps(), fill_gaps(), WebhookEvent.objects.count()) == (1, 0, 2)


def test_a_silent_provider_is_said_to_be_silent(sms_channel, twilio_api):
    twilio_api.add(responses.GET, twilio_api.messages_url, json={"code": 20500}, status=500)
    _lines, error = reconcile()
    assert error.startswith("twilio_messaging does not answer: ")
    assert fill_gaps() == 0


@pytest.mark.parametrize("option", ["since", "until"])
def test_a_time_that_is_none_is_refused_with_an_example(option):
    assert reconcile(**{option: "yesterday"})[1] == "yesterday is not a time like 2026-01-31T08:00"
