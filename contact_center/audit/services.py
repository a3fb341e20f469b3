"""The only writer of the audit trail, and its verifier."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.models import AuditChain, AuditEntry
from contact_center.common.rows import insert_rows

CHAINS = 32
GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """The first entry of a chain that does not follow from the one before it."""

    chain: int
    sequence: int
    problem: str


def record(
    *,
    actor: User | None,
    action: AuditAction,
    object_type: str,
    object_id: int | None = None,
    patient_id: int | None = None,
    **detail: object,
) -> int:
    """Append one entry in the caller's transaction and return its id.

    `detail` holds ids, field names and words of ours, never names, numbers or text of patients. The row of the chain's
    head stays locked until the transaction ends, so call it after the business rows are locked.
    Must run inside `transaction.atomic`, else a crash could keep the change and lose its entry.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("audit.record() must run in the transaction of what it records")
    number = (actor.pk if actor else (object_id or 0)) % CHAINS
    occurred_at = timezone.now()
    detail_json = json.dumps(detail, sort_keys=True, default=str)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT head_sequence, head_hash FROM audit_auditchain WHERE number = %s FOR NO KEY UPDATE", [number]
        )
        sequence, previous = cursor.fetchone() or _start_chain(number)
        sequence += 1
        actor_id = actor.pk if actor else None
        digest = _digest(
            previous, number, sequence, occurred_at, actor_id, action, object_type, object_id, patient_id, detail_json
        )
        cursor.execute(
            "WITH head AS (UPDATE audit_auditchain SET head_sequence = %s, head_hash = %s WHERE number = %s)"
            " INSERT INTO audit_auditentry (chain_id, sequence, occurred_at, actor_id, action, object_type, object_id,"
            " patient_id, detail, previous_hash, hash)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s) RETURNING id",
            [sequence, digest, number]
            + [number, sequence, occurred_at, actor_id, str(action), object_type, object_id, patient_id]
            + [detail_json, previous, digest],
        )
        return int(cursor.fetchone()[0])


@dataclass(frozen=True, slots=True)
class PastEntry:
    """A fact that happened before it is recorded: an import's, or the demo's."""

    occurred_at: datetime
    actor_id: int | None
    action: AuditAction
    object_type: str
    object_id: int | None
    patient_id: int | None
    detail: dict[str, object]


def record_past(entries: list[PastEntry]) -> None:
    """Append facts with their own times, in the order given, to the ends of their chains; all in one transaction."""
    with transaction.atomic():
        for number in sorted({_chain_of(entry.actor_id, entry.object_id) for entry in entries}):
            _extend(number, [entry for entry in entries if _chain_of(entry.actor_id, entry.object_id) == number])


def _chain_of(actor_id: int | None, object_id: int | None) -> int:
    return (actor_id or object_id or 0) % CHAINS


def _extend(number: int, entries: list[PastEntry]) -> None:
    _start_chain(number)
    chain = AuditChain.objects.select_for_update().get(number=number)
    rows = []
    for entry in entries:
        previous, chain.head_sequence = chain.head_hash, chain.head_sequence + 1
        detail = json.dumps(entry.detail, sort_keys=True, default=str)
        chain.head_hash = _digest(
            previous, number, chain.head_sequence, entry.occurred_at, entry.actor_id, entry.action, entry.object_type,
            entry.object_id, entry.patient_id, detail,
        )  # fmt: skip
        rows.append(
            AuditEntry(
                chain=chain, sequence=chain.head_sequence, occurred_at=entry.occurred_at, actor_id=entry.actor_id,
                action=entry.action, object_type=entry.object_type, object_id=entry.object_id,
                patient_id=entry.patient_id, detail=json.loads(detail), previous_hash=previous, hash=chain.head_hash,
            )
        )  # fmt: skip
    for begin in range(0, len(rows), 1000):
        insert_rows(rows[begin : begin + 1000])
    chain.save()


def _start_chain(number: int) -> tuple[int, str]:
    AuditChain.objects.get_or_create(number=number)
    chain = AuditChain.objects.select_for_update().get(number=number)
    return chain.head_sequence, chain.head_hash


def _digest(
    previous: str,
    chain: int,
    sequence: int,
    occurred_at: datetime,
    actor_id: int | None,
    action: str,
    object_type: str,
    object_id: int | None,
    patient_id: int | None,
    detail_json: str,
) -> str:
    stamp = int(occurred_at.timestamp() * 1_000_000)
    fields = [previous, chain, sequence, stamp, actor_id, str(action), object_type, object_id, patient_id, detail_json]
    return hashlib.sha256(json.dumps(fields).encode()).hexdigest()


def verify() -> Iterator[BrokenLink]:
    """Yield the first broken link of every chain that has one; nothing when the whole trail is intact."""
    for chain in AuditChain.objects.order_by("number"):
        broken = _first_broken_link(chain)
        if broken:
            yield broken


def _first_broken_link(chain: AuditChain) -> BrokenLink | None:
    previous, expected = GENESIS, 0
    entries = AuditEntry.objects.filter(chain=chain).order_by("sequence")
    for entry in entries.iterator(chunk_size=2000):
        expected += 1
        if entry.sequence != expected:
            return BrokenLink(chain.number, expected, "missing")
        digest = _digest(
            previous,
            chain.number,
            entry.sequence,
            entry.occurred_at,
            entry.actor_id,
            entry.action,
            entry.object_type,
            entry.object_id,
            entry.patient_id,
            json.dumps(entry.detail, sort_keys=True),
        )
        if entry.previous_hash != previous or entry.hash != digest:
            return BrokenLink(chain.number, entry.sequence, "changed")
        previous = digest
    if chain.head_sequence != expected or chain.head_hash != previous:
        return BrokenLink(chain.number, expected + 1, "missing at the end")
    return None
