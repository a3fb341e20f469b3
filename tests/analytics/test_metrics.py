"""Each figure of calls and replies counts what its definition says, and lists the very rows it counted."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from analytics.metrics import METRICS, CallCounts, Scope, call_counts, percent, reply_counts
from analytics.occupancy import Span, length, merged, occupancy, shared
from analytics.selectors.days import contacts_since, occupancy_of
from contact_center.accounts.models import PresenceChange
from inbox.enums import ClockKind, Direction
from inbox.models import SlaClock
from inbox.services.interactions import return_to_queue, take
from tests.factories.distribution import QueueSettingsFactory
from tests.factories.inbox import InteractionFactory

HOUR = timedelta(hours=1)
CASES = {  # waited, status, answered: what it counts as
    "at once on time": (3, "completed", True, {"offered", "answered", "on_time", "judged"}),
    "on the second": (20, "completed", True, {"offered", "answered", "on_time", "judged"}),
    "too late": (21, "completed", True, {"offered", "answered", "judged"}),
    "hung up": (30, "abandoned", False, {"offered", "abandoned", "judged"}),
    "hung up at once": (4, "abandoned", False, {"offered", "abandoned", "short"}),
    "wants a call back": (40, "callback_requested", False, {"offered"}),
    "left a message": (40, "voicemail", False, {"offered"}),
    "went on by text": (40, "completed", False, {"offered"}),
}


@pytest.fixture
def scope(queue):
    return Scope([queue.pk], timezone.now() - HOUR)


@pytest.mark.django_db
@pytest.mark.parametrize("case", CASES)
def test_a_call_counts_where_its_definition_says_and_nowhere_else(case, called, agent, scope):
    waited, status, is_answered, counted = CASES[case]
    call = called(waited, status, agent=agent if is_answered else None)
    names = ("offered", "answered", "abandoned", "short", "on_time", "judged")
    assert {name for name in names if call in METRICS[name].rows(scope)} == counted
    counts = call_counts(scope).get(call.queue_id)
    assert {name for name in names if getattr(counts, name)} == counted


@pytest.mark.django_db
def test_what_lies_outside_counts_nowhere(called, agent, scope, other_queue):
    called(3, agent=agent, at=scope.since - timedelta(seconds=1))
    called(3, agent=agent, queue=other_queue)
    called(3, agent=agent, direction=Direction.OUTBOUND)
    assert call_counts(scope) == {}
    assert call_counts(Scope([other_queue.pk], scope.since)) == {other_queue.pk: CallCounts(1, 1, 0, 0, 1)}


@pytest.mark.django_db
def test_each_queue_sets_its_own_seconds(called, agent, queue, scope):
    QueueSettingsFactory(queue=queue, answer_within_seconds=60, short_abandon_seconds=35)
    called(45, agent=agent)
    called(30, "abandoned")
    counts = call_counts(scope)[queue.pk]
    assert (counts.on_time, counts.short, counts.service_level, counts.abandonment) == (1, 1, 100, 50)
    assert counts.abandonment_without_short == 0


@pytest.mark.django_db
def test_replies_count_once_they_are_kept_or_missed(sms_channel, scope):
    now, kept = timezone.now(), {"met_at": timezone.now()}
    for facts in (kept, kept, kept | {"breached_at": now}, {"breached_at": now}, {}, {"stopped_at": now}):
        work = InteractionFactory(channel=sms_channel, last_message_at=now)
        SlaClock.objects.create(
            interaction=work, kind=ClockKind.FIRST_RESPONSE, target=HOUR, started_at=now - HOUR, due_at=now, **facts
        )
    assert reply_counts(scope) == {sms_channel.queue_id: (2, 4)}
    assert (METRICS["replies"].rows(scope).count(), METRICS["replies_kept"].rows(scope).count()) == (4, 2)


def test_shares_are_whole_and_of_nothing_there_is_none():
    assert [percent(*case) for case in ((0, 0), (0, 3), (1, 3), (2, 3), (1, 200), (3, 3))] == [None, 0, 33, 67, 1, 100]


spans = st.lists(st.builds(lambda a, b: Span(a, a + b), st.integers(0, 200), st.integers(0, 50)), max_size=8)


@given(spans, spans)
def test_times_are_counted_once_however_they_overlap(first, second):
    minutes = [{n for span in side for n in range(span.start, span.end)} for side in (first, second)]
    assert length(first) == len(minutes[0])
    assert length(shared(first, second)) == len(minutes[0] & minutes[1])
    assert merged([*first, *second]) == merged(merged(first) + second)


def test_concurrent_contacts_count_once_and_time_away_not_at_all():
    found = occupancy(
        calls=[Span(0, 10), Span(90, 110)], written=[Span(5, 20), Span(60, 80)],
        available=[Span(0, 50)], busy=[Span(50, 70)],
    )  # fmt: skip
    assert (found.on_contact, found.idle, found.percent) == (20 + 10 + 20, 30, 62)
    assert occupancy(calls=[], written=[Span(0, 9)], available=[], busy=[]).percent is None


@pytest.mark.django_db
def test_the_day_of_a_person_is_read_from_what_happened(agent, sms_channel, called, time_machine):
    began = timezone.now().replace(microsecond=0)
    PresenceChange.objects.create(user=agent, state="online", at=began - HOUR)
    time_machine.move_to(began + timedelta(minutes=10), tick=False)
    work = InteractionFactory(channel=sms_channel)
    take(actor=agent, interaction_id=work.pk)
    time_machine.move_to(began + timedelta(minutes=30), tick=False)
    return_to_queue(actor=agent, interaction_id=work.pk)
    call = called(0, agent=agent, talked=600, at=began + timedelta(minutes=35))
    now = began + timedelta(minutes=60)
    time_machine.move_to(now, tick=False)
    contacts = contacts_since({agent.pk}, began, now)[agent.pk]
    assert sorted((one.interaction_id, one.end - one.start, one.is_call) for one in contacts) == sorted(
        [(work.pk, 1200.0, False), (call.interaction_id, 600.0, True)]
    )
    assert occupancy_of({agent.pk}, began, now)[agent.pk].percent == 50
