"""Nothing is lost and nothing leaves twice, whatever is killed and whatever the provider answers."""

import os
import random
import time

import pytest

from inbox.models import Message
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
    """Queue everything, then kill the worker group at random points of its work; the kills that struck work."""
    chance, struck = random.Random(seed), 0
    desk.queue(sends, same_text_every=7)
    store = lab.simulator.simulator.store
    accepted = lambda: store.value("SELECT count(*) FROM message WHERE direction != 'inbound'")  # noqa: E731
    for number in range(kills):
        before = accepted()
        lab.start_workers(2)
        lab.wake("inbox.drain_outboxes", "outbound")
        if number % 3 == 0:
            lab.wake("inbox.reconcile_sends", "outbound")
        deadline = time.monotonic() + 5
        while accepted() == before and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 2 * sends / kills * 0.02))
        struck += accepted() > before
        lab.kill_workers()
    return struck


def outcome_of(lab):
    state = lab.simulator.settle(30)
    return state["unique"], state["duplicates"]


@pytest.mark.parametrize(
    ("sends", "kills"),
    [
        pytest.param(200, 20, id="quick"),
        pytest.param(2000, 200, id="whole", marks=[pytest.mark.slow, pytest.mark.timeout(1500)]),
    ],
)
def test_C1_killing_the_workers_loses_and_doubles_nothing(make_lab, desk, sends, kills):
    lab = make_lab(**QUICK_OUTBOX)
    lab.start_web()
    seed = int(os.environ.get("FAULT_SEED", "1"))
    struck = send_while_killing(lab, desk, sends=sends, kills=kills, seed=seed)
    lab.start_workers(2)
    drive_to_the_end(lab, desk, 90)
    unique, duplicates = outcome_of(lab)
    lost = Message.objects.filter(direction="outbound").exclude(status__in=["sent", "delivered"]).count()
    print(
        f"C1: {sends} sends, {kills} kills ({struck} at work): {unique} unique, {lost} lost, {duplicates} duplicate"
    )
    assert (unique, lost, duplicates) == (sends, 0, 0)
