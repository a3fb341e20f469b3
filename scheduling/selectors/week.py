"""How full a week is: practitioners, rooms or sites down, days across. It names no patient."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from contact_center.common.spans import joined, without
from scheduling.enums import OCCUPYING, AgendaOf
from scheduling.models import Appointment, Location, Practitioner, Room, Schedule, WeeklyHours
from scheduling.selectors.agenda import (
    USUAL_HOURS,
    WORKDAYS,
    InTurns,
    absences_at,
    closes,
    hours_at,
    is_on,
    minutes_of,
    state_of,
    turn_of,
    week_from,
)

Owner = Practitioner | Room | Location
Span = tuple[datetime, datetime]
EDGE = timedelta(days=1)
READ = (  # a week of all sites has thousands of visits
    "starts_at", "ends_at", "status", "confirmation", "practitioner__name", "room__name", "location__name",
    "location__time_zone", "session_id",
)  # fmt: skip
SHOWN = range(USUAL_HOURS[0] * 60, USUAL_HOURS[1] * 60)


@dataclass(slots=True)
class Mark:
    """A visit on the strip, in minutes from its left end."""

    start: int
    minutes: int
    state: str


@dataclass(slots=True)
class Cell:
    """One day of one owner. What an absence closes is not open, what no visit takes of the rest is free; in minutes.

    `spans` holds both by practitioner (or room), each of whom is in one visit at a time.
    """

    day: date
    zone: ZoneInfo
    visits: list[Appointment] = field(default_factory=list)
    spans: dict[int, tuple[list[Span], list[Span]]] = field(default_factory=lambda: defaultdict(lambda: ([], [])))

    @property
    def open_minutes(self) -> int:
        """How long somebody is there."""
        return sum(_length(joined(sorted(opened))) for opened, _taken in self.spans.values())

    @property
    def free_hours(self) -> float:
        """Open time that no visit takes."""
        free = 0
        for opened, taken in self.spans.values():
            busy = sorted(taken)
            free += sum(_length(without(span, busy)) for span in joined(sorted(opened)))
        return free / 60

    @property
    def unconfirmed(self) -> int:
        """Visits to come of which nobody said that they will take place."""
        return sum(state_of(visit) == "unconfirmed" for visit in self.visits)

    @property
    def marks(self) -> list[Mark]:
        """The visits on a strip of the usual hours, those of other hours at its ends."""
        once = {visit.session_id or -visit.pk: visit for visit in reversed(self.visits)}
        return [self._mark(visit) for visit in reversed(once.values())]

    def _mark(self, visit: Appointment) -> Mark:
        begin, end = (self._minute(at) for at in (visit.starts_at, visit.ends_at))
        return Mark(begin - SHOWN.start, max(end - begin - 1, 3), state_of(visit))

    def _minute(self, at: datetime) -> int:
        local = at.astimezone(self.zone)
        minute = local.hour * 60 + local.minute if local.date() == self.day else SHOWN.stop
        return min(max(minute, SHOWN.start), SHOWN.stop)


@dataclass(frozen=True, slots=True)
class Line:
    """One practitioner, room or site with its days in order."""

    owner: Owner
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Week(InTurns):
    """A line each; the weekend only where somebody is there."""

    days: list[date]
    lines: list[Line]


def week_at(of: AgendaOf, location: Location, day: date, skipped: int = 0) -> Week:
    """The week in which `day` lies, of all who are there at the site, of its rooms, or of all sites; the first lines by
    name left out as many as `skipped` says. A constant number of statements."""
    days, place = week_from(day), None if of == AgendaOf.SITE else location
    begin = datetime.combine(days[0], time(), tzinfo=UTC) - EDGE
    end = begin + 9 * EDGE
    cells: dict[tuple[Owner, date], Cell] = {}
    absences = absences_at(place, begin, end)
    for row in hours_at(place, days):
        who = row.schedule.practitioner_id, row.schedule.room_id, row.schedule.location_id
        away = sorted((one.starts_at, one.ends_at) for one in absences if closes(one, *who))
        for cell in _cells(cells, of, row.schedule, [one for one in days if is_on(row, one)]):
            cell.spans[_unit(of, row.schedule)][0].extend(without(_span(row, cell), away))
    for visit in _visits(place, begin, end):
        local = visit.starts_at.astimezone(ZoneInfo(visit.location.time_zone)).date()
        for cell in _cells(cells, of, visit, [local] if local in days else []):
            cell.visits.append(visit)
            cell.spans[_unit(of, visit)][1].append((visit.starts_at, visit.ends_at))
    return _week(cells, days, skipped)


def _week(cells: dict[tuple[Owner, date], Cell], days: list[date], skipped: int) -> Week:
    used = {day for _owner, day in cells}
    days = [day for day in days if day.weekday() < WORKDAYS or day in used]
    owners = sorted({owner for owner, _day in cells}, key=lambda owner: (str(owner), owner.pk))
    shown, skipped = turn_of(owners, skipped)
    empty = ZoneInfo("UTC")
    lines = [Line(owner, [cells.get((owner, day)) or Cell(day, empty) for day in days]) for owner in shown]
    return Week(total=len(owners), skipped=skipped, days=days, lines=lines)


def _cells(
    cells: dict[tuple[Owner, date], Cell], of: AgendaOf, where: Appointment | Schedule, days: Iterable[date]
) -> Iterable[Cell]:
    """The cells in which this counts, made where they are not there yet; none for what has no room."""
    owner: Owner | None = getattr(where, {AgendaOf.SITE: "location"}.get(of, of.value))
    if owner is None:
        return []
    zone = ZoneInfo(where.location.time_zone)
    return [cells.setdefault((owner, day), Cell(day, zone)) for day in days]


def _unit(of: AgendaOf, where: Appointment | Schedule) -> int:
    return where.room_id or 0 if of == AgendaOf.ROOM else where.practitioner_id


def _visits(place: Location | None, begin: datetime, end: datetime) -> Iterable[Appointment]:
    rows = Appointment.objects.filter(status__in=OCCUPYING, starts_at__gte=begin, starts_at__lt=end)
    rows = rows.filter(location=place) if place else rows.filter(location__is_active=True)
    rows = rows.select_related("practitioner", "room", "location").order_by("starts_at", "pk")
    return rows.only(*READ)


def _span(row: WeeklyHours, cell: Cell) -> Span:
    start = datetime.combine(cell.day, row.starts, tzinfo=cell.zone)
    return start, start + timedelta(minutes=minutes_of(row))


def _length(spans: Iterable[Span]) -> int:
    return sum(int((end - start).total_seconds()) // 60 for start, end in spans)
