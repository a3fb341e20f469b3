"""Resting until a time or a reply, and coming back."""

from datetime import timedelta

import psycopg2
import pytest
import time_machine
from django.utils import timezone

from contact_center.audit.models import AuditEntry
from contact_center.common.errors import Conflict, Refused
from inbox.enums import InteractionStatus, TimelineKind
from inbox.models import Notification, TimelineEvent
from inbox.services.interactions import close, return_to_queue, take
from inbox.services.snooze import snooze, wake, wake_due
from tests.factories.inbox import DispositionFactory, InteractionFactory, ReasonFactory
from tests.faults.lab import database_url

pytestmark = pytest.mark.django_db
S = InteractionStatus


def in_hours(hours):
    return timezone.now() + timedelta(hours=hours)


@pytest.fixture
def mine(agent, sms_channel):
    return InteractionFactory(channel=sms_channel, owner=agent, contact_value="+13055550123")


def state(interaction):
    interaction.refresh_from_db()
    return interaction.status, interaction.snoozed_until_at, interaction.is_snooze_kept, interaction.owner_id


def kinds(interaction):
    return list(TimelineEvent.objects.filter(interaction=interaction).order_by("pk").values_list("kind", flat=True))


def test_it_rests_until_the_time_and_both_are_on_record(agent, mine):
    until = in_hours(3)
    snooze(actor=agent, interaction_id=mine.pk, until_at=until)
    assert state(mine) == (S.SNOOZED, until, False, agent.pk)
    event = TimelineEvent.objects.get(interaction=mine)
    assert (event.kind, event.detail, event.actor) == (TimelineKind.SNOOZED, until.isoformat(), agent)
    assert AuditEntry.objects.filter(object_id=mine.pk, action="changed").count() == 1


def test_snoozing_a_free_one_makes_it_ones_own(agent, sms_channel):
    free = InteractionFactory(channel=sms_channel)
    snooze(actor=agent, interaction_id=free.pk, until_at=None)
    assert state(free) == (S.SNOOZED, None, False, agent.pk)


def test_snoozing_again_changes_the_time(agent, mine):
    snooze(actor=agent, interaction_id=mine.pk, until_at=in_hours(1), is_kept=True)
    later = in_hours(5)
    snooze(actor=agent, interaction_id=mine.pk, until_at=later)
    assert state(mine) == (S.SNOOZED, later, False, agent.pk)


@pytest.mark.parametrize(
    ("until", "is_kept", "sentence"),
    [
        (timedelta(seconds=-1), False, "This time has passed. Choose a later one."),
        (timedelta(days=400), False, "Choose a time within a year."),
        (None, True, "Say until when it should stay snoozed."),
    ],
)
def test_an_impossible_time_is_refused(agent, mine, until, is_kept, sentence):
    with pytest.raises(Refused) as refusal:
        snooze(
            actor=agent,
            interaction_id=mine.pk,
            until_at=timezone.now() + until if until else None,
            is_kept=is_kept,
        )
    assert str(refusal.value) == sentence
    assert state(mine)[0] == S.ACTIVE


def test_a_closed_one_cannot_rest(agent, mine):
    close(actor=agent, interaction_id=mine.pk, reason=ReasonFactory(), disposition=DispositionFactory())
    with pytest.raises(Refused) as refusal:
        snooze(actor=agent, interaction_id=mine.pk, until_at=in_hours(1))
    assert str(refusal.value) == "This interaction is closed. Reopen it first."


def test_one_being_wrapped_up_cannot_rest(agent, sms_channel):
    wrapped = InteractionFactory(channel=sms_channel, owner=agent, status="wrap_up")
    with pytest.raises(Conflict):
        snooze(actor=agent, interaction_id=wrapped.pk, until_at=in_hours(1))


def test_a_colleague_cannot_snooze_it_but_a_supervisor_can(agent, second_agent, supervisor, mine):
    with pytest.raises(Conflict):
        snooze(actor=second_agent, interaction_id=mine.pk, until_at=in_hours(1))
    snooze(actor=supervisor, interaction_id=mine.pk, until_at=in_hours(1))
    assert state(mine)[0::3] == (S.SNOOZED, agent.pk)
    with pytest.raises(Conflict):
        wake(actor=second_agent, interaction_id=mine.pk)


def test_an_auditor_may_not(auditor, mine):
    with pytest.raises(Refused):
        snooze(actor=auditor, interaction_id=mine.pk, until_at=in_hours(1))


def test_a_reply_of_the_patient_wakes_it(agent, mine, sms_channel, patient_writes):
    snooze(actor=agent, interaction_id=mine.pk, until_at=in_hours(3))
    patient_writes("I have the paper now", to=sms_channel)
    assert state(mine) == (S.ACTIVE, None, False, agent.pk)
    assert kinds(mine) == [TimelineKind.SNOOZED, TimelineKind.WOKEN]


def test_one_that_stays_snoozed_counts_the_reply_and_rests_on(agent, mine, sms_channel, patient_writes):
    until = in_hours(3)
    snooze(actor=agent, interaction_id=mine.pk, until_at=until, is_kept=True)
    patient_writes("Thanks", to=sms_channel)
    assert state(mine) == (S.SNOOZED, until, True, agent.pk)
    assert mine.unread_count == 1


def test_it_comes_back_when_the_time_comes_and_not_before(agent, mine):
    snooze(actor=agent, interaction_id=mine.pk, until_at=in_hours(3), is_kept=True)
    with time_machine.travel(in_hours(2), tick=False):
        assert wake_due() == 0
    with time_machine.travel(in_hours(4), tick=False):
        assert (wake_due(), wake_due()) == (1, 0)
    assert state(mine) == (S.ACTIVE, None, False, agent.pk)
    assert kinds(mine) == [TimelineKind.SNOOZED, TimelineKind.WOKEN]


def test_its_owner_is_told_once_that_it_is_back(agent, mine):
    snooze(actor=agent, interaction_id=mine.pk, until_at=in_hours(3))
    with time_machine.travel(in_hours(4), tick=False):
        wake_due()
    told = Notification.objects.filter(interaction=mine).values_list("user", "kind")
    assert list(told) == [(agent.pk, "snooze_ended")]


def test_one_without_a_time_waits_for_the_patient_for_ever(agent, mine):
    snooze(actor=agent, interaction_id=mine.pk, until_at=None)
    with time_machine.travel(in_hours(9999), tick=False):
        assert wake_due() == 0
    assert state(mine)[0] == S.SNOOZED


@pytest.mark.parametrize("verb", [take, wake, return_to_queue])
def test_every_way_back_ends_the_rest(agent, mine, verb):
    snooze(actor=agent, interaction_id=mine.pk, until_at=in_hours(3), is_kept=True)
    verb(actor=agent, interaction_id=mine.pk)
    assert state(mine)[1:3] == (None, False)
    assert state(mine)[0] == (S.QUEUED if verb is return_to_queue else S.ACTIVE)


def test_waking_what_is_awake_changes_nothing(agent, mine):
    wake(actor=agent, interaction_id=mine.pk)
    assert kinds(mine) == []


@pytest.mark.django_db(transaction=True)
def test_one_that_a_person_holds_is_left_to_the_next_look(agent, mine):
    snooze(actor=agent, interaction_id=mine.pk, until_at=in_hours(1))
    other = psycopg2.connect(database_url())
    try:
        other.cursor().execute("SELECT 1 FROM inbox_interaction WHERE id = %s FOR UPDATE", [mine.pk])
        with time_machine.travel(in_hours(2), tick=False):
            assert wake_due() == 0
            other.rollback()
            assert wake_due() == 1
    finally:
        other.close()
