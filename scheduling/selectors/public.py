"""What patients may book themselves, and when."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.utils import timezone

from scheduling.models import Appointment, HealthcareService, Location, Occupancy, Practitioner
from scheduling.selectors.appointments import current_of
from scheduling.selectors.openings import MOST_SLOTS, Offer, Search, find_slots, offers_of

MOST_DAYS, MOST_TIMES = 6, 20
SHOWN_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Times:
    """Days that have a free time, at most six from the one asked for; the free times of the day chosen, at most
    twenty; the day from which to look on, None when no more are offered."""

    days: list[date]
    chosen: date | None
    offers: list[Offer]
    later: date | None


def public_services() -> QuerySet[HealthcareService]:
    """What patients may book themselves, by name."""
    return HealthcareService.objects.filter(is_active=True, is_public=True)


def places_of(service: HealthcareService) -> QuerySet[Location]:
    """Sites where somebody offers it, by name."""
    offered = Q(schedules__services=None) | Q(schedules__services=service)
    rows = Location.objects.filter(offered, is_active=True, schedules__practitioner__is_active=True)
    return rows.filter(schedules__practitioner__services=service).distinct()


def people_for(service: HealthcareService) -> QuerySet[Practitioner]:
    """Who offers it, by name."""
    return Practitioner.objects.filter(is_active=True, services=service, schedules__isnull=False).distinct()


def bookable_span(service: HealthcareService, now: datetime) -> tuple[datetime, datetime]:
    """From when and until when patients may book a visit of this service at `now`."""
    return now + timedelta(minutes=service.notice_minutes), now + timedelta(days=service.horizon_days)


def free_times(search: Search, *, now: datetime, day: date | None = None) -> Times:
    """What patients may choose among: the days from `search.from_date` on, and the times of `day`, the first of these
    days where that is none of them. A constant number of statements for each of at most seven searches."""
    earliest, latest = bookable_span(search.service, now)
    search = replace(search, until_date=min(search.until_date, latest.date()))
    days = list(_days(search, now, earliest))
    if not days:
        return Times([], None, [], None)
    chosen = day if day in days else days[0]
    found = find_slots(
        replace(search, from_date=chosen, until_date=chosen), now=now, earliest=earliest, limit=MOST_SLOTS
    )
    at_once: dict[tuple[int, int], Offer] = {}
    for offer in offers_of(found):  # with whom is only said where it was asked: one of several at the same time will do
        at_once.setdefault((offer.slot.start, offer.slot.location_id), offer)
    later = days[-1] + timedelta(days=1) if len(days) == MOST_DAYS else None
    return Times(days, chosen, list(at_once.values())[:MOST_TIMES], later)


def _days(search: Search, now: datetime, earliest: datetime) -> Iterator[date]:
    day, found = search.from_date, 0
    zones = dict(Location.objects.values_list("pk", "time_zone"))
    while day <= search.until_date and found < MOST_DAYS:
        slots = find_slots(replace(search, from_date=day), now=now, earliest=earliest, limit=1)
        if not slots:
            return
        first = slots[0].starts_at.astimezone(ZoneInfo(zones[slots[0].location_id])).date()
        yield max(first, day)
        day, found = max(first, day) + timedelta(days=1), found + 1


def held(token: UUID) -> Occupancy | None:
    """The hold of this token while it lasts."""
    return Occupancy.objects.filter(hold_token=token, held_until_at__gt=timezone.now()).first()


def booked_with(key: UUID) -> Appointment | None:
    """What a form that was sent with this key booked within the hour, or what it was moved to since."""
    rows = Appointment.objects.filter(booking_key=key, created_at__gt=timezone.now() - SHOWN_FOR)
    made = rows.first()
    if made is None:
        return None
    shown = Appointment.objects.select_related("service", "practitioner", "location", "patient")
    return shown.get(pk=current_of(made).pk)
