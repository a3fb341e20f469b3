"""The ledger: whatever came is kept as it came, processed once, and set aside in sight when it cannot be."""

import threading

import pytest
from django.db import OperationalError, connection, transaction

from contact_center.common.errors import Conflict
from inbox.enums import EventKind, EventStatus
from inbox.models import Message, WebhookEvent
from inbox.services import ledger
from inbox.services.ledger import accept_event, drain_ledger, process_event, receive_raw_mail, retry_event
from tests.simulator.fixtures import wait_for

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"


def store(body=b"MessageSid=SM1&From=%2B13055550123&To=%2B15005550100&Body=Hi", key="in:SM1", **given):
    given = {"content_type": FORM, "kind": EventKind.MESSAGING, "provider": "twilio_messaging"} | given
    return accept_event(dedupe_key=key, body=body, **given)


def test_the_raw_source_is_kept_byte_for_byte_and_only_once():
    body = bytes(range(256))
    event = store(body)
    assert store(body) is None
    assert bytes(WebhookEvent.objects.get(pk=event).body) == body


def test_a_key_of_any_length_and_with_nul_bytes_is_one_key():
    assert store(key="x" * 5000) is not None
    assert store(key="x" * 5000) is None
    assert store(key="x" * 4999 + "y") is not None
    assert store(key="a\x00b") is not None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\x01\x02",
        b"From=1&To=2",
        b"MessageSid=%00&Body=x",
        b"MessageSid=SM1&SmsStatus=exploded",
        b"\xff" * 900,
    ],
)
def test_what_cannot_be_read_is_set_aside_with_a_sentence(body, sms_channel):
    event = WebhookEvent.objects.get(pk=store(body))
    drain_ledger()
    event.refresh_from_db()
    assert (event.status, bool(event.error), bytes(event.body)) == (EventStatus.QUARANTINED, True, body)


def test_an_error_is_tried_five_times_and_a_busy_database_for_ever(sms_channel, monkeypatch):
    def broken(*_args, **_given):
        raise raised

    monkeypatch.setattr(ledger, "receive_message", broken)
    raised = RuntimeError("secret text of a patient")
    event = WebhookEvent.objects.get(pk=store())
    for _ in range(9):
        WebhookEvent.objects.update(next_attempt_at=None)
        drain_ledger()
    event.refresh_from_db()
    assert (event.status, event.attempts, event.error) == ("quarantined", 5, "RuntimeError while processing.")
    raised = OperationalError("lock timeout")
    busy = WebhookEvent.objects.get(pk=store(key="in:SM2"))
    for _ in range(4):
        WebhookEvent.objects.filter(pk=busy.pk).update(next_attempt_at=None)
        drain_ledger()
    busy.refresh_from_db()
    assert busy.status == EventStatus.RECEIVED


def test_a_quarantined_event_is_processed_again_when_the_channel_exists(sms_channel, supervisor):
    sms_channel.address = "+15005550999"
    sms_channel.save()
    event = store()
    drain_ledger()
    assert WebhookEvent.objects.get(pk=event).status == EventStatus.QUARANTINED
    sms_channel.address = "+15005550100"
    sms_channel.save()
    retry_event(actor=supervisor, event_id=event)
    drain_ledger()
    assert (WebhookEvent.objects.get(pk=event).status, Message.objects.get().text) == (EventStatus.PROCESSED, "Hi")
    with pytest.raises(Conflict):
        retry_event(actor=supervisor, event_id=event)


def test_events_after_a_batch_are_claimed_oldest_first(sms_channel):
    keys = [f"in:SM{number:04d}" for number in range(25)]
    for key in keys:
        store(f"MessageSid={key[3:]}&From=%2B13055550123&To=%2B15005550100&Body=Hi".encode(), key=key)
    assert drain_ledger(limit=500) == 25
    found = Message.objects.order_by("id").values_list("external_id", flat=True)
    assert list(found) == [key[3:] for key in keys]


WAITING = """SELECT pg_stat_clear_snapshot();
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"""


@pytest.mark.django_db(transaction=True)
def test_an_event_that_another_worker_touches_for_an_instant_is_processed_now_and_not_a_minute_later(sms_channel):
    event_id = store()

    def work():
        process_event(event_id)
        connection.close()

    def is_waiting():
        with connection.cursor() as cursor:
            cursor.execute(WAITING)
            return cursor.fetchone() == (1,)

    worker = threading.Thread(target=work)
    with transaction.atomic():
        WebhookEvent.objects.select_for_update().get(pk=event_id)
        worker.start()
        wait_for(lambda: is_waiting() or not worker.is_alive())
    worker.join()
    assert WebhookEvent.objects.get(pk=event_id).status == EventStatus.PROCESSED


def test_the_same_mail_to_the_same_mailbox_is_stored_once_whatever_carried_it():
    first = receive_raw_mail(raw=b"Subject: x\n\ny", transport="imap", mailbox="care@aurora.example")
    again = receive_raw_mail(raw=b"Subject: x\n\ny", transport="smtp", envelope_to="Care@aurora.example")
    other = receive_raw_mail(raw=b"Subject: x\n\ny", transport="smtp", envelope_to="billing@aurora.example")
    assert (first is None, again is None, other is None) == (False, True, False)


def test_a_call_to_no_line_of_ours_is_kept_where_people_see_it(sms_channel):
    event = store(b"CallSid=CA1", key="call:CA1", kind=EventKind.VOICE)
    drain_ledger()
    assert WebhookEvent.objects.get(pk=event).status == EventStatus.QUARANTINED
