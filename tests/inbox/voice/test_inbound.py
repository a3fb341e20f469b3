"""A call comes in: what the caller hears, what is recorded, and that nobody is left in silence."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
import time_machine
from django.db import OperationalError

from inbox.enums import MessagePurpose
from inbox.models import (
    Call,
    CallMoment,
    Interaction,
    Message,
    Queue,
    RoutingRun,
    RuleSkill,
    WebhookEvent,
)
from inbox.selectors.hours import forget_setup
from inbox.selectors.voice_lines import forget_lines
from inbox.services.escalations import acknowledge, overflow
from inbox.services.hours import close_now
from inbox.services.ledger import drain_ledger
from tests.factories.accounts import SkillFactory
from tests.factories.care import EnrolmentFactory
from tests.factories.distribution import QueueSettingsFactory, RoutingRuleFactory
from tests.factories.hours import CalendarFactory
from tests.factories.inbox import CaseFactory, InteractionFactory
from tests.factories.patients import ContactPointFactory, PatientFactory
from tests.inbox.voice.conftest import CALLER

pytestmark = pytest.mark.django_db
EMERGENCY = "If this is an emergency, hang up and call 9 1 1."


def moments(call):
    return list(call.moments.values_list("kind", flat=True))


def test_a_stranger_hears_the_emergency_number_first_and_may_choose_the_language(caller):
    words = caller.dial()
    assert words[0] == EMERGENCY
    assert words[-2:] == ["For English, press 1.", "Para español, oprima 2."]
    call = caller.settle()
    assert (call.status, call.interaction.status, call.interaction.contact_value) == ("ringing", "queued", CALLER)


def test_a_known_caller_is_greeted_in_their_language_and_joins_their_open_case(caller):
    patient = PatientFactory(language="es")
    ContactPointFactory(patient=patient, scheme="phone", value=CALLER)
    case = CaseFactory(patient=patient)
    InteractionFactory(patient=patient, case=case)
    caller.dial()
    assert next(caller.twiml.iter("Gather")).get("language") == "es-US"
    interaction = caller.settle().interaction
    assert (interaction.patient, interaction.case, interaction.language) == (patient, case, "es")


def test_the_chosen_matter_gives_queue_and_reason_and_the_caller_hears_the_place_in_line(caller, clinical_queue):
    call = caller.wait_in_line("2")
    assert (call.status, call.queue, call.interaction.queue) == ("waiting", clinical_queue, clinical_queue)
    assert (call.interaction.reason.code, call.language) == ("results", "en")
    assert moments(call) == ["started", "chosen", "queued"]
    caller.follow("Redirect")
    assert caller.heard[-1] == "You are next."
    assert call.interaction.waiting_since_at == call.queued_at


def test_a_word_said_aloud_chooses_and_a_wrong_key_is_asked_again(caller, queue):
    caller.dial()
    caller.press("1")
    assert caller.press("7")[0] == "Sorry, I did not understand that."
    caller.say("I want appointments please")
    caller.follow()
    assert caller.settle().queue == queue


def test_whoever_presses_nothing_comes_to_the_line_s_own_queue(caller, queue):
    caller.dial()
    caller.follow()
    for _ in range(3):
        caller.follow()
    assert (caller.settle().queue, caller.settle().status) == (queue, "waiting")


def test_the_second_in_line_hears_the_place(caller, another):
    caller.wait_in_line()
    second = another()
    second.wait_in_line()
    second.follow("Redirect")
    assert second.heard[-1] == "You are number 2 in the line."


def test_whoever_is_more_urgent_is_counted_before_those_who_came_sooner(caller, another):
    caller.wait_in_line()
    later = another()
    Interaction.objects.filter(pk=later.wait_in_line().interaction_id).update(priority=2)
    caller.follow(), later.follow()
    assert (caller.heard[-1], later.heard[-1]) == ("You are number 2 in the line.", "You are next.")


def test_a_closed_queue_says_so_and_takes_a_message_that_is_work(caller, queue, admin):
    calendar = CalendarFactory()
    queue.calendar = calendar
    queue.save()
    close_now(actor=admin, calendar_id=calendar.pk, messages={"en": "Closed for the storm."})
    caller.dial()
    caller.press("1")
    assert caller.press("1")[0].startswith("Closed for the storm.")
    path = caller._path(next(caller.twiml.iter("Record")).get("action"))
    caller.step(path, RecordingUrl="https://api.twilio.com/rec/RE1", RecordingSid="RE1")
    call = caller.hang_up()
    assert (call.status, call.voicemail_url, call.interaction.status) == (
        "voicemail",
        "https://api.twilio.com/rec/RE1",
        "queued",
    )
    assert call.interaction.waiting_since_at is not None
    caller.post(
        "/webhooks/twilio/voice-status",
        query="?step=transcript",
        CallSid=caller.sid,
        TranscriptionText="This is Ana. Call me.",
        TranscriptionSid="TR1",
    )
    assert caller.settle().transcript == "This is Ana. Call me."


@pytest.mark.parametrize("steps", range(5))
def test_the_caller_may_hang_up_at_every_step(caller, steps):
    path = [caller.dial, lambda: caller.press("1"), lambda: caller.press("1"), caller.follow, caller.follow]
    for step in path[: steps + 1]:
        step()
    call = caller.hang_up()
    assert (call.status, call.ended_by, call.interaction.status) == ("abandoned", "patient", "abandoned")
    assert (call.queued_at is not None, call.ended_at is not None) == (steps >= 3, True)
    assert not call.legs.filter(left_at=None).exists()


def test_whoever_gave_up_waiting_is_offered_a_text(caller, sms_channel):
    waiting = caller.wait_in_line()
    Call.objects.filter(pk=waiting.pk).update(queued_at=waiting.queued_at - timedelta(seconds=40))
    call = caller.hang_up()
    message = Message.objects.get(interaction=call.interaction)
    assert (message.channel, message.purpose, message.address) == (sms_channel, MessagePurpose.RECEIPT, CALLER)
    assert call.queue_seconds == 40


@pytest.mark.parametrize(
    ("key", "status"),
    [("1", "callback_requested"), ("2", "completed"), ("3", "voicemail")],
    ids=["callback", "text", "voicemail"],
)
def test_other_ways_than_waiting_keep_the_work_in_the_queue(caller, sms_channel, key, status):
    waiting = caller.wait_in_line()
    caller.press(key)
    call = caller.hang_up()
    assert (call.status, call.queued_at, call.interaction.status) == (status, waiting.queued_at, "queued")
    assert call.interaction.waiting_since_at == waiting.queued_at
    assert Message.objects.filter(interaction=call.interaction).count() == (key == "2")


STATUSES = [("queued", 0), ("initiated", 1), ("ringing", 2), ("in-progress", 3), ("completed", 4)]


@pytest.mark.fault
@pytest.mark.parametrize("every", [20, pytest.param(1, marks=pytest.mark.slow)], ids=["some", "all"])
def test_w3_five_statuses_in_any_order_end_alike(another, every):
    ends, backwards = set(), 0
    orders = list(permutations(STATUSES))[::every]
    for number, order in enumerate(orders):
        one = another(f"+1305556{number:04d}")
        one.dial()
        seen_end = False
        for status, sequence in order:
            one.tell(status, sequence)
            one.tell(status, sequence)  # and each is told twice
            call = one.settle()
            backwards += seen_end and not call.is_over
            seen_end = call.is_over
        ends.add((call.status, call.interaction.status, call.moments.filter(kind="ended").count()))
    print(f"W3 calls: {len(orders)} orders, ends {ends}, backwards {backwards}")
    assert (ends, backwards) == ({("abandoned", "abandoned", 1)}, 0)


def test_a_repeated_request_is_one_event_and_is_answered_alike(caller):
    assert caller.dial() == caller.dial()
    call = caller.settle()
    assert (WebhookEvent.objects.count(), Call.objects.count(), Interaction.objects.count()) == (1, 1, 1)
    assert moments(call) == ["started"]


def test_an_unsigned_request_is_refused_and_leaves_nothing(caller, post_twilio):
    answer = post_twilio("/webhooks/twilio/voice", signature="bad", CallSid=caller.sid, From=CALLER, To=caller.to)
    assert (answer.status_code, WebhookEvent.objects.count()) == (403, 0)


def test_a_caller_hears_words_also_when_nothing_can_be_looked_up(caller, monkeypatch):
    def broken(_event):
        raise OperationalError

    monkeypatch.setattr("inbox.webhooks.script_for", broken)
    assert caller.dial()[0] == EMERGENCY
    assert next(caller.twiml.iter("Redirect")).text.endswith("/webhooks/twilio/voice?step=menu&n=2")


def test_a_call_to_a_number_that_is_no_line_is_kept_and_answered(line, another):
    one = another()
    one.to = "+15005550999"
    assert one.dial()[0] == EMERGENCY
    one.tell("completed")
    drain_ledger()
    assert set(WebhookEvent.objects.values_list("status", flat=True)) == {"quarantined"}


def test_what_happened_in_a_call_is_never_changed(caller):
    moment = caller.wait_in_line().moments.first()
    with pytest.raises(ValueError, match="never changed"):
        moment.save()
    assert CallMoment.objects.count() == 3


@pytest.fixture
def spanish_rule(queue, clinical_queue):
    """Who is in a program and speaks Spanish goes to the nurses, first of those who wait, to somebody who speaks it."""
    enrolment = EnrolmentFactory(patient=PatientFactory(language="es"))
    ContactPointFactory(patient=enrolment.patient, scheme="phone", value=CALLER)
    RoutingRuleFactory(name="Urgent", position=0, priorities=[2], queue=queue)
    RoutingRuleFactory(name="Mail", position=1, channel_kinds=["email"], queue=queue)
    rule = RoutingRuleFactory(name="Program", position=2, languages=["es"], queue=clinical_queue, priority=2)
    rule.programs.set([enrolment.program])
    RuleSkill.objects.create(rule=rule, skill=SkillFactory(), level=3, relax_seconds=60)
    return rule


def of_rule(call):
    """Where the call waits, how urgently, what it asks for, and by which rule."""
    run, work = RoutingRun.objects.get(), call.interaction
    needs = list(work.needs.values_list("level", "relax_seconds"))
    return call.queue, work.queue, work.priority, needs, run.rule, [why for _rule, why in run.passed_over]


def test_a_rule_takes_a_caller_to_its_queue_with_priority_skills_and_record(caller, spanish_rule, clinical_queue):
    caller.dial()
    caller.press("1")
    caller.follow()
    expected = (clinical_queue, clinical_queue, 2, [(3, 60)], spanish_rule, ["priority", "channel"])
    assert of_rule(caller.settle()) == expected


def test_whom_no_rule_takes_waits_where_the_menu_says_and_the_record_says_so(another, spanish_rule, queue):
    call = another().wait_in_line("1")
    assert of_rule(call) == (queue, queue, 3, [], None, ["priority", "channel", "language"])


@pytest.mark.fault
@pytest.mark.parametrize("leaves_message", [False, True])
def test_the_rule_counts_also_when_the_first_word_of_the_wait_comes_late(
    caller, spanish_rule, clinical_queue, leaves_message
):
    caller.dial()
    caller.press("1")
    caller.follow()
    WebhookEvent.objects.order_by("pk").last().delete()
    if leaves_message:
        caller.press("3")
        caller.step(caller._path(next(caller.twiml.iter("Record")).get("action")), RecordingUrl="https://x/RE1")
    else:
        caller.follow()
    expected = (clinical_queue, clinical_queue, 2, [(3, 60)], spanish_rule, ["priority", "channel"])
    assert of_rule(caller.settle()) == expected


def test_a_message_left_in_a_closed_queue_waits_in_the_queue_that_was_chosen(caller, clinical_queue, admin):
    calendar = CalendarFactory()
    Queue.objects.filter(pk=clinical_queue.pk).update(calendar=calendar)
    close_now(actor=admin, calendar_id=calendar.pk, messages={})
    caller.dial()
    caller.press("1")
    caller.press("2")
    caller.step(caller._path(next(caller.twiml.iter("Record")).get("action")), RecordingUrl="https://x/RE1")
    call = caller.hang_up()
    assert (call.status, call.queue, call.interaction.queue) == ("voicemail", clinical_queue, clinical_queue)


@pytest.mark.parametrize(("said", "chosen"), [("quiero una enfermeria", True), ("appointmentsville", False)])
def test_whole_words_are_understood_with_and_without_accents(caller, said, chosen):
    caller.dial()
    caller.press("1")
    caller.say(said)
    assert (caller.settle().interaction.reason is not None) is chosen


@pytest.fixture
def closing(queue):
    """`closing(admin)`: the day of the front desk, or of another queue, is over from now on."""

    def close(actor, which=queue):
        calendar = CalendarFactory()
        Queue.objects.filter(pk=which.pk).update(calendar=calendar)
        close_now(actor=actor, calendar_id=calendar.pk, messages={"en": "Closed for the storm."})

    return close


CLOSED = [
    "We are closed now and open again on Friday 27 November, 09:00.",
    "Please leave your name, your date of birth and your message after the tone. A person will listen to it.",
]


@pytest.mark.parametrize(("day", "expected"), [(25, []), (26, CLOSED)], ids=["Wednesday", "Thanksgiving"])
def test_on_a_public_holiday_callers_hear_when_we_are_there_again(caller, queue, day, expected):
    Queue.objects.filter(pk=queue.pk).update(calendar=CalendarFactory(country="US"))
    with time_machine.travel(datetime(2026, 11, day, 15, tzinfo=UTC), tick=False):
        forget_setup()
        caller.dial()
        caller.press("1")
        told = caller.press("1")
    assert told == expected


def test_who_waits_when_all_have_gone_home_is_asked_for_a_message(caller, closing, admin):
    caller.wait_in_line()
    caller.follow()
    closing(admin)
    assert caller.follow()[0].startswith("Closed for the storm.")
    caller.step(caller._path(next(caller.twiml.iter("Record")).get("action")), RecordingUrl="https://x/RE1")
    call = caller.hang_up()
    assert (call.status, call.interaction.status) == ("voicemail", "queued")


def test_who_waits_when_the_day_ends_is_still_served_by_those_who_are_there(caller, closing, admin, agent, ready):
    ready(agent)
    caller.wait_in_line()
    closing(admin)
    assert caller.follow() == ["You are next."]


@pytest.fixture
def impatient(caller, queue, clinical_queue):
    """A call that has waited longer than the front desk lets it before the nurse line is asked."""
    QueueSettingsFactory(queue=queue, overflow_queue=clinical_queue, overflow_after_seconds=10)
    call = caller.wait_in_line()
    Interaction.objects.update(waiting_since_at=call.queued_at - timedelta(seconds=11))
    return call


def test_no_caller_is_handed_on_to_a_closed_queue(impatient, clinical_queue, closing, admin):
    closing(admin, clinical_queue)
    assert overflow() == 0


def test_a_team_that_was_only_asked_closes_the_line_for_nobody(
    caller, impatient, clinical_queue, closing, admin, supervisor
):
    assert overflow() == 1
    closing(admin, clinical_queue)
    assert caller.follow() == ["You are next."]
    acknowledge(actor=supervisor, interaction_id=impatient.interaction_id)
    assert caller.follow()[0].startswith("Closed for the storm.")


def test_the_place_is_that_of_the_queue_to_which_a_call_was_handed_on(caller, another, clinical_queue):
    another().wait_in_line("2")
    call = caller.wait_in_line("1")
    Interaction.objects.filter(pk=call.interaction_id).update(queue=clinical_queue)
    caller.follow()
    assert caller.heard[-1] == "You are number 2 in the line."
    assert f"queue={clinical_queue.pk}" in next(caller.twiml.iter("Redirect")).text


@pytest.mark.parametrize(("key", "is_written"), [("1", True), ("2", False)], ids=["English", "Spanish"])
def test_only_messages_in_english_are_written_down_by_the_provider(caller, line, admin, closing, key, is_written):
    line.options.all().delete()
    forget_lines()
    closing(admin)
    caller.dial()
    caller.press(key)
    asked = next(caller.twiml.iter("Record"))
    assert (asked.get("transcribe"), asked.get("transcribeCallback") is not None) == (
        "true" if is_written else None, is_written,
    )  # fmt: skip
