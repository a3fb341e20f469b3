"""Events wait their turn: a busy database and a long queue cost time, never an event."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import OperationalError
from django.utils import timezone

from contact_center.common import deadline
from inbox.enums import EventKind
from inbox.models import OptOut, WebhookEvent
from inbox.services import ledger
from inbox.services.ledger import accept_event, drain_ledger

pytestmark = pytest.mark.django_db


def store(number=1, text="STOP"):
    words = {"MessageSid": f"SM{number:032x}", "From": "+13055550123", "To": "+15005550100", "Body": text}
    return accept_event(
        provider="twilio_messaging",
        kind=EventKind.MESSAGING,
        dedupe_key=f"in:{number}",
        content_type="application/x-www-form-urlencoded",
        body=urlencode(words).encode(),
    )


def drain_failing_with(error, times, monkeypatch):
    def fail(event):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "_process", fail)
        for _ in range(times):
            WebhookEvent.objects.update(next_attempt_at=None)
            drain_ledger()
    WebhookEvent.objects.update(next_attempt_at=None)


def test_a_stop_that_met_a_busy_database_ten_times_is_processed_when_it_is_free(sms_channel, monkeypatch):
    event_id = store()
    drain_failing_with(OperationalError("canceling statement due to lock timeout"), 10, monkeypatch)
    waiting = WebhookEvent.objects.get(pk=event_id)
    assert (waiting.status, waiting.attempts, waiting.error) == ("received", 0, "OperationalError while processing.")
    drain_ledger()
    assert (WebhookEvent.objects.get(pk=event_id).status, OptOut.objects.count()) == ("processed", 1)


def test_an_event_that_is_busy_for_more_than_a_day_is_shown_to_a_person(sms_channel, monkeypatch):
    event_id = store()
    WebhookEvent.objects.update(received_at=timezone.now() - timedelta(hours=25))
    drain_failing_with(OperationalError("canceling statement due to statement timeout"), 5, monkeypatch)
    assert WebhookEvent.objects.get(pk=event_id).status == "quarantined"


def test_an_unexpected_error_is_counted_and_goes_to_quarantine(sms_channel, monkeypatch):
    event_id = store()
    drain_failing_with(ValueError("x"), 4, monkeypatch)
    assert WebhookEvent.objects.get(pk=event_id).status == "received"
    drain_failing_with(ValueError("x"), 1, monkeypatch)
    assert WebhookEvent.objects.get(pk=event_id).status == "quarantined"


def test_a_run_that_is_over_its_time_gives_the_rest_back_untried_and_asks_for_another(sms_channel, monkeypatch):
    woken = []
    monkeypatch.setattr(deadline, "wake", lambda *task: woken.append(task))
    monkeypatch.setattr(deadline, "DRAIN_SECONDS", 5.0)
    ids = [store(number, "Hello") for number in range(4)]
    clock = iter([0.0, 1.0, 2.0, *[6.0] * 20])
    monkeypatch.setattr(deadline, "monotonic", lambda: next(clock))
    assert drain_ledger() == 2
    rows = WebhookEvent.objects.order_by("id").values_list("pk", "status", "attempts", "next_attempt_at")
    assert [row[1:3] for row in rows] == [("processed", 1), ("processed", 1), ("received", 0), ("received", 0)]
    assert [row[3] for row in rows][2:] == [None, None]
    assert ([row[0] for row in rows], woken) == (ids, [("inbox.drain_ledger", "webhooks")])


def test_celerys_time_limit_is_not_held_against_the_event(sms_channel, monkeypatch):
    event_id = store()
    with pytest.raises(SoftTimeLimitExceeded):
        drain_failing_with(SoftTimeLimitExceeded(), 1, monkeypatch)
    event = WebhookEvent.objects.get(pk=event_id)
    assert (event.status, event.error) == ("received", "")


def test_an_event_that_was_committed_late_is_found_by_the_worker_that_has_gone_past_it(sms_channel, monkeypatch):
    late, first = store(1), store(2)
    WebhookEvent.objects.filter(pk=late).update(next_attempt_at=timezone.now() + timedelta(hours=1))
    process, seen = ledger.process_event, []

    def commit_the_late_one(event_id):
        seen.append(event_id)
        if event_id == first:
            WebhookEvent.objects.filter(pk=late).update(next_attempt_at=None)
            store(3)
        process(event_id)

    monkeypatch.setattr(ledger, "process_event", commit_the_late_one)
    monkeypatch.setattr(ledger, "LOOK_BACK_SECONDS", -1)
    drain_ledger()
    assert (seen[:2], WebhookEvent.objects.filter(status="received").count()) == ([first, late], 0)
