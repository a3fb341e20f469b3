"""Deadlines are told before they pass and when they have: once, to whom it concerns, and without a flood afterwards."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from contact_center.accounts.models import TeamMembership
from inbox.enums import ClockKind, NotificationKind, TimelineKind
from inbox.models import ForcedClosure, Notification, ServiceCalendar, SlaClock
from inbox.selectors.hours import forget_setup
from inbox.services import clocks
from inbox.services.deadlines import watch_deadlines
from tests.factories.hours import CalendarFactory, SlaPolicyFactory
from tests.factories.inbox import InteractionFactory

pytestmark = pytest.mark.django_db
N = NotificationKind
START = datetime(2026, 3, 2, 15, tzinfo=UTC)  # Monday, 10 in New York


@pytest.fixture
def now():
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def policy(queue):
    queue.calendar = CalendarFactory()
    queue.save()
    return SlaPolicyFactory(resolution_minutes=None)


@pytest.fixture
def lead(team, second_agent):
    TeamMembership.objects.filter(user=second_agent, team=team).update(is_lead=True)
    return second_agent


@pytest.fixture
def waiting(sms_channel):
    """`waiting(owner=...)` is a conversation whose patient wrote just now."""

    def wait(**given):
        row = InteractionFactory(channel=sms_channel, opened_at=datetime.now(UTC), **given)
        clocks.settle(row)
        row.save()
        return row

    return wait


def told():
    return sorted(Notification.objects.values_list("user__email", "kind", "interaction"))


def after(**span):
    return START + timedelta(**span)


def test_the_owner_hears_once_that_a_reply_is_due_soon(now, policy, waiting, agent, lead):
    row = waiting(owner=agent)
    now.move_to(after(minutes=22))
    assert (watch_deadlines(), told()) == (0, [])
    now.move_to(after(minutes=23))
    assert (watch_deadlines(), watch_deadlines()) == (1, 0)
    assert told() == [(agent.email, N.DEADLINE_NEAR, row.pk)]


def test_leads_hear_of_what_nobody_owns(now, policy, waiting, agent, lead, supervisor):
    row = waiting()
    now.move_to(after(minutes=23))
    watch_deadlines()
    assert told() == [(lead.email, N.DEADLINE_NEAR, row.pk)]


def test_supervisors_hear_where_a_queue_has_no_lead(now, policy, waiting, agent, supervisor):
    row = waiting()
    now.move_to(after(minutes=23))
    watch_deadlines()
    assert told() == [(supervisor.email, N.DEADLINE_NEAR, row.pk)]


def test_a_missed_deadline_is_kept_as_of_its_moment_and_told_to_owner_and_lead(now, policy, waiting, agent, lead):
    row = waiting(owner=agent)
    now.move_to(after(minutes=30))
    watch_deadlines()
    now.move_to(after(minutes=31))
    assert (watch_deadlines(), watch_deadlines()) == (1, 0)
    clock = row.clocks.get()
    event = row.timeline_events.get(kind=TimelineKind.DEADLINE_MISSED)
    assert (clock.breached_at, event.at, event.detail) == (after(minutes=30), after(minutes=30), "first_response")
    assert told() == [
        (agent.email, N.DEADLINE_MISSED, row.pk),
        (agent.email, N.DEADLINE_NEAR, row.pk),
        (lead.email, N.DEADLINE_MISSED, row.pk),
    ]


def test_after_an_outage_all_is_marked_and_leads_hear_once(now, policy, waiting, agent, lead):
    rows = [waiting(owner=agent) for _ in range(5)]
    now.move_to(after(hours=3))
    assert watch_deadlines() == 5
    assert set(SlaClock.objects.values_list("breached_at", flat=True)) == {after(minutes=30)}
    assert told() == [(lead.email, N.DEADLINE_MISSED, rows[0].pk)]
    waiting()
    now.move_to(after(hours=5))
    watch_deadlines()
    assert len(told()) == 1  # the lead has not looked at the first one yet


def test_one_that_somebody_works_on_is_left_to_the_next_look(now, policy, waiting, agent, lead, monkeypatch):
    row = waiting(owner=agent)
    now.move_to(after(minutes=31))
    clock = row.clocks.get()
    clock.meet(clocks.setup().calendar(clock.calendar_id), after(minutes=29))
    clock.save()
    assert (watch_deadlines(), told()) == (0, [])


def test_a_changed_calendar_moves_what_is_due(now, policy, waiting, queue):
    row = waiting()
    ForcedClosure.objects.create(
        calendar=queue.calendar, from_at=after(minutes=10), until_at=after(minutes=70), messages={}
    )
    ServiceCalendar.objects.update(version=2)
    forget_setup()
    assert (watch_deadlines(), watch_deadlines()) == (1, 0)
    row.refresh_from_db()
    assert (row.due_at, row.clocks.get().due_at, row.due_kind) == (
        after(minutes=90),
        after(minutes=90),
        ClockKind.FIRST_RESPONSE,
    )
