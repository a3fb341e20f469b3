"""Take next: the most urgent, then the longest waiting, of one's own queues; never one for two."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from inbox.enums import Priority
from inbox.models import Interaction, TimelineEvent
from inbox.services.next import take_next
from tests.factories.accounts import UserFactory
from tests.factories.inbox import InteractionFactory, ReasonFactory

pytestmark = pytest.mark.django_db


def waiting(channel, minutes, **fields):
    return InteractionFactory(channel=channel, waiting_since_at=timezone.now() - timedelta(minutes=minutes), **fields)


def test_the_urgent_comes_before_the_old_and_the_old_before_the_new(agent, sms_channel):
    new, old = waiting(sms_channel, 1), waiting(sms_channel, 90)
    urgent = waiting(sms_channel, 2, priority=Priority.URGENT)
    assert [take_next(actor=agent) for _ in range(4)] == [urgent, old, new, None]
    assert list(Interaction.objects.values_list("status", "owner").distinct()) == [("active", agent.pk)]
    assert TimelineEvent.objects.filter(kind="taken", actor=agent).count() == 3


def test_nothing_of_other_queues_of_others_or_at_rest_is_taken(agent, second_agent, sms_channel, other_queue):
    waiting(sms_channel, 5, queue=other_queue)
    waiting(sms_channel, 5, owner=second_agent)
    InteractionFactory(channel=sms_channel, status="closed", closed_at=timezone.now())
    assert take_next(actor=agent) is None


def test_a_partner_agent_gets_nothing_sensitive(partner_agent, partner_queue, sms_channel):
    waiting(sms_channel, 9, queue=partner_queue, reason=ReasonFactory(is_sensitive=True))
    plain = waiting(sms_channel, 1, queue=partner_queue)
    assert [take_next(actor=partner_agent), take_next(actor=partner_agent)] == [plain, None]


def test_somebody_without_the_right_gets_nothing(auditor, sms_channel):
    waiting(sms_channel, 5)
    assert take_next(actor=auditor) is None


@pytest.mark.django_db(transaction=True)
def test_ten_agents_at_once_get_ten_different_ones(team, sms_channel):
    for minutes in range(10):
        waiting(sms_channel, minutes)
    agents = [UserFactory(teams=[team]) for _ in range(10)]
    barrier, got = threading.Barrier(10), []

    def ask(user):
        try:
            barrier.wait()
            got.append(take_next(actor=user).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=[user]) for user in agents]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(got) == sorted(Interaction.objects.values_list("pk", flat=True))
    assert Interaction.objects.values("owner").distinct().count() == 10


@pytest.mark.django_db(transaction=True)
def test_one_that_somebody_is_taking_is_passed_over_without_waiting(agent, sms_channel):
    first, second = waiting(sms_channel, 9), waiting(sms_channel, 5)
    is_held, may_end = threading.Event(), threading.Event()

    def hold():
        try:
            with transaction.atomic():
                Interaction.objects.select_for_update().get(pk=first.pk)
                is_held.set()
                may_end.wait(5)
        finally:
            connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    is_held.wait(5)
    began = time.monotonic()
    taken = take_next(actor=agent)
    took = time.monotonic() - began
    may_end.set()
    thread.join()
    assert (taken, took < 2) == (second, True)
