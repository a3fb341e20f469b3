"""The outbox: the only way out. A message row is queued, claimed, judged by the gate, sent and recorded."""

from datetime import datetime, timedelta
from typing import Any

import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.deadline import Deadline
from contact_center.common.errors import Conflict, Refused
from contact_center.common.wake import wake_on_commit
from inbox import gate, realtime, signals
from inbox.adapters.base import AdapterError
from inbox.adapters.events import SendResult
from inbox.adapters.registry import UnknownAdapter
from inbox.enums import ChannelKind, Direction, GateDecision, MessageKind, MessagePurpose, MessageStatus
from inbox.models import Channel, Interaction, Message, MessageTemplate, OptOut
from inbox.selectors.gate_facts import facts_for, last_inbound_at_of
from inbox.services import departures, providers
from inbox.services.locks import try_held
from inbox.services.outbound import outbound_of
from inbox.services.setbacks import note_setback

log = structlog.get_logger(__name__)
M = MessageStatus
DRAIN_TASK, DRAIN_QUEUE = "inbox.drain_outboxes", "outbound"
BACKOFF = [timedelta(seconds=s) for s in (1, 3, 10, 30, 60, 120, 300)]
GIVE_UP_AFTER = timedelta(hours=24)
UNKNOWN_ADAPTER = gettext_noop("This channel's provider is not installed. Ask an administrator to check the channel.")
FILE_MISSING = gettext_noop("A file of this message is no longer there.")


def enqueue(
    *,
    interaction: Interaction,
    text: str,
    author: User | None,
    purpose: MessagePurpose = MessagePurpose.REPLY,
    subject: str = "",
    html: str = "",
    template: MessageTemplate | None = None,
    template_variables: dict[str, str] | None = None,
    idempotency_key: str = "",
    not_before_at: datetime | None = None,
    scheduled_at: datetime | None = None,
    in_reply_to: str = "",
    references: list[str] | None = None,
    cc: list[str] | None = None,
    payload: dict[str, Any] | None = None,
    channel: Channel | None = None,
    address_scheme: str = "",
    address: str = "",
    is_sensitive: bool = False,
) -> Message:
    """Write one outbound message in the caller's transaction and wake the senders after commit.

    Without `channel` and `address` it goes where the interaction came from. It leaves at `not_before_at` at the
    earliest; at `scheduled_at` when a person chose that moment, and then only if the conversation is still open. Of a
    sensitive one only a link leaves; its words are read on the patient's own page.

    The same `idempotency_key` on the same interaction gives the message that is there already, so a repeated click or
    a retried request sends once. The gate decides at the moment of sending, not here.
    """
    if idempotency_key:
        known = Message.objects.filter(interaction=interaction, idempotency_key=idempotency_key).first()
        if known is not None:
            return known
    channel = channel or interaction.channel
    message = Message(
        interaction=interaction,
        channel=channel,
        channel_kind=channel.kind,
        direction=Direction.OUTBOUND,
        kind=MessageKind.TEMPLATE if template else MessageKind.TEXT,
        author=author,
        address_scheme=address_scheme or interaction.contact_scheme,
        address=address or interaction.contact_value,
        cc=cc or [],
        subject=subject[:240],
        text=text,
        html=html,
        purpose=purpose,
        template=template,
        template_variables=template_variables or {},
        idempotency_key=idempotency_key,
        provider=channel.adapter,
        next_attempt_at=scheduled_at or not_before_at,
        scheduled_at=scheduled_at,
        occurred_at=scheduled_at or timezone.now(),
        in_reply_to=in_reply_to,
        references=references or [],
        payload=payload or {},
        is_sensitive=is_sensitive,
    )
    try:
        with transaction.atomic():
            message.save(force_insert=True)
    except IntegrityError:
        return Message.objects.get(interaction=interaction, idempotency_key=idempotency_key)
    wake_on_commit(DRAIN_TASK, DRAIN_QUEUE)
    realtime.touch(realtime.interaction_topic(interaction.pk), realtime.OUTBOX_TOPIC)
    return message


def drain_outboxes(*, limit: int = 500) -> int:
    """Deliver what is due on every adapter whose breaker is closed, for a minute; returns how many were tried."""
    now, deadline = timezone.now(), Deadline(DRAIN_TASK, DRAIN_QUEUE)
    keys = (
        Message.objects.filter(status=M.QUEUED)
        .exclude(next_attempt_at__gt=now)
        .order_by("provider")
        .values_list("provider", flat=True)
        .distinct()
    )
    return sum(drain_outbox(adapter=key, limit=limit, deadline=deadline) for key in list(keys))


def drain_outbox(*, adapter: str, limit: int = 500, deadline: Deadline | None = None) -> int:
    """Deliver due messages of one adapter, oldest first, in one of its few slots; 0 when all slots are taken.

    A provider that failed last time has one slot, so that its time-outs hold up one worker and no more. What is left
    at the deadline is left to another run.
    """
    deadline = deadline or Deadline(DRAIN_TASK, DRAIN_QUEUE)
    for slot in range(1 if providers.is_limping(adapter) else settings.OUTBOX_SLOTS):
        with try_held("outbox", adapter, slot) as is_mine:
            if is_mine:
                return _drain(adapter, limit, deadline)
    return 0


def _drain(adapter: str, limit: int, deadline: Deadline) -> int:
    tried, after = 0, 0
    while tried < limit and not deadline.is_over and providers.open_until(adapter) is None:
        message_id = _next_due(adapter, after)
        if message_id is None:
            break
        after = message_id
        tried += 1
        try:
            deliver_message(message_id)
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:  # it stays `sending`; the others must not wait for whoever mends it
            log.error("delivery_broke", message_id=message_id, error=type(error).__name__)
    return tried


NEXT_DUE = """
SELECT id FROM inbox_message m
WHERE status = 'queued' AND provider = %(adapter)s AND id > %(after)s
AND (next_attempt_at IS NULL OR next_attempt_at <= %(now)s)
AND NOT EXISTS (
    SELECT FROM inbox_message earlier
    WHERE earlier.address = m.address AND earlier.channel_id = m.channel_id AND earlier.id < m.id
    AND earlier.status IN ('queued', 'sending') AND (
        earlier.status = 'sending' OR earlier.next_attempt_at IS NULL OR earlier.next_attempt_at <= %(now)s
        OR earlier.attempts > 0 AND earlier.next_attempt_at <= %(now)s + interval '30 seconds'
    )
)
ORDER BY id FOR UPDATE OF m SKIP LOCKED LIMIT 1
"""


def _next_due(adapter: str, after: int) -> int | None:
    """The oldest due message that overtakes none to the same address: none that is leaving, due, or soon tried again.

    One put off for longer (by the gate, or after several failures) holds nothing up.
    """
    with connection.cursor() as cursor:
        cursor.execute(NEXT_DUE, {"adapter": adapter, "after": after, "now": timezone.now()})
        row = cursor.fetchone()
    return int(row[0]) if row else None


def deliver_message(message_id: int) -> None:
    """Send one queued message at most once: claim, commit, ask the gate, call the provider, record.

    Safe to call any number of times and from several workers: only a message that is queued and due is claimed, and
    one at a time per address. While the gate decides and the provider is called, an opt-out of the same address waits,
    so nothing leaves after an opt-out is stored; while an opt-out is being stored the message stays in the queue. A
    crash leaves `sending`, which `reconcile_sends` settles with the provider first.
    """
    target = Message.objects.filter(pk=message_id).values_list("channel_kind", "address").first()
    with try_held("send", *(target or ())) as is_free:
        message = _claim(message_id) if is_free else None
        if message is None:
            return
        verdict = gate.decide(facts_for(message))
        if verdict.decision != GateDecision.SEND:
            _record_verdict(message_id, verdict)
            return
        _note_allowed(message)
        try:
            result = providers.adapter_for(message.provider).send(outbound_of(message))
        except UnknownAdapter:
            fail_before_sending(message_id, "unknown_adapter", UNKNOWN_ADAPTER)
        except FileNotFoundError:
            fail_before_sending(message_id, "file_missing", FILE_MISSING)
        except AdapterError as error:
            _record_error(message_id, error)
        else:
            _record_sent(message_id, result)


def _claim(message_id: int) -> Message | None:
    with realtime.atomic():
        message = (
            Message.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("interaction__patient", "interaction__merged_into", "channel", "template", "author")
            .filter(pk=message_id)
            .first()
        )
        if message is None or message.status != M.QUEUED:
            return None
        if message.next_attempt_at and message.next_attempt_at > timezone.now():
            return None
        if message.scheduled_at and not departures.may_still_leave(message.interaction):
            message.gate_decision, message.gate_reason = GateDecision.SUPPRESS, gate.GateReason.CONVERSATION_CLOSED
            message.cancel()
            departures.tell_author(message)
            save_and_tell(message)
            return None
        message.claim()
        message.error_code = message.error_text = ""
        message.save()
        return message


def _note_allowed(message: Message) -> None:
    Message.objects.filter(pk=message.pk).update(gate_decision=GateDecision.SEND, gate_reason=gate.GateReason.ALLOWED)


def _record_verdict(message_id: int, verdict: gate.Verdict) -> None:
    with realtime.atomic():
        message = Message.objects.select_for_update().get(pk=message_id)
        message.gate_decision, message.gate_reason = verdict.decision, verdict.reason
        if verdict.decision == GateDecision.DEFER:
            message.attempts -= 1
            message.release(verdict.until_at or timezone.now() + timedelta(hours=1))
        else:
            message.suppress()
        save_and_tell(message)


def _record_sent(message_id: int, result: SendResult) -> None:
    with realtime.atomic():
        message = Message.objects.select_for_update().get(pk=message_id)
        if message.status == M.QUEUED:  # taken for lost while the provider was slow
            message.claim()
        if message.status == M.SENDING:
            message.mark_sent(result.external_id, timezone.now())
            departures.note_departure(message)
            save_and_tell(message)
        elif not message.external_id:  # a delivery report was faster
            message.external_id = result.external_id
            message.save()
    providers.note_success(message.provider)


def _record_error(message_id: int, error: AdapterError) -> None:
    with realtime.atomic():
        message = Message.objects.select_for_update().get(pk=message_id)
        if message.status != M.SENDING:
            return
        now = timezone.now()
        message.error_code, message.error_text = (error.code or error.reason)[:40], error.message[:300]
        if error.reason == "opted_out" and message.purpose == MessagePurpose.OPT_OUT_CONFIRMATION:
            # The provider saw the keyword first and has confirmed it: nothing failed that staff could mend.
            message.gate_decision, message.gate_reason = GateDecision.SUPPRESS, gate.GateReason.OPTED_OUT
            message.suppress()
        elif error.permanent:
            message.fail(error.code or "", error.message, now)
            if error.reason == "opted_out":
                note_provider_opt_out(message)
        elif error.doubtful:
            message.claimed_at = now - timedelta(seconds=settings.OUTBOX_STALE_SECONDS - settings.OUTBOX_SETTLE_SECONDS)
        elif now - due_since(message) > GIVE_UP_AFTER:
            message.fail(error.code or "", error.message, now)
        else:
            wait = timedelta(seconds=error.retry_after) if error.retry_after else backoff(message)
            message.release(now + wait)
        save_and_tell(message)
    log.warning("send_failed", message_id=message_id, code=error.code, permanent=error.permanent)
    if error.permanent:
        providers.note_success(message.provider)
    elif error.reason != "rate_limited":
        providers.note_failure(message.provider, f"{error.reason} {error.code or ''}".strip())


def fail_before_sending(message_id: int, code: str, sentence: str) -> None:
    """Fail a claimed message of which nothing has left; staff are told `sentence`, in their language."""
    with realtime.atomic():
        message = Message.objects.select_for_update().get(pk=message_id)
        if message.status != M.SENDING:
            return
        message.fail(code, sentence, timezone.now())
        save_and_tell(message)
    log.error(code, message_id=message_id)


def note_provider_opt_out(message: Message) -> None:
    """The provider refused because this address had opted out with it: our books say so from now on."""
    now = timezone.now()
    OptOut.objects.bulk_create(
        [OptOut(channel_kind=message.channel_kind, address=message.address, keyword="provider", started_at=now)],
        ignore_conflicts=True,
    )


def due_since(message: Message) -> datetime:
    """When it could first have left: the chosen moment of one that was put off, else when it was written."""
    return max(message.created_at, message.scheduled_at or message.created_at)


def backoff(message: Message) -> timedelta:
    """The pause before the next attempt; grows to five minutes."""
    return BACKOFF[min(message.attempts, len(BACKOFF)) - 1]


def save_and_tell(message: Message) -> None:
    """Save a message whose status moved, and announce it after commit."""
    message.save()
    note_setback(message)
    signals.announce(signals.message_status_changed, message_id=message.pk, status=str(message.status))
    realtime.touch(realtime.interaction_topic(message.interaction_id), realtime.OUTBOX_TOPIC)


def retry_message(*, actor: User, message_id: int) -> Message:
    """Send a failed or suppressed message again, through the gate. Raises Conflict in any other status."""
    with realtime.atomic():
        message = Message.objects.select_for_update().get(pk=message_id)
        if message.status not in (M.FAILED, M.SUPPRESSED):
            raise Conflict(_("This message is not waiting for a retry any more."))
        if message.status == M.FAILED and message.external_id and providers.keeps_list(message.provider):
            earlier = [*message.payload.get("earlier_ids", []), message.external_id]
            message.payload = message.payload | {"earlier_ids": earlier}
        message.retry()
        audit(actor, AuditAction.RETRIED, message)
        save_and_tell(message)
        wake_on_commit(DRAIN_TASK, DRAIN_QUEUE)
        return message


def cancel_message(*, actor: User, message_id: int) -> Message:
    """Take back a message that has not left. Raises Conflict when it has, or is just leaving."""
    with realtime.atomic():
        message = Message.objects.select_for_update().get(pk=message_id)
        if message.status not in (M.DRAFT, M.QUEUED, M.FAILED, M.SUPPRESSED):
            raise Conflict(_("It is too late: this message has left."))
        message.cancel()
        audit(actor, AuditAction.CANCELLED, message)
        save_and_tell(message)
        return message


def audit(actor: User | None, action: AuditAction, message: Message) -> None:
    """Leave the entry of what a person did with a message."""
    patient_id = Interaction.objects.values_list("patient_id", flat=True).get(pk=message.interaction_id)
    record(actor=actor, action=action, object_type="message", object_id=message.pk, patient_id=patient_id)


def refuse_free_text(channel: Channel, address: str) -> None:
    """Raise Refused when WhatsApp's window is closed for this address, so that nobody believes a text was sent."""
    facts = gate.SendFacts(
        purpose=MessagePurpose.REPLY,
        channel_kind=ChannelKind(channel.kind),
        now=timezone.now(),
        last_inbound_at=last_inbound_at_of(channel.pk, address),
    )
    if gate.needs_template(facts):
        raise Refused(_("The 24-hour WhatsApp window is closed. Send an approved template, or use another channel."))
