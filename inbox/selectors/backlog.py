"""What lies in the queues for too long, and how often offers come to nothing: the supervisor's view."""

from collections import defaultdict
from datetime import timedelta

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from contact_center.accounts.models import User
from inbox.enums import InteractionStatus, OfferStatus
from inbox.models import Interaction, Offer
from inbox.selectors.distribution import handing
from inbox.selectors.interactions import interactions_visible_to

DAY = timedelta(days=1)
SHOWN = 50


def lying() -> QuerySet[Interaction]:
    """Waiting work older than its queue allows, the oldest first."""
    now, known = timezone.now(), handing()
    by_hours: dict[int, list[int]] = defaultdict(list)
    for queue_id, terms in known.settings.items():
        by_hours[terms.stale_after_hours].append(queue_id)
    is_old = Q(since__lt=now - timedelta(hours=known.of(0).stale_after_hours)) & ~Q(queue__in=list(known.settings))
    for hours, queue_ids in by_hours.items():
        is_old |= Q(queue__in=queue_ids, since__lt=now - timedelta(hours=hours))
    waiting = Interaction.objects.filter(status=InteractionStatus.QUEUED, owner=None)
    return waiting.annotate(since=Coalesce("waiting_since_at", "opened_at")).filter(is_old).order_by("since")


def lying_work_of(user: User) -> list[Interaction]:
    """The oldest of it that the person may see, with queue and patient."""
    seen = interactions_visible_to(user).filter(pk__in=lying().order_by().values("pk"))
    return list(seen.select_related("queue", "patient", "reason").order_by("opened_at")[:SHOWN])


def offers_of_today() -> dict[int, dict[str, int]]:
    """By person: how many offers of the last 24 hours were accepted, declined and missed. One query."""
    outcomes = (OfferStatus.ACCEPTED, OfferStatus.DECLINED, OfferStatus.MISSED)
    counts = {str(one): Count("pk", filter=Q(status=one)) for one in outcomes}
    rows = Offer.objects.filter(offered_at__gt=timezone.now() - DAY).order_by().values("agent_id").annotate(**counts)
    return {row["agent_id"]: {str(one): row[str(one)] for one in outcomes} for row in rows}
