"""Notifications: told once, to the right person, in the way they want."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from contact_center.jobs import registry, services, worker
from inbox import realtime
from inbox.enums import NotificationKind as K
from inbox.models import Notification, NotificationPreference
from inbox.services.notifications import clear_notifications, mark_read, notify
from tests.factories.inbox import InteractionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def interaction(sms_channel, agent):
    return InteractionFactory(channel=sms_channel, owner=agent)


def sequence(user):
    topic = realtime.agent_topic(user.pk)
    return realtime.sequences_of([topic])[topic]


def test_the_same_fact_is_told_once_and_moves_the_bell_once(agent, interaction):
    first = notify(user=agent, kind=K.ASSIGNED, interaction=interaction, dedupe_key="assigned:1")
    again = notify(user=agent, kind=K.ASSIGNED, interaction=interaction, dedupe_key="assigned:1")
    assert (list(Notification.objects.all()), again, sequence(agent)) == ([first], None, 1)


def test_facts_without_a_key_are_told_each_time(agent):
    notify(user=agent, kind=K.TASK_DUE)
    notify(user=agent, kind=K.TASK_DUE)
    assert Notification.objects.filter(user=agent).count() == 2


def test_nobody_is_told_what_they_did_themselves_or_after_they_left(agent, second_agent, interaction):
    assert notify(user=agent, kind=K.ASSIGNED, interaction=interaction, actor=agent) is None
    assert notify(user=None, kind=K.ASSIGNED, interaction=interaction) is None
    second_agent.is_active = False
    assert notify(user=second_agent, kind=K.ASSIGNED, interaction=interaction, actor=agent) is None
    assert Notification.objects.count() == 0


def test_a_person_who_wants_neither_panel_nor_mail_is_not_told(agent):
    NotificationPreference.objects.create(user=agent, kind=K.NEW_WORK, in_app=False)
    assert notify(user=agent, kind=K.NEW_WORK) is None


def test_a_mail_is_due_for_whoever_wants_one(agent):
    NotificationPreference.objects.create(user=agent, kind=K.MENTIONED, in_app=False, email=True)
    row = notify(user=agent, kind=K.MENTIONED)
    assert (row.is_in_app, row.mail_due_at is not None) == (False, True)


def test_reading_marks_only_ones_own_and_only_what_was_meant(agent, second_agent, interaction):
    one = notify(user=agent, kind=K.ASSIGNED, interaction=interaction)
    two = notify(user=agent, kind=K.TASK_DUE)
    other = notify(user=second_agent, kind=K.ASSIGNED, interaction=interaction)
    assert mark_read(actor=agent, interaction_id=interaction.pk) == 1
    assert mark_read(actor=agent, ids=[two.pk, other.pk]) == 1
    assert mark_read(actor=agent) == 0
    read = Notification.objects.exclude(read_at=None).values_list("pk", flat=True)
    assert sorted(read) == [one.pk, two.pk]


@pytest.mark.django_db(transaction=True)
def test_five_processes_that_say_the_same_at_once_tell_it_once(agent):
    told = []

    def say():
        try:
            told.append(notify(user=agent, kind=K.ASSIGNED, dedupe_key="assigned:7"))
        finally:
            connection.close()

    threads = [threading.Thread(target=say) for _ in range(5)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert (Notification.objects.count(), sum(row is not None for row in told)) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_whoever_started_long_work_is_told_when_it_is_over(agent):
    registry.register("noting", registry.Kind(title="Noting", do=lambda job, pk: None))
    job = services.start(owner=agent, kind="noting", title="x", items=[1])
    before = sequence(agent)
    worker.run_jobs()
    registry._kinds.pop("noting")
    told = list(Notification.objects.values_list("user", "kind", "dedupe_key"))
    assert (told, sequence(agent) > before) == ([(agent.pk, "job_finished", f"job:{job.pk}")], True)


def test_what_was_told_a_quarter_of_a_year_ago_is_removed(agent, interaction):
    old, recent = (notify(user=agent, kind=K.ASSIGNED, interaction=interaction) for _number in range(2))
    Notification.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=91))
    Notification.objects.filter(pk=recent.pk).update(created_at=timezone.now() - timedelta(days=89))
    assert (clear_notifications(), list(Notification.objects.all())) == (1, [recent])
