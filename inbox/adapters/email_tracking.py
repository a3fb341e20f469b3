"""What a provider of mail tells of a message of ours after it left."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from inbox.adapters.email_errors import failure_reason, sentence_of
from inbox.adapters.events import Address, DeliveryReport, DeliveryStatus, Event
from inbox.mail.bounce import bounce_of_response

PROVIDER = "email"
_OUR_MESSAGE_ID = re.compile(r"m-([0-9a-fA-F-]{8,64})(?:\.[^@\s]{0,64})?@")


def our_id_of(message_id: str) -> str | None:
    """The id of our message that a Message-ID of ours carries, or None."""
    match = _OUR_MESSAGE_ID.match(message_id.strip("<> "))
    return match.group(1) if match else None


def tracking_payload(event: Any) -> dict[str, Any]:
    """An anymail tracking event as JSON values, for the ledger; `EmailAdapter.parse` reads it again."""
    timestamp = getattr(event, "timestamp", None)
    metadata = getattr(event, "metadata", None) or {}
    return {
        "tracking": {
            "event_type": str(event.event_type or "unknown"),
            "event_id": str(event.event_id or ""),
            "message_id": str(event.message_id or ""),
            "our_id": str(metadata.get("our_id", "")) if isinstance(metadata, Mapping) else "",
            "recipient": str(event.recipient or ""),
            "reject_reason": str(event.reject_reason or ""),
            "description": str(event.description or "")[:500],
            "mta_response": str(event.mta_response or "")[:2000],
            "timestamp": timestamp.isoformat() if timestamp else "",
        }
    }


_TRACKED: dict[str, DeliveryStatus] = {
    "queued": "queued",
    "sent": "sent",
    "deferred": "sent",
    "delivered": "delivered",
    "opened": "read",
    "clicked": "read",
    "bounced": "failed",
    "rejected": "failed",
    "failed": "failed",
}


def tracked(tracking: Mapping[str, Any]) -> list[Event]:
    """What a provider's event, as `tracking_payload` keeps it, tells of a message of ours; nothing for the others."""
    status = _TRACKED.get(str(tracking.get("event_type", "")))
    if status is None:
        return []
    words = str(tracking.get("mta_response") or tracking.get("description") or "")
    recipient = str(tracking.get("recipient", "")).lower()
    bounce = bounce_of_response(recipient, words) if status == "failed" else None
    our_id = str(tracking.get("our_id", "")) or our_id_of(str(tracking.get("message_id", "")))
    return [
        DeliveryReport(
            provider=PROVIDER,
            external_id=str(tracking.get("message_id", "")).strip("<>"),
            status=status,
            error_code=(bounce.status or str(tracking.get("reject_reason", "")) or None) if bounce else None,
            error_text=sentence_of(bounce) if bounce else None,
            reason=failure_reason(bounce) if bounce else None,
            occurred_at=_timestamp(str(tracking.get("timestamp", ""))),
            our_id=our_id or None,
            recipient=Address("email", recipient, recipient) if recipient else None,
            raw=dict(json.loads(json.dumps(dict(tracking)))),
        )
    ]


def _timestamp(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment if moment < datetime.now(UTC) + timedelta(days=1) else None
