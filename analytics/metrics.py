"""One definition per figure. Each says its formula, what it counts and its edge cases, and gives the rows behind it.

Calls count on the day and in the queue they last waited in; calls of ours (call backs, click-to-call) are never counted
as offered. Terms of each queue (seconds, targets) are its `QueueSettings`.
"""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, Count, DurationField, F, Q, QuerySet, Value, When
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from inbox.enums import CallStatus, ClockKind, Direction, InteractionStatus
from inbox.models import Call, Interaction, SlaClock
from inbox.selectors.distribution import handing

S = InteractionStatus
REPLIES = [ClockKind.FIRST_RESPONSE, ClockKind.NEXT_RESPONSE]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which part of the desk: these queues, from `since` on."""

    queue_ids: Collection[int]
    since: datetime


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure: its name and formula in words, its version, and the rows it counts."""

    title: str | Promise
    formula: str | Promise
    rows: Callable[[Scope], QuerySet[Any]]
    version: int = 1


def waiting(scope: Scope) -> QuerySet[Interaction]:
    """Conversations and calls that nobody has taken, whoever they are offered to; the longest wait first.

    The longest wait is that of those in which the patient waits for us; work that a colleague put back without a
    patient waiting is counted, and has no wait.
    """
    found = Interaction.objects.filter(queue__in=scope.queue_ids, status__in=[S.QUEUED, S.OFFERED], owner=None)
    return found.order_by(F("waiting_since_at").asc(nulls_last=True), "pk")


def waiting_calls(scope: Scope) -> QuerySet[Call]:
    """Callers on the line who have not been answered."""
    return Call.objects.filter(queue__in=scope.queue_ids, status=CallStatus.WAITING, direction=Direction.INBOUND)


def offered(scope: Scope) -> QuerySet[Call]:
    """Offered: inbound calls that entered a queue since then = answered + abandoned + flow-out + still waiting."""
    return Call.objects.filter(
        queue__in=scope.queue_ids, queued_at__gte=scope.since, direction=Direction.INBOUND
    ).order_by("-queued_at")


def answered(scope: Scope) -> QuerySet[Call]:
    """Offered calls that somebody answered."""
    return offered(scope).filter(answered_at__isnull=False)


def abandoned(scope: Scope) -> QuerySet[Call]:
    """Offered calls whose callers hung up while they waited. Who asked for a call back, left a message or went on by
    text has not abandoned; who hung up in the menu was never in a queue."""
    return offered(scope).filter(status=CallStatus.ABANDONED, answered_at=None)


def short(scope: Scope) -> QuerySet[Call]:
    """Abandoned within the queue's threshold: they count as abandoned, and not against the service level."""
    return abandoned(scope).filter(ended_at__lt=F("queued_at") + _per_queue(scope, "short_abandon_seconds"))


def on_time(scope: Scope) -> QuerySet[Call]:
    """Answered within the seconds that the queue sets."""
    return answered(scope).filter(answered_at__lte=F("queued_at") + _per_queue(scope, "answer_within_seconds"))


def judged(scope: Scope) -> QuerySet[Call]:
    """What the service level is a share of: answered + abandoned − short."""
    return (answered(scope) | abandoned(scope)).exclude(pk__in=short(scope).order_by().values("pk"))


def replies(scope: Scope) -> QuerySet[SlaClock]:
    """Promised replies that were kept or missed since then; running and stopped clocks have no outcome yet.

    A clock that was missed and is still open counts as missed at the moment of its deadline.
    """
    recent = Q(interaction__last_message_at__gte=scope.since) | Q(interaction__due_at__isnull=False)
    kept = Q(met_at__gte=scope.since, breached_at=None)
    found = SlaClock.objects.filter(kind__in=REPLIES, interaction__queue__in=scope.queue_ids)
    return found.filter(recent, kept | Q(breached_at__gte=scope.since)).order_by("-pk")


def replies_kept(scope: Scope) -> QuerySet[SlaClock]:
    """Promised replies that were given in time."""
    return replies(scope).filter(breached_at=None)


METRICS: dict[str, Metric] = {
    "waiting": Metric(_("Waiting"), _("Not taken by anybody, offered or not"), waiting),
    "calls": Metric(_("Callers on the line"), _("In the queue, not answered yet"), waiting_calls),
    "offered": Metric(_("Offered"), _("Inbound calls that entered a queue"), offered),
    "answered": Metric(_("Answered"), _("Offered calls that somebody answered"), answered),
    "abandoned": Metric(_("Abandoned"), _("Hung up while waiting; call backs, messages and texts are none"), abandoned),
    "short": Metric(_("Abandoned at once"), _("Hung up within the queue's threshold"), short),
    "on_time": Metric(_("Answered on time"), _("Answered within the queue's seconds"), on_time),
    "judged": Metric(
        _("Calls on time"), _("Service level: answered on time ÷ (answered + abandoned − abandoned at once)"), judged
    ),
    "replies": Metric(_("Replies on time"), _("SLA compliance: met ÷ (met + breached)"), replies),
    "replies_kept": Metric(_("Replies kept"), _("Promised replies that were given in time"), replies_kept),
}


@dataclass(slots=True)
class CallCounts:
    """Counted calls of one queue or of several."""

    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    short: int = 0
    on_time: int = 0

    def __add__(self, other: "CallCounts") -> "CallCounts":
        return CallCounts(
            self.offered + other.offered,
            self.answered + other.answered,
            self.abandoned + other.abandoned,
            self.short + other.short,
            self.on_time + other.on_time,
        )

    @property
    def judged(self) -> int:
        """answered + abandoned − short"""
        return self.answered + self.abandoned - self.short

    @property
    def service_level(self) -> int | None:
        """Per cent answered on time ÷ (answered + abandoned − short); None without any."""
        return percent(self.on_time, self.judged)

    @property
    def abandonment(self) -> int | None:
        """Per cent abandoned ÷ queued, short ones included; None without any."""
        return percent(self.abandoned, self.offered)

    @property
    def abandonment_without_short(self) -> int | None:
        """Per cent of abandonment without those who hung up at once, in both parts."""
        return percent(self.abandoned - self.short, self.offered - self.short)


def percent(part: int, whole: int) -> int | None:
    """Whole per cent, rounded half up; None of nothing."""
    return (200 * part + whole) // (2 * whole) if whole else None


def call_counts(scope: Scope) -> dict[int, CallCounts]:
    """Counts by queue, in one query; the same rows as each metric names."""
    is_answered, is_abandoned = Q(answered_at__isnull=False), Q(status=CallStatus.ABANDONED, answered_at=None)
    is_short = Q(ended_at__lt=F("queued_at") + _per_queue(scope, "short_abandon_seconds"))
    is_on_time = Q(answered_at__lte=F("queued_at") + _per_queue(scope, "answer_within_seconds"))
    by_queue = offered(scope).order_by().values("queue_id")
    rows = by_queue.annotate(
        n=Count("pk"),
        answered=Count("pk", filter=is_answered),
        abandoned=Count("pk", filter=is_abandoned),
        short=Count("pk", filter=is_abandoned & is_short),
        on_time=Count("pk", filter=is_answered & is_on_time),
    )
    return {
        row["queue_id"]: CallCounts(row["n"], row["answered"], row["abandoned"], row["short"], row["on_time"])
        for row in rows
    }


def reply_counts(scope: Scope) -> dict[int, tuple[int, int]]:
    """By queue how many promised replies were kept, of how many. One query."""
    rows = replies(scope).order_by().values_list("interaction__queue_id")
    found = rows.annotate(kept=Count("pk", filter=Q(breached_at=None)), n=Count("pk"))
    return {queue_id: (kept, n) for queue_id, kept, n in found}


def _per_queue(scope: Scope, name: str) -> Any:
    """A time that each queue sets for itself, as an expression."""
    known = handing()
    usual = getattr(known.of(0), name)
    seconds = Counter({pk: getattr(known.of(pk), name) for pk in scope.queue_ids})
    whens = [When(queue=pk, then=Value(timedelta(seconds=n))) for pk, n in seconds.items() if n != usual]
    return Case(*whens, default=Value(timedelta(seconds=usual)), output_field=DurationField())
