"""Whose words, whose case, whose address: what must never be guessed, and what must never look done when it is not."""

import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.utils import timezone

from contact_center.common.errors import Conflict
from inbox.adapters.events import Address, DeliveryReport, InboundMessage
from inbox.enums import CaseStatus, GateDecision, InteractionStatus, MessageStatus
from inbox.models import Case, Interaction, Message, TopicSequence
from inbox.services.inbound import receive_message
from inbox.services.interactions import close, reopen, take
from inbox.services.linking import link_patient
from inbox.services.outbox import drain_outboxes
from inbox.services.replies import reply
from inbox.services.reports import apply_report
from tests.factories.inbox import DispositionFactory, InteractionFactory, ReasonFactory
from tests.factories.patients import ContactPointFactory, PatientFactory

pytestmark = pytest.mark.django_db


def mail(text="Hello", *, sender="ana@example.org", message_id="<m1@example.org>", at=None, **payload):
    return InboundMessage(
        provider="email",
        external_id=message_id,
        channel_kind="email",
        sender=Address("email", sender, sender),
        recipient=Address("email", "care@aurora.example", ""),
        kind="text",
        text=text,
        occurred_at=at,
        payload=payload,
    )


def bounce(recipient, *, external_id="", our_id=None):
    return DeliveryReport(
        provider="email",
        external_id=external_id,
        status="failed",
        reason="bad_address",
        our_id=our_id,
        recipient=Address("email", recipient, recipient),
    )


def sent_mail(channel, address, **fields):
    interaction = InteractionFactory(channel=channel, contact_scheme="email", contact_value=address)
    message = Message(
        interaction=interaction,
        channel=channel,
        channel_kind="email",
        direction="outbound",
        provider="email",
        address_scheme="email",
        address=address,
        text="Hello",
        status=MessageStatus.SENT,
        gate_decision=GateDecision.SEND,
        **fields,
    )
    message.save()
    return message


def test_a_bounce_that_names_no_message_condemns_nobody(email_channel):
    point = ContactPointFactory(patient=PatientFactory(), scheme="email", value="ana@example.org")
    sent_mail(email_channel, "ana@example.org")
    assert apply_report(bounce("ana@example.org"), event=None) is False
    point.refresh_from_db()
    assert point.bounced_at is None


def test_a_bounce_counts_only_for_the_address_that_was_written_to(email_channel):
    message = sent_mail(email_channel, "ana@example.org", external_id="<ours@aurora.example>")
    forged = bounce("somebody@example.org", external_id="<ours@aurora.example>")
    assert apply_report(forged, event=None) is False
    assert apply_report(bounce("ana@example.org", external_id="<ours@aurora.example>"), event=None) is True
    message.refresh_from_db()
    assert message.status == MessageStatus.FAILED


def test_a_mail_from_a_bounced_address_proves_that_it_exists(email_channel):
    point = ContactPointFactory(
        patient=PatientFactory(), scheme="email", value="ana@example.org", bounced_at=timezone.now()
    )
    receive_message(mail(), received_at=timezone.now())
    point.refresh_from_db()
    assert point.bounced_at is None


def test_two_mails_with_one_message_id_from_two_people_are_two_messages(email_channel):
    now = timezone.now()
    first = receive_message(mail("Mine"), received_at=now)
    other = receive_message(mail("Theirs", sender="eve@example.org"), received_at=now)
    again = receive_message(mail("Theirs", sender="eve@example.org"), received_at=now)
    assert (first.text, other.text, again.pk, Message.objects.count()) == ("Mine", "Theirs", other.pk, 2)


def test_a_mail_with_a_wrong_clock_stands_where_it_came(email_channel):
    now = timezone.now()
    message = receive_message(mail(at=now - timedelta(days=9000)), received_at=now)
    assert message.occurred_at == now
    assert message.interaction.waiting_since_at == now


def test_an_automatic_reply_wakes_no_closed_conversation(email_channel, agent):
    now = timezone.now()
    first = receive_message(mail(), received_at=now)
    take(actor=agent, interaction_id=first.interaction_id)
    finish(first.interaction_id, agent)
    answer = mail(
        "Out of office", message_id="<m2@example.org>", is_auto_reply=True, interaction_id=first.interaction_id
    )
    filed = receive_message(answer, received_at=now)
    interaction = Interaction.objects.get(pk=first.interaction_id)
    assert (filed.interaction_id, interaction.status, interaction.unread_count) == (interaction.pk, "closed", 0)


def finish(interaction_id, agent, **fields):
    is_resolved = "next_step" not in fields
    return close(
        actor=agent,
        interaction_id=interaction_id,
        reason=ReasonFactory(),
        disposition=DispositionFactory(is_resolved=is_resolved),
        **fields,
    )


def share(number="+13055550123"):
    patients = [PatientFactory(), PatientFactory()]
    for patient in patients:
        ContactPointFactory(patient=patient, scheme="phone", value=number)
    return SimpleNamespace(first=patients[0], second=patients[1])


def step(agent):
    return {
        "next_step": "Call back",
        "next_step_owner": agent,
        "next_step_date": timezone.localdate() + timedelta(days=1),
    }


def test_a_shared_phone_reopens_nobodys_conversation_and_carries_nobodys_case(patient_writes, sms_channel, agent):
    family = share()
    first = patient_writes("Hello", to=sms_channel)
    link_patient(actor=agent, interaction_id=first.pk, patient=family.first)
    take(actor=agent, interaction_id=first.pk)
    closed = finish(first.pk, agent, **step(agent))
    second = patient_writes("Me again", to=sms_channel)
    assert (second.pk != closed.pk, second.patient, second.case, second.is_contact_shared) == (True, None, None, True)
    link_patient(actor=agent, interaction_id=second.pk, patient=family.second)
    take(actor=agent, interaction_id=second.pk)
    finish(second.pk, agent)
    assert Case.objects.get().status == CaseStatus.OPEN


def test_linking_somebody_else_leaves_the_case_with_its_patient(sms_channel, agent):
    ana, eve = PatientFactory(), PatientFactory()
    case = Case.objects.create(
        reference="K-1", title="Result", patient=ana, owner=agent, next_step="Call", next_step_date=timezone.localdate()
    )
    interaction = InteractionFactory(channel=sms_channel, patient=None, case=case)
    assert link_patient(actor=agent, interaction_id=interaction.pk, patient=eve).case is None


def test_a_colleague_cannot_answer_in_a_conversation_that_somebody_has(
    patient_writes, sms_channel, agent, second_agent, supervisor
):
    interaction = patient_writes("Hello", to=sms_channel)
    take(actor=agent, interaction_id=interaction.pk)
    with pytest.raises(Conflict):
        reply(actor=second_agent, interaction_id=interaction.pk, text="Hi")
    assert reply(actor=supervisor, interaction_id=interaction.pk, text="Hi").author == supervisor


def test_a_reply_that_was_not_sent_leaves_the_patient_waiting(patient_writes, sms_channel, agent, twilio_accepts):
    interaction = patient_writes("Hello", to=sms_channel)
    patient_writes("STOP", to=sms_channel)
    reply(actor=agent, interaction_id=interaction.pk, text="Good morning")
    interaction.refresh_from_db()
    assert interaction.waiting_since_at is None
    drain_outboxes()
    interaction.refresh_from_db()
    assert interaction.waiting_since_at == interaction.last_inbound_at


def test_a_reply_that_failed_after_closing_opens_the_conversation_again(email_channel, agent):
    message = sent_mail(email_channel, "ana@example.org", external_id="<ours@aurora.example>")
    take(actor=agent, interaction_id=message.interaction_id)
    finish(message.interaction_id, agent)
    apply_report(bounce("ana@example.org", external_id="<ours@aurora.example>"), event=None)
    assert Interaction.objects.get(pk=message.interaction_id).status == InteractionStatus.QUEUED


def test_reopening_beside_a_live_conversation_is_refused_in_words(sms_channel, agent):
    closed = InteractionFactory(channel=sms_channel, thread_key="+13055550123", status="closed")
    InteractionFactory(channel=sms_channel, thread_key="+13055550123")
    with pytest.raises(Conflict, match="already has an open interaction"):
        reopen(actor=agent, interaction_id=closed.pk)


@pytest.mark.django_db(transaction=True)
def test_two_agents_who_answer_at_one_queue_do_not_wait_for_each_other(sms_channel, agent, second_agent):
    rows = [InteractionFactory(channel=sms_channel, queue=sms_channel.queue) for _ in range(20)]
    for row in rows[10:]:
        take(actor=second_agent, interaction_id=row.pk)
    errors = []

    def work(actor, mine):
        try:
            for row in mine:
                reply(actor=actor, interaction_id=row.pk, text="Good morning")
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=work, args=(agent, rows[:10])),
        threading.Thread(target=work, args=(second_agent, rows[10:])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert Message.objects.filter(direction="outbound").count() == 20
    assert TopicSequence.objects.get(topic=f"queue.{sms_channel.queue_id}").sequence >= 20
