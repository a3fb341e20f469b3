"""The rows behind each figure of the live board."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from analytics.metrics import METRICS, Metric, Scope
from analytics.selectors.board import day_began
from analytics.selectors.days import contacts_since
from contact_center.accounts.models import User
from inbox.models import Call, Interaction, Queue, SlaClock
from inbox.selectors.distribution import handing
from inbox.selectors.interactions import interactions_visible_to, queues_of


@dataclass(frozen=True, slots=True)
class Line:
    """One counted row: the conversation it is in, when it counted, how long it took, and what became of it."""

    interaction: Interaction
    at: datetime | None
    seconds: float | None
    result: str


@dataclass(frozen=True, slots=True)
class Page:
    """What a figure counted: how many rows, and some of them."""

    metric: Metric
    total: int
    lines: list[Line]
    queue: Queue | None


def rows_of(user: User, figure: str, *, queue_id: int | None, start: int = 0, most: int = 50) -> Page:
    """The rows a figure of today counted in the person's queues, or in one of them. Raises KeyError for no figure of
    ours, Queue.DoesNotExist for a queue that is not theirs."""
    metric, now = METRICS[figure], timezone.now()
    queues = queues_of(user)
    queue = queues.get(pk=queue_id) if queue_id is not None else None
    scope = Scope([queue.pk] if queue else list(queues.values_list("pk", flat=True)), day_began(now))
    found = metric.rows(scope)
    if found.model is not Interaction:
        found = found.select_related("interaction")
    shown = list(found[start : start + most])
    return Page(metric, found.count(), _lines(user, shown), queue)


def contacts_of(user: User, person: User) -> list[Line]:
    """Every time the person was on contact today, the latest first; what the reader may not see is left out."""
    now = timezone.now()
    contacts = contacts_since({person.pk}, day_began(now), now).get(person.pk, [])
    known = _visible(user, [one.interaction_id for one in contacts])
    return [
        Line(
            known[one.interaction_id], datetime.fromtimestamp(one.start, UTC), one.end - one.start,
            "call" if one.is_call else "written",
        )
        for one in sorted(contacts, key=lambda one: one.start, reverse=True)
        if one.interaction_id in known
    ]  # fmt: skip


def work_of(user: User, person: User) -> list[Interaction]:
    """Everything the person has open that the reader may see, the longest wait first."""
    from inbox.selectors.team import open_ids_of

    ids = open_ids_of(user, person)[:50]
    known = _visible(user, ids)
    return [known[pk] for pk in ids if pk in known]


def _visible(user: User, ids: Iterable[int]) -> dict[int, Interaction]:
    found = interactions_visible_to(user).filter(pk__in=list(ids))
    return {one.pk: one for one in found.select_related("queue", "reason", "owner", "channel")}


def _lines(user: User, rows: list[Any]) -> list[Line]:
    known = _visible(user, [row.pk if isinstance(row, Interaction) else row.interaction_id for row in rows])
    found = []
    for row in rows:
        work = known.get(row.pk if isinstance(row, Interaction) else row.interaction_id)
        if work is not None:
            found.append(_line(row, work))
    return found


def _line(row: Any, work: Interaction) -> Line:
    now = timezone.now()
    if isinstance(row, Call):
        terms = handing().of(row.queue_id)
        seconds = row.queue_seconds
        result = row.status
        if row.answered_at is not None and seconds is not None:
            result = "on_time" if seconds <= terms.answer_within_seconds else "late"
        elif row.status == "abandoned" and seconds is not None and seconds < terms.short_abandon_seconds:
            result = "short"
        return Line(work, row.queued_at, seconds, result)
    if isinstance(row, SlaClock):
        end = row.met_at or now
        return Line(
            work, row.started_at, (end - row.started_at).total_seconds(), "late" if row.breached_at else "on_time"
        )
    since = row.waiting_since_at
    return Line(work, since or row.opened_at, (now - since).total_seconds() if since else None, row.status)
