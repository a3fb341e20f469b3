"""The ledger: store what arrives before understanding it, then process each event exactly once."""

import hashlib
import json
import time
from datetime import timedelta
from typing import Any

import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.deadline import Deadline
from contact_center.common.errors import Conflict
from contact_center.common.rows import fetch_rows, update_row
from contact_center.common.wake import wake_on_commit
from inbox import realtime
from inbox.adapters.base import UnparseablePayload
from inbox.adapters.events import CallEvent, DeliveryReport, InboundMessage
from inbox.enums import EventKind, EventStatus
from inbox.intakes import intake_of
from inbox.models import WebhookEvent
from inbox.services.attachments import kept_with_rows
from inbox.services.calls import apply_call_event
from inbox.services.inbound import receive_message
from inbox.services.providers import adapter_for
from inbox.services.reports import apply_report

log = structlog.get_logger(__name__)
DRAIN_TASK, DRAIN_QUEUE = "inbox.drain_ledger", "webhooks"
CLAIM_SIZE = 10
LOOK_BACK_SECONDS = 1.0
LOCK_TIMEOUT = "55P03"
BACKOFF = [timedelta(seconds=s) for s in (2, 5, 20, 60, 120)]
BUSY_FOR = timedelta(hours=24)  # so long, a busy database is no fault of the event

INSERT_EVENT = (
    "INSERT INTO inbox_webhookevent (provider, kind, dedupe_key, external_id, status, content_type, query, headers,"
    " body, received_at, attempts, error) VALUES (%s, %s, %s, %s, 'received', %s, %s, %s::jsonb, %s, now(), 0, '')"
    " ON CONFLICT (provider, dedupe_key) DO NOTHING RETURNING id"
)


class EarlierStepOpen(OperationalError):
    """What came before in the same call is not noted yet, which is ordinary."""


def accept_event(
    *,
    provider: str,
    kind: EventKind,
    dedupe_key: str,
    body: bytes,
    external_id: str = "",
    content_type: str = "",
    query: str = "",
    headers: str = "{}",
) -> int | None:
    """Store one event and wake the workers after commit; None when this very event is stored already.

    `body` is kept byte for byte. `headers` is JSON text of the few headers worth keeping.
    """
    words = [text.replace("\x00", "")[:most] for text, most in ((external_id, 200), (content_type, 120), (query, 500))]
    values = [provider, kind, _short_key(dedupe_key), *words, headers, body]
    row = _insert_once(values)
    if row is None:
        return None
    wake_on_commit(DRAIN_TASK, DRAIN_QUEUE)
    return int(row[0])


def _insert_once(values: list[Any]) -> tuple[int] | None:
    """One statement, so it needs no transaction of its own, and may be repeated when the connection turns out lost."""
    if connection.in_atomic_block:
        return _insert(values)
    # The insert itself notices a lost connection, one round trip cheaper than asking first.
    connection.health_check_done = True  # type: ignore[attr-defined]
    try:
        return _insert(values)
    except (OperationalError, InterfaceError):
        if connection.is_usable():
            raise
        connection.close()
        return _insert(values)


def _insert(values: list[Any]) -> tuple[int] | None:
    with connection.cursor() as cursor:
        cursor.execute(INSERT_EVENT, values)
        return cursor.fetchone()


def _short_key(key: str) -> str:
    clean = key.replace("\x00", "")
    return clean if len(clean) <= 200 else f"{clean[:130]}:{hashlib.sha256(clean.encode()).hexdigest()}"


def receive_raw_mail(
    *, raw: bytes, transport: str, mailbox: str = "", external_id: str = "", envelope_to: str = ""
) -> int | None:
    """Store one raw mail; None when this very source reached the same mailbox before.

    The same mail by another transport has other trace lines and is stored again; its Message-ID shows that it is
    known when it is processed. A mail too large to process is stored as well and goes to quarantine.
    """
    digest = hashlib.sha256(raw).hexdigest()
    return accept_event(
        provider="email",
        kind=EventKind.EMAIL,
        dedupe_key=f"{(mailbox or envelope_to).lower()}:{digest}",
        external_id=external_id,
        content_type="message/rfc822",
        query=f"transport={transport}&to={envelope_to}",
        body=raw,
    )


def keep_unreadable(*, provider: str, kind: EventKind, body: bytes, content_type: str, why: str) -> None:
    """Store what a proven sender sent and nobody could read, in quarantine, where people see it; once per body."""
    with realtime.atomic():
        event_id = accept_event(
            provider=provider,
            kind=kind,
            dedupe_key=f"unreadable:{hashlib.sha256(body).hexdigest()}",
            content_type=content_type,
            body=body,
        )
        if event_id is not None:
            event = WebhookEvent.objects.get(pk=event_id)
            event.quarantine(why)
            event.save()
            realtime.touch(realtime.LEDGER_TOPIC)


def drain_ledger(*, limit: int = 500) -> int:
    """Process waiting events, oldest first, until none is due or a minute is over; returns how many were tried.

    Several workers may drain at once: each claims rows the others have not claimed. A claim counts as an attempt,
    so that an event that kills its worker is noticed; events tried before are claimed alone.
    """
    deadline = Deadline(DRAIN_TASK, DRAIN_QUEUE)
    tried = after = 0
    looked_at = time.monotonic()
    while tried < limit and not deadline.is_over:
        if time.monotonic() - looked_at > LOOK_BACK_SECONDS:
            after, looked_at = 0, time.monotonic()
        batch = _claim_batch(after)
        if not batch:
            break
        after = batch[-1][0]
        for position, (event_id, attempts) in enumerate(batch):
            if position and deadline.is_over:
                _give_back(batch[position:])
                break
            tried += 1
            if attempts > settings.MAX_TASK_ATTEMPTS:
                _set_aside(event_id, f"It stopped its worker {settings.MAX_TASK_ATTEMPTS} times.")
            else:
                process_event(event_id)
    return tried


CLAIM_EVENTS = """
SET LOCAL synchronous_commit TO off;  -- a lost claim is only claimed again
WITH due AS (
    SELECT id, attempts FROM inbox_webhookevent
    WHERE status = 'received' AND id > %s AND (next_attempt_at IS NULL OR next_attempt_at <= now())
    ORDER BY id FOR UPDATE SKIP LOCKED LIMIT %s
), first AS (SELECT id, attempts FROM due ORDER BY id LIMIT 1),
chosen AS (
    SELECT id FROM first WHERE attempts > 0
    UNION ALL SELECT due.id FROM due, first WHERE first.attempts = 0 AND due.attempts = 0
)
UPDATE inbox_webhookevent SET attempts = attempts + 1, next_attempt_at = now() + interval '60 seconds'
WHERE id IN (SELECT id FROM chosen) RETURNING id, attempts
"""


def _claim_batch(after: int) -> list[tuple[int, int]]:
    """Going on after the last one spares looking again at what was just done, which costs more than the work itself.

    A lower number may be committed later, and a busy worker is not free for its nudge: so it looks back at times.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(CLAIM_EVENTS, [after, CLAIM_SIZE])
        return sorted(cursor.fetchall())


def _give_back(claimed: list[tuple[int, int]]) -> None:
    """Undo claims that nothing was done with; one that has run out and was claimed by another is left alone."""
    for event_id, attempts in claimed:
        WebhookEvent.objects.filter(pk=event_id, status=EventStatus.RECEIVED, attempts=attempts).update(
            attempts=attempts - 1, next_attempt_at=None
        )


def process_event(event_id: int) -> None:
    """Turn one stored event into rows, all or nothing. Safe to call any number of times, from anywhere.

    What cannot be read goes to quarantine; an unexpected error is tried again with growing gaps and goes to
    quarantine after MAX_TASK_ATTEMPTS. A busy database is not counted for a day. Nothing is dropped.
    """
    found: list[WebhookEvent] | None = None
    try:
        with kept_with_rows(), realtime.atomic():
            # Another worker that chooses its own at the same moment holds the row for an instant: this one waits.
            found = fetch_rows(WebhookEvent, "id = %s AND status = 'received' FOR UPDATE", [event_id])
            if not found:
                return
            (event,) = found
            _process(event)
            update_row(event, "status", "processed_at", "error", "external_id", "message")
    except UnparseablePayload as error:
        _set_aside(event_id, str(error))
    except SoftTimeLimitExceeded:
        raise
    except EarlierStepOpen as error:
        _put_off(event_id, error)
    except Exception as error:
        if found is None and getattr(error.__cause__, "pgcode", None) == LOCK_TIMEOUT:
            return  # held for long, so another works at it; should that one die, the claim runs out
        log.error("event_failed", event_id=event_id, error=type(error).__name__, exc_info=settings.DEBUG)
        _put_off(event_id, error)


def _process(event: WebhookEvent) -> None:
    intake = intake_of(event.kind)
    if intake is not None:
        event.complete() if intake(event) else event.ignore("Nothing of ours is concerned.")
        return
    payload = payload_of(event)
    payload.pop("told", None)  # only the address says what is told, never what comes to it
    if event.kind == EventKind.VOICE_STATUS:
        payload["told"] = "status"
    if event.kind in (EventKind.VOICE, EventKind.VOICE_STATUS):
        _wait_for_earlier(event)
    found = adapter_for(event.provider).parse(payload)
    outcomes = [_apply(event, item) for item in found]
    if any(outcomes):
        event.complete()
    else:
        event.ignore("Nothing of ours is concerned.")


def _apply(event: WebhookEvent, item: InboundMessage | DeliveryReport | CallEvent) -> bool:
    if isinstance(item, InboundMessage):
        message = receive_message(item, received_at=event.received_at)
        event.message = message
        event.external_id = event.external_id or item.external_id[:200]
        return message is not None
    if isinstance(item, DeliveryReport):
        return apply_report(item, event=event)
    return apply_call_event(item, received_at=event.received_at)


def _wait_for_earlier(event: WebhookEvent) -> None:
    """Steps of one call are noted in the order in which they came; raises EarlierStepOpen while one is under way."""
    earlier = WebhookEvent.objects.filter(
        provider=event.provider, external_id=event.external_id, status=EventStatus.RECEIVED, pk__lt=event.pk
    )
    if event.external_id and earlier.exists():
        raise EarlierStepOpen("An earlier step of this call is not noted yet.")


def payload_of(event: WebhookEvent) -> dict[str, Any]:
    """The payload as the adapter's `parse` wants it, rebuilt from the raw source."""
    body = bytes(event.body)
    if event.content_type.startswith("message/rfc822"):
        return {"raw": body, "received_at": event.received_at}
    if event.content_type.startswith("application/json"):
        try:
            payload = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise UnparseablePayload("The body is not JSON.") from error
        return payload if isinstance(payload, dict) else {"items": payload}
    if event.content_type.startswith("multipart/"):
        raise UnparseablePayload("The provider's request cannot be read.")
    query = QueryDict(event.query, encoding="utf-8").dict() if event.query else {}
    return query | QueryDict(body, encoding="utf-8").dict()


def _set_aside(event_id: int, why: str) -> None:
    with realtime.atomic():
        event = WebhookEvent.objects.select_for_update().get(pk=event_id)
        if event.status == EventStatus.RECEIVED:
            event.quarantine(why.replace("\x00", ""))
            event.save()
            log.warning("event_quarantined", event_id=event_id)
            realtime.touch(realtime.LEDGER_TOPIC)


def _put_off(event_id: int, error: Exception) -> None:
    with realtime.atomic():
        event = WebhookEvent.objects.select_for_update().get(pk=event_id)
        if event.status != EventStatus.RECEIVED:
            return
        words = f"{type(error).__name__} while processing."
        age = timezone.now() - event.received_at
        if (
            isinstance(error, OperationalError) and age < BUSY_FOR
        ):  # locks and lost connections say nothing of the event
            event.attempts = max(0, event.attempts - 1)
            event.error = words
            event.next_attempt_at = timezone.now() + min(max(age / 4, BACKOFF[0]), BACKOFF[-1])
        elif event.attempts >= settings.MAX_TASK_ATTEMPTS:
            event.quarantine(words)
            realtime.touch(realtime.LEDGER_TOPIC)
        else:
            event.error = words
            event.next_attempt_at = timezone.now() + BACKOFF[min(event.attempts, len(BACKOFF) - 1)]
        event.save()


def retry_event(*, actor: User, event_id: int) -> None:
    """Process a quarantined event again from its raw source. Raises Conflict when it is not in quarantine."""
    with realtime.atomic():
        event = WebhookEvent.objects.select_for_update().get(pk=event_id)
        if event.status != EventStatus.QUARANTINED:
            raise Conflict(_("This event is not in quarantine any more."))
        event.release()
        event.save()
        record(actor=actor, action=AuditAction.RETRIED, object_type="webhook_event", object_id=event_id)
        realtime.touch(realtime.LEDGER_TOPIC)
        wake_on_commit(DRAIN_TASK, DRAIN_QUEUE)
