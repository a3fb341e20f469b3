"""Free times: what schedules open, less what absences close and visits and holds take."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from contact_center.common.prepared import ask_planned
from contact_center.common.spans import joined, without
from scheduling.models import Appointment, HealthcareService, Location, Practitioner
from scheduling.selectors.groups import Wanted, with_groups
from scheduling.slots import Fit, Hours, Opening, Resource, Slot, Span, free_slots, spans_of
from scheduling.wished import Wished

MOST_SLOTS = 200
# A search reads a day first and then twice as much each time: many practitioners have a slot soon, one may have none.
FIRST_DAYS, MOST_DAYS = 1, 16
# Of what is taken it reads so much of all practitioners together first, and then twice as much each time.
FIRST_HOURS_OF_ALL = 200


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
    openings = _Patterns(search).openings(day, last)
    start, end = starts_at.timestamp(), ends_at.timestamp()
    return {one.room_id for one in openings if one.start <= start and end <= one.end}


def every_slot(search: Search, *, now: datetime, earliest: datetime | None = None) -> Iterator[Slot]:
    """As `find_slots`, lazily and without an end but that of the search."""
    if not search.service.is_active or (search.mode and search.mode not in search.service.modes):
        return
    patterns = _Patterns(search)
    fit = search.fit or fit_of(search.service)
    reach = timedelta(hours=max(FIRST_HOURS_OF_ALL // len(patterns.rows), 1)) if patterns.rows else timedelta()
    day, days = search.from_date, FIRST_DAYS
    while patterns.rows and day <= search.until_date:
        last = min(day + timedelta(days=days - 1), search.until_date)
        for begin, end, openings in _windows(patterns.openings(day, last), max(now, earliest or now), reach):
            found = free_slots(openings, taken_spans(openings, begin, end, fit, now), fit, begin, end)
            if search.service.is_group:
                found = with_groups(found, openings, Wanted(search.service, search.mode, fit, begin, end))
            yield from found
            reach *= 2
        day, days = last + timedelta(days=1), min(days * 2, MOST_DAYS)


def _windows(
    openings: list[Opening], earliest: datetime, reach: timedelta
) -> Iterator[tuple[datetime, datetime, list[Opening]]]:
    """Times one after the other, each twice as long as the one before, with the openings that have a part in them."""
    if not openings:
        return
    begin = max(earliest, datetime.fromtimestamp(min(one.start for one in openings), UTC))
    finish = datetime.fromtimestamp(max(one.end for one in openings), UTC)
    while begin < finish:
        end = min(begin + reach, finish)
        since, until = begin.timestamp(), end.timestamp()
        yield begin, end, [one for one in openings if one.start < until and since < one.end]
        begin, reach = end, reach * 2


@dataclass(slots=True)
class _Pattern:
    practitioner_id: int
    location_id: int
    room_id: int | None
    zone: ZoneInfo
    valid_from: date
    valid_until: date
    hours: list[Hours] = field(default_factory=list)


PATTERNS = """
SELECT schedule.id, schedule.practitioner_id, schedule.location_id, schedule.room_id, place.time_zone,
  schedule.valid_from_date, schedule.valid_until_date
FROM scheduling_schedule schedule
JOIN scheduling_location place ON place.id = schedule.location_id AND place.is_active
JOIN scheduling_practitioner person ON person.id = schedule.practitioner_id AND person.is_active
JOIN scheduling_practitioner_services offered
  ON offered.practitioner_id = person.id AND offered.healthcareservice_id = %(service)s
LEFT JOIN scheduling_room room ON room.id = schedule.room_id
WHERE (room.id IS NULL OR room.is_active)
  AND COALESCE((SELECT bool_or(named.healthcareservice_id = %(service)s) FROM scheduling_schedule_services named
    WHERE named.schedule_id = schedule.id), true)
  AND COALESCE(schedule.valid_from_date <= %(until)s, true) AND COALESCE(schedule.valid_until_date >= %(since)s, true)
  AND (%(practitioners)s::bigint[] IS NULL OR person.id = ANY(%(practitioners)s))
  AND (%(locations)s::bigint[] IS NULL OR place.id = ANY(%(locations)s))
  AND (%(languages)s::text[] IS NULL OR person.languages::text[] @> %(languages)s)
"""
HOURS = """
SELECT schedule_id, weekday, starts, ends FROM scheduling_weeklyhours
WHERE schedule_id = ANY(%(schedules)s) AND weekday = ANY(%(weekdays)s) ORDER BY schedule_id, weekday, starts
"""
AWAY = """
SELECT practitioner_id, room_id, location_id, floor(date_part('epoch', starts_at))::bigint,
  floor(date_part('epoch', ends_at))::bigint
FROM scheduling_absence
WHERE starts_at < %(until)s AND ends_at > %(since)s
  AND (practitioner_id = ANY(%(practitioners)s) OR room_id = ANY(%(rooms)s) OR location_id = ANY(%(locations)s))
"""
TAKEN = """
SELECT practitioner_id, room_id, floor(date_part('epoch', lower(span)))::bigint,
  ceil(date_part('epoch', upper(span)))::bigint
FROM scheduling_occupancy
WHERE span && tstzrange(%(since)s, %(until)s)
  AND (practitioner_id = ANY(%(practitioners)s) OR room_id = ANY(%(rooms)s))
  AND (held_until_at IS NULL OR held_until_at > %(now)s)
ORDER BY 3
"""


class _Patterns:
    """The weekly patterns in which a search looks; the hours of a weekday are read when it comes to it."""

    def __init__(self, search: Search) -> None:
        wanted = {
            "service": search.service.pk,
            "since": search.from_date,
            "until": search.until_date,
            "practitioners": sorted(search.practitioners) or None,
            "locations": sorted(search.locations) or None,
            "languages": [search.language] if search.language else None,
        }
        self.rows = {
            pk: _Pattern(practitioner, location, room, ZoneInfo(zone), since or date.min, until or date.max)
            for pk, practitioner, location, room, zone, since, until in ask_planned(PATTERNS, wanted)
        }
        self._known: set[int] = set()

    def openings(self, first: date, last: date) -> list[Opening]:
        """What they open from `first` to `last`, less absences. Two statements at most."""
        wanted = {(first + timedelta(days=number)).weekday() for number in range(min((last - first).days + 1, 7))}
        self._read(wanted - self._known)
        return _openings(list(self.rows.values()), first, last)

    def _read(self, weekdays: set[int]) -> None:
        if weekdays:
            wanted = {"schedules": list(self.rows), "weekdays": list(weekdays)}
            for schedule, weekday, starts, ends in ask_planned(HOURS, wanted):
                self.rows[schedule].hours.append(Hours(weekday, starts, ends))
            self._known |= weekdays


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
        away = sorted(span for one in who for span in closed.get(one, ())) if closed else []
        for span in known[key]:
            for left in without(span, away):
                openings.append(
                    Opening(*left, pattern.practitioner_id, pattern.location_id, pattern.room_id, pattern.zone)
                )
    return openings


def _absences(patterns: list[_Pattern], first: date, last: date) -> dict[tuple[str, int | None], list[Span]]:
    found: dict[tuple[str, int | None], list[Span]] = defaultdict(list)
    concerned = {
        "since": datetime.combine(first - timedelta(days=1), datetime.min.time(), tzinfo=UTC),
        "until": datetime.combine(last + timedelta(days=3), datetime.min.time(), tzinfo=UTC),
        "practitioners": list({pattern.practitioner_id for pattern in patterns}),
        "rooms": list({pattern.room_id for pattern in patterns if pattern.room_id}),
        "locations": list({pattern.location_id for pattern in patterns}),
    }
    for practitioner, room, location, start, end in ask_planned(AWAY, concerned):
        kind = "practitioner" if practitioner else "room" if room else "location"
        found[kind, practitioner or room or location].append((start, end))
    return found


def taken_spans(
    openings: list[Opening], begin: datetime, end: datetime, fit: Fit, now: datetime
) -> dict[Resource, list[Span]]:
    """What is taken of the practitioners and rooms of these openings, merged and in order, as far as it can touch a
    visit that starts from `begin` to `end`. One statement."""
    if not openings:
        return {}
    found: dict[Resource, list[Span]] = defaultdict(list)
    concerned: dict[str, Any] = {
        "since": begin - timedelta(minutes=fit.buffer_before),
        "until": end + timedelta(minutes=fit.minutes + fit.buffer_after),
        "practitioners": list({opening.practitioner_id for opening in openings}),
        "rooms": list({opening.room_id for opening in openings if opening.room_id}),
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(TAKEN, concerned)  # whose best plan depends on how many practitioners and how long a time
        rows = cursor.fetchall()
    for practitioner, room, start, finish in rows:
        found[Resource("practitioner", practitioner)].append((start, finish))
        if room:
            found[Resource("room", room)].append((start, finish))
    return {resource: list(joined(spans)) for resource, spans in found.items()}
