"""Figures that are said aloud to callers who wait."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Avg, Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest, Least
from django.utils import timezone

from contact_center.accounts.enums import PresenceState
from contact_center.accounts.models import User
from inbox.distribution import VOICE, Work
from inbox.enums import TALKING, CallMomentKind, CallStatus
from inbox.models import Call, CallMoment, Escalation
from inbox.waits import ENOUGH, Handled, Quote, quote

RECENT, USUAL = timedelta(hours=4), timedelta(days=14)
URGENCY = ("interaction", "interaction__queue", "interaction__priority", "queued_at")


class Place(NamedTuple):
    """Where a caller stands: the queue, to which others may have handed them on, and how many are served before.

    `hours_of` is the queue whose hours count: the one they were handed on from, until somebody there sees to it.
    """

    queue_id: int
    ahead: int
    hours_of: int


def place_in_line(external_id: str) -> Place | None:
    """Where this call waits; None when it is not known to wait."""
    if not external_id:
        return None
    asked = Escalation.objects.filter(
        interaction=OuterRef("interaction"), to_queue=OuterRef("interaction__queue"),
        acknowledged_at=None, returned_at=None,
    ).values("from_queue")[:1]  # fmt: skip
    mine = Call.objects.filter(external_id=external_id, status=CallStatus.WAITING)
    found = mine.annotate(asked=Subquery(asked)).values_list(*URGENCY, "asked").first()
    if found is None:
        return None
    *own, hours_of = found
    now, queue_id = timezone.now().timestamp(), own[1]
    line = Call.objects.filter(interaction__queue=queue_id, status=CallStatus.WAITING, claimed_at=None)
    before = _work(*own).urgency(now)
    ahead = sum(_work(*row).urgency(now) < before for row in line.values_list(*URGENCY))
    return Place(queue_id, ahead, hours_of or queue_id)


def _work(work_id: int, queue_id: int, priority: int, queued_at: datetime) -> Work:
    return Work(work_id, queue_id, VOICE, priority, queued_at.timestamp())


def estimated_minutes(queue_id: int, ahead: int) -> Quote | None:
    """What a caller with so many calls ahead is told of the wait (`inbox.waits`); None where nothing is said."""
    now, recent = timezone.now(), _handled(queue_id, timezone.now() - RECENT)
    usual = recent if recent.calls >= ENOUGH else _handled(queue_id, now - USUAL)
    return quote(ahead=ahead, recent=recent, usual=usual, people=serving(queue_id).count())


def _handled(queue_id: int, since: datetime) -> Handled:
    """Calls of the queue answered since then that ended, with the time each filled somebody, wrap-up included."""
    ended = Call.objects.filter(queue=queue_id, answered_at__gte=since, ended_at__isnull=False)
    wrapped = Least(Coalesce("interaction__closed_at", "wrap_up_ends_at"), "wrap_up_ends_at")
    until = Greatest(F("ended_at"), Coalesce(wrapped, F("ended_at")))
    found = ended.aggregate(count=Count("pk"), mean=Avg(until - F("answered_at")))
    return Handled(found["count"], found["mean"].total_seconds() if found["mean"] else 0.0)


def quotes_told(since: datetime) -> list[tuple[Quote, float]]:
    """What callers were told first since then, with the seconds until somebody answered them."""
    told = CallMoment.objects.filter(kind=CallMomentKind.QUOTED, at__gte=since, call__answered_at__gt=F("at"))
    found = []
    for detail, at, answered_at in told.values_list("detail", "at", "call__answered_at"):
        least, _dash, most = detail.partition("-")
        if least.isdecimal() and most.isdecimal() and answered_at is not None:
            found.append((Quote(int(least), int(most)), (answered_at - at).total_seconds()))
    return found


def serving(queue_id: int) -> QuerySet[User]:
    """People of the queue's teams who are available or on the phone."""
    busy = Call.objects.filter(status__in=TALKING, agent__isnull=False).values("agent_id")
    return (
        User.objects.filter(is_active=True, memberships__team__queues=queue_id)
        .filter(Q(presence__state=PresenceState.ONLINE) | Q(pk__in=busy))
        .distinct()
    )
