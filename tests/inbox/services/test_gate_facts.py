"""What the gate looks at is read at the moment of sending, from the right rows."""

from datetime import timedelta

import pytest
from django.utils import timezone

from inbox.enums import MessagePurpose
from inbox.models import Interaction
from inbox.selectors.gate_facts import facts_for, is_opted_out
from tests.factories.inbox import InteractionFactory, MessageFactory, OptOutFactory
from tests.factories.patients import ConsentFactory, ContactPointFactory, PatientFactory

pytestmark = pytest.mark.django_db
ADDRESS = "+13055550123"


@pytest.fixture
def message(sms_channel, agent):
    patient = PatientFactory(time_zone="America/Chicago")
    person = InteractionFactory(channel=sms_channel, contact_value=ADDRESS, patient=patient, owner=agent)
    return MessageFactory(interaction=person, direction="outbound", purpose=MessagePurpose.REMINDERS, text="Hello")


def test_an_opt_out_counts_for_its_kind_of_channel_and_only_while_it_lasts(message):
    stop = OptOutFactory(address=ADDRESS)
    assert (facts_for(message).is_opted_out, is_opted_out("whatsapp", ADDRESS)) == (True, False)
    stop.ended_at = timezone.now()
    stop.save()
    assert facts_for(message).is_opted_out is False


def test_the_latest_word_on_consent_for_this_purpose_and_channel_counts(message):
    patient, now = message.interaction.patient, timezone.now()
    assert facts_for(message).consent is None
    ConsentFactory(patient=patient, status="granted", recorded_at=now - timedelta(days=2))
    ConsentFactory(patient=patient, status="withdrawn", recorded_at=now - timedelta(days=1))
    ConsentFactory(patient=patient, status="granted", purpose="marketing", recorded_at=now)
    ConsentFactory(patient=patient, status="granted", channel_kind="email", recorded_at=now)
    assert facts_for(message).consent is False


def test_switches_set_after_queueing_are_seen(message):
    patient = message.interaction.patient
    patient.is_do_not_contact, patient.deceased_date = True, timezone.localdate()
    patient.save()
    facts = facts_for(message)
    assert (facts.is_do_not_contact, facts.is_deceased, facts.time_zone) == (True, True, "America/Chicago")


def test_a_reply_to_somebody_who_wrote_in_the_last_three_days_is_an_answer_not_a_contact(message):
    patient = message.interaction.patient
    patient.is_do_not_contact, patient.deceased_date = True, timezone.localdate()
    patient.save()
    message.purpose = MessagePurpose.REPLY
    MessageFactory(interaction=message.interaction, direction="inbound", address=ADDRESS)
    recent = facts_for(message)
    old = timezone.now() - timedelta(hours=73)
    Interaction.objects.update(last_inbound_at=old)
    message.interaction.messages.filter(direction="inbound").update(occurred_at=old)
    later = facts_for(message)
    assert (recent.is_do_not_contact, recent.is_deceased) == (False, False)
    assert (later.is_do_not_contact, later.is_deceased) == (True, True)


def test_a_bounce_of_this_address_is_seen_whoever_it_belongs_to(message):
    ContactPointFactory(patient=PatientFactory(), value=ADDRESS, bounced_at=timezone.now())
    assert facts_for(message).is_address_bounced is True


def test_only_automatic_messages_that_left_in_the_last_day_count_towards_the_cap(message):
    now = timezone.now()
    common = {"interaction": message.interaction, "direction": "outbound", "gate_decision": "send", "status": "sent"}
    for purpose, at in [("reminders", now), ("care", now), ("reply", now), ("reminders", now - timedelta(hours=25))]:
        MessageFactory(**common, purpose=purpose, sent_at=at, external_id="")
    assert facts_for(message).automatic_today == 2


def test_a_braced_variable_left_in_the_text_is_seen(message):
    message.text = "Hello {{1}}"
    assert facts_for(message).has_unresolved_variable is True
