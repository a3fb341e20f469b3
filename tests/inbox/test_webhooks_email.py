"""Mail that a provider posts to us."""

import base64
import json

import pytest
from django.test import Client

from inbox.enums import MessageStatus
from inbox.models import Message, WebhookEvent
from inbox.services.ledger import drain_ledger
from inbox.services.outbox import drain_outboxes
from inbox.services.replies import reply

pytestmark = pytest.mark.django_db
SECRET = "user:secret-of-the-webhook"


def post(path, content, secret=SECRET):
    authorization = "Basic " + base64.b64encode(secret.encode()).decode()
    return Client().post(
        path, json.dumps(content), content_type="application/json", headers={"Authorization": authorization}
    )


def inbound(message_id="<a1@example.org>", text="Hello", **headers):
    rows = {"Message-ID": message_id, "Date": "Fri, 20 Nov 2026 10:00:00 +0000"} | headers
    return {
        "FromFull": {"Email": "ana@example.org", "Name": "Ana"},
        "ToFull": [{"Email": "care@aurora.example", "Name": ""}],
        "OriginalRecipient": "care@aurora.example",
        "From": "Ana <ana@example.org>",
        "To": "care@aurora.example",
        "Subject": "A question",
        "MessageID": "provider-1",
        "TextBody": text,
        "Headers": [{"Name": name, "Value": value} for name, value in rows.items()],
        "Attachments": [],
    }


@pytest.fixture(autouse=True)
def _configured(settings):
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}


def test_a_signed_mail_becomes_an_interaction_and_a_second_delivery_nothing_more(email_channel):
    for _ in range(2):
        assert post("/webhooks/email/postmark/", inbound()).status_code == 200
    drain_ledger()
    message = Message.objects.get()
    assert (message.address, message.subject, message.text.strip()) == ("ana@example.org", "A question", "Hello")


def test_a_mail_with_a_wrong_secret_is_refused_and_leaves_no_row(email_channel):
    assert post("/webhooks/email/postmark/", inbound(), secret="user:wrong").status_code in (400, 403)
    assert WebhookEvent.objects.count() == 0


def test_an_unknown_provider_is_not_found(db):
    assert post("/webhooks/email/nobody/", {}).status_code == 404


def test_an_answer_joins_the_thread_and_a_bounce_turns_our_mail_red(email_channel, agent, mailoutbox):
    post("/webhooks/email/postmark/", inbound())
    drain_ledger()
    interaction = email_channel.interactions.get()
    ours = reply(actor=agent, interaction_id=interaction.pk, text="We look into it.")
    drain_outboxes()
    ours.refresh_from_db()
    assert (ours.status, mailoutbox[0].extra_headers["In-Reply-To"]) == (MessageStatus.SENT, "<a1@example.org>")
    post(
        "/webhooks/email/postmark/",
        inbound("<a2@example.org>", "Thank you", **{"In-Reply-To": mailoutbox[0].extra_headers["Message-ID"]}),
    )
    drain_ledger()
    assert [m.text.strip() for m in interaction.messages.order_by("id")] == ["Hello", "We look into it.", "Thank you"]
