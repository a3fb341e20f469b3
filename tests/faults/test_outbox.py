"""Nothing is lost and nothing leaves twice, whatever is killed and whatever the provider answers."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from functools import partial
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from inbox.models import Message, OptOut, ProviderHealth
from inbox.services import providers
from inbox.services.doubts import reconcile_sends
from inbox.services.ledger import accept_event, drain_ledger
from inbox.services.outbox import deliver_message, drain_outbox, drain_outboxes, enqueue
from tests.factories.inbox import InteractionFactory
from tests.faults.crash import die_within, fail_within, steps_of
from tests.faults.lab import ACCOUNT_SID, race
from tests.faults.stack import wait_until

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
QUICK_OUTBOX = {"OUTBOX_STALE_SECONDS": "6", "OUTBOX_SETTLE_SECONDS": "3", "PROVIDER_TIMEOUT_SECONDS": "3"}
OPEN = ("queued", "sending")


def is_settled(desk) -> bool:
    return not any(status in OPEN for status in desk.statuses())


def drive_to_the_end(lab, desk, limit):
    """Wake the workers as beat does, until nothing is open."""

    def nudge_and_look():
        for task in ("inbox.drain_outboxes", "inbox.reconcile_sends"):
            lab.wake(task, "outbound")
        lab.wake("inbox.drain_ledger", "webhooks")
        time.sleep(0.5)
        return is_settled(desk)

    return wait_until(nudge_and_look, limit, "every message has an outcome")


def send_while_killing(lab, desk, *, sends, kills, seed):
    """Queue everything, then kill the worker group after a random number of sends each time; the kills that struck."""
    chance, struck = random.Random(seed), 0
    desk.queue(sends, same_text_every=7)
    store = lab.simulator.simulator.store
    accepted = lambda: store.value("SELECT count(*) FROM message WHERE direction != 'inbound'")  # noqa: E731
    for number in range(kills):
        wanted = accepted() + chance.randint(1, max(1, 2 * sends // kills - 2))
        lab.start_workers(2)
        lab.wake("inbox.drain_outboxes", "outbound")
        if number % 3 == 0:
            lab.wake("inbox.reconcile_sends", "outbound")
        deadline = time.monotonic() + 6
        while accepted() < wanted and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.02))
        struck += accepted() >= wanted
        lab.kill_workers()
    return struck


def outcome_of(lab):
    state = lab.simulator.settle(30)
    return state["unique"], state["duplicates"]


@pytest.mark.parametrize(
    ("sends", "kills"),
    [
        pytest.param(16, 2, id="quick", marks=pytest.mark.timeout(400)),
        pytest.param(2000, 200, id="whole", marks=[pytest.mark.slow, pytest.mark.timeout(3000)]),
    ],
)
def test_C1_killing_the_workers_loses_and_doubles_nothing(make_lab, desk, sends, kills):
    lab = make_lab(**QUICK_OUTBOX)
    lab.start_web()
    seed = int(os.environ.get("FAULT_SEED", "1"))
    struck = send_while_killing(lab, desk, sends=sends, kills=kills, seed=seed)
    lab.start_workers(2)
    drive_to_the_end(lab, desk, 60 + sends // 5)
    unique, duplicates = outcome_of(lab)
    lost = Message.objects.filter(direction="outbound").exclude(status__in=["sent", "delivered"]).count()
    print(f"C1: {sends} sends, {kills} kills ({struck} at work): {unique} unique, {lost} lost, {duplicates} duplicate")
    assert (unique, lost, duplicates) == (sends, 0, 0)


@pytest.fixture
def provider(make_simulator, webhook_receiver, settings):
    """A simulator behind the adapters of this process; nobody tells us what becomes of a message."""
    server = make_simulator(webhook_receiver.url)
    settings.TWILIO_API_BASE_URL, settings.PUBLIC_BASE_URL = server.url, webhook_receiver.url
    settings.PROVIDER_TIMEOUT_SECONDS = 2.0
    return server


def recover(desk):
    """What beat and the workers do after a crash, with the clock moved on."""
    for _ in range(4):
        Message.objects.filter(status="sending").update(claimed_at=timezone.now() - timedelta(minutes=2))
        Message.objects.filter(status="queued").update(next_attempt_at=None)
        reconcile_sends()
        drain_outboxes()


def test_a_worker_that_dies_between_any_two_steps_of_a_delivery_sends_it_exactly_once(provider, desk):
    (first,) = desk.queue(1)
    steps = steps_of(lambda: deliver_message(first.pk))
    deaths = [(step, is_after) for step in range(1, steps + 1) for is_after in (False, True)]
    for step, is_after in deaths:
        (message,) = desk.queue(1)
        assert die_within(partial(deliver_message, message.pk), step, is_after=is_after)
        recover(desk)
    state, statuses = provider.state(), desk.statuses()
    print(f"Delivery: {len(deaths)} deaths at {steps} steps: {state['unique']} unique, {state['duplicates']} duplicate")
    assert (state["unique"], state["duplicates"], statuses) == (len(deaths) + 1, 0, {"sent": len(deaths) + 1})


def test_an_error_between_any_two_steps_of_a_delivery_sends_it_exactly_once(provider, desk):
    (first,) = desk.queue(1)
    steps = steps_of(lambda: deliver_message(first.pk))
    for step in range(1, steps + 1):
        (message,) = desk.queue(1)
        with pytest.raises(RuntimeError, match="step"):
            fail_within(partial(deliver_message, message.pk), step)
        recover(desk)
    state = provider.state()
    assert (state["unique"], state["duplicates"], desk.statuses()) == (steps + 1, 0, {"sent": steps + 1})


@pytest.mark.parametrize(
    ("each", "sends"), [pytest.param(6, 75, id="quick"), pytest.param(25, 300, id="whole", marks=pytest.mark.slow)]
)
def test_W6_provider_faults_of_eight_kinds_lose_and_double_nothing(provider, desk, settings, each, sends):
    settings.OUTBOX_STALE_SECONDS, settings.OUTBOX_SETTLE_SECONDS = 60, 0
    settings.PROVIDER_TIMEOUT_SECONDS = 0.3
    kinds = [
        {"type": "http", "status": 429, "retry_after": 1},
        {"type": "http", "status": 500},
        {"type": "accept_then_http", "status": 500},
        {"type": "accept_then_hang", "seconds": 0.6},
        {"type": "hang", "seconds": 0.6},
        {"type": "cut"},
        {"type": "accept_then_cut"},
        {"type": "malformed"},
    ]
    provider.set_faults(
        *[{"match": {"endpoint": "create", "first_n": each, "probability": 0.3}, "effect": kind} for kind in kinds],
        seed=3,
    )
    wanted = sorted((message.address, message.text) for message in desk.queue(sends, same_text_every=10))
    begun = time.monotonic()
    while not is_settled(desk) and time.monotonic() - begun < 100:
        Message.objects.filter(status="queued").update(next_attempt_at=None)
        Message.objects.filter(status="sending").update(claimed_at=timezone.now() - timedelta(minutes=2))
        ProviderHealth.objects.update(open_until_at=None)
        drain_outboxes()
        reconcile_sends()
    injected = sum(rule["applied"] for rule in provider.faults()["rules"])
    rows = provider.simulator.store.rows("SELECT recipient, body FROM message WHERE direction != 'inbound'")
    received = sorted((row["recipient"], row["body"]) for row in rows)
    doubled = len(received) - len(set_of(received, wanted))
    print(
        f"W6: {injected} faults: {doubled} duplicate, {len(wanted) - len(received) + doubled} lost, {desk.statuses()}"
    )
    assert (injected, desk.statuses()) == (8 * each, {"sent": sends})
    assert received == wanted


def set_of(received, wanted):
    """What arrived of what was wanted, each as often as it was wanted."""
    return list((Counter(received) & Counter(wanted)).elements())


@pytest.mark.slow
def test_W7_a_hanging_provider_costs_ten_seconds_a_call_then_nothing_and_mail_goes_out(
    provider, desk, email_channel, settings
):
    settings.PROVIDER_TIMEOUT_SECONDS = PROVIDER_TIMEOUT = 1.0
    provider.set_faults({"match": {"endpoint": "create"}, "effect": {"type": "hang", "seconds": 4}})
    desk.queue(8)
    seconds = []
    while providers.open_until("twilio_messaging") is None and len(seconds) < 8:
        begun = time.monotonic()
        deliver_message(Message.objects.filter(status="queued").order_by("id").first().pk)
        seconds.append(time.monotonic() - begun)
    begun = time.monotonic()
    assert drain_outbox(adapter="twilio_messaging") == 0
    refused = time.monotonic() - begun
    person = InteractionFactory(channel=email_channel, contact_value="ana@example.test", owner=desk.agent)
    mail = enqueue(interaction=person, text="Good morning", author=desk.agent)
    drain_outboxes()
    mail.refresh_from_db()
    print(
        f"W7: a call ends at {max(seconds):.1f} s (limit {PROVIDER_TIMEOUT} s), breaker after {len(seconds)}, "
        f"then {refused * 1000:.0f} ms; mail {mail.status}"
    )
    assert (len(seconds), mail.status) == (5, "sent")
    assert max(seconds) < PROVIDER_TIMEOUT + 1.5


def test_the_time_a_provider_may_take_is_ten_seconds_unless_configured():
    environment = {name: value for name, value in os.environ.items() if name != "PROVIDER_TIMEOUT_SECONDS"}
    program = "from contact_center import settings; print(settings.PROVIDER_TIMEOUT_SECONDS, settings.EMAIL_TIMEOUT)"
    said = subprocess.run(
        [sys.executable, "-c", program], env=environment | {"DEBUG": "1"}, capture_output=True, text=True
    )
    assert said.stdout.split() == ["10.0", "10"]


@pytest.mark.parametrize("rounds", [25, pytest.param(100, marks=pytest.mark.slow)])
def test_W8_nothing_leaves_after_a_stop_was_stored(provider, desk, rounds):
    late = []
    for number in range(rounds):
        address = f"+1786557{number:04d}"
        person = InteractionFactory(channel=desk.sms, contact_value=address, owner=desk.agent)
        message = enqueue(interaction=person, text=f"Round {number}", author=desk.agent)
        store_inbound(address, number)
        race(partial(deliver_message, message.pk), drain_ledger)
        drain_ledger()
        stored_at = OptOut.objects.get(address=address).started_at
        message.refresh_from_db()
        if message.status == "sent" and message.sent_at > stored_at:
            late.append((number, message.sent_at - stored_at))
    sent = Message.objects.filter(text__startswith="Round", status="sent").count()
    kept_back = Message.objects.filter(text__startswith="Round", status__in=["suppressed", "queued"]).count()
    drain_outboxes()
    after = Message.objects.filter(text__startswith="Round", status="sent").count() - sent
    print(
        f"W8: {rounds} races: {sent} left before STOP, {kept_back} kept back, {len(late) + after} after STOP was stored"
    )
    assert (late, after, sent + kept_back) == ([], 0, rounds)


def store_inbound(address, number):
    body = urlencode(
        {
            "MessageSid": f"SM{number:032x}",
            "AccountSid": ACCOUNT_SID,
            "From": address,
            "To": "+15005550100",
            "Body": "STOP",
            "NumMedia": "0",
            "SmsStatus": "received",
        }
    )
    accept_event(
        provider="twilio_messaging",
        kind="messaging",
        dedupe_key=f"in:stop{number}",
        body=body.encode(),
        content_type="application/x-www-form-urlencoded",
    )
