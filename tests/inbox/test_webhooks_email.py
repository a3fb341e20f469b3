"""Mail that a provider posts to us."""

import base64
import json

import pytest
from django.db import OperationalError
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


def test_a_large_mail_gets_in_and_only_mail_may_be_that_large(email_channel):
    content = base64.b64encode(b"%PDF-1.7\n" + b"x" * 15_000_000).decode()
    file = {"Name": "scan.pdf", "Content": content, "ContentType": "application/pdf", "ContentLength": 15_000_009}
    assert post("/webhooks/email/postmark/", inbound() | {"Attachments": [file]}).status_code == 200
    drain_ledger()
    attachment = Message.objects.get().attachments.get()
    assert (attachment.name, attachment.size, attachment.status) == ("scan.pdf", 15_000_009, "clean")
    assert Client().post("/accounts/login/", b"x" * 13_000_000, content_type="text/plain").status_code == 413


def test_a_mail_over_every_limit_is_refused_with_413(email_channel, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    assert (post("/webhooks/email/postmark/", inbound()).status_code, WebhookEvent.objects.count()) == (413, 0)


@pytest.mark.parametrize("content", [{"Headers": 5}, {"FromFull": 5}, []])
def test_what_a_proven_provider_sends_and_nobody_can_read_waits_in_quarantine(email_channel, content):
    for _ in range(2):
        assert post("/webhooks/email/postmark/", content).status_code == 200
    event = WebhookEvent.objects.get()
    assert (event.status, bytes(event.body)) == ("quarantined", json.dumps(content).encode())


def test_an_error_of_ours_while_storing_keeps_the_mail_in_quarantine(email_channel, monkeypatch):
    monkeypatch.setattr("inbox.adapters.email.raw_of_anymail_inbound", lambda message: message.no_such_thing)
    assert post("/webhooks/email/postmark/", inbound()).status_code == 200
    assert WebhookEvent.objects.get().status == "quarantined"


def test_a_database_that_is_away_makes_the_provider_come_again(email_channel, monkeypatch):
    def away(**kwargs):
        raise OperationalError("gone")

    monkeypatch.setattr("inbox.receivers.receive_raw_mail", away)
    assert post("/webhooks/email/postmark/", inbound()).status_code == 503


def test_a_blind_copy_reaches_the_mailbox_of_its_envelope(email_channel):
    other = {"To": "list@other.example", "ToFull": [{"Email": "list@other.example", "Name": ""}]}
    assert post("/webhooks/email/postmark/", inbound() | other).status_code == 200
    drain_ledger()
    assert (WebhookEvent.objects.get().status, Message.objects.get().channel) == ("processed", email_channel)
