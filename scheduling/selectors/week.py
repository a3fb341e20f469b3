"""How full a week is: practitioners, rooms or sites down, days across. It names no patient."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from contact_center.common.spans import joined, without
from scheduling.enums import OCCUPYING, AgendaOf
from scheduling.models import Absence, Appointment, Location, Practitioner, Room, Schedule, WeeklyHours
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
READ = (
    "starts_at", "ends_at", "visit_date", "status", "confirmation", "practitioner_id", "room_id", "location_id",
    "session_id",
)  # fmt: skip
OWNERS: dict[AgendaOf, tuple[Any, str]] = {
    AgendaOf.PRACTITIONER: (Practitioner, "practitioner_id"),
    AgendaOf.ROOM: (Room, "room_id"),
    AgendaOf.SITE: (Location, "location_id"),
}
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
    name left out as many as `skipped` says. Visits are read of the lines that are shown. A constant number of
    statements."""
    days, place = week_from(day), None if of == AgendaOf.SITE else location
    model, name = OWNERS[of]
    begin = datetime.combine(days[0], time(), tzinfo=UTC) - EDGE
    end = begin + 9 * EDGE
    hours = [(one, row) for row in hours_at(place, days) for one in days if is_on(row, one)]
    visits = Appointment.objects.filter(
        status__in=OCCUPYING, starts_at__gte=begin, starts_at__lt=end, visit_date__range=(days[0], days[-1])
    )
    visits = visits.filter(location=place) if place else visits.filter(location__is_active=True)
    there = {(getattr(row.schedule, name), one) for one, row in hours}
    there |= set(visits.values_list(name, "visit_date").distinct())
    owners = model.objects.in_bulk({pk for pk, _day in there if pk is not None})
    used = {one for pk, one in there if pk is not None}
    days = [one for one in days if one.weekday() < WORKDAYS or one in used]
    shown, skipped = turn_of(sorted(owners.values(), key=lambda owner: (str(owner), owner.pk)), skipped)
    lines = [Line(one, [Cell(day, ZoneInfo((place or one).time_zone)) for day in days]) for one in shown]
    cells = {(line.owner.pk, cell.day): cell for line in lines for cell in line.cells}
    _fill(cells, of, hours, absences_at(place, begin, end))
    for visit in visits.filter(**{f"{name}__in": [one.pk for one in shown]}).order_by("starts_at", "pk").only(*READ):
        cell = cells[getattr(visit, name), visit.visit_date]
        cell.visits.append(visit)
        cell.spans[_unit(of, visit)][1].append((visit.starts_at, visit.ends_at))
    return Week(total=len(owners), skipped=skipped, days=days, lines=lines)


def _fill(
    cells: dict[tuple[int, date], Cell],
    of: AgendaOf,
    hours: Iterable[tuple[date, WeeklyHours]],
    absences: Sequence[Absence],
) -> None:
    """Note in each cell when somebody is there."""
    _model, name = OWNERS[of]
    for day, row in hours:
        schedule = row.schedule
        cell = cells.get((getattr(schedule, name), day))
        if cell is None:
            continue
        who = schedule.practitioner_id, schedule.room_id, schedule.location_id
        away = sorted((one.starts_at, one.ends_at) for one in absences if closes(one, *who))
        cell.spans[_unit(of, schedule)][0].extend(without(_span(row, cell), away))


def _unit(of: AgendaOf, where: Appointment | Schedule) -> int:
    return where.room_id or 0 if of == AgendaOf.ROOM else where.practitioner_id


def _span(row: WeeklyHours, cell: Cell) -> Span:
    start = datetime.combine(cell.day, row.starts, tzinfo=cell.zone)
    return start, start + timedelta(minutes=minutes_of(row))


def _length(spans: Iterable[Span]) -> int:
    return sum(int((end - start).total_seconds()) // 60 for start, end in spans)
