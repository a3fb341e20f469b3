"""What asks for an act in an agenda: visits that are likely to be missed, and times that became free."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Q, QuerySet

from scheduling.enums import AppointmentStatus, OfferStatus
from scheduling.models import Appointment, FreedSlot, Location, Practitioner, Room
from scheduling.risk import Level, Risk
from scheduling.selectors.risk import risks_of


def likely_missed(visits: Sequence[Appointment], now: datetime) -> dict[int, Risk]:
    """The risk of those visits to come for which something should be done, by id. They bring patient and location.
    Three statements."""
    coming = [one for one in visits if one.status == AppointmentStatus.BOOKED and one.starts_at > now]
    risks = risks_of(coming) if coming else {}
    return {pk: risk for pk, risk in risks.items() if risk.level != Level.LOW}


def freed_at(
    location: Location, begin: datetime, end: datetime, only: Practitioner | Room | None = None
) -> QuerySet[Any]:
    """Times of that span that became free and are not given to anybody, with how many are `asked` now and `until` when
    they may answer. One statement."""
    rows = FreedSlot.objects.filter(location=location, starts_at__gte=begin, starts_at__lt=end, closed_at=None)
    if only is not None:
        rows = rows.filter(room=only) if isinstance(only, Room) else rows.filter(practitioner=only)
    is_open = Q(offers__status=OfferStatus.OFFERED)
    rows = rows.annotate(asked=Count("offers", filter=is_open), until=Max("offers__expires_at", filter=is_open))
    return rows.select_related("service", "practitioner", "room").order_by("starts_at", "pk")
