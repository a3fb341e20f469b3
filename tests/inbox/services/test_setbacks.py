"""A reply that did not arrive, after its conversation went on elsewhere."""

from datetime import timedelta

import pytest
from django.utils import timezone

from inbox.enums import InteractionStatus, MessageStatus
from inbox.services.departures import note_departure
from inbox.services.interactions import close, reopen
from inbox.services.merging import merge
from inbox.services.outbox import save_and_tell
from inbox.services.replies import reply
from tests.factories.inbox import DispositionFactory, InteractionFactory, ReasonFactory
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db
S = InteractionStatus
PHONE = "+13055550123"


@pytest.fixture
def mine(agent, sms_channel):
    patient = PatientFactory()
    return InteractionFactory(channel=sms_channel, owner=agent, patient=patient, contact_value=PHONE)


@pytest.fixture
def other(agent, whatsapp_channel, mine):
    """Where `mine` goes on."""
    return InteractionFactory(channel=whatsapp_channel, owner=agent, patient=mine.patient, contact_value=PHONE)


def closed(agent, interaction):
    close(actor=agent, interaction_id=interaction.pk, reason=ReasonFactory(), disposition=DispositionFactory())


def failed(message):
    message.refresh_from_db()
    message.claim()
    message.fail("30003", "Unreachable", timezone.now())
    save_and_tell(message)


def states(*interactions):
    for one in interactions:
        one.refresh_from_db()
    return [(one.status, one.waiting_since_at is not None) for one in interactions]


def test_the_failure_of_a_reply_in_a_merged_conversation_runs_the_clock_of_its_target(agent, mine, other):
    message = reply(actor=agent, interaction_id=mine.pk, text="Hello")
    merge(actor=agent, source_id=mine.pk, target_id=other.pk)
    reply(actor=agent, interaction_id=other.pk, text="Hello", channel_id=mine.channel_id)
    assert states(mine, other) == [(S.CLOSED, False), (S.ACTIVE, False)]
    failed(message)
    assert states(mine, other) == [(S.CLOSED, False), (S.ACTIVE, True)]
    assert message.status == MessageStatus.FAILED


def test_a_closed_target_is_queued_again(agent, mine, other):
    message = reply(actor=agent, interaction_id=mine.pk, text="Hello")
    merge(actor=agent, source_id=mine.pk, target_id=other.pk)
    closed(agent, other)
    failed(message)
    assert states(mine, other) == [(S.CLOSED, False), (S.QUEUED, True)]


def test_a_thread_that_lives_in_an_earlier_conversation_is_not_opened_twice(agent, mine):
    closed(agent, mine)
    later = InteractionFactory(channel=mine.channel, owner=agent, patient=mine.patient, contact_value=PHONE)
    message = reply(actor=agent, interaction_id=later.pk, text="Hello")
    closed(agent, later)
    reopen(actor=agent, interaction_id=mine.pk)
    failed(message)
    assert states(mine, later) == [(S.ACTIVE, False), (S.CLOSED, True)]
    assert message.status == MessageStatus.FAILED


def test_what_was_put_off_before_a_merge_answers_the_target_when_it_leaves(agent, mine, other):
    at = timezone.now() + timedelta(hours=30)
    message = reply(actor=agent, interaction_id=mine.pk, text="Until tomorrow", scheduled_at=at)
    merge(actor=agent, source_id=mine.pk, target_id=other.pk)
    assert states(other) == [(S.ACTIVE, True)]
    message.refresh_from_db()
    note_departure(message)
    assert states(other) == [(S.ACTIVE, False)]
    assert other.snippet == "Until tomorrow"
