"""Redis may die, hang or forget, workers may be poisoned, beat may run twice: the work lists are rows."""

import os
import re
import threading
import time
from pathlib import Path

import pytest
from django.test import Client

from contact_center.celery import app
from inbox.models import Message, WebhookEvent
from tests.faults.lab import percentile
from tests.faults.stack import ROOT, wait_until
from tests.faults.test_webhooks import store

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]


def length(*quick_and_whole):
    """The quick length by default; the whole one is left to `make faults`."""
    quick, whole = quick_and_whole
    return [pytest.param(quick, id="quick"), pytest.param(whole, id="whole", marks=pytest.mark.slow)]


def processed():
    """Inbound messages that were processed; reports of our own messages not counted."""
    return WebhookEvent.objects.filter(status="processed", kind="messaging").count()


def test_C2_work_goes_on_after_the_broker_was_killed_amid_tasks(make_lab, desk):
    lab, rounds, each = make_lab(), 5, 12
    lab.start_workers(2)
    lab.start_beat()
    seconds = []
    for number in range(rounds):
        for item in range(each):
            store(From=f"+1786{number:03d}{item:04d}")
        lab.wake("inbox.drain_ledger", "webhooks")
        lab.broker.kill()
        lab.broker.start()
        seconds.append(wait_until(lambda wanted=(number + 1) * each: processed() == wanted, 30, "all was processed"))
    ran = Message.objects.count()
    print(f"C2: {rounds} kills: {ran}/{rounds * each} ran, next task at most {max(seconds):.1f} s after return")
    assert ran == rounds * each
    assert max(seconds) <= 5


@pytest.mark.slow
@pytest.mark.parametrize("hang", length(8, 45))
def test_C3_a_hanging_broker_slows_no_page_and_work_resumes(make_lab, desk, hang):
    lab = make_lab()
    lab.start_web()
    lab.start_workers(2)
    lab.start_beat()
    lab.get("/healthz")
    browser = signed_in_browser(lab, desk.agent)
    browser("/inbox/")
    lab.broker.pause()
    seconds, begun = [], time.monotonic()
    while time.monotonic() - begun < hang:
        status, took = browser("/inbox/")
        assert status == 200
        seconds.append(took)
        time.sleep(0.05)
    status, took = lab.post_webhook(
        "/webhooks/twilio/messaging", MessageSid="SM" + "c" * 32, From="+13055550188", To="+15005550100", Body="Hello"
    )
    lab.broker.resume()
    back = wait_until(lambda: processed() == 1, 20, "the message is processed")
    slowest = percentile(seconds, 0.99)
    print(f"C3: {hang} s of silence: page p99 {slowest * 1000:.0f} ms, webhook {took * 1000:.0f} ms")
    print(f"C3: work resumed {back:.1f} s after")
    assert status == 200
    assert slowest <= 1.0
    assert back <= 5


def signed_in_browser(lab, user):
    """`browser(path, **form)` gets or posts as this person on the real server; status and seconds."""
    client = Client()
    client.force_login(user, backend="contact_center.accounts.backends.PersonBackend")
    session = client.cookies["sessionid"].value
    token = "a" * 32

    def browse(path, **form):
        return lab.browse(path, form, cookies={"sessionid": session, "csrftoken": token}, token=token)

    return browse


@pytest.mark.slow
@pytest.mark.parametrize("outage", length(6, 60))
def test_C4_agents_go_on_replying_while_the_broker_is_down(make_lab, desk, outage):
    lab = make_lab()
    lab.start_web()
    lab.start_workers(2)
    lab.start_beat()
    browser = signed_in_browser(lab, desk.agent)
    (first,) = desk.queue(1)
    wait_until(lambda: desk.statuses().get("queued", 0) == 0, 20, "the first message left")
    lab.broker.kill()
    answers, begun = [], time.monotonic()
    while time.monotonic() - begun < outage:
        path = f"/inbox/{first.interaction_id}/compose/"
        answers.append(browser(path, text=f"Reply {len(answers)}", mode="sms", form_key=f"k{len(answers)}")[0])
        time.sleep(0.2)
    waiting = Message.objects.filter(status="queued").count()
    lab.broker.start()
    back = wait_until(lambda: not Message.objects.filter(status__in=["queued", "sending"]).exists(), 40, "all left")
    taken = [status for status in answers if 200 <= status < 400]
    print(f"C4: {outage} s without broker: {len(taken)}/{len(answers)} taken, outbox empty {back:.1f} s after return")
    assert (len(taken), Message.objects.filter(text__startswith="Reply").count()) == (len(answers), len(answers))
    assert waiting >= len(answers) - 2
    assert back <= 10


def test_C5_nothing_is_scheduled_in_redis_and_no_task_outlives_its_visibility():
    far = []
    for folder in ("contact_center", "inbox", "patients", "scheduling", "complaints", "analytics"):
        for path in (ROOT / folder).rglob("*.py"):
            for match in re.finditer(r"\b(eta|countdown)\s*=\s*([^,)\s]+)", path.read_text()):
                if match[1] == "eta" or not match[2].isdigit() or int(match[2]) > 60:
                    far.append(f"{path}: {match[0]}")
    options = app.conf.broker_transport_options
    limits = [app.conf.task_time_limit, *(task.time_limit or 0 for task in app.tasks.values())]
    print(f"C5: {len(far)} places, longest task {max(limits)} s, visibility {options['visibility_timeout']} s")
    assert far == []
    assert max(limits) < options["visibility_timeout"]
    assert app.conf.result_backend is None
    assert (app.conf.task_acks_late, app.conf.task_reject_on_worker_lost) == (True, True)
    assert (options["unacked_restore_interval"], options["unacked_restore_throttle"]) == (10, 1)


@pytest.mark.slow
@pytest.mark.parametrize("watch", length(12, 60))
def test_C6_two_beats_tick_once(make_lab, desk, watch):
    lab = make_lab()
    lab.start_beat("first")
    lab.start_beat("second")
    queue = f"{app.conf.broker_transport_options['global_keyprefix']}webhooks"
    wait_until(lambda: lab.broker.link.llen(queue) >= 1, 25, "the first tick")
    before = lab.broker.link.llen(queue)
    time.sleep(watch)
    ticks = lab.broker.link.llen(queue) - before
    expected = watch / app.conf.beat_schedule["drain-ledger"]["schedule"]
    print(f"C6: two beats for {watch} s: {ticks} ticks, {expected:.1f} expected")
    assert abs(ticks - expected) <= 1


def test_C6_the_second_beat_takes_over_when_the_first_dies(make_lab, desk):
    lab = make_lab()
    lab.start_beat("first")
    queue = f"{app.conf.broker_transport_options['global_keyprefix']}webhooks"
    wait_until(lambda: lab.broker.link.llen(queue) >= 1, 25, "the first tick")
    lab.start_beat("second")
    time.sleep(3)
    os.killpg(lab.processes["first"].pid, 9)
    before = lab.broker.link.llen(queue)
    wait_until(lambda: lab.broker.link.llen(queue) > before, 20, "a tick of the second beat")


def test_C8_poison_is_set_aside_after_five_tries_and_holds_nobody_up(make_lab, desk):
    lab = make_lab(POISON="1")
    raising, killing = store(Body="poison raise"), store(Body="poison kill")
    good = [store(From=f"+1786560{number:04d}") for number in range(100)]
    lab.start_workers(2)
    begun = time.monotonic()

    def hurry():
        """The clock of the retries, moved on."""
        WebhookEvent.objects.filter(status="received", attempts__gt=0).update(next_attempt_at=None)
        lab.wake("inbox.drain_ledger", "webhooks")
        time.sleep(0.3)
        return WebhookEvent.objects.filter(status="quarantined").count() == 2

    wait_until(lambda: lab.wake("inbox.drain_ledger", "webhooks") or processed() >= 90, 60, "the others are processed")
    others = time.monotonic() - begun
    wait_until(hurry, 80, "the poison is set aside")
    wait_until(lambda: hurry() and processed() == 100, 30, "all others are processed")
    found = {row.pk: (row.attempts, row.error) for row in WebhookEvent.objects.filter(status="quarantined")}
    tries = [min(attempts, 5) for attempts, _ in found.values()]
    print(f"C8: set aside after {tries} tries; {processed()}/{len(good)} others done, 90 of them in {others:.1f} s")
    assert set(found) == {raising, killing}
    assert found[raising] == (5, "RuntimeError while processing.")
    assert found[killing] == (6, "It stopped its worker 5 times.")
    assert processed() == len(good)


def test_C9_a_flushed_redis_loses_no_row_and_logs_nobody_out(make_lab, desk):
    lab = make_lab()
    lab.start_web()
    lab.start_workers(2)
    lab.start_beat()
    browser = signed_in_browser(lab, desk.agent)
    assert browser("/inbox/")[0] == 200
    for number in range(30):
        store(From=f"+1786561{number:04d}")
    desk.queue(30)
    lab.broker.link.flushall()
    begun = time.monotonic()
    wait_until(lambda: processed() == 30 and desk.statuses().get("queued", 0) == 0, 60, "the work lists are empty")
    took = time.monotonic() - begun
    rows = (Message.objects.filter(direction="inbound").count(), Message.objects.filter(direction="outbound").count())
    print(f"C9: {60 - sum(rows)} rows lost, page {browser('/inbox/')[0]}, all work done {took:.1f} s after FLUSHALL")
    assert (rows, browser("/inbox/")[0]) == ((30, 30), 200)


def test_the_schedule_names_tasks_that_exist_and_queues_that_workers_serve():
    line = next(line for line in Path(ROOT / "Procfile").read_text().splitlines() if line.startswith("worker:"))
    served = re.search(r"-Q (\S+)", line)[1].split(",")
    app.loader.import_default_modules()
    for name, entry in app.conf.beat_schedule.items():
        assert entry["task"] in app.tasks, name
        assert entry["options"]["queue"] in served, name


def test_publishing_never_makes_the_caller_wait(desk):
    from contact_center.common.wake import wake

    begun = time.monotonic()
    threads = [threading.Thread(target=wake, args=("inbox.drain_ledger", "webhooks")) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - begun < 1
