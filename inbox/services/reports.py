"""What providers say became of our messages. Reports may come late, twice and in any order; none moves one back."""

import uuid
from datetime import datetime

from django.utils import timezone

from inbox import realtime, signals
from inbox.adapters.events import DeliveryReport as ProviderReport
from inbox.enums import ChannelKind, Direction, MessageStatus
from inbox.models import DeliveryReport, Message, WebhookEvent
from inbox.services.outbox import note_provider_opt_out
from inbox.services.setbacks import note_setback
from patients.services.addresses import mark_contact_point_bounced

M = MessageStatus


def apply_report(report: ProviderReport, *, event: WebhookEvent | None) -> bool:
    """Keep the report and move the message forward if it says something new; False when no message of ours is meant."""
    message = _find(report)
    if message is None:
        return False
    at = report.occurred_at or (event.received_at if event else timezone.now())
    is_applied = move(message, report, at=at)
    DeliveryReport.objects.create(
        message=message,
        event=event,
        status=report.status,
        error_code=(report.error_code or "")[:40],
        occurred_at=at,
        is_applied=is_applied,
    )
    if event is not None:
        event.message = message
        event.external_id = event.external_id or report.external_id[:200]
    if is_applied and report.reason == "opted_out":
        note_provider_opt_out(message)
    if is_applied and report.reason == "bad_address" and message.channel_kind == ChannelKind.EMAIL:
        mark_contact_point_bounced(scheme="email", value=message.address, reason=report.error_text or "")
    return True


def _find(report: ProviderReport) -> Message | None:
    rows = Message.objects.select_for_update(of=("self",)).filter(direction=Direction.OUTBOUND)
    # The provider's id first: of two equal texts to one person, reconciling may have bound it to the other one.
    found = None
    if report.external_id:
        found = rows.filter(provider=report.provider, external_id=report.external_id).first()
    our_id = _uuid(report.our_id)
    if found is None and our_id:
        found = rows.filter(public_id=our_id).first()
    return found if found is not None and _concerns(report, found) else None


def _concerns(report: ProviderReport, message: Message) -> bool:
    """Anybody can mail us a bounce, so one counts only for the address that we wrote to."""
    if message.channel_kind != ChannelKind.EMAIL or report.recipient is None or not report.recipient.value:
        return True
    return report.recipient.value == message.address


def _uuid(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None


def move(message: Message, report: ProviderReport, *, at: datetime) -> bool:
    """Apply one report to a locked message and save it; False when it changes nothing.

    Rank: sending < sent < failed < delivered < read. A message whose sending is in doubt becomes sent by any report,
    also when it waits to be sent again.
    """
    if report.external_id in message.payload.get("earlier_ids", ()):
        return False
    if message.status == M.QUEUED and message.attempts and not message.external_id:
        message.claim()
    if message.status == M.SENDING and report.status in (M.QUEUED, M.SENDING, M.SENT):
        message.mark_sent(report.external_id, at)
    elif message.status == M.SENDING and not message.external_id:
        message.external_id = report.external_id
        _forward(message, report, at)
    elif not _forward(message, report, at):
        return False
    message.save()
    note_setback(message)
    signals.announce(signals.message_status_changed, message_id=message.pk, status=str(message.status))
    realtime.touch(realtime.interaction_topic(message.interaction_id), realtime.OUTBOX_TOPIC)
    return True


def _forward(message: Message, report: ProviderReport, at: datetime) -> bool:
    status = message.status
    if report.status == M.READ and status in (M.SENDING, M.SENT, M.DELIVERED, M.FAILED):
        message.mark_read(at)
    elif report.status == M.DELIVERED and status in (M.SENDING, M.SENT, M.FAILED):
        message.mark_delivered(at)
    elif report.status == M.FAILED and status in (M.SENDING, M.SENT):
        message.fail(report.error_code or "", report.error_text or "", at)
    else:
        return False
    return True
