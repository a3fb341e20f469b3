"""Where a visit beside the agenda makes sense: at the hour of one that is likely to be missed."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from scheduling.enums import AppointmentStatus as S
from scheduling.models import Appointment
from scheduling.risk import Level
from scheduling.selectors.openings import Offer, Search, offers_of
from scheduling.selectors.risk import risks_of
from scheduling.slots import Slot

AHEAD = timedelta(days=7)
MOST_VISITS, MOST_HINTS = 200, 3
GONE = [S.CANCELLED, S.ENTERED_IN_ERROR]


@dataclass(frozen=True, slots=True)
class Hint:
    """A time beside the agenda, and how likely the visit there is missed, in per cent; whose it is, is not said."""

    offer: Offer
    percent: int


def overbooking_hints(search: Search, *, now: datetime) -> list[Hint]:
    """Times within a week at which the agenda's visit is at high risk, riskiest first; at most three.

    Only of practitioners whose limit of that day is not reached; no hour gets a second visit beside the agenda. Seven
    statements at most.
    """
    since = max(now, datetime.combine(search.from_date, time(), tzinfo=UTC))
    rows = Appointment.objects.filter(
        status=S.BOOKED, service=search.service, mode=search.mode, overbooked_number=None, session=None,
        starts_at__gt=now, starts_at__gte=since, starts_at__lt=since + AHEAD, practitioner__daily_overbooking__gt=0,
        practitioner__is_active=True,
    )  # fmt: skip
    if search.practitioners:
        rows = rows.filter(practitioner__in=search.practitioners)
    if search.locations:
        rows = rows.filter(location__in=search.locations)
    visits = list(rows.select_related("patient", "location", "practitioner").order_by("starts_at")[:MOST_VISITS])
    beside = _beside(visits)
    per_day = Counter((practitioner, day) for practitioner, day, _at in beside)
    hours = {(practitioner, at) for practitioner, _day, at in beside}
    risks = risks_of(visits) if visits else {}
    fitting = [
        one
        for one in visits
        if risks[one.pk].level == Level.HIGH
        and per_day[one.practitioner_id, one.visit_date] < one.practitioner.daily_overbooking
        and (one.practitioner_id, one.starts_at) not in hours
    ]
    best = sorted(fitting, key=lambda one: (-risks[one.pk].share, one.starts_at, one.pk))[:MOST_HINTS]
    offers = offers_of([_slot(one) for one in best]) if best else []
    return [Hint(offer, risks[one.pk].percent) for offer, one in zip(offers, best, strict=True)]


def _beside(visits: list[Appointment]) -> list[tuple[int, object, datetime]]:
    rows = Appointment.objects.filter(overbooked_number__isnull=False).exclude(status__in=GONE)
    rows = rows.filter(
        practitioner__in={one.practitioner_id for one in visits}, visit_date__in={one.visit_date for one in visits}
    )
    return list(rows.values_list("practitioner_id", "visit_date", "starts_at")) if visits else []


def _slot(one: Appointment) -> Slot:
    start, end = int(one.starts_at.timestamp()), int(one.ends_at.timestamp())
    return Slot(start, one.practitioner_id, end, one.location_id, None)
