"""Whoever begins a conversation by mail is told that we have it; machines are never answered."""

from datetime import timedelta

import pytest
from django.core import mail as outgoing
from django.utils import timezone

from inbox.enums import Direction, MessagePurpose
from inbox.mail.loopguard import MOST_PER_HOUR
from inbox.models import Interaction, Message
from inbox.services.ledger import drain_ledger, receive_raw_mail
from inbox.services.outbox import drain_outboxes
from tests.factories.inbox import ChannelFactory, MessageFactory
from tests.factories.patients import ContactPointFactory
from tests.inbox.mail.mails import mail
from tests.inbox.mail.test_loopguard import AUTO_MAILS

pytestmark = pytest.mark.django_db


@pytest.fixture
def email_channel(queue):
    ChannelFactory(kind="email", address="billing@aurora.test", queue=queue)
    return ChannelFactory(kind="email", address="care@aurora.test", queue=queue)


@pytest.fixture
def mailbox(email_channel):
    email_channel.sends_receipts = True
    email_channel.save()
    return email_channel


def arrives(*raws):
    for raw in raws:
        receive_raw_mail(raw=raw, transport="smtp", mailbox="care@aurora.test")
    drain_ledger()


def receipts():
    return Message.objects.filter(direction=Direction.OUTBOUND, purpose=MessagePurpose.RECEIPT).order_by("id")


def test_a_new_conversation_by_mail_is_acknowledged_in_its_thread_as_an_automatic_mail(mailbox):
    arrives(mail())
    drain_outboxes()
    (sent,) = outgoing.outbox
    reference = Interaction.objects.get().reference
    assert (sent.to, sent.extra_headers["In-Reply-To"]) == (["ana@patient.example"], "<q1@patient.example>")
    assert (sent.extra_headers["Auto-Submitted"], reference in sent.subject) == ("auto-replied", True)


def test_the_receipt_speaks_the_language_of_the_patient(mailbox):
    ContactPointFactory(scheme="email", value="ana@patient.example", patient__language="es")
    arrives(mail())
    assert receipts().get().text.startswith("Recibimos su mensaje.")


def test_a_channel_that_sends_no_receipts_sends_none(email_channel):
    arrives(mail())
    assert (Interaction.objects.count(), receipts().count()) == (1, 0)


def test_a_second_mail_of_the_same_conversation_gets_no_receipt(mailbox):
    arrives(mail(), mail("More", Message_ID="<q2@patient.example>", In_Reply_To="<q1@patient.example>"))
    assert (Interaction.objects.count(), receipts().count()) == (1, 1)


@pytest.mark.parametrize(("hours", "expected"), [(23, 1), (25, 2)])
def test_one_writer_gets_one_receipt_a_day(mailbox, hours, expected):
    arrives(mail())
    receipts().update(created_at=timezone.now() - timedelta(hours=hours))
    Interaction.objects.update(thread_key="elsewhere")
    arrives(mail("Another matter", subject="Other", Message_ID="<q9@patient.example>"))
    assert (Interaction.objects.count(), receipts().count()) == (2, expected)


def test_a_flood_from_changing_addresses_is_not_answered_for_ever(mailbox):
    for number in range(MOST_PER_HOUR):
        MessageFactory(
            channel=mailbox,
            channel_kind="email",
            direction=Direction.OUTBOUND,
            status="queued",
            purpose=MessagePurpose.RECEIPT,
            address=f"p{number}@x.example",
        )
    arrives(mail())
    assert receipts().filter(address="ana@patient.example").count() == 0


def test_X9_no_automatic_mail_is_answered(mailbox):
    arrives(*AUTO_MAILS.values())
    print(f"X9: {receipts().count()} replies to {len(AUTO_MAILS)} automatic mails")
    assert list(receipts().values_list("address", flat=True)) == []
