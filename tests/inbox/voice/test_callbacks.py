"""Promises to call back: the place is kept, one per number, tried again, given up, arranged by staff."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from contact_center.accounts.services import set_presence
from contact_center.common.errors import Conflict, Refused
from inbox.models import Call, Callback, Message
from inbox.services import call_control, callbacks
from inbox.services.call_offers import watch_calls
from inbox.services.ledger import drain_ledger
from tests.factories.inbox import ChannelFactory, InteractionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def promise(caller):
    """Somebody waited, pressed 1 and hung up."""
    caller.wait_in_line()
    caller.press("1")
    caller.hang_up()
    return Callback.objects.get()


@pytest.fixture
def ready(agent):
    set_presence(user=agent, state="online")
    return agent


def attempt(callback):
    return callback.calls.order_by("-pk").first()


def accept(agent, callback):
    assert watch_calls() == 1
    return call_control.accept_call(actor=agent, call_id=attempt(callback).pk)


def tell(post_twilio, call, status, party="patient"):
    leg = call.legs.get(party=party)
    given = {"CallSid": leg.external_id, "CallStatus": status, "From": "+15005550111", "To": "+13055550123"}
    post_twilio("/webhooks/twilio/voice-status", query=f"?call={call.pk}&party={party}", **given)
    drain_ledger()


def test_whoever_asks_for_it_keeps_the_place_and_is_called_before_those_who_came_later(
    promise, another, provider, ready, post_twilio
):
    assert promise.place_at == promise.interaction.calls.get().queued_at
    Callback.objects.update(place_at=promise.place_at - timedelta(minutes=1))
    later = another().wait_in_line()
    call = accept(ready, promise)
    promise.refresh_from_db(), later.refresh_from_db()
    assert (call.queued_at, later.offered_to) == (promise.place_at, None)
    assert [asked[0] for asked in provider.asked] == ["call_agent", "call_number"]
    assert provider.asked[1][2] == "+13055550123"
    assert (call.status, call.direction, promise.status, promise.attempts) == ("ringing", "outbound", "attempting", 1)
    tell(post_twilio, call, "in-progress")
    tell(post_twilio, call, "completed")
    promise.refresh_from_db(), call.refresh_from_db()
    told = (promise.status, call.status, call.interaction.status, call.interaction.owner)
    assert told == ("connected", "completed", "wrap_up", ready)


def test_a_number_that_costs_more_or_is_far_away_is_not_called_back_and_the_caller_hears_so(
    another, provider, ready, settings
):
    settings.CALL_COUNTRIES = ["US", "GB"]
    dear, far = another("+447012345678"), another("+5511912345678")
    for caller in (dear, far):
        caller.wait_in_line()
        assert caller.press("1") == ["We cannot call your number back, so please stay on the line or leave a message."]
        assert caller.settle().status == "waiting"
    assert Callback.objects.count() == 0


def test_a_promise_to_a_number_that_is_not_called_any_more_ends(promise, provider, ready, settings):
    settings.CALL_COUNTRIES = ["GB"]
    assert watch_calls() == 0
    promise.refresh_from_db()
    assert (promise.status, promise.ended_why, provider.asked) == ("cancelled", "forbidden", [])


def test_not_reached_is_tried_again_after_the_gap_and_at_last_is_work_for_a_person(
    promise, provider, ready, post_twilio, line
):
    ChannelFactory(kind="sms", address="+15005550100")
    for turn in (1, 2, 3):
        call = accept(ready, promise)
        tell(post_twilio, call, "no-answer")
        tell(post_twilio, call, "no-answer")
        promise.refresh_from_db(), call.refresh_from_db()
        assert (promise.attempts, call.status, call.interaction.status) == (turn, "failed", "queued")
        assert watch_calls() == 0
        if turn < 3:
            assert promise.due_at - timezone.now() > timedelta(minutes=19)
            Callback.objects.update(due_at=timezone.now())
    assert (promise.status, call.interaction.snippet.partition(";")[0]) == ("exhausted", "Not reached in 3 calls")
    assert (
        Message.objects.get().text
        == "We called you back and could not reach you. Write here; a person will answer you."
    )


@pytest.mark.parametrize(
    ("is_promised_since", "ended_by", "where"),
    [(False, "agent", "/phone/"), (True, "agent", "/phone/"), (False, "patient", "/inbox/{}/")],
    ids=["on the line", "promised since", "the machine hangs up first"],
)
def test_a_machine_that_answers_keeps_no_promise_unless_there_is_another(
    promise, provider, ready, post_twilio, signed_in, line, is_promised_since, ended_by, where
):
    call = accept(ready, promise)
    tell(post_twilio, call, "in-progress")
    if ended_by == "patient":
        tell(post_twilio, call, "completed")
    if is_promised_since:
        Callback.objects.create(
            interaction=promise.interaction, channel=promise.channel, queue=promise.queue, number=promise.number,
            place_at=timezone.now(), due_at=timezone.now() + timedelta(days=1),
        )  # fmt: skip
    page = signed_in(ready).get(where.format(call.interaction_id)).content.decode()
    assert page.count('value="machine"') == 1
    signed_in(ready).post(f"/calls/{call.pk}/", {"do": "machine"})
    tell(post_twilio, call, "completed")
    promise.refresh_from_db(), call.refresh_from_db()
    told = (promise.status, promise.attempts, call.status, call.ended_by, call.interaction.status)
    kept = ("connected", 1, "completed", ended_by, "wrap_up")
    assert told == (kept if is_promised_since else ("due", 1, "completed", ended_by, "queued"))
    assert list(call.moments.filter(kind="machine").values_list("user", flat=True)) == [ready.pk]
    assert 'value="machine"' not in signed_in(ready).get(f"/inbox/{call.interaction_id}/").content.decode()


@pytest.mark.fault
def test_a_late_word_of_an_earlier_attempt_does_not_end_the_next(promise, provider, ready, post_twilio, line):
    first = accept(ready, promise)
    tell(post_twilio, first, "no-answer")
    Callback.objects.update(due_at=timezone.now())
    second = accept(ready, promise)
    tell(post_twilio, first, "busy")
    promise.refresh_from_db(), second.refresh_from_db()
    told = (promise.status, promise.attempts, second.status, second.interaction.status)
    assert told == ("attempting", 2, "ringing", "active")


def test_a_caller_is_no_machine(caller, provider, ready):
    call = call_control.accept_call(actor=ready, call_id=caller.wait_in_line().pk)
    with pytest.raises(Refused, match="This person called us"):
        call_control.leave_machine(actor=ready, call_id=call.pk)


def test_asking_twice_is_one_promise_and_calling_again_takes_the_place_over(promise, caller, another, ready):
    callbacks.ask_callback(Call.objects.get(), promise.interaction, timezone.now())
    assert (Callback.objects.count(), watch_calls()) == (1, 1)
    again = another(caller.number).wait_in_line()
    promise.refresh_from_db()
    promise.interaction.refresh_from_db()
    told = (promise.status, promise.ended_why, again.queued_at, promise.interaction.status, attempt(promise).status)
    assert told == ("cancelled", "called_again", promise.place_at, "abandoned", "failed")
    assert watch_calls() == 1
    again.refresh_from_db()
    assert again.offered_to == ready


@pytest.mark.fault
def test_what_fails_on_our_side_is_no_attempt(promise, provider, ready, second_agent, post_twilio):
    watch_calls()
    provider.down = {"call_number"}
    with pytest.raises(Refused, match="does not answer"):
        call_control.accept_call(actor=ready, call_id=attempt(promise).pk)
    provider.down = set()
    set_presence(user=ready, state="away")
    set_presence(user=second_agent, state="online")
    call = accept(second_agent, promise)
    tell(post_twilio, call, "no-answer", party="agent")
    promise.refresh_from_db()
    assert (promise.status, promise.attempts, promise.interaction.status) == ("due", 0, "queued")


@pytest.mark.fault
def test_a_worker_killed_while_dialling_loses_no_promise(promise, provider, ready, monkeypatch):
    monkeypatch.setattr("inbox.services.call_placing._ring_both", lambda actor, call, number: call)
    call = accept(ready, promise)
    Call.objects.filter(pk=call.pk).update(claimed_at=timezone.now() - timedelta(minutes=1))
    watch_calls()
    call.refresh_from_db(), promise.refresh_from_db()
    told = (call.status, promise.status, promise.attempts, attempt(promise).status)
    assert told == ("failed", "due", 0, "waiting")


def test_what_somebody_took_in_hand_or_cancelled_is_not_called(promise, ready):
    watch_calls()
    assert callbacks.cancel_callback(actor=ready, interaction_id=promise.interaction_id) is True
    with pytest.raises(Conflict, match="not needed any more"):
        call_control.accept_call(actor=ready, call_id=attempt(promise).pk)
    assert (watch_calls(), callbacks.cancel_callback(actor=ready, interaction_id=promise.interaction_id)) == (0, False)


def test_an_arranged_one_is_offered_to_its_owner_then_to_the_second_then_to_all(
    queue, line, signed_in, ready, second_agent
):
    interaction = InteractionFactory(queue=queue)
    set_presence(user=second_agent, state="online")
    interaction.contact_scheme, interaction.contact_value = "phone", "+13055550188"
    interaction.save()
    at = timezone.localtime() + timedelta(days=1)
    given = {"due_at": at.strftime("%Y-%m-%dT%H:%M"), "owner": second_agent.pk, "purpose": "Tell the result"}
    browser, url = signed_in(ready), f"/inbox/{interaction.pk}/callback/"
    empty = browser.post(url, {"due_at": "", "owner": ready.pk, "purpose": ""})
    assert (empty.status_code, sorted(empty.context["form"].errors)) == (422, ["due_at", "purpose"])
    assert (browser.post(url, given).status_code, browser.post(url, given).status_code) == (302, 409)
    callback = Callback.objects.get()
    assert f'data-arranged="{callback.pk}"' in browser.get(url).content.decode()
    assert watch_calls() == 0
    Callback.objects.update(due_at=timezone.now(), place_at=timezone.now())
    set_presence(user=second_agent, state="away")
    assert watch_calls() == 0
    call = attempt(callback)
    assert (call.status, call.purpose, call.interaction.case, call.interaction != interaction) == (
        "waiting", "Tell the result", interaction.case, True,
    )  # fmt: skip
    Callback.objects.update(due_at=timezone.now() - timedelta(minutes=6))
    assert watch_calls() == 1
    call.refresh_from_db()
    assert call.offered_to == ready


@pytest.mark.django_db(transaction=True)
def test_of_two_who_accept_at_once_one_calls(promise, provider, ready, second_agent):
    set_presence(user=second_agent, state="online")
    watch_calls()
    call = attempt(promise)
    Call.objects.filter(pk=call.pk).update(offered_to=None, offer_ends_at=None)
    start, said = threading.Barrier(2), []

    def go(person):
        try:
            start.wait(30)
            said.append(call_control.accept_call(actor=person, call_id=call.pk).status)
        except Conflict:
            said.append("conflict")
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=(person,)) for person in (ready, second_agent)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    promise.refresh_from_db()
    assert (sorted(said), promise.attempts, len(provider.asked)) == (["conflict", "ringing"], 1, 2)
