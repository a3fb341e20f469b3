"""What a row of the list shows, read without joins: five of them cost more to plan than the rows to read."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.query import ValuesListIterable

from inbox.enums import DONE
from inbox.models import Interaction

COLUMNS = (
    *("pk", "status", "channel_kind", "contact_name", "contact_value", "is_contact_shared", "language", "priority"),
    *("snippet", "reference", "unread_count", "last_message_at", "waiting_since_at", "snoozed_until_at", "next_step"),
    "closed_at",
    *("patient_id", "owner_id", "queue_id", "reason_id"),
    *("due_at", "warn_at", "due_kind"),
)
NAMES = """
SELECT 0, id, given_name, family_name FROM patients_patient WHERE id = ANY(%s)
UNION ALL SELECT 1, id, first_name, last_name FROM accounts_user WHERE id = ANY(%s)
UNION ALL SELECT 2, id, name, '' FROM inbox_queue WHERE id = ANY(%s)
UNION ALL SELECT 3, id, name, '' FROM inbox_reason WHERE id = ANY(%s)
"""


@dataclass(slots=True)
class ListRow:
    """One conversation as the list shows it. `hit` is set by a search: where it fits."""

    pk: int
    status: str
    channel_kind: str
    contact_name: str
    contact_value: str
    is_contact_shared: bool
    language: str
    priority: int
    snippet: str
    reference: str
    unread_count: int
    last_message_at: datetime
    waiting_since_at: datetime | None
    snoozed_until_at: datetime | None
    next_step: str
    closed_at: datetime | None
    patient_id: int | None
    owner_id: int | None
    queue_id: int
    reason_id: int | None
    due_at: datetime | None
    warn_at: datetime | None
    due_kind: str
    patient_name: str = ""
    owner_name: str = ""
    owner_initials: str = ""
    queue_name: str = ""
    reason_name: str = ""
    hit: Any = None

    @property
    def is_done(self) -> bool:
        """Closed or abandoned."""
        return self.status in DONE


class _Rows(ValuesListIterable):  # type: ignore[type-arg]
    def __iter__(self) -> Iterator[Any]:
        yield from rows_of(super().__iter__())


def rows_of(found: Iterable[tuple[Any, ...]]) -> list[ListRow]:
    """Rows of these columns, with the names that belong to them. One query."""
    rows = [ListRow(*values) for values in found]
    if rows:
        _name(rows)
    return rows


def _name(rows: list[ListRow]) -> None:
    keys = ("patient_id", "owner_id", "queue_id", "reason_id")
    ids = [list({getattr(row, key) for row in rows} - {None}) for key in keys]
    with connection.cursor() as cursor:
        cursor.execute(NAMES, ids)
        found = {(kind, pk): (first, last) for kind, pk, first, last in cursor.fetchall()}
    nobody = ("", "")
    for row in rows:
        row.patient_name = " ".join(found.get((0, row.patient_id), nobody)).strip()
        first, last = found.get((1, row.owner_id), nobody)
        row.owner_name, row.owner_initials = f"{first} {last}".strip(), (first[:1] + last[:1]).upper() or "?"
        row.queue_name = found.get((2, row.queue_id), nobody)[0]
        row.reason_name = found.get((3, row.reason_id), nobody)[0]


def as_rows(found: QuerySet[Interaction]) -> "QuerySet[Any, ListRow]":
    """The same interactions in the same order, as rows of the list. Two queries when they are read."""
    rows: Any = found.values_list(*COLUMNS)
    rows._iterable_class = _Rows
    return rows  # type: ignore[no-any-return]
