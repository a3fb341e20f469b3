"""One inbound message becomes part of one interaction of one person."""

import re
from datetime import timedelta
from itertools import pairwise

import pytest
from django.utils import timezone

from inbox.enums import EventStatus, InteractionStatus, MessageStatus
from inbox.models import Interaction, Message, OptOut, WebhookEvent
from inbox.realtime import sequences_of
from inbox.services.interactions import close, mark_read, take
from inbox.services.outbox import drain_outboxes
from inbox.services.replies import reply
from tests.factories.inbox import DispositionFactory, ReasonFactory
from tests.factories.patients import ContactPointFactory, PatientFactory

pytestmark = pytest.mark.django_db


def test_a_first_message_opens_one_waiting_interaction_in_the_channels_queue(patient_writes, sms_channel):
    interaction = patient_writes("Hello, is my result ready?", to=sms_channel)
    assert (interaction.status, interaction.queue, interaction.owner) == ("queued", sms_channel.queue, None)
    assert (interaction.contact_value, interaction.snippet, interaction.unread_count) == (
        "+13055550123",
        "Hello, is my result ready?",
        1,
    )
    assert WebhookEvent.objects.get().status == EventStatus.PROCESSED


def test_further_messages_join_the_live_interaction(patient_writes, sms_channel):
    first = patient_writes("Hello", to=sms_channel)
    second = patient_writes("Are you there?", to=sms_channel)
    assert first == second
    assert [m.text for m in second.messages.order_by("id")] == ["Hello", "Are you there?"]
    assert second.unread_count == 2


def test_later_words_of_a_turn_change_the_owners_list_and_nothing_else_of_theirs(
    patient_writes, sms_channel, agent, signed_in
):
    interaction = patient_writes("Hello", to=sms_channel)
    take(actor=agent, interaction_id=interaction.pk)
    mark_read(actor=agent, interaction_id=interaction.pk)
    topics = [f"agent.{agent.pk}", f"work.{agent.pk}"]
    told = [list(sequences_of(topics).values())]
    for text in ("Are you there?", "Please answer", "It hurts"):
        patient_writes(text, to=sms_channel)
        told.append(list(sequences_of(topics).values()))
    steps = [[b - a for a, b in zip(*pair, strict=True)] for pair in pairwise(told)]
    assert steps == [[1, 1], [0, 1], [0, 1]]
    page = signed_in(agent).get("/inbox/rows/?view=mine", headers={"HX-Request": "true"}).content.decode()
    live = " ".join(f"{topic}:{sequence}" for topic, sequence in zip(topics, told[-1], strict=True))
    assert re.findall('id="list".* data-live="([^"]*)"', page) == [live]


def test_an_answer_on_another_channel_joins_the_conversation_we_wrote_from(
    patient_writes, sms_channel, whatsapp_channel, agent, twilio_accepts
):
    first = patient_writes("Hello", to=whatsapp_channel)
    reply(actor=agent, interaction_id=first.pk, text="By SMS from now on", channel_id=sms_channel.pk)
    drain_outboxes()
    patient_writes("Fine", to=sms_channel)
    assert Interaction.objects.get() == first
    assert [message.text for message in first.messages.order_by("id")] == ["Hello", "By SMS from now on", "Fine"]


def test_the_same_delivery_twice_is_one_message(patient_writes, sms_channel):
    patient_writes("Hello", to=sms_channel, sid="SM" + "a" * 32)
    patient_writes("Hello", to=sms_channel, sid="SM" + "a" * 32)
    assert (WebhookEvent.objects.count(), Message.objects.count()) == (1, 1)


def test_one_matching_patient_is_linked_and_several_are_left_for_the_agent(patient_writes, sms_channel):
    maria = PatientFactory(language="es")
    ContactPointFactory(patient=maria, scheme="phone", value="+13055550123")
    alone = patient_writes("Hola", to=sms_channel)
    assert (alone.patient, alone.is_contact_shared, alone.language) == (maria, False, "es")
    for patient in (PatientFactory(), PatientFactory()):
        ContactPointFactory(patient=patient, scheme="phone", value="+13055550777")
    shared = patient_writes("Hello", to=sms_channel, sender="+13055550777")
    assert (shared.patient, shared.is_contact_shared) == (None, True)


def test_a_message_soon_after_closing_reopens_and_a_later_one_starts_anew_on_the_same_case(
    patient_writes, sms_channel, agent, time_machine, settings
):
    interaction = patient_writes("Hello", to=sms_channel)
    take(actor=agent, interaction_id=interaction.pk)
    close(
        actor=agent,
        interaction_id=interaction.pk,
        reason=ReasonFactory(),
        disposition=DispositionFactory(is_resolved=False),
        next_step="Call back with the result",
        next_step_owner=agent,
        next_step_date=timezone.localdate() + timedelta(days=1),
    )
    again = patient_writes("One more thing", to=sms_channel)
    assert (again.pk, again.status, again.owner) == (interaction.pk, InteractionStatus.QUEUED, None)
    take(actor=agent, interaction_id=again.pk)
    close(
        actor=agent,
        interaction_id=again.pk,
        reason=ReasonFactory(),
        disposition=DispositionFactory(is_resolved=True),
    )
    Interaction.objects.filter(pk=again.pk).update(
        closed_at=timezone.now() - timedelta(hours=settings.REOPEN_WINDOW_HOURS + 1)
    )
    later = patient_writes("Hello again", to=sms_channel)
    assert later.pk != interaction.pk
    assert later.case_id == Interaction.objects.get(pk=again.pk).case_id is not None


def test_a_message_to_a_number_that_is_not_ours_waits_in_quarantine(post_twilio, sms_channel):
    from inbox.services.ledger import drain_ledger

    post_twilio(
        "/webhooks/twilio/messaging", MessageSid="SM" + "b" * 32, From="+13055550123", To="+19995550000", Body="Hi"
    )
    drain_ledger()
    event = WebhookEvent.objects.get()
    assert (event.status, event.error) == (EventStatus.QUARANTINED, "No channel of ours has this recipient.")


def test_a_wrong_signature_is_refused_and_leaves_no_row(post_twilio, sms_channel):
    answer = post_twilio("/webhooks/twilio/messaging", signature="x" * 28, MessageSid="SM1", From="+1", To="+1")
    assert (answer.status_code, WebhookEvent.objects.count()) == (403, 0)


@pytest.mark.parametrize("word", ["STOP", "Baja.", "  sair ", "ARRÊT"])
def test_a_stop_word_alone_opts_out_at_once_and_is_confirmed_once(
    patient_writes, sms_channel, twilio_accepts, agent, word
):
    interaction = patient_writes("Hello", to=sms_channel)
    patient_writes(word, to=sms_channel)
    assert OptOut.objects.filter(channel_kind="sms", address="+13055550123", ended_at=None).count() == 1
    message = reply(actor=agent, interaction_id=interaction.pk, text="We will stop.")
    drain_outboxes()
    message.refresh_from_db()
    assert (message.status, message.gate_reason) == (MessageStatus.SUPPRESSED, "opted_out")
    assert len(twilio_accepts) == 1


def test_a_sentence_that_contains_stop_opts_nobody_out(patient_writes, sms_channel):
    patient_writes("Please do not stop my treatment", to=sms_channel)
    assert OptOut.objects.count() == 0


def test_start_lifts_an_opt_out(patient_writes, sms_channel):
    patient_writes("STOP", to=sms_channel)
    patient_writes("START", to=sms_channel)
    assert OptOut.objects.filter(ended_at=None).count() == 0


def test_a_reply_is_sent_once_and_its_ticks_only_go_forward(
    patient_writes, post_twilio, sms_channel, agent, twilio_accepts
):
    from inbox.services.ledger import drain_ledger

    interaction = patient_writes("Hello", to=sms_channel)
    message = reply(actor=agent, interaction_id=interaction.pk, text="Good morning", idempotency_key="k1")
    same = reply(actor=agent, interaction_id=interaction.pk, text="Good morning", idempotency_key="k1")
    assert same.pk == message.pk
    drain_outboxes()
    drain_outboxes()
    message.refresh_from_db()
    assert (len(twilio_accepts), message.status, message.attempts) == (1, MessageStatus.SENT, 1)
    for status in ("delivered", "read", "sent", "delivered"):
        post_twilio(
            "/webhooks/twilio/message-status",
            query=f"?message={message.public_id}",
            MessageSid=message.external_id,
            MessageStatus=status,
            To="+13055550123",
        )
    drain_ledger()
    message.refresh_from_db()
    assert message.status == MessageStatus.READ
    assert [r.status for r in message.delivery_reports.order_by("id")] == ["delivered", "read", "sent"]
    interaction.refresh_from_db()
    assert (interaction.owner, interaction.status) == (agent, InteractionStatus.ACTIVE)
