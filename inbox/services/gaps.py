"""Comparing the ledger with the providers' own lists, and fetching what never reached us."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from django.utils import timezone

from contact_center.common.deadline import Deadline
from inbox.adapters.events import ProviderRecord
from inbox.enums import Direction, EventKind, MessageStatus
from inbox.models import Channel, Message, ProviderHealth, WebhookEvent
from inbox.services.ledger import accept_event
from inbox.services.locks import try_held
from inbox.services.providers import adapter_for, keeps_list

log = structlog.get_logger(__name__)
SETTLED = [MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ, MessageStatus.FAILED]
FILL_TASK, FILL_QUEUE = "inbox.fill_ledger_gaps", "default"
FIRST_LOOK = timedelta(minutes=5)  # before that, another system answered
LOOK_BACK = timedelta(days=7)
SLICE = timedelta(hours=6)
OVERLAP = timedelta(minutes=15)


@dataclass(slots=True)
class Reconciliation:
    """Result for one provider. `missing` never reached the ledger, `unknown` left without an outbox row."""

    provider: str
    events: int = 0
    missing: list[ProviderRecord] = field(default_factory=list)
    unknown: list[ProviderRecord] = field(default_factory=list)
    unconfirmed: list[int] = field(default_factory=list)

    @property
    def unaccounted(self) -> int:
        return len(self.missing) + len(self.unknown) + len(self.unconfirmed)


def listing_providers() -> list[str]:
    """Adapters of active channels whose provider keeps a list."""
    keys = Channel.objects.filter(is_active=True).order_by("adapter").values_list("adapter", flat=True).distinct()
    return [key for key in keys if keeps_list(key)]


def reconcile(*, provider: str, since: datetime, until: datetime) -> Reconciliation:
    """Compare a time span both ways. Raises AdapterError when the provider does not answer.

    Inbound rows of the provider must be in the ledger, outbound ones in the outbox; messages we count as sent in the
    span must be in the provider's list, which is read a little wider because clocks differ.
    """
    result = Reconciliation(provider)
    listed: set[str] = set()
    for batch in _batches(adapter_for(provider).list_messages(since - OVERLAP, until + OVERLAP)):
        listed |= {row.external_id for row in batch}
        inside = [row for row in batch if row.occurred_at is None or since <= row.occurred_at <= until]
        result.events += len(inside)
        result.missing += _not_in_ledger(provider, [row for row in inside if row.direction == "inbound"])
        result.unknown += _not_in_outbox(provider, [row for row in inside if row.direction == "outbound"])
    ours = Message.objects.filter(
        provider=provider, direction=Direction.OUTBOUND, sent_at__range=(since, until), status__in=SETTLED
    )
    for pk, external_id in ours.exclude(external_id="").values_list("pk", "external_id").iterator():
        if external_id not in listed:
            result.unconfirmed.append(pk)
    return result


def _batches(rows: Iterator[ProviderRecord], size: int = 500) -> Iterator[list[ProviderRecord]]:
    batch: list[ProviderRecord] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def inbound_key(external_id: str) -> str:
    """Dedupe key of an inbound message, the same for a webhook and for the provider's list."""
    return f"in:{external_id}"


def _not_in_ledger(provider: str, rows: list[ProviderRecord]) -> list[ProviderRecord]:
    keys = [inbound_key(row.external_id) for row in rows]
    known = set(
        WebhookEvent.objects.filter(provider=provider, dedupe_key__in=keys).values_list("dedupe_key", flat=True)
    )
    return [row for row, key in zip(rows, keys, strict=True) if key not in known]


def _not_in_outbox(provider: str, rows: list[ProviderRecord]) -> list[ProviderRecord]:
    ids = [row.external_id for row in rows]
    known = set(Message.objects.filter(provider=provider, external_id__in=ids).values_list("external_id", flat=True))
    if len(known) < len(ids):
        earlier = Message.objects.filter(provider=provider, payload__has_key="earlier_ids")
        for found in earlier.values_list("payload__earlier_ids", flat=True):
            known.update(found)
    return [row for row in rows if row.external_id not in known]


def fill_gaps(*, now: datetime | None = None) -> int:
    """Put into the ledger what providers list and we never received; returns how many were added.

    Looks from where the last comparison ended, however long ago (at most LOOK_BACK), in slices that are kept as they
    are done. One worker at a time, for a minute; a provider that does not answer is asked again at the next run.
    """
    with try_held("fill-gaps") as is_mine:
        return _fill(now or timezone.now()) if is_mine else 0


def _fill(until: datetime) -> int:
    deadline = Deadline(FILL_TASK, FILL_QUEUE)
    added = 0
    for provider in listing_providers():
        try:
            for start, end in _slices(_listed_until(provider, until), until):
                if deadline.is_over:
                    break
                added += _fill_slice(provider, start, end)
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:  # one provider's trouble is not another's
            log.warning("gap_check_failed", provider=provider, error=type(error).__name__)
    if added:
        log.warning("ledger_gaps_filled", count=added)
    return added


def _listed_until(provider: str, now: datetime) -> datetime:
    last = ProviderHealth.objects.filter(adapter=provider).values_list("last_listed_at", flat=True).first()
    return max(min(last, now), now - LOOK_BACK) if last else now - FIRST_LOOK


def _slices(start: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    while start < until:
        end = min(start + SLICE, until)
        yield start, end
        start = end


def _fill_slice(provider: str, start: datetime, end: datetime) -> int:
    """A little before `start` is read again, for messages that were slow to appear in the list."""
    missing: list[ProviderRecord] = []
    for batch in _batches(adapter_for(provider).list_messages(start - OVERLAP, end)):
        missing += _not_in_ledger(provider, [row for row in batch if row.direction == "inbound"])
    added = sum(accept_record(provider, row) is not None for row in reversed(missing))
    ProviderHealth.objects.update_or_create(adapter=provider, defaults={"last_listed_at": end})
    return added


def accept_record(provider: str, row: ProviderRecord) -> int | None:
    """Store an inbound row of the provider's list as if its webhook had come; None when it is there already.

    Raises AdapterError when the provider does not say which files came with it.
    """
    return accept_event(
        provider=provider,
        kind=EventKind.MESSAGING,
        dedupe_key=inbound_key(row.external_id),
        external_id=row.external_id,
        content_type="application/x-www-form-urlencoded",
        body=urlencode(row.payload or {}).encode(),
    )
