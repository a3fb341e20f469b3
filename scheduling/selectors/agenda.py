"""The agenda as columns of visits: a day of a site by practitioner or by room, or the week of one of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils import timezone

from contact_center.accounts.models import User
from patients.selectors.people import patients_visible_to
from scheduling.enums import OCCUPYING, AgendaOf, AppointmentStatus, Confirmation
from scheduling.models import Absence, Appointment, FreedSlot, GroupSession, Location, Practitioner, Room, WeeklyHours
from scheduling.risk import Risk
from scheduling.selectors.agenda_marks import freed_at, likely_missed

ROW_MINUTES = 15
USUAL_HOURS = (8, 18)
MOST_COLUMNS = 40
LOOKED_AHEAD = 60
WORKDAYS = 5
MISSED = "noshow"
Who = Practitioner | Room
Key = tuple[int | None, date]
Row = TypeVar("Row")
Hours = tuple[date, WeeklyHours]


@dataclass(slots=True)
class Block:
    """Something in a column: `row` and `span` count quarters of an hour from the first hour shown, from 1."""

    row: int
    span: int
    starts_at: datetime
    state: str
    visit: Appointment | None = None
    absence: Absence | None = None
    session: GroupSession | None = None
    patients: int = 1
    risk: Risk | None = None
    freed: FreedSlot | None = None

    @property
    def is_visit(self) -> bool:
        """Whether somebody comes then, or came."""
        return self.absence is None and self.freed is None and self.state != MISSED

    @property
    def is_movable(self) -> bool:
        """Whether it is a visit that can still take place at another time."""
        return self.visit is not None and self.visit.is_to_come


@dataclass(slots=True)
class Column:
    """One day of one practitioner or room; `who` None stands for visits without a room. Minutes of visits and of
    opening hours."""

    who: Who | None
    day: date
    blocks: list[Block] = field(default_factory=list)
    booked_minutes: int = 0
    open_minutes: int = 0

    @property
    def visits(self) -> int:
        """How many visits, whoever may see them."""
        return sum(block.patients for block in self.blocks if block.is_visit)


@dataclass(frozen=True, slots=True)
class InTurns:
    """At most `MOST_COLUMNS` of `total` are shown, from the one after `skipped` on, by name."""

    total: int
    skipped: int

    @property
    def next_skipped(self) -> int | None:
        """What to skip to see those who come next; None when these are the last."""
        end = self.skipped + MOST_COLUMNS
        return end if end < self.total else None

    @property
    def previous_skipped(self) -> int | None:
        """What to skip to see those before; None when these are the first."""
        return max(0, self.skipped - MOST_COLUMNS) if self.skipped else None


def turn_of(rows: list[Row], skipped: int) -> tuple[list[Row], int]:
    """Those whose turn it is, and how many were left out; none where that would leave nobody."""
    skipped = skipped if 0 <= skipped < len(rows) else 0
    return rows[skipped : skipped + MOST_COLUMNS], skipped


@dataclass(frozen=True, slots=True)
class Calendar(InTurns):
    """Columns with the hours shown, and what the strip above tells of all of them. `now_row` is None where today is not
    shown."""

    columns: list[Column]
    hours: list[int]
    booked_share: int | None
    unconfirmed: int
    at_risk: int
    freed: int
    missed: int
    now_row: float | None

    @property
    def rows(self) -> int:
        """Quarters of an hour that are shown."""
        return len(self.hours) * 60 // ROW_MINUTES


def locations() -> list[Location]:
    """The sites in use."""
    return list(Location.objects.filter(is_active=True))


def week_from(day: date) -> list[date]:
    """The seven days, Monday first, of the week in which this day lies."""
    return [day - timedelta(days=day.weekday()) + timedelta(days=number) for number in range(7)]


def day_at(
    user: User, location: Location, day: date, skipped: int = 0, of: AgendaOf = AgendaOf.PRACTITIONER
) -> Calendar:
    """Everything of that day at that site, the first columns by name left out as many as `skipped` says.

    Visits of patients whom this person may not see are shown as taken time, without a word about whose they are. A
    constant number of statements.
    """
    return _calendar(user, location, [day], of, skipped=skipped)


def week_of(user: User, location: Location, day: date, who: Who) -> Calendar:
    """As `day_at`, the days of one practitioner or room at that site in the week of `day`; a weekend only when
    somebody is there."""
    of = AgendaOf.ROOM if isinstance(who, Room) else AgendaOf.PRACTITIONER
    return _calendar(user, location, week_from(day), of, only=who)


def _calendar(
    user: User,
    location: Location,
    days: Sequence[date],
    of: AgendaOf,
    *,
    only: Who | None = None,
    skipped: int = 0,
) -> Calendar:
    zone = ZoneInfo(location.time_zone)
    begin, end = midnight(days[0], zone), midnight(days[-1] + timedelta(days=1), zone)
    visits = _visits(location, begin, end, only)
    seen = set(patients_visible_to(user).filter(pk__in={one.patient_id for one in visits}).values_list("pk", flat=True))
    hours = [(day, row) for row in hours_at(location, days, only) for day in days if is_on(row, day)]
    first, last = _shown_hours(visits, [row for _day, row in hours], zone)
    columns = _columns(visits, hours, of, days[0]) if only is None else _week(visits, hours, only, days, zone)
    groups: dict[int, Block] = {}
    risks = likely_missed(visits, timezone.now())
    for one in visits:
        is_missed = one.status == AppointmentStatus.NOSHOW
        if is_missed and (one.session_id or one.patient_id not in seen):
            continue
        if one.session_id in groups:
            groups[one.session_id].patients += 1
            continue
        day = one.starts_at.astimezone(zone).date()
        column = columns[_key(one, of), day]
        shown = one if one.patient_id in seen and one.session is None else None
        column.booked_minutes += 0 if is_missed else int((one.ends_at - one.starts_at).total_seconds()) // 60
        origin = datetime.combine(day, time(first), tzinfo=zone)
        state = state_of(one) if shown else "group" if one.session else "blocked"
        block = _block(origin, one.starts_at, one.ends_at, state, visit=shown)
        block.risk = risks.get(one.pk) if shown else None
        if one.session is not None:
            block.session, groups[one.session.pk] = one.session, block
        column.blocks.append(block)
    freed = list(freed_at(location, begin, end, only))
    _add_freed(columns, freed, of, zone, first)
    _add_absences(columns.values(), absences_at(location, begin, end), location, first, last)
    found = Sums(visits, len(risks), len(freed), skipped)
    return _summed(list(columns.values()), found, range(first, last), zone)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The beginning of a day there."""
    return datetime.combine(day, time(), tzinfo=zone)


def _shown_hours(visits: list[Appointment], hours: list[WeeklyHours], zone: ZoneInfo) -> tuple[int, int]:
    """The usual hours, and more where somebody is there earlier or later."""
    moments = [at.astimezone(zone) for one in visits for at in (one.starts_at, one.ends_at)]
    first = min([USUAL_HOURS[0], *(at.hour for at in moments), *(row.starts.hour for row in hours)])
    last = max(
        [USUAL_HOURS[1], *(at.hour + 1 for at in moments), *(row.ends.hour + bool(row.ends.minute) for row in hours)]
    )
    return first, min(last, 24)


def _add_freed(columns: dict[Key, Column], freed: list[FreedSlot], of: AgendaOf, zone: ZoneInfo, first: int) -> None:
    """Times that became free, where whoever they are of is shown."""
    for one in freed:
        day = one.starts_at.astimezone(zone).date()
        column = columns.get((one.room_id if of == AgendaOf.ROOM else one.practitioner_id, day))
        if column is not None:
            origin = datetime.combine(day, time(first), tzinfo=zone)
            block = _block(origin, one.starts_at, one.ends_at, "freed")
            block.freed = one
            column.blocks.append(block)


def _add_absences(
    columns: Iterable[Column], absences: list[Absence], location: Location, first: int, last: int
) -> None:
    for column in columns:
        practitioner = column.who.pk if isinstance(column.who, Practitioner) else None
        room = column.who.pk if isinstance(column.who, Room) else None
        origin = datetime.combine(column.day, time(first), tzinfo=ZoneInfo(location.time_zone))
        end = origin + timedelta(hours=last - first)
        for absence in absences:
            start, finish = max(absence.starts_at, origin), min(absence.ends_at, end)
            if start < finish and closes(absence, practitioner, room, location.pk):
                column.blocks.append(_block(origin, start, finish, "blocked", absence=absence))
        column.blocks.sort(key=lambda block: block.row)


def closes(absence: Absence, practitioner_id: int | None, room_id: int | None, location_id: int) -> bool:
    """Whether this absence takes time of this practitioner, this room or the site."""
    pairs = (absence.practitioner_id, practitioner_id), (absence.room_id, room_id), (absence.location_id, location_id)
    return any(away is not None and away == asked for away, asked in pairs)


@dataclass(frozen=True, slots=True)
class Sums:
    """What the strip above a calendar tells, of all its columns, and how many of them are left out."""

    visits: list[Appointment]
    at_risk: int
    freed: int
    skipped: int


def _summed(columns: list[Column], found: Sums, hours: range, zone: ZoneInfo) -> Calendar:
    open_minutes = sum(column.open_minutes for column in columns)
    booked = sum(column.booked_minutes for column in columns)
    now = timezone.now().astimezone(zone)
    origin = datetime.combine(now.date(), time(hours.start), tzinfo=zone)
    rows = (now - origin).total_seconds() / 60 / ROW_MINUTES
    is_today_shown = any(column.day == now.date() for column in columns)
    to_come = [one for one in found.visits if one.status == AppointmentStatus.BOOKED]
    shown, skipped = turn_of(columns, found.skipped)
    return Calendar(
        total=len(columns),
        skipped=skipped,
        columns=shown,
        hours=list(hours),
        booked_share=min(100, round(100 * booked / open_minutes)) if open_minutes else None,
        unconfirmed=sum(one.confirmation == Confirmation.UNCONFIRMED for one in to_come),
        at_risk=found.at_risk,
        freed=found.freed,
        missed=sum(one.status == AppointmentStatus.NOSHOW for one in found.visits),
        now_row=round(rows, 2) if is_today_shown and 0 <= rows <= len(hours) * 4 else None,
    )


def next_open_day(location: Location, after: date) -> date | None:
    """The first day after `after`, of the coming 60, on which somebody sees patients at the site by the weekly hours
    and the site is not closed from morning to night. Two statements."""
    rows = WeeklyHours.objects.filter(schedule__location=location, schedule__practitioner__is_active=True)
    hours = list(rows.values_list("weekday", "schedule__valid_from_date", "schedule__valid_until_date").distinct())
    zone, days = ZoneInfo(location.time_zone), [after + timedelta(days=number) for number in range(1, LOOKED_AHEAD + 1)]
    closing = Absence.objects.filter(location=location, ends_at__gt=midnight(days[0], zone))
    closed = list(closing.values_list("starts_at", "ends_at"))

    def is_open(day: date) -> bool:
        begin, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
        return not any(starts <= begin and ends >= end for starts, ends in closed) and any(
            weekday == day.weekday() and (first or day) <= day <= (last or day) for weekday, first, last in hours
        )

    return next(filter(is_open, days), None)


def state_of(visit: Appointment) -> str:
    """The word by which the calendar colours a visit."""
    if visit.status == AppointmentStatus.BOOKED:
        return "ok" if visit.confirmation == Confirmation.CONFIRMED else "unconfirmed"
    done = {
        AppointmentStatus.ARRIVED: "arrived",
        AppointmentStatus.CHECKED_IN: "arrived",
        AppointmentStatus.FULFILLED: "done",
        AppointmentStatus.NOSHOW: MISSED,
    }
    return done.get(AppointmentStatus(visit.status), "unconfirmed")


def hours_at(location: Location | None, days: Sequence[date], only: Who | None = None) -> list[WeeklyHours]:
    """The weekly hours that count on some of these days, at this site or at all in use; see `is_on`."""
    rows = WeeklyHours.objects.filter(weekday__in={day.weekday() for day in days})
    rows = rows.filter(schedule__location=location) if location else rows.filter(schedule__location__is_active=True)
    rows = rows.filter(Q(schedule__valid_from_date=None) | Q(schedule__valid_from_date__lte=days[-1]))
    rows = rows.filter(Q(schedule__valid_until_date=None) | Q(schedule__valid_until_date__gte=days[0]))
    if only is not None:
        rows = rows.filter(schedule__room=only) if isinstance(only, Room) else rows.filter(schedule__practitioner=only)
    rows = rows.filter(schedule__practitioner__is_active=True)
    return list(rows.select_related("schedule__practitioner", "schedule__room", "schedule__location"))


def is_on(row: WeeklyHours, day: date) -> bool:
    """Whether these hours count on this day."""
    schedule = row.schedule
    first, last = schedule.valid_from_date or day, schedule.valid_until_date or day
    return row.weekday == day.weekday() and first <= day <= last


def absences_at(location: Location | None, begin: datetime, end: datetime) -> list[Absence]:
    """What takes time of the site, its rooms and who sees patients there, or of all."""
    rows = Absence.objects.filter(starts_at__lt=end, ends_at__gt=begin)
    if location is not None:
        concerned = Q(practitioner__schedules__location=location) | Q(room__location=location) | Q(location=location)
        rows = rows.filter(concerned).distinct()
    return list(rows)


def _visits(location: Location, begin: datetime, end: datetime, only: Who | None) -> list[Appointment]:
    rows = Appointment.objects.filter(location=location, starts_at__gte=begin, starts_at__lt=end)
    if only is not None:
        rows = rows.filter(room=only) if isinstance(only, Room) else rows.filter(practitioner=only)
    rows = rows.filter(status__in=(*OCCUPYING, AppointmentStatus.NOSHOW)).select_related(
        "patient", "service", "practitioner", "room", "session__service", "location"
    )
    return list(rows)


def _key(visit: Appointment, of: AgendaOf) -> int | None:
    return visit.room_id if of == AgendaOf.ROOM else visit.practitioner_id


def _columns(visits: list[Appointment], hours: list[Hours], of: AgendaOf, day: date) -> dict[Key, Column]:
    """Whoever is there on that day or has a visit, by name; visits without a room stand last."""
    schedules: list[Any] = [row.schedule for _day, row in hours]
    if of == AgendaOf.ROOM:
        people: dict[int | None, Who | None] = {one.room_id: one.room for one in schedules if one.room}
        people |= {one.room_id: one.room for one in visits}
    else:
        people = {one.practitioner_id: one.practitioner for one in (*schedules, *visits)}
    ordered = sorted(people.items(), key=lambda item: (item[1] is None, str(item[1]), item[0]))
    columns = {(pk, day): Column(who, day) for pk, who in ordered}
    for _day, row in hours:
        column = columns.get(((row.schedule.room_id if of == AgendaOf.ROOM else row.schedule.practitioner_id), day))
        if column is not None:
            column.open_minutes += minutes_of(row)
    return columns


def _week(
    visits: list[Appointment], hours: list[Hours], who: Who, days: Sequence[date], zone: ZoneInfo
) -> dict[Key, Column]:
    """The days of one of them, without a weekend on which nobody is there."""
    used = {one.starts_at.astimezone(zone).date() for one in visits} | {day for day, _row in hours}
    columns: dict[Key, Column] = {
        (who.pk, day): Column(who, day) for day in days if day.weekday() < WORKDAYS or day in used
    }
    for day, row in hours:
        columns[who.pk, day].open_minutes += minutes_of(row)
    return columns


def minutes_of(row: WeeklyHours) -> int:
    """How long these hours are; they end on the next day when they end before they begin."""
    minutes = (row.ends.hour * 60 + row.ends.minute) - (row.starts.hour * 60 + row.starts.minute)
    return minutes if minutes > 0 else minutes + 24 * 60


def _block(
    origin: datetime,
    start: datetime,
    end: datetime,
    state: str,
    *,
    visit: Appointment | None = None,
    absence: Absence | None = None,
) -> Block:
    row = int((start - origin).total_seconds() // 60 // ROW_MINUTES)
    span = -(-int((end - start).total_seconds() // 60) // ROW_MINUTES)
    return Block(max(row, 0) + 1, max(span, 1), start, state, visit, absence)
