"""Taking away what has been kept long enough: counted first, then by night, in small transactions."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from contact_center.common.deadline import Deadline
from patients import duties
from patients.duties import Table
from patients.enums import DataClass
from patients.models import RetentionRule, RetentionRun
from patients.services.erasure import delete_files, take_away
from patients.services.holds import held_patients

log = structlog.get_logger(__name__)
TASK, QUEUE = "patients.run_retention", "reports"
BATCH = 500
NIGHT_FROM_HOUR, NIGHT_UNTIL_HOUR = 1, 5


@dataclass(frozen=True, slots=True)
class Due:
    """How many rows of one table are old enough now; `is_held` when a hold on everybody keeps them all."""

    table: Table
    count: int
    is_held: bool


def dry_run(data_class: str, days: int | None) -> list[Due]:
    """What keeping this class only so many days would take away, table by table. Changes nothing."""
    is_held = held_patients(data_class) is None
    found = [table for table in duties.tables() if table.data_class == data_class and table.moment]
    return [Due(table, 0 if days is None else _old_rows(table, days).count(), is_held) for table in found]


def run_retention() -> int:
    """Take away what is too old, between one and five at night, once a night however often it is asked.

    A run that does not finish in its minute goes on at the next look. Returns how many rows went.
    """
    now = timezone.localtime()
    if not NIGHT_FROM_HOUR <= now.hour < NIGHT_UNTIL_HOUR:
        return 0
    with transaction.atomic():
        RetentionRun.objects.get_or_create(date=now.date())
        run = RetentionRun.objects.select_for_update(skip_locked=True).filter(date=now.date()).first()
        if run is None or run.finished_at is not None:
            return 0
    return enforce(run)


def enforce(run: RetentionRun) -> int:
    """Take away what every rule says is too old, noting it in `run`; returns how many rows went."""
    deadline, total = Deadline(TASK, QUEUE), 0
    for table, days in _ruled_tables():
        while not deadline.is_over:
            names: list[str] = []
            with transaction.atomic():
                rows = _old_rows(table, days).order_by("pk")
                count = take_away(table, rows.filter(pk__in=list(rows.values_list("pk", flat=True)[:BATCH])), names)
                if count:
                    run.counts[table.model] = run.counts.get(table.model, 0) + count
                    run.save(update_fields=["counts"])
            delete_files(names)
            total += count
            if count < BATCH:
                break
    if not deadline.is_over:
        run.finished_at = timezone.now()
        run.save(update_fields=["finished_at"])
        log.info("retention_done", rows=total)
    return total


def _ruled_tables() -> Iterator[tuple[Table, int]]:
    days = dict(RetentionRule.objects.exclude(days=None).values_list("data_class", "days"))
    for table in duties.tables():
        wanted = days.get(table.data_class)
        if wanted and table.moment and table.data_class != DataClass.AUDIT:
            yield table, wanted


def _old_rows(table: Table, days: int) -> QuerySet[Any]:
    """Rows old enough that still say something and that no hold keeps."""
    held = held_patients(table.data_class)
    if held is None:
        return table.rows.none()
    before = timezone.now() - timedelta(days=days)
    rows = table.without(held).filter(table.expires, **{f"{table.moment}__lt": before})
    return rows.filter(_says_something(table)) if table.scrub else rows


def _says_something(table: Table) -> Q:
    literal = {name: value for name, value in (table.scrub or {}).items() if not hasattr(value, "resolve_expression")}
    condition = Q()
    for name, value in literal.items():
        condition |= ~Q(**{name: value}) if value is not None else Q(**{f"{name}__isnull": False})
    return condition
