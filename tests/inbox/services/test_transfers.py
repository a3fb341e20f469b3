"""Handing an interaction to another queue or person."""

import pytest

from contact_center.common.errors import Conflict, Refused
from inbox.enums import InteractionStatus, TimelineKind
from inbox.models import Note, TimelineEvent
from inbox.services.interactions import close
from inbox.services.snooze import snooze
from inbox.services.transfers import transfer
from tests.factories.accounts import UserFactory
from tests.factories.inbox import DispositionFactory, InteractionFactory, QueueFactory, ReasonFactory

pytestmark = pytest.mark.django_db
S = InteractionStatus


@pytest.fixture
def mine(agent, sms_channel):
    return InteractionFactory(channel=sms_channel, owner=agent)


def place(interaction):
    interaction.refresh_from_db()
    return interaction.status, interaction.queue, interaction.owner


def refusal(kind=Refused, **given):
    with pytest.raises(kind) as raised:
        transfer(**given)
    return str(raised.value)


def test_to_a_queue_it_waits_there_with_the_reason_and_the_note(agent, mine, queue, clinical_queue):
    transfer(actor=agent, interaction_id=mine.pk, why="Clinical", queue=clinical_queue, note="Pain since Monday.")
    assert place(mine) == (S.QUEUED, clinical_queue, None)
    event = TimelineEvent.objects.get(interaction=mine)
    assert (event.kind, event.detail) == (TimelineKind.TRANSFERRED, "Clinical")
    assert (event.from_queue, event.to_queue, event.to_user) == (queue, clinical_queue, None)
    note = Note.objects.get(interaction=mine)
    assert (note.author, note.body) == (agent, "Pain since Monday.")


def test_to_a_person_of_the_same_queue_they_own_it(agent, second_agent, mine, queue):
    transfer(actor=agent, interaction_id=mine.pk, why="Knows her", assignee=second_agent)
    assert place(mine) == (S.ACTIVE, queue, second_agent)


def test_to_a_person_of_another_queue_both_are_named(agent, clinical_agent, mine, clinical_queue):
    transfer(actor=agent, interaction_id=mine.pk, why="Clinical", queue=clinical_queue, assignee=clinical_agent)
    assert place(mine) == (S.ACTIVE, clinical_queue, clinical_agent)


def test_a_waiting_one_of_nobody_can_be_transferred_by_who_may_take_it(agent, sms_channel, clinical_queue):
    free = InteractionFactory(channel=sms_channel)
    transfer(actor=agent, interaction_id=free.pk, why="Clinical", queue=clinical_queue)
    assert place(free) == (S.QUEUED, clinical_queue, None)


def test_a_snoozed_one_and_one_in_wrap_up_wait_awake(agent, mine, queue, clinical_queue):
    snooze(actor=agent, interaction_id=mine.pk, until_at=None)
    transfer(actor=agent, interaction_id=mine.pk, why="Clinical", queue=clinical_queue)
    assert place(mine)[0] == S.QUEUED
    other = InteractionFactory(channel=mine.channel, owner=agent, status="wrap_up")
    transfer(actor=agent, interaction_id=other.pk, why="Clinical", queue=clinical_queue)
    assert place(other)[0] == S.QUEUED


def test_there_is_a_way_back(agent, clinical_agent, mine, queue, clinical_queue):
    transfer(actor=agent, interaction_id=mine.pk, why="Clinical", queue=clinical_queue, assignee=clinical_agent)
    transfer(actor=clinical_agent, interaction_id=mine.pk, why="Answered", queue=queue, assignee=agent)
    assert place(mine) == (S.ACTIVE, queue, agent)


def test_what_is_missing_or_pointless_is_refused_in_words(agent, outsider, auditor, mine, queue, other_queue):
    at = {"actor": agent, "interaction_id": mine.pk}
    assert refusal(**at, why=" ", queue=other_queue) == "Say why you are transferring it."
    assert refusal(**at, why="x") == "Choose a queue or a person."
    assert refusal(**at, why="x", queue=queue) == "It is in this queue already."
    assert refusal(**at, why="x", assignee=agent) == f"{agent} has it already."
    assert refusal(**at, why="x", assignee=outsider) == f"{outsider} does not serve this queue."
    assert refusal(**at, why="x", queue=other_queue, assignee=auditor) == f"{auditor} does not serve this queue."
    gone = UserFactory(teams=[], is_active=False)
    assert refusal(**at, why="x", assignee=gone) == f"{gone} does not serve this queue."
    shut = QueueFactory(is_active=False)
    assert refusal(**at, why="x", queue=shut) == "This queue is not in use any more."
    assert place(mine) == (S.ACTIVE, queue, agent)
    assert not Note.objects.filter(interaction=mine).exists()


def test_a_refused_transfer_leaves_no_note(agent, outsider, mine):
    refusal(actor=agent, interaction_id=mine.pk, why="x", assignee=outsider, note="Kept in the form")
    assert not Note.objects.exists()


def test_somebody_elses_and_a_closed_one_stay(agent, second_agent, supervisor, mine, clinical_queue):
    at = {"interaction_id": mine.pk, "why": "x", "queue": clinical_queue}
    assert refusal(Conflict, actor=second_agent, **at) == f"{agent} has taken this interaction already."
    close(actor=agent, interaction_id=mine.pk, reason=ReasonFactory(), disposition=DispositionFactory())
    assert refusal(actor=supervisor, **at) == "This interaction is closed. Reopen it first."
