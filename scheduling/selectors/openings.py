"""Free times: what schedules open, less what absences close and visits and holds take."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Q

from contact_center.common.spans import joined, without
from scheduling.models import Absence, Appointment, HealthcareService, Location, Practitioner, Schedule, WeeklyHours
from scheduling.selectors.groups import Wanted, with_groups
from scheduling.slots import Fit, Hours, Opening, Resource, Slot, Span, free_slots, spans_of
from scheduling.wished import Wished

MOST_SLOTS = 200
# A search reads a day first and then twice as much each time: many practitioners have a slot soon, one may have none.
FIRST_DAYS, MOST_DAYS = 1, 16


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for. Empty sets and None mean any. `from_date` and `until_date` are days at the site."""

    service: HealthcareService
    from_date: date
    until_date: date
    practitioners: frozenset[int] = frozenset()
    locations: frozenset[int] = frozenset()
    language: str = ""
    mode: str = ""
    fit: Fit | None = None


def fit_of(service: HealthcareService) -> Fit:
    """The time a visit of this service takes, at any part of the day."""
    return Fit(
        minutes=service.minutes,
        buffer_before=service.buffer_before_minutes,
        buffer_after=service.buffer_after_minutes,
        step=service.step_minutes,
    )


def find_slots(search: Search, *, now: datetime, limit: int = 20, earliest: datetime | None = None) -> list[Slot]:
    """The first free slots, in order of start, at most `limit` (200); none before `earliest`, nor before `now`.

    Times of holds that ran out are free. Nothing is promised: `hold_slot` and `book` have the last word. A constant
    number of statements for each stretch of days that has to be looked at.
    """
    return list(islice(every_slot(search, now=now, earliest=earliest), min(limit, MOST_SLOTS)))


@dataclass(frozen=True, slots=True)
class Offer:
    """A slot as people read it. `starts_at` is in the site's own time."""

    slot: Slot
    starts_at: datetime
    practitioner: Practitioner
    location: Location


def offers_of(slots: list[Slot]) -> list[Offer]:
    """The same slots in the same order, with who and where. Two statements."""
    people = Practitioner.objects.in_bulk({slot.practitioner_id for slot in slots})
    places = Location.objects.in_bulk({slot.location_id for slot in slots})
    return [
        Offer(
            slot,
            slot.starts_at.astimezone(ZoneInfo(places[slot.location_id].time_zone)),
            people[slot.practitioner_id],
            places[slot.location_id],
        )
        for slot in slots
    ]


def nearby(visit: Appointment, first: date, today: date) -> Search:
    """Other times for the same visit at its site: four weeks from `first`, as far ahead as the service is offered."""
    last = today + timedelta(days=visit.service.horizon_days)
    return Search(
        visit.service,
        from_date=first,
        until_date=min(min(first, last) + timedelta(days=28), last),
        locations=frozenset({visit.location_id}),
        mode=visit.mode,
    )


def wanted(visit: Appointment, wish: Wished, today: date) -> Search:
    """Other times for the same visit at its site, on the days and in the hours that the patient asked for."""
    fit, search = fit_of(visit.service), nearby(visit, wish.first, today)
    until = wish.not_after if wish.not_after and wish.not_after != wish.not_before else time.max
    part = (wish.not_before or time.min, until)
    weekdays = fit.weekdays if wish.weekday is None else frozenset({wish.weekday})
    fit = replace(fit, part_of_day=part if part != (time.min, time.max) else None, weekdays=weekdays)
    return replace(search, until_date=min(wish.last, today + timedelta(days=visit.service.horizon_days)), fit=fit)


def is_open(
    service: HealthcareService,
    practitioner_id: int,
    location: Location,
    room_id: int | None,
    starts_at: datetime,
    ends_at: datetime,
) -> bool:
    """Whether this practitioner sees patients for this service there in the whole of that time, taken or not."""
    return room_id in rooms_open(service, practitioner_id, location, starts_at, ends_at)


def rooms_open(
    service: HealthcareService, practitioner_id: int, location: Location, starts_at: datetime, ends_at: datetime
) -> set[int | None]:
    """In which rooms (None: in none that is named) this practitioner sees patients for this service there in the whole
    of that time, taken or not."""
    day = starts_at.astimezone(ZoneInfo(location.time_zone)).date() - timedelta(days=1)
    last = day + timedelta(days=2)
    search = Search(service, day, last, frozenset({practitioner_id}), frozenset({location.pk}))
    openings = _openings(_patterns(search), day, last)
    start, end = starts_at.timestamp(), ends_at.timestamp()
    return {one.room_id for one in openings if one.start <= start and end <= one.end}


def every_slot(search: Search, *, now: datetime, earliest: datetime | None = None) -> Iterator[Slot]:
    """As `find_slots`, lazily and without an end but that of the search."""
    if not search.service.is_active or (search.mode and search.mode not in search.service.modes):
        return
    patterns = _patterns(search)
    fit = search.fit or fit_of(search.service)
    day, days = search.from_date, FIRST_DAYS
    while patterns and day <= search.until_date:
        last = min(day + timedelta(days=days - 1), search.until_date)
        openings = _openings(patterns, day, last)
        since = max(now, earliest or now)
        found = free_slots(openings, taken_spans(openings, now), fit, since)
        if search.service.is_group:
            found = with_groups(found, openings, Wanted(search.service, search.mode, fit, since))
        yield from found
        day, days = last + timedelta(days=1), min(days * 2, MOST_DAYS)


@dataclass(slots=True)
class _Pattern:
    practitioner_id: int
    location_id: int
    room_id: int | None
    zone: ZoneInfo
    valid_from: date
    valid_until: date
    hours: list[Hours] = field(default_factory=list)


def _patterns(search: Search) -> list[_Pattern]:
    rows = (
        Schedule.objects.filter(practitioner__is_active=True, practitioner__services=search.service)
        .filter(Q(services=None) | Q(services=search.service), location__is_active=True)
        .filter(Q(valid_from_date=None) | Q(valid_from_date__lte=search.until_date))
        .filter(Q(valid_until_date=None) | Q(valid_until_date__gte=search.from_date))
        .filter(Q(room=None) | Q(room__is_active=True))
    )
    if search.practitioners:
        rows = rows.filter(practitioner__in=search.practitioners)
    if search.locations:
        rows = rows.filter(location__in=search.locations)
    if search.language:
        rows = rows.filter(practitioner__languages__contains=[search.language])
    patterns = {
        pk: _Pattern(practitioner, location, room, ZoneInfo(zone), since or date.min, until or date.max)
        for pk, practitioner, location, room, zone, since, until in rows.values_list(
            "pk", "practitioner_id", "location_id", "room_id", "location__time_zone", "valid_from_date",
            "valid_until_date",
        ).distinct()
    }  # fmt: skip
    ranges = WeeklyHours.objects.filter(schedule__in=patterns).order_by("schedule_id")
    for schedule_id, weekday, starts, ends in ranges.values_list("schedule_id", "weekday", "starts", "ends"):
        patterns[schedule_id].hours.append(Hours(weekday, starts, ends))
    return [pattern for pattern in patterns.values() if pattern.hours]


def _openings(patterns: list[_Pattern], first: date, last: date) -> list[Opening]:
    closed = _absences(patterns, first, last)
    known: dict[tuple[object, ...], list[Span]] = {}  # many keep the same hours in the same zone
    openings = []
    for pattern in patterns:
        begin, end = max(first, pattern.valid_from), min(last, pattern.valid_until)
        if begin > end:
            continue
        key = (tuple(pattern.hours), begin, end, pattern.zone.key)
        if key not in known:
            known[key] = spans_of(pattern.hours, begin, end, pattern.zone)
        who = ("practitioner", pattern.practitioner_id), ("room", pattern.room_id), ("location", pattern.location_id)
        away = sorted(span for one in who for span in closed.get(one, ()))
        for span in known[key]:
            for left in without(span, away):
                openings.append(
                    Opening(*left, pattern.practitioner_id, pattern.location_id, pattern.room_id, pattern.zone)
                )
    return openings


def _absences(patterns: list[_Pattern], first: date, last: date) -> dict[tuple[str, int | None], list[Span]]:
    since = datetime.combine(first - timedelta(days=1), datetime.min.time(), tzinfo=UTC)
    until = datetime.combine(last + timedelta(days=3), datetime.min.time(), tzinfo=UTC)
    concerned = (
        Q(practitioner__in={pattern.practitioner_id for pattern in patterns})
        | Q(room__in={pattern.room_id for pattern in patterns if pattern.room_id})
        | Q(location__in={pattern.location_id for pattern in patterns})
    )
    found: dict[tuple[str, int | None], list[Span]] = defaultdict(list)
    rows = Absence.objects.filter(concerned, starts_at__lt=until, ends_at__gt=since)
    for practitioner, room, location, starts_at, ends_at in rows.values_list(
        "practitioner_id", "room_id", "location_id", "starts_at", "ends_at"
    ):
        kind = "practitioner" if practitioner else "room" if room else "location"
        found[kind, practitioner or room or location].append((int(starts_at.timestamp()), int(ends_at.timestamp())))
    return found


TAKEN = """
SELECT practitioner_id, room_id, floor(extract(epoch FROM lower(span)))::bigint, ceil(extract(epoch FROM upper(span)))::bigint
FROM scheduling_occupancy
WHERE span && tstzrange(to_timestamp(%(since)s), to_timestamp(%(until)s))
  AND (practitioner_id = ANY(%(practitioners)s) OR room_id = ANY(%(rooms)s))
  AND (held_until_at IS NULL OR held_until_at > %(now)s)
"""  # noqa: E501


def taken_spans(openings: list[Opening], now: datetime) -> dict[Resource, list[Span]]:
    """What is taken of the practitioners and rooms of these openings, merged and in order. One statement."""
    if not openings:
        return {}
    values: dict[str, Any] = {
        "since": min(opening.start for opening in openings),
        "until": max(opening.end for opening in openings),
        "practitioners": sorted({opening.practitioner_id for opening in openings}),
        "rooms": sorted({opening.room_id for opening in openings if opening.room_id}),
        "now": now,
    }
    found: dict[Resource, list[Span]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(TAKEN, values)
        for practitioner, room, start, end in cursor.fetchall():
            found[Resource("practitioner", practitioner)].append((start, end))
            if room:
                found[Resource("room", room)].append((start, end))
    return {resource: list(joined(sorted(spans))) for resource, spans in found.items()}
