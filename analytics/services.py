"""What follows from figures: leads hear of a queue that goes beyond a limit of the live board."""

from datetime import datetime

from django.utils import timezone

from analytics.models import LimitCrossing
from analytics.selectors.board import state_of_queues
from inbox import realtime
from inbox.enums import NotificationKind
from inbox.selectors.hours import setup
from inbox.selectors.team import leads_of
from inbox.services.notifications import notify


def watch_limits() -> int:
    """Tell the leads of each queue that is beyond a limit, once per crossing; returns how many crossings began.

    A crossing is over when the board warns of the queue no more, so that a figure which moves around its limit is told
    once. While a queue is closed nobody is told; what waits beyond a limit when it opens is.
    """
    now, begun = timezone.now(), 0
    open_now = set(LimitCrossing.objects.filter(ended_at=None).values_list("queue_id", flat=True))
    for queue_id, state in state_of_queues(now, open_now).items():
        if state == "late" and queue_id not in open_now and setup().of_queue(queue_id).is_open_at(now):
            begun += _begin(queue_id, now)
        elif not state and queue_id in open_now:
            LimitCrossing.objects.filter(queue=queue_id, ended_at=None).update(ended_at=now)
    return begun


def _begin(queue_id: int, now: datetime) -> bool:
    with realtime.atomic():
        crossing, is_new = LimitCrossing.objects.get_or_create(
            queue_id=queue_id, ended_at=None, defaults={"began_at": now}
        )
        for lead in leads_of(queue_id) if is_new else ():
            notify(
                user=lead, kind=NotificationKind.BEYOND_LIMIT, queue_id=queue_id, dedupe_key=f"limit:{crossing.pk}"
            )  # fmt: skip
        return is_new
