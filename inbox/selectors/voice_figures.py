"""Figures that are said aloud to callers who wait."""

from datetime import timedelta

from django.db.models import Avg, Count, F, Q, QuerySet
from django.utils import timezone

from contact_center.accounts.enums import PresenceState
from contact_center.accounts.models import User
from inbox.enums import TALKING, CallStatus
from inbox.models import Call

ENOUGH_CALLS = 5
"""With fewer answered calls in the last hours nothing is said of the waiting time."""
LOOK_BACK_SECONDS = 4 * 3600


def calls_ahead(external_id: str, queue_id: int) -> int | None:
    """How many waiting calls of the queue came before this one; None when it is not known to wait."""
    mine = Call.objects.filter(external_id=external_id, status=CallStatus.WAITING).values_list("queued_at", "pk")
    place = mine.first() if external_id else None
    if place is None:
        return None
    waiting = Call.objects.filter(queue=queue_id, status=CallStatus.WAITING, claimed_at=None)
    return waiting.filter(Q(queued_at__lt=place[0]) | Q(queued_at=place[0], pk__lt=place[1])).count()


def estimated_minutes(queue_id: int, ahead: int) -> tuple[int, int] | None:
    """A range of whole minutes until somebody answers, or None when too little is known.

    (calls ahead + 1) × mean time of the calls answered in the last four hours ÷ people who are available or talking,
    70 to 130 per cent of it.
    """
    since = timezone.now() - timedelta(seconds=LOOK_BACK_SECONDS)
    recent = Call.objects.filter(queue=queue_id, answered_at__gte=since, ended_at__isnull=False)
    found = recent.aggregate(count=Count("pk"), mean=Avg(F("ended_at") - F("answered_at")))
    agents = serving(queue_id).count()
    if found["count"] < ENOUGH_CALLS or not agents:
        return None
    minutes = (ahead + 1) * found["mean"].total_seconds() / 60 / agents
    least = max(1, round(minutes * 0.7))
    return least, max(least + 1, round(minutes * 1.3))


def serving(queue_id: int) -> QuerySet[User]:
    """People of the queue's teams who are available or on the phone."""
    busy = Call.objects.filter(status__in=TALKING, agent__isnull=False).values("agent_id")
    return (
        User.objects.filter(is_active=True, memberships__team__queues=queue_id)
        .filter(Q(presence__state=PresenceState.ONLINE) | Q(pk__in=busy))
        .distinct()
    )
