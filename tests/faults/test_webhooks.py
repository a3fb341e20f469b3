"""What providers tell us is stored once, processed once, understood in any order, and never believed unsigned."""

import itertools
import json
import threading
import time
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import psycopg2
import pytest
from django.conf import settings as django_settings
from django.test import Client
from twilio.request_validator import RequestValidator

from inbox.adapters.base import SignatureError
from inbox.adapters.twilio_http import TwilioConfig
from inbox.adapters.twilio_messaging import TwilioMessagingAdapter
from inbox.models import Interaction, Message, WebhookEvent
from inbox.services.ledger import accept_event, drain_ledger, process_event
from tests.factories.inbox import InteractionFactory, MessageFactory
from tests.faults.crash import die_within, fail_within, steps_of
from tests.faults.lab import ACCOUNT_SID, database_url, percentile, race
from tests.faults.stack import wait_until

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
MESSAGING = "/webhooks/twilio/messaging"
VECTORS = Path(__file__).resolve().parents[3] / "shared/data/twilio/signature-vectors.json"
numbers = itertools.count(1)


def parameters(**given):
    sid = given.pop("MessageSid", None) or f"SM{next(numbers):032x}"
    fixed = {"AccountSid": ACCOUNT_SID, "From": "+13055550123", "To": "+15005550100", "Body": "Hello"}
    return fixed | {"MessageSid": sid, "NumMedia": "0", "SmsStatus": "received"} | given


def signature_of(params, *, base=None, path=MESSAGING, token=None):
    url = (base or django_settings.PUBLIC_BASE_URL) + path
    return RequestValidator(token or django_settings.TWILIO_AUTH_TOKEN).compute_signature(url, params)


def post(params, signature, path=MESSAGING):
    headers = {"X-Twilio-Signature": signature} if signature is not None else {}
    form = "application/x-www-form-urlencoded"
    return Client().post(path, urlencode(params), content_type=form, headers=headers).status_code


def store(**given):
    """One event in the ledger, not processed yet."""
    params = parameters(**given)
    return accept_event(
        provider="twilio_messaging",
        kind="messaging",
        dedupe_key=f"in:{params['MessageSid']}",
        external_id=params["MessageSid"],
        content_type="application/x-www-form-urlencoded",
        body=urlencode(params).encode(),
    )


def test_W1_nothing_is_believed_that_the_provider_did_not_sign(desk, settings):
    settings.PUBLIC_BASE_URL = "https://desk.aurora.example"
    params = parameters()
    right = signature_of(params)
    cases = {
        "no signature": (params, None),
        "empty signature": (params, ""),
        "wrong signature": (params, "x" * 28),
        "another token": (params, signature_of(params, token="another")),
        "changed body": (params | {"Body": "Bye"}, right),
        "added parameter": (params | {"Extra": "1"}, right),
        "removed parameter": ({k: v for k, v in params.items() if k != "NumMedia"}, right),
        "http address": (params, signature_of(params, base="http://desk.aurora.example")),
        "another host": (params, signature_of(params, base="https://evil.example")),
        "another path": (params, signature_of(params, path="/webhooks/twilio/voice")),
    }
    other = params | {"AccountSid": "AC" + "1" * 32}
    cases["another account"] = (other, signature_of(other))
    answers = {name: post(*case) for name, case in cases.items()}
    print(
        f"W1: {len(answers)} forgeries: {list(answers.values()).count(403)} × 403, {WebhookEvent.objects.count()} rows"
    )
    assert answers == dict.fromkeys(cases, 403)
    assert WebhookEvent.objects.count() == 0
    assert post(params, right) == 200


@pytest.mark.skipif(not VECTORS.exists(), reason="the published signature vectors are not here")
def test_W1_published_signatures_are_judged_as_published():
    given = json.loads(VECTORS.read_text())
    for vector in given["vectors"]:
        base, _, path = vector["url"].partition("/myapp")
        config = TwilioConfig(account_sid="", auth_token=given["auth_token"], public_base_url=base)
        adapter, params = TwilioMessagingAdapter(config), vector.get("params", {})
        adapter.config = TwilioConfig(params.get("AccountSid"), given["auth_token"], base)
        headers = {"X-Twilio-Signature": vector["signature"]}
        try:
            adapter.verify("/myapp" + path, headers, vector.get("body", "").encode(), params)
            is_valid = True
        except SignatureError:
            is_valid = False
        assert (vector["id"], is_valid) == (vector["id"], vector["valid"])


def test_W2_one_event_ten_times_at_once_is_one_row_and_ten_times_accepted(desk):
    params, answers = parameters(), []
    race(*[lambda: answers.append(post(params, signature_of(params)))] * 10)
    race(*[drain_ledger] * 4)
    print(f"W2: 10 deliveries: {WebhookEvent.objects.count()} row, {answers.count(200)} × 2xx")
    assert (answers, WebhookEvent.objects.count(), Message.objects.count()) == ([200] * 10, 1, 1)


def test_ten_messages_of_one_new_sender_at_once_are_one_interaction(desk):
    events = [store(Body=f"Part {number}") for number in range(10)]
    race(*[partial(process_event, event) for event in events])
    drain_ledger()
    (interaction,) = Interaction.objects.all()
    assert (interaction.unread_count, interaction.messages.count()) == (10, 10)


def test_W3_reports_in_any_order_end_in_the_same_status(desk):
    person = InteractionFactory(channel=desk.sms)
    words = ("queued", "sending", "sent", "delivered", "read")
    orders = list(itertools.permutations(words))
    rank, backwards = {word: number for number, word in enumerate(words)}, 0
    for number, order in enumerate(orders):
        sid = f"SM{number:032x}"
        message = MessageFactory(
            interaction=person,
            direction="outbound",
            status="sending",
            gate_decision="send",
            provider="twilio_messaging",
            external_id="",
        )
        seen = []
        for word in order:
            accept_event(
                provider="twilio_messaging",
                kind="message_status",
                dedupe_key=f"status:{sid}:{word}",
                content_type="application/x-www-form-urlencoded",
                query=f"message={message.public_id}",
                body=urlencode({"MessageSid": sid, "MessageStatus": word, "To": person.contact_value}).encode(),
            )
            drain_ledger()
            seen.append(rank[Message.objects.values_list("status", flat=True).get(pk=message.pk)])
        backwards += seen != sorted(seen)
    final = list(Message.objects.filter(direction="outbound").values_list("status", flat=True))
    print(f"W3: {final.count('read')}/{len(orders)} orders end as read, {backwards} went backwards")
    assert (len(orders), final.count("read"), backwards) == (120, 120, 0)


def post_many(lab, count):
    """Statuses and seconds of signed deliveries, one after the other."""
    return [lab.post_webhook(MESSAGING, **parameters()) for _ in range(count)]


def test_W4_webhooks_are_answered_in_time_while_the_database_is_busy_and_without_redis(make_lab, desk):
    lab = make_lab()
    lab.start_web()
    post_many(lab, 10)
    with busy_database(sessions=4):
        busy = post_many(lab, 150)
    lab.broker.kill()
    without = post_many(lab, 60)
    slowest = {"busy": percentile([s for _, s in busy], 0.99), "none": percentile([s for _, s in without], 0.99)}
    taken = [status for status, _ in busy + without].count(200)
    print(
        f"W4: {taken}/210 taken; p99 {slowest['busy'] * 1000:.0f} ms with the database busy, "
        f"{slowest['none'] * 1000:.0f} ms without Redis"
    )
    assert (taken, WebhookEvent.objects.count()) == (210, 220)
    assert slowest["busy"] <= 0.5
    assert slowest["none"] <= 2.0


class busy_database:
    """Sessions that sort and count without rest while the block runs."""

    def __init__(self, sessions):
        self.sessions, self.done = sessions, threading.Event()

    def __enter__(self):
        self.threads = [threading.Thread(target=self.work, args=(database_url(),)) for _ in range(self.sessions)]
        for thread in self.threads:
            thread.start()

    def work(self, url):
        link = psycopg2.connect(url)
        link.autocommit = True
        while not self.done.is_set():
            link.cursor().execute("SELECT count(DISTINCT md5(n::text)) FROM generate_series(1, 20000) n")
        link.close()

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join(20)


def test_W5_what_came_while_nobody_listened_is_fetched_afterwards(make_lab, desk):
    lab = make_lab()
    written = lab.simulator.inject_inbound(from_="+13055550177", to="+15005550100", body="Anybody there?", count=50)
    assert Message.objects.count() == 0
    begun = time.monotonic()
    lab.start_web()
    lab.start_workers(2)
    lab.wake("inbox.fill_ledger_gaps", "default")
    lab.wake("inbox.drain_ledger", "webhooks")

    def is_complete():
        lab.wake("inbox.drain_ledger", "webhooks")
        time.sleep(0.3)
        return Message.objects.count() == 50

    wait_until(is_complete, 60, "all messages are there")
    took = time.monotonic() - begun
    found = set(Message.objects.values_list("external_id", flat=True))
    print(f"W5: {len(found)}/50 present {took:.0f} s after return")
    assert found == {message["sid"] for message in written["messages"]}


def test_a_worker_that_dies_between_any_two_steps_of_processing_stores_the_message_once(desk):
    process_event(store(From="+17865570000"))
    steps = steps_of(partial(process_event, store()))
    deaths = [(step, is_after) for step in range(1, steps + 1) for is_after in (False, True)]
    for number, (step, is_after) in enumerate(deaths):
        event = store(From=f"+1786558{number:04d}")
        assert die_within(partial(process_event, event), step, is_after=is_after)
        WebhookEvent.objects.update(next_attempt_at=None)
        wait_until(lambda: drain_ledger() or not waiting(), 5, "the dead worker's session is gone")
    print(f"Processing: {len(deaths)} deaths at {steps} steps: {Message.objects.count()} messages, {waiting()} waiting")
    assert (Message.objects.count(), Interaction.objects.count()) == (len(deaths) + 2, len(deaths) + 2)


def waiting():
    return WebhookEvent.objects.filter(status="received").count()


def test_an_error_between_any_two_steps_of_processing_stores_the_message_once(desk):
    process_event(store(From="+17865570000"))
    steps = steps_of(partial(process_event, store()))
    for step in range(1, steps + 1):
        event = store(From=f"+1786559{step:04d}")
        fail_within(partial(process_event, event), step)
        WebhookEvent.objects.update(next_attempt_at=None)
        drain_ledger()
    assert (Message.objects.count(), Interaction.objects.count(), waiting()) == (steps + 2, steps + 2, 0)
