"""What the audit trail says about the last days at the desk."""

from __future__ import annotations

from datetime import datetime, timedelta

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import PastEntry, record_past
from inbox.models import Interaction

MOST = 1_500


def write(now: datetime) -> None:
    """Entries of the last interactions: who signed in, took, looked at the patient, and closed."""
    entries: list[PastEntry] = []
    seen: set[tuple[int, str]] = set()
    recent = Interaction.objects.filter(owner__isnull=False).order_by("-id")[:MOST]
    for row in sorted(recent, key=lambda one: one.opened_at):
        day = f"{row.opened_at:%Y-%m-%d}"
        if (row.owner_id or 0, day) not in seen:
            seen.add((row.owner_id or 0, day))
            entries.append(
                _entry(row, AuditAction.SIGNED_IN, row.opened_at, object_type="user", object_id=row.owner_id)
            )
        if row.patient_id:
            at = row.opened_at + timedelta(seconds=30)
            entries.append(_entry(row, AuditAction.VIEWED, at, object_type="patient", object_id=row.patient_id))
        entries.append(_entry(row, AuditAction.ASSIGNED, row.opened_at + timedelta(seconds=31), detail={"to": "taken"}))
        if row.closed_at:
            entries.append(_entry(row, AuditAction.CLOSED, row.closed_at, detail={"to": "closed"}))
    for user in User.objects.filter(is_staff=True):
        entries.append(PastEntry(now - timedelta(hours=3), user.pk, AuditAction.SIGNED_IN, "user", user.pk, None, {}))
    record_past([entry for entry in entries if entry.occurred_at <= now])


def _entry(
    row: Interaction,
    action: AuditAction,
    at: datetime,
    *,
    object_type: str = "interaction",
    object_id: int | None = None,
    detail: dict[str, object] | None = None,
) -> PastEntry:
    patient_id = None if object_type == "user" else row.patient_id
    return PastEntry(at, row.owner_id, action, object_type, object_id or row.pk, patient_id, detail or {})
