"""Words about a call that cross each other: nobody is left alone on the line, and nothing promised is lost."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from itertools import count

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from contact_center.common.errors import Conflict, Refused
from inbox import realtime
from inbox.adapters.base import AdapterError
from inbox.adapters.events import Address, CallEvent
from inbox.adapters.twilio_voice import TwilioVoiceAdapter
from inbox.models import Call, CallLeg, WebhookEvent
from inbox.services import call_control, call_placing
from inbox.services.call_consults import claim_colleague
from inbox.services.call_offers import CLAIM_HOLDS_FOR, watch_calls
from inbox.services.calls import apply_call_event
from inbox.services.ledger import drain_ledger
from tests.factories.voice import CallFactory
from tests.faults.crash import die_within

NOBODY = Address("unknown", "", "")
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault]


@pytest.fixture
def meanwhile(monkeypatch):
    """`meanwhile(name, work)` lets `work(call_id)` happen while the agent's verb asks the provider."""

    def before(name, work):
        asked = getattr(TwilioVoiceAdapter, name)

        def ask(self, *args):
            answer = asked(self, *args)
            work(answer)
            return answer

        monkeypatch.setattr(TwilioVoiceAdapter, name, ask)

    return before


def tell_of_leg(post_twilio, call_id, leg, status):
    query = f"?call={call_id}&party=agent"
    given = {"CallSid": leg, "CallStatus": status, "Direction": "outbound-api", "From": "+1", "To": "client"}
    assert post_twilio("/webhooks/twilio/voice-status", query=query, **given).status_code == 204
    drain_ledger()


def test_a_device_that_refuses_before_it_is_written_down_leaves_nobody_alone(
    caller, provider, agent, meanwhile, post_twilio
):
    call = caller.wait_in_line()
    meanwhile("call_agent", lambda leg: tell_of_leg(post_twilio, call.pk, leg, "no-answer"))
    with pytest.raises(Conflict, match="Your telephone does not answer"):
        call_control.accept_call(actor=agent, call_id=call.pk)
    call.refresh_from_db()
    assert (call.status, call.agent, call.claimed_at, call.interaction.status) == ("waiting", None, None, "queued")
    assert "step=wait" in provider.asked[-1][2]


def test_no_patient_is_called_into_an_empty_room(line, provider, agent, meanwhile, post_twilio):
    meanwhile(
        "call_agent", lambda leg: tell_of_leg(post_twilio, Call.objects.latest("pk").pk, leg, "no-answer")
    )  # fmt: skip
    call = call_placing.place_call(actor=agent, purpose="Result is here", number="+13055550177")
    assert (call.status, [asked[0] for asked in provider.asked]) == ("failed", ["call_agent", "call_number", "hang_up"])


def test_whoever_is_not_reached_frees_the_agent_s_device(line, provider, agent, post_twilio, voice_channel):
    call = call_placing.place_call(actor=agent, purpose="Result is here", number="+13055550177")
    given = {"CallSid": call.external_id, "CallStatus": "busy", "From": voice_channel.address, "To": "+13055550177"}
    post_twilio("/webhooks/twilio/voice-status", query=f"?call={call.pk}&party=patient", **given)
    drain_ledger()
    assert provider.asked[-1] == ("hang_up", call.legs.get(party="agent").external_id)


@pytest.mark.parametrize(
    ("key", "status", "last"), [("1", "callback_requested", "hang_up"), ("3", "voicemail", "send_to")]
)
def test_what_a_caller_chose_while_somebody_accepted_is_kept(caller, provider, agent, meanwhile, key, status, last):
    call = caller.wait_in_line()

    def choose(_leg):
        caller.press(key)
        caller.settle()

    meanwhile("call_agent", choose)
    with pytest.raises(Conflict):
        call_control.accept_call(actor=agent, call_id=call.pk)
    call = caller.hang_up()
    assert (call.status, call.agent, call.interaction.status) == (status, None, "queued")
    assert provider.asked[-1][:2] == (last, caller.sid)


def test_an_agent_lost_twice_is_noticed_twice(caller, provider, agent, second_agent):
    call = caller.wait_in_line()
    for person in (agent, second_agent):
        call_control.accept_call(actor=person, call_id=call.pk)
        join = next(asked[2] for asked in reversed(provider.asked) if asked[0] == "send_to")
        caller.step(join)
        caller.step(caller._path(next(caller.twiml.iter("Dial")).get("action")))
        caller.follow()
        call = caller.settle()
        assert (call.status, call.agent) == ("waiting", None)
    assert call.moments.filter(kind="lost_agent").count() == 2


def test_a_call_whose_caller_is_gone_ends_instead_of_ringing_on(caller, provider, agent, monkeypatch):
    def gone(*_args):
        raise AdapterError("Not in progress.", permanent=True, reason="unknown", code="21220")

    call = caller.wait_in_line()
    monkeypatch.setattr(TwilioVoiceAdapter, "send_to", gone)
    with pytest.raises(Conflict, match="hung up"):
        call_control.accept_call(actor=agent, call_id=call.pk)
    call = caller.settle()
    assert (call.status, call.interaction.status, watch_calls()) == ("abandoned", "abandoned", 0)


def test_a_call_that_could_not_be_ended_is_offered_when_it_is_transferred(
    caller, provider, agent, clinical_queue, another
):
    call = caller.wait_in_line()
    call_control.accept_call(actor=agent, call_id=call.pk)
    provider.down.add("hang_up")
    with pytest.raises(Refused):
        call_control.hang_up(actor=agent, call_id=call.pk)
    call = call_control.transfer_call(actor=agent, call_id=call.pk, queue=clinical_queue, why="Chest pain")
    assert (call.status, call.ended_by) == ("waiting", "")


def test_a_message_told_after_the_end_of_its_call_waits_in_the_queue(caller):
    caller.dial()
    caller.hang_up()
    recorded = "/webhooks/twilio/voice?step=recorded&lang=en"
    caller.step(recorded, RecordingUrl="https://api.twilio.com/r/RE1", RecordingSid="RE1")
    call = caller.settle()
    assert (call.status, call.interaction.status, call.interaction.unread_count) == ("voicemail", "queued", 1)
    assert call.interaction.waiting_since_at is not None


def test_a_nul_in_an_id_is_kept_and_answered(caller, post_twilio):
    given = {"CallSid": "CA\x00", "From": "+13055550123", "To": caller.to}
    answers = [post_twilio(f"/webhooks/twilio/{what}", **given).status_code for what in ("voice", "voice-status")]
    assert (answers, WebhookEvent.objects.count()) == ([200, 204], 2)


def at_once(*works):
    """What each returns or raises, all begun at the same moment in threads of their own."""
    barrier = threading.Barrier(len(works))

    def run(work):
        barrier.wait(30)
        try:
            return work()
        except Refused as error:
            return str(error)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return [told.result(60) for told in [pool.submit(run, work) for work in works]]


@pytest.fixture
def two_talks(caller, another, provider, agent, second_agent):
    """Two callers, each talking to an agent of the front desk."""
    talks = []
    for phone, person in ((caller, agent), (another(), second_agent)):
        call = phone.wait_in_line()
        talks.append((person, call_control.accept_call(actor=person, call_id=call.pk)))
    provider.asked.clear()
    return talks


def asked_for(provider):
    return [asked[0] for asked in provider.asked].count("consult")


def test_of_two_who_ask_the_same_colleague_at_once_one_does_and_the_other_is_told(two_talks, provider, supervisor):
    def ask(person, call):
        return lambda: call_control.consult(actor=person, call_id=call.pk, colleague=supervisor).pk

    told = at_once(*(ask(person, call) for person, call in two_talks))
    won = [call.pk for _person, call in two_talks if call.pk in told]
    assert (len(won), told.count(f"{supervisor} is on another call."), asked_for(provider)) == (1, 1, 1)
    assert list(CallLeg.objects.filter(party="consulted").values_list("call_id", "left_at")) == [(won[0], None)]


def test_asking_twice_from_two_windows_rings_once(two_talks, provider, supervisor, admin):
    (person, call), _other = two_talks
    works = [
        lambda who=who: call_control.consult(actor=person, call_id=call.pk, colleague=who).pk
        for who in (supervisor, admin)
    ]
    told = at_once(*works)
    assert (told.count(call.pk), told.count("Somebody is asked in this call already."), asked_for(provider)) == (
        1,
        1,
        1,
    )


def test_whoever_is_asked_for_advice_takes_no_caller_meanwhile(two_talks, provider, supervisor, another):
    (person, call), _other = two_talks
    waiting = another("+13055550125").wait_in_line()
    call_control.consult(actor=person, call_id=call.pk, colleague=supervisor)
    with pytest.raises(Conflict, match="You are on another call"):
        call_control.accept_call(actor=supervisor, call_id=waiting.pk)


def test_a_colleague_who_could_not_be_rung_is_free_for_others(two_talks, provider, supervisor):
    (first, one), (second, other) = two_talks
    provider.down = {"consult"}
    with pytest.raises(Refused):
        call_control.consult(actor=first, call_id=one.pk, colleague=supervisor)
    provider.down = set()
    assert call_control.consult(actor=second, call_id=other.pk, colleague=supervisor).pk == other.pk


def test_a_colleague_whom_a_dying_process_had_claimed_is_free_again(two_talks, provider, supervisor):
    (first, one), (second, other) = two_talks
    claim = claim_colleague(actor=first, call_id=one.pk, colleague=supervisor)
    CallLeg.objects.filter(pk=claim.pk).update(joined_at=timezone.now() - timedelta(minutes=1))
    watch_calls()
    assert call_control.consult(actor=second, call_id=other.pk, colleague=supervisor).pk == other.pk


def test_of_two_who_accept_one_call_at_once_one_talks_and_the_other_is_told(caller, provider, agent, second_agent):
    call = caller.wait_in_line()
    works = [
        lambda who=who: call_control.accept_call(actor=who, call_id=call.pk).agent for who in (agent, second_agent)
    ]
    told = at_once(*works)
    call.refresh_from_db()
    assert sorted(map(str, told)) == sorted([str(call.agent), "Somebody else has taken this call."])
    assert [asked[0] for asked in provider.asked].count("call_agent") == 1


@pytest.mark.parametrize("every", [9, pytest.param(1, marks=pytest.mark.slow)], ids=["some", "all"])
def test_an_accepting_process_may_be_killed_at_any_step(every, voice_channel, provider, agent):
    def accept(call_id):
        call_control.accept_call(actor=agent, call_id=call_id)

    def end(call):
        over = CallEvent("twilio_voice", call.external_id, "ended", sender=NOBODY, recipient=NOBODY)
        with realtime.atomic():
            apply_call_event(over, received_at=timezone.now())

    outcomes = Counter()
    for step in count(1, every):
        call = CallFactory(channel=voice_channel)
        if not die_within(partial(accept, call.pk), step, is_after=False):
            break
        with time_machine.travel(timezone.now() + CLAIM_HOLDS_FOR + timedelta(seconds=1)):
            watch_calls()
        call.refresh_from_db()
        work = call.interaction
        outcomes[call.status, call.agent, call.claimed_at, work.status, work.owner] += 1
        end(call)
    waits, talks = ("waiting", None, None, "queued", None), ("connected", agent, None, "active", agent)
    lost = outcomes.total() - outcomes[waits] - outcomes[talks]
    print(
        f"Accepting killed at {outcomes.total()} of {step - 1} steps: the caller waits on {outcomes[waits]} times,"
        f" talks {outcomes[talks]} times, {lost} lost"
    )
    assert (lost, outcomes.total() > 3) == (0, True)
