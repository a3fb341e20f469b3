"""W3 for whole calls: a caller's steps that could not be noted at once may be noted in any order, and it is one record.

Workers keep the order in which steps came; what lay in quarantine comes whenever somebody tries it again.
"""

from datetime import timedelta
from itertools import permutations
from math import factorial

import pytest
from django.db import transaction
from django.utils import timezone
from structlog.testing import capture_logs

from inbox.enums import CallbackEnd
from inbox.models import Call, Callback, Message, RoutingRun, WebhookEvent
from inbox.services.callbacks import end_callback
from inbox.services.ledger import process_event, retry_event
from tests.factories.accounts import SkillFactory
from tests.factories.distribution import RoutingRuleFactory
from tests.factories.inbox import InteractionFactory
from tests.factories.voice import CallFactory
from tests.inbox.voice.conftest import CALLER

pytestmark = [pytest.mark.django_db, pytest.mark.fault]
APART = timedelta(seconds=10)


@pytest.fixture
def told(caller, clinical_queue, sms_channel):
    """`told(key)`: a call into the nurse line by a rule, the key pressed there and the end; ids of what lies aside."""
    rule = RoutingRuleFactory(queue=clinical_queue, priority=2)
    rule.needs.create(skill=SkillFactory(), level=2)

    def make(key):
        caller.dial()
        caller.press("1")
        caller.press("2")
        caller.follow()
        if key:
            caller.press(key)
        if key == "3":
            record = next(caller.twiml.iter("Record"))
            caller.step(caller._path(record.get("action")), RecordingUrl="https://x/RE1", RecordingSid="RE1")
        caller.tell("completed", 9)
        events = list(WebhookEvent.objects.order_by("pk"))
        began = timezone.now() - APART * len(events)
        for number, event in enumerate(events):
            event.received_at = began + APART * number
            event.quarantine("It could not be read.")
            event.save()
        return [event.pk for event in events]

    return make


@pytest.fixture
def try_again(admin):
    """`try_again(ids)`: what lies aside is processed in this order."""

    def run(ids):
        for pk in ids:
            retry_event(actor=admin, event_id=pk)
            process_event(pk)

    return run


def record():
    """All that must not depend on the order."""
    call = Call.objects.get()
    work, came_at = call.interaction, call.started_at

    def after(at):
        return at and round((at - came_at) / APART)

    return (
        (call.status, call.queue, call.ended_by, call.language, after(call.queued_at), after(call.ended_at)),
        (work.status, work.queue, work.priority, work.reason.code, work.snippet, work.unread_count),
        (after(work.waiting_since_at), work.needs.count(), RoutingRun.objects.count()),
        sorted(call.moments.values_list("kind", flat=True)),
        work.timeline_events.order_by("at", "pk").last().kind == "abandoned",
        [after(leg.left_at) is None for leg in call.legs.all()],
        [(after(one.place_at), one.status) for one in Callback.objects.all()],
        Message.objects.filter(direction="inbound").count(),
    )


WAYS = {
    "": ("abandoned", "abandoned", []),
    "1": ("callback_requested", "queued", ["callback"]),
    "2": ("completed", "queued", ["text"]),
    "3": ("voicemail", "queued", ["voicemail"]),
    "9": ("abandoned", "abandoned", []),
}


@pytest.mark.parametrize("key", WAYS)
@pytest.mark.parametrize(
    "most", [4, pytest.param(720, marks=[pytest.mark.slow, pytest.mark.timeout(900)])], ids=["some", "all"]
)
def test_a_caller_s_steps_in_any_order_make_one_record(told, try_again, most, key, clinical_queue):
    ids = told(key)
    orders = [ids, *list(permutations(ids))[1 :: max(1, factorial(len(ids)) // most)]]
    records = []
    for order in orders:
        with transaction.atomic():
            try_again(order)
            records.append(record())
            transaction.set_rollback(True)
    other = [(order, one) for order, one in zip(orders, records, strict=True) if one != records[0]]
    print(f"W3 steps: {len(orders)} orders of a call that ends by {key or 'hanging up'}, {len(other)} end otherwise")
    status, work, moments = WAYS[key]
    assert (records[0][0][:2], records[0][1][:3]) == ((status, clinical_queue), (work, clinical_queue, 2))
    assert records[0][3] == sorted(["started", "chosen", "queued", "ended", *moments])
    assert other == []


def test_whoever_waited_is_offered_a_text_also_when_the_end_is_told_first(told, try_again):
    try_again(reversed(told("")))
    assert [message.text for message in Message.objects.all()] == [
        "We are sorry that we could not take your call. Write here what it is about; a person will answer you."
    ]


def test_the_late_first_word_of_a_wait_leaves_a_later_promise_to_the_same_number_alone(told, try_again):
    dial, language, menu, wait, choice, end = told("1")
    try_again([dial, language, menu, choice, end])
    end_callback(Callback.objects.get().pk, CallbackEnd.STAFF)
    earlier, later = Callback.objects.get(), InteractionFactory()
    promise = {"interaction": later, "channel": earlier.channel, "queue": later.queue, "number": earlier.number}
    due = timezone.now() + timedelta(days=1)
    arranged = Callback.objects.create(place_at=due, due_at=due, **promise)
    try_again([wait])
    arranged.refresh_from_db()
    told_of = (arranged.interaction, arranged.queue, arranged.place_at, arranged.due_at)
    assert told_of == (later, later.queue, due, due)


def test_whoever_is_told_to_wait_later_than_to_go_on_waiting_has_the_place_of_the_first_word(told, try_again):
    dial, language, menu, wait, choice, _end = told("9")
    try_again([dial, language, menu, choice, wait])
    call = Call.objects.select_related("interaction").get()
    came_at = WebhookEvent.objects.get(pk=wait).received_at
    assert (call.status, call.queued_at, call.interaction.waiting_since_at) == ("waiting", came_at, came_at)


@pytest.mark.parametrize("has_talked", [False, True], ids=["long ago", "talked with since"])
@pytest.mark.parametrize("key", ["", "1", "2"])
def test_what_a_caller_chose_and_is_told_too_late_is_work_for_a_person_and_neither_a_text_nor_a_call(
    told, try_again, clinical_queue, key, has_talked
):
    *steps, last, end = told(key)
    if has_talked:
        CallFactory(
            status="completed", answered_at=timezone.now(), interaction__contact_scheme="phone",
            interaction__contact_value=CALLER,
        )  # fmt: skip
    else:
        for event in WebhookEvent.objects.all():
            event.received_at -= timedelta(hours=2)
            event.save()
    try_again([*steps, end, last])
    call = Call.objects.select_related("interaction").latest("pk")
    status, work, moments = WAYS[key]
    assert (call.status, call.interaction.status, call.interaction.queue) == (status, work, clinical_queue)
    assert set(moments) <= set(call.moments.values_list("kind", flat=True))
    assert (Callback.objects.count(), Message.objects.count()) == (0, 0)


def test_a_step_that_waits_for_an_earlier_one_is_no_failure(told):
    *_others, earlier, later = told("")
    WebhookEvent.objects.filter(pk__in=[earlier, later]).update(status="received")
    with capture_logs() as logs:
        process_event(later)
    assert ([entry["event"] for entry in logs], WebhookEvent.objects.get(pk=later).status) == ([], "received")
    process_event(earlier), process_event(later)
    assert WebhookEvent.objects.get(pk=later).status == "processed"
