"""Clocks follow the interaction: one of each kind, per episode, by the hours of its queue, stopped by people only."""

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from inbox import realtime
from inbox.adapters.events import Address, InboundMessage
from inbox.enums import ClockKind, InteractionStatus, Priority, StopReason
from inbox.models import Interaction, SlaClock
from inbox.selectors.hours import forget_setup
from inbox.services import interactions as desk
from inbox.services import labels, merging, snooze, transfers, unmerging
from inbox.services.inbound import receive_message
from inbox.services.later import take_back
from inbox.services.replies import reply
from inbox.services.webforms import submit_form
from tests.factories.hours import CalendarFactory, SlaPolicyFactory
from tests.factories.inbox import DispositionFactory, FormFieldFactory, QueueFactory, ReasonFactory, WebFormFactory

pytestmark = pytest.mark.django_db
K = ClockKind
MONDAY = datetime(2026, 3, 2, 10, tzinfo=ZoneInfo("America/New_York"))


@pytest.fixture
def now():
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def writes():
    """`writes("Hello", to=channel)` is a message of the patient that came just now."""
    numbers = itertools.count(1)

    def write(text, *, to, sender="+13055550123"):
        item = InboundMessage(
            provider="twilio",
            external_id=f"SM{next(numbers):032x}",
            channel_kind=to.kind,
            sender=Address("phone", sender, sender),
            recipient=Address("phone", to.address, to.address),
            kind="text",
            text=text,
        )
        with realtime.atomic():
            return receive_message(item, received_at=timezone.now()).interaction

    return write


@pytest.fixture
def hours(queue):
    """The general queue is served Monday to Friday, 9 to 18."""
    queue.calendar = CalendarFactory()
    queue.save()
    forget_setup()
    return queue.calendar


@pytest.fixture
def policy(hours):
    return SlaPolicyFactory()


def clock(interaction, kind):
    return interaction.clocks.filter(kind=kind).latest("pk")


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def after(**span):
    return MONDAY + timedelta(**span)


def test_a_message_starts_the_first_reply_and_the_resolution(now, policy, writes, sms_channel):
    row = writes("Hello", to=sms_channel)
    due = {one.kind: (one.started_at, one.due_at, one.warn_at) for one in row.clocks.all()}
    assert due == {
        K.FIRST_RESPONSE: (MONDAY, after(minutes=30), after(minutes=22.5)),
        K.RESOLUTION: (MONDAY, after(minutes=480), after(minutes=360)),
    }
    assert (row.due_at, row.warn_at, row.due_kind) == (after(minutes=30), after(minutes=22.5), K.FIRST_RESPONSE)


def test_friday_evening_is_due_on_monday_morning(now, policy, writes, sms_channel):
    now.move_to(after(days=4, hours=7, minutes=45))
    row = writes("Hello", to=sms_channel)
    assert clock(row, K.FIRST_RESPONSE).due_at == after(days=7, minutes=-45)


def test_only_a_person_stops_the_first_reply(now, policy, writes, sms_channel, agent):
    row = writes("HELP", to=sms_channel)
    assert row.messages.filter(author=None).count() == 2  # the automatic answer to HELP is one of them
    writes("And another thing", to=sms_channel)
    now.move_to(after(minutes=12))
    desk.take(actor=agent, interaction_id=row.pk)
    assert clock(row, K.FIRST_RESPONSE).met_at is None
    reply(actor=agent, interaction_id=row.pk, text="Good morning")
    met = clock(row, K.FIRST_RESPONSE)
    assert (met.met_at, met.breached_at, met.calendar_time, met.business_time) == (
        after(minutes=12),
        None,
        timedelta(minutes=12),
        timedelta(minutes=12),
    )
    assert row.clocks.filter(kind=K.FIRST_RESPONSE).count() == 1


def test_clock_time_and_counted_time_are_both_kept(now, policy, writes, sms_channel, agent):
    now.move_to(after(hours=7, minutes=50))
    row = writes("Hello", to=sms_channel)
    now.move_to(after(days=1, minutes=-40))
    reply(actor=agent, interaction_id=row.pk, text="Good morning")
    met = clock(row, K.FIRST_RESPONSE)
    assert (met.calendar_time, met.business_time) == (timedelta(hours=15, minutes=30), timedelta(minutes=30))
    assert met.breached_at is None


def test_each_turn_of_the_patient_is_a_next_reply(now, policy, writes, sms_channel, agent):
    row = writes("Hello", to=sms_channel)
    reply(actor=agent, interaction_id=row.pk, text="Good morning")
    now.move_to(after(hours=1))
    writes("One more", to=sms_channel)
    assert clock(row, K.NEXT_RESPONSE).due_at == after(hours=2)
    now.move_to(after(hours=3))
    reply(actor=agent, interaction_id=row.pk, text="Yes")
    late = clock(row, K.NEXT_RESPONSE)
    assert (late.met_at, late.breached_at) == (after(hours=3), after(hours=2))
    assert fresh(row).due_at is None


def test_the_resolution_rests_while_the_patient_has_to_act(now, policy, writes, sms_channel, agent):
    row = writes("Hello", to=sms_channel)
    now.move_to(after(minutes=20))
    reply(actor=agent, interaction_id=row.pk, text="Which day?")
    held = clock(row, K.RESOLUTION)
    assert (held.paused_at, held.used) == (after(minutes=20), timedelta(minutes=20))
    assert (fresh(row).due_at, fresh(row).due_kind) == (None, K.RESOLUTION)
    now.move_to(after(hours=2))
    writes("Friday", to=sms_channel)
    going = clock(row, K.RESOLUTION)
    assert (going.paused_at, going.paused) == (None, timedelta(minutes=100))
    assert going.due_at == after(days=1, minutes=40)  # 460 minutes were left at noon; six hours of them today


def test_a_snooze_holds_what_the_policy_lets_it_hold(now, policy, writes, sms_channel, agent):
    row = writes("Hello", to=sms_channel)
    now.move_to(after(minutes=10))
    snooze.snooze(actor=agent, interaction_id=row.pk, until_at=after(hours=3))
    assert {one.paused_at for one in row.clocks.all()} == {after(minutes=10)}
    now.move_to(after(hours=3))
    snooze.wake_due()
    assert clock(row, K.FIRST_RESPONSE).due_at == after(hours=3, minutes=20)


def test_what_is_closed_out_of_a_pause_counts_without_it(now, policy, writes, sms_channel, agent):
    row = writes("Hello", to=sms_channel)
    reply(actor=agent, interaction_id=row.pk, text="Which day?")
    now.move_to(after(days=3))
    desk.close(
        actor=agent, interaction_id=row.pk, reason=ReasonFactory(), disposition=DispositionFactory(is_resolved=True)
    )
    done = clock(row, K.RESOLUTION)
    assert (done.met_at, done.breached_at, done.business_time) == (after(days=3), None, timedelta())
    assert done.calendar_time == timedelta(days=3)
    assert (fresh(row).due_at, fresh(row).due_kind) == (None, "")


def test_closing_without_a_reply_leaves_the_first_reply_unmet(now, policy, writes, sms_channel, agent):
    row = writes("Hello", to=sms_channel)
    desk.take(actor=agent, interaction_id=row.pk)
    desk.close(
        actor=agent, interaction_id=row.pk, reason=ReasonFactory(), disposition=DispositionFactory(is_resolved=True)
    )
    ended = clock(row, K.FIRST_RESPONSE)
    assert (ended.met_at, ended.stopped_why) == (None, StopReason.CLOSED)


@pytest.mark.parametrize("who", ["patient", "agent"])
def test_opening_again_begins_another_episode(now, policy, writes, sms_channel, agent, who):
    row = writes("Hello", to=sms_channel)
    reply(actor=agent, interaction_id=row.pk, text="Done")
    desk.close(
        actor=agent, interaction_id=row.pk, reason=ReasonFactory(), disposition=DispositionFactory(is_resolved=True)
    )
    now.move_to(after(hours=1))
    if who == "patient":
        writes("Not quite", to=sms_channel)
    else:
        desk.reopen(actor=agent, interaction_id=row.pk)
    again = row.clocks.filter(episode=2)
    kinds = {K.RESOLUTION, K.FIRST_RESPONSE} if who == "patient" else {K.RESOLUTION}
    assert ({one.kind for one in again}, {one.started_at for one in again}) == (kinds, {after(hours=1)})
    assert fresh(row).first_reply_at is None


def test_a_reply_that_is_taken_back_was_none(now, policy, writes, sms_channel, agent):
    row = writes("Hello", to=sms_channel)
    now.move_to(after(minutes=5))
    message = reply(actor=agent, interaction_id=row.pk, text="Oops", held_seconds=10)
    now.move_to(after(minutes=5, seconds=8))
    take_back(actor=agent, message_id=message.pk)
    only = row.clocks.get(kind=K.FIRST_RESPONSE)
    assert (only.met_at, only.due_at, fresh(row).due_at) == (None, after(minutes=30), after(minutes=30))
    now.move_to(after(minutes=9))
    reply(actor=agent, interaction_id=row.pk, text="Good morning")
    assert row.clocks.get(kind=K.FIRST_RESPONSE).business_time == timedelta(minutes=9)


def test_another_priority_counts_anew_from_the_start_and_keeps_the_old_terms(now, policy, writes, sms_channel, agent):
    SlaPolicyFactory(position=0, priorities=[Priority.URGENT], first_response_minutes=5)
    policy.position = 9
    policy.save()
    forget_setup()
    row = writes("Hello", to=sms_channel)
    now.move_to(after(minutes=3))
    labels.set_priority(actor=agent, interaction_id=row.pk, priority=Priority.URGENT)
    old, new = row.clocks.filter(kind=K.FIRST_RESPONSE).order_by("pk")
    assert (old.stopped_why, old.due_at, new.started_at, new.due_at) == (
        StopReason.CHANGED,
        after(minutes=30),
        MONDAY,
        after(minutes=5),
    )
    assert fresh(row).due_at == after(minutes=5)


def test_another_queue_counts_by_its_own_hours(now, policy, writes, sms_channel, agent, team):
    night = QueueFactory(name="Night", teams=[team])
    row = writes("Hello", to=sms_channel)
    assert clock(row, K.RESOLUTION).due_at == after(hours=8)
    transfers.transfer(actor=agent, interaction_id=row.pk, queue=night, why="Nights")
    assert (clock(row, K.RESOLUTION).calendar_id, clock(row, K.RESOLUTION).due_at) == (None, after(hours=8))
    now.move_to(after(hours=7, minutes=55))
    other = writes("Hello", to=sms_channel, sender="+13055550177")
    transfers.transfer(actor=agent, interaction_id=other.pk, queue=night, why="Nights")
    assert clock(other, K.FIRST_RESPONSE).due_at == after(hours=8, minutes=25)


def test_reasons_below_a_reason_fit_its_policy_and_the_first_of_the_list_counts(now, hours, writes, sms_channel, agent):
    parent = ReasonFactory()
    child = ReasonFactory(parent=parent)
    wanted = SlaPolicyFactory(position=1, reasons=[parent], first_response_minutes=7)
    SlaPolicyFactory(position=2, reasons=[child], first_response_minutes=3)
    row = writes("Hello", to=sms_channel)
    assert row.clocks.count() == 0
    labels.set_reason(actor=agent, interaction_id=row.pk, reason=child)
    assert clock(row, K.FIRST_RESPONSE).policy == wanted


def test_a_form_starts_its_clocks(now, hours, form_channel):
    SlaPolicyFactory(channel_kinds=["form"])
    form = WebFormFactory(channel=form_channel)
    FormFieldFactory(form=form, key="question")
    submission = submit_form(form=form, answers={"question": "When?"}, nonce="n1")
    assert submission.interaction.due_at == after(minutes=30)
    assert fresh(submission.interaction).due_at == after(minutes=30)


def test_a_merge_waits_as_long_as_the_older_of_both_and_can_be_undone(
    now, policy, writes, sms_channel, whatsapp_channel, agent
):
    source = writes("Hello", to=sms_channel)
    now.move_to(after(minutes=10))
    target = writes("Hello again", to=whatsapp_channel)
    merging.merge(actor=agent, source_id=source.pk, target_id=target.pk)
    assert clock(source, K.FIRST_RESPONSE).stopped_why == StopReason.MERGED
    assert fresh(target).due_at == after(minutes=30)
    now.move_to(after(minutes=20))
    unmerging.unmerge(actor=agent, interaction_id=source.pk)
    back = source.clocks.get(kind=K.FIRST_RESPONSE)
    assert (back.stopped_at, back.due_at) == (None, after(minutes=30))


def test_what_we_begin_has_no_first_reply_but_every_answer_to_it_has(now, policy, writes, sms_channel, agent):
    row = writes("Hello", to=sms_channel)
    Interaction.objects.filter(pk=row.pk).update(direction="outbound")
    SlaClock.objects.all().delete()
    snoozed = fresh(row)
    assert snoozed.status == InteractionStatus.QUEUED
    labels.set_priority(actor=agent, interaction_id=row.pk, priority=Priority.HIGH)
    assert {one.kind for one in row.clocks.all()} == {K.NEXT_RESPONSE, K.RESOLUTION}


def test_without_policies_nothing_is_counted(now, writes, sms_channel):
    row = writes("Hello", to=sms_channel)
    assert (row.due_at, row.due_kind, row.clocks.count()) == (None, "", 0)


def test_moments_are_stored_in_utc(now, policy, writes, sms_channel):
    assert writes("Hello", to=sms_channel).due_at.tzinfo == UTC
