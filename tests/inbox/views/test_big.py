"""Very long conversations and messages: the page stays a page."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from inbox.models import Message
from tests.factories.inbox import InteractionFactory, MessageFactory
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def mine(agent, sms_channel):
    return InteractionFactory(channel=sms_channel, owner=agent, patient=PatientFactory())


def url(name, *args):
    return reverse(f"inbox:{name}", args=args)


def statements(client, address):
    """The fewest of three looks: now and then one also notes that its reader is still there."""
    counts = []
    for _look in range(3):
        with CaptureQueriesContext(connection) as seen:
            answer = client.get(address)
        counts.append(len(seen))
    return min(counts), answer


def test_five_thousand_messages_are_pages_of_sixty_at_the_price_of_one(agent, mine, signed_in):
    client = signed_in(agent)
    MessageFactory(interaction=mine)
    few, _page = statements(client, url("interaction", mine.pk))
    start = timezone.now() - timedelta(days=30)
    Message.objects.bulk_create(
        Message(
            interaction=mine, channel=mine.channel, channel_kind="sms", direction="inbound", status="received",
            text=f"word {n}", occurred_at=start + timedelta(minutes=n), provider="twilio", external_id=f"x{n}",
        )
        for n in range(5000)
    )  # fmt: skip
    many, page = statements(client, url("interaction", mine.pk))
    entries = [item for item in page.context["items"] if item["kind"] in ("message", "note", "event")]
    print(f"5,000 messages: {many} statements (1 message: {few}), {len(entries)} entries, {len(page.content):,} bytes")
    assert (many - few, len(entries)) == (0, 60)


def test_a_megabyte_is_folded_and_there_for_whoever_asks(agent, mine, signed_in):
    words = "The whole story. " * 6000
    message = MessageFactory(interaction=mine, text=words[:100_000], quoted_text="z" * 900_000)
    client = signed_in(agent)
    page = client.get(url("interaction", mine.pk)).content.decode()
    assert (len(page) < 150_000, "Show all of this message" in page) == (True, True)
    htmx = {"HX-Request": "true", "HX-Target": "rest"}
    rest = client.get(url("message-text", message.pk, "text"), headers=htmx).content.decode()
    assert words[2000:100_000] in rest
    whole = client.get(url("message-text", message.pk, "quoted")).content.decode()
    assert "z" * 900_000 in whole


def test_the_rest_of_a_message_of_another_queue_is_not_there(outsider, mine, signed_in):
    message = MessageFactory(interaction=mine)
    client = signed_in(outsider)
    assert client.get(url("message-text", message.pk, "text")).status_code == 404


def test_a_patient_unlinked_meanwhile_leaves_a_page_that_works(agent, mine, signed_in):
    client = signed_in(agent)
    client.get(url("interaction", mine.pk))
    mine.patient = None
    mine.save()
    answers = [client.get(url(name, mine.pk)).status_code for name in ("interaction", "side", "talk", "case", "merge")]
    assert answers == [200] * 5
