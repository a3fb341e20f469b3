"""What cannot be read is kept, shown, given out byte for byte, and read again once the cause is gone."""

import smtplib

import pytest

from inbox.enums import ChannelKind
from inbox.models import Interaction, WebhookEvent
from tests.factories.inbox import ChannelFactory
from tests.simulator.fixtures import wait_for

NO_SENDER = b"Subject: =?utf-8?q?=ff=fe?=\r\nContent-Type: multipart/mixed; boundary=\r\n\r\n\x00\xff\xfebroken\r\n"


@pytest.fixture
def drop(stack):
    """`drop(raw, to)` hands a mail without a return path to the intake, as any mail server may."""

    def send(raw: bytes, to: str = "care@aurora.example") -> None:
        with smtplib.SMTP("127.0.0.1", stack.ports["SMTP_INTAKE_PORT"], timeout=10) as server:
            server.sendmail("", [to], raw)

    return send


def quarantined(**which) -> WebhookEvent:
    return wait_for(lambda: WebhookEvent.objects.filter(status="quarantined", **which).last())


def row_of(page, event):
    return page.texts(f"//tr[@id='event-{event.pk}']/td")[:3]


def test_a_mail_that_cannot_be_read_lies_in_quarantine_byte_for_byte(drop, lead):
    drop(NO_SENDER)
    event = quarantined(provider="email", error="The mail has no sender.")
    assert row_of(lead.get("/quarantine/"), event) == ["Inbound mail", "email", "The mail has no sender."]
    raw = lead.get(f"/quarantine/{event.pk}/raw/").response
    assert raw.content == b"Return-Path: <>\r\nDelivered-To: care@aurora.example\r\n" + NO_SENDER
    assert (raw.headers["Content-Type"], raw.headers["X-Content-Type-Options"], raw.headers["Content-Disposition"]) == (
        "application/octet-stream",
        "nosniff",
        f'attachment; filename="event-{event.pk}.bin"',
    )


def test_a_signed_webhook_that_makes_no_sense_is_taken_and_set_aside(stack, lead):
    status, _seconds = stack.post_webhook("/webhooks/twilio/messaging", Body="A message without an id")
    event = quarantined(provider="twilio_messaging", error="There is no message id.")
    assert (status, row_of(lead.get("/quarantine/"), event)[2]) == (200, "There is no message id.")


def test_mail_to_a_mailbox_nobody_set_up_is_read_once_it_is(drop, lead, hire, clinic):
    drop(
        b"From: new@mail.example\r\nTo: new@aurora.example\r\nSubject: Hello\r\n\r\nIs anybody there?",
        "new@aurora.example",
    )
    event = quarantined(error="No channel of ours has this recipient.")
    assert hire().post(f"/quarantine/{event.pk}/retry/").status == 403
    ChannelFactory(name="New mail", kind=ChannelKind.EMAIL, address="new@aurora.example", queue=clinic.general)
    page = lead.post(f"/quarantine/{event.pk}/retry/")
    assert page.notices() == ["It is processed again."]
    row = wait_for(lambda: Interaction.objects.filter(contact_value="new@mail.example").first())
    event.refresh_from_db()
    assert (row.messages.get().text, event.status, row_of(lead.get("/quarantine/"), event)) == (
        "Is anybody there?",
        "processed",
        [],
    )
