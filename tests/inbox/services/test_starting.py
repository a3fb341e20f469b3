"""The desk writes first."""

from datetime import timedelta

import pytest
from django.utils import timezone

from contact_center.common.errors import Conflict, Refused
from inbox.enums import Direction, InteractionStatus, TimelineKind
from inbox.models import Interaction, Message, Task
from inbox.services.interactions import close
from inbox.services.newcomers import create_at_address
from inbox.services.outbox import drain_outboxes
from inbox.services.starting import AlreadyOpen, start_conversation
from patients.services.addresses import NewAddress, add_contact_point
from tests.factories.inbox import (
    ChecklistFactory,
    DispositionFactory,
    InteractionFactory,
    MessageFactory,
    MessageTemplateFactory,
    OptOutFactory,
    ReasonFactory,
)
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db
PHONE = "+13055550142"


@pytest.fixture
def patient(db):
    return PatientFactory(phone=PHONE, language="es")


@pytest.fixture
def start(agent, sms_channel):
    def run(**given):
        return start_conversation(
            **({"actor": agent, "channel": sms_channel, "reason": ReasonFactory(), "text": "Your scan"} | given)
        )

    return run


def refusal(kind, verb, **given):
    with pytest.raises(kind) as raised:
        verb(**given)
    return str(raised.value)


def test_it_belongs_to_whoever_started_it_and_its_first_message_waits_to_leave(start, agent, patient, sms_channel):
    reason = ReasonFactory(priority=2)
    ChecklistFactory(reasons=[reason])
    row = start(patient=patient, reason=reason)
    assert (row.owner, row.status, row.patient, row.direction) == (agent, "active", patient, Direction.OUTBOUND)
    assert (row.contact_value, row.queue, row.language, row.priority) == (PHONE, sms_channel.queue, "es", 2)
    assert (row.reason, row.snippet, row.waiting_since_at) == (reason, "Your scan", None)
    message = row.messages.get()
    assert (message.status, message.address, message.author) == ("queued", PHONE, agent)
    assert Task.objects.filter(interaction=row).count() == 2
    assert row.timeline_events.order_by("pk").first().kind == TimelineKind.OPENED


def test_what_the_patient_answers_joins_it(start, patient, sms_channel, patient_writes):
    row = start(patient=patient)
    patient_writes("Thank you", to=sms_channel, sender=PHONE)
    row.refresh_from_db()
    assert (Interaction.objects.count(), row.snippet, row.unread_count) == (1, "Thank you", 1)


def test_an_address_that_one_patient_has_is_theirs_and_a_shared_one_is_asked_about(start, patient):
    assert start(address="(305) 555-0142").patient == patient
    PatientFactory.create_batch(2, phone="+13055550199")
    shared = start(address="+1 305 555 0199")
    assert (shared.patient, shared.is_contact_shared) == (None, True)
    new = start(address="+1 305 555 0177")
    assert (new.patient, new.contact_value, new.is_contact_shared) == (None, "+13055550177", False)


def test_an_open_conversation_there_is_named_instead_of_a_second_one(start, agent, patient, sms_channel):
    live = InteractionFactory(channel=sms_channel, contact_value=PHONE, patient=patient)
    with pytest.raises(AlreadyOpen) as raised:
        start(patient=patient)
    assert raised.value.interaction_id == live.pk
    assert (Interaction.objects.count(), Message.objects.count()) == (1, 0)


def test_after_the_last_one_is_closed_a_new_one_begins(start, agent, patient):
    first = start(patient=patient)
    close(actor=agent, interaction_id=first.pk, reason=ReasonFactory(), disposition=DispositionFactory())
    assert start(patient=patient).pk != first.pk


def test_the_same_form_twice_starts_one(start, patient, email_channel):
    add_contact_point(actor=None, patient_id=patient.pk, scheme="email", value="ana@example.org")
    given = {"patient": patient, "channel": email_channel, "subject": "Your visit", "idempotency_key": "k"}
    first, second = start(**given), start(**given)
    assert (first, Interaction.objects.count(), Message.objects.count()) == (second, 1, 1)


def test_a_mail_has_the_subject_that_was_written_and_answers_come_back_to_it(start, patient, email_channel):
    add_contact_point(actor=None, patient_id=patient.pk, scheme="email", value="ana@example.org")
    row = start(patient=patient, channel=email_channel, subject="Your visit", held_seconds=10)
    message = row.messages.get()
    assert (message.subject, message.in_reply_to, message.address) == ("Your visit", "", "ana@example.org")
    assert message.next_attempt_at > timezone.now()
    assert start(patient=patient, channel=email_channel, subject="Another").pk != row.pk


@pytest.mark.parametrize(
    ("switch", "sentence"),
    [
        ({"is_do_not_contact": True}, "The patient does not want to be contacted."),
        ({"deceased_date": timezone.localdate()}, "The patient has died."),
    ],
)
def test_what_the_gate_would_not_let_out_is_refused_and_leaves_nothing(start, switch, sentence):
    patient = PatientFactory(phone=PHONE, **switch)
    assert refusal(Refused, start, patient=patient) == sentence
    assert (Interaction.objects.count(), Message.objects.count()) == (0, 0)


def test_whoever_told_us_to_stop_is_not_written_to(start, patient):
    OptOutFactory(address=PHONE)
    assert refusal(Refused, start, patient=patient) == "This address asked us to stop."


def test_whatsapp_begins_with_a_template_and_goes_on_freely_while_its_window_is_open(
    start, patient, whatsapp_channel, twilio_accepts
):
    closed = "The 24-hour WhatsApp window is closed. Send an approved template, or use another channel."
    assert refusal(Refused, start, patient=patient, channel=whatsapp_channel) == closed
    template = MessageTemplateFactory()
    given = {"patient": patient, "channel": whatsapp_channel, "text": "", "template": template}
    assert refusal(Refused, start, **given) == "Fill in “First name”."
    row = start(**given, template_variables={"1": "María"})
    assert row.messages.get().text == "Hello María, please call us."
    drain_outboxes()
    assert (row.messages.get().status, len(twilio_accepts)) == ("sent", 1)
    old = InteractionFactory(channel=whatsapp_channel, contact_value="+13055550155", status="closed")
    MessageFactory(interaction=old, occurred_at=timezone.now() - timedelta(hours=2))
    assert start(address="+13055550155", channel=whatsapp_channel).messages.get().text == "Your scan"


def test_what_makes_no_sense_is_refused_in_words(start, agent, partner_agent, patient, sms_channel, email_channel):
    assert refusal(Refused, start, address="12") == (
        "This is not a complete phone number. Add the country code, as in +34."
    )
    missing = "The patient has no such address. Add it to the record first."
    assert refusal(Refused, start, patient=patient, channel=email_channel) == missing
    assert refusal(Refused, start, patient=patient, address="+13055550000") == missing
    assert refusal(Refused, start, patient=patient, text=" ") == "Write a message first."
    assert refusal(Refused, start, patient=patient, reason=ReasonFactory(is_active=False)) == (
        "Choose a reason from the list."
    )
    stranger = refusal(Refused, start, actor=partner_agent, address="+13055550177")
    assert stranger == "You may not start this conversation."
    sms_channel.is_active = False
    assert refusal(Refused, start, patient=patient) == "This channel is switched off."
    assert Interaction.objects.count() == 0


def test_a_message_of_the_patient_at_the_same_moment_leaves_one_live_conversation(start, patient, sms_channel):
    InteractionFactory(channel=sms_channel, contact_value=PHONE, status=InteractionStatus.ABANDONED)
    row = start(patient=patient)
    assert refusal(Conflict, start, patient=patient) == (
        "There is an open conversation with this person on this channel already."
    )
    assert Interaction.objects.exclude(status__in=["abandoned"]).get() == row


def test_a_protected_patient_is_not_found_out_by_writing_to_their_number(start, agent, supervisor):
    PatientFactory(phone=PHONE, sensitivity="vip")
    assert start(address=PHONE).patient is None


@pytest.mark.parametrize("wish", [{"is_do_not_contact": True}, {"deceased_date": "2020-02-02"}])
def test_the_wish_of_a_hidden_patient_counts_all_the_same(wish, start):
    PatientFactory(phone=PHONE, sensitivity="vip", **wish)
    sentences = ("The patient does not want to be contacted.", "The patient has died.")
    assert refusal(Refused, start, address=PHONE) in sentences
    assert Interaction.objects.count() == 0


def test_the_same_new_patient_at_the_same_address_is_one_record(agent):
    at = {"actor": agent, "addresses": [NewAddress("phone", PHONE)], "family_name": "Lima"}
    ana = create_at_address(**at, given_name="Ana")
    assert create_at_address(**at, given_name="ana ") == ana
    assert create_at_address(**at, given_name="Rui") != ana
