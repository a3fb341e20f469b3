"""Mail from a real SMTP session to a conversation, and back from a bounce to the address it condemns."""

import smtplib

import pytest
from django.db import OperationalError

from inbox.enums import ChannelKind, EventStatus, GateDecision, MessageStatus
from inbox.mail.smtp_intake import IntakeServer
from inbox.management.commands import mail_intake
from inbox.models import Interaction, Message, WebhookEvent
from inbox.services.ledger import drain_ledger
from tests.factories.inbox import ChannelFactory, InteractionFactory, MessageFactory
from tests.inbox.mail.mails import mail, report

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def channel(db):
    return ChannelFactory(kind=ChannelKind.EMAIL, address="care@aurora.test")


@pytest.fixture
def deliver():
    """Deliver one mail by SMTP to the intake as it runs in the mail process."""
    server = IntakeServer(mail_intake.store_mail, host="127.0.0.1", port=0, max_bytes=1_000_000)
    server.start()

    def send(raw, sender="ana@patient.example", recipient="care@aurora.test"):
        with smtplib.SMTP(*server.address, timeout=10) as session:
            return session.sendmail(sender, [recipient], raw)

    yield send
    server.stop()


def test_a_mail_becomes_a_waiting_conversation(channel, deliver):
    deliver(mail("May I come on Monday?"))
    assert drain_ledger() == 1
    event = WebhookEvent.objects.get()
    assert (event.status, event.external_id) == (EventStatus.PROCESSED, "q1@patient.example")
    message = Message.objects.get()
    assert (message.text, message.subject, message.address) == (
        "May I come on Monday?",
        "A question",
        "ana@patient.example",
    )
    interaction = Interaction.objects.get()
    assert (interaction.contact_value, interaction.contact_name) == ("ana@patient.example", "Ana Ruiz")


def test_the_same_mail_twice_is_one_message(channel, deliver):
    deliver(mail("Once"))
    deliver(mail("Once"))
    drain_ledger()
    assert (WebhookEvent.objects.count(), Message.objects.count()) == (1, 1)


def test_an_answer_joins_its_conversation_and_another_person_does_not(channel, deliver):
    deliver(mail("First"))
    deliver(mail("Second", Message_ID="<q2@patient.example>", References="<gone@x> <q1@patient.example>"))
    deliver(
        mail("Me too", sender="eva@other.example", Message_ID="<q3@other.example>", In_Reply_To="<q1@patient.example>"),
        sender="eva@other.example",
    )
    drain_ledger()
    found = sorted(Interaction.objects.values_list("contact_value", flat=True))
    assert found == ["ana@patient.example", "eva@other.example"]
    assert Interaction.objects.get(contact_value="ana@patient.example").messages.count() == 2


@pytest.mark.parametrize(
    ("code", "words", "is_marked"),
    [("5.1.1", "smtp; 550 5.1.1 User unknown", True), ("5.2.2", "smtp; 552 5.2.2 Mailbox full", False)],
)
def test_a_bounce_fails_the_message_and_marks_only_a_dead_address(
    channel, deliver, monkeypatch, code, words, is_marked
):
    marked = []
    monkeypatch.setattr(
        "inbox.services.reports.mark_contact_point_bounced", lambda **facts: marked.append(facts["value"])
    )
    interaction = InteractionFactory(channel=channel, contact_value="ana@patient.example")
    sent = MessageFactory(
        interaction=interaction,
        direction="outbound",
        status=MessageStatus.SENT,
        gate_decision=GateDecision.SEND,
        provider="email",
        external_id="m-1@aurora.test",
    )
    fields = "Final-Recipient: rfc822; ana@patient.example\r\nAction: failed\r\n"
    fields += f"Status: {code}\r\nDiagnostic-Code: {words}\r\n"
    deliver(report(fields), sender="")
    drain_ledger()
    sent = Message.objects.get(pk=sent.pk)
    assert (sent.status, sent.error_code) == (MessageStatus.FAILED, code)
    assert marked == (["ana@patient.example"] if is_marked else [])
    assert Message.objects.count() == 1


def test_mail_that_cannot_be_read_waits_in_quarantine_with_its_source(channel, deliver):
    raw = b"Subject: nobody\r\n\r\nwho?\r\n"
    deliver(raw, sender="")
    drain_ledger()
    event = WebhookEvent.objects.get()
    assert (event.status, event.error) == (EventStatus.QUARANTINED, "The mail has no sender.")
    assert bytes(event.body).endswith(raw)


def test_a_database_that_fails_means_451_and_nothing_is_lost(channel, deliver, monkeypatch):
    real = mail_intake.receive_raw_mail

    def fails(**facts):
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(mail_intake, "receive_raw_mail", fails)
    with pytest.raises(smtplib.SMTPDataError) as refused:
        deliver(mail())
    assert (refused.value.smtp_code, WebhookEvent.objects.count()) == (451, 0)
    monkeypatch.setattr(mail_intake, "receive_raw_mail", real)
    assert deliver(mail()) == {}
    assert WebhookEvent.objects.count() == 1
