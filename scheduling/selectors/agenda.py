"""A day of a site, practitioner by practitioner."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils import timezone

from contact_center.accounts.models import User
from patients.selectors.people import patients_visible_to
from scheduling.enums import OCCUPYING, AppointmentStatus, Confirmation
from scheduling.models import Absence, Appointment, Location, Practitioner, WeeklyHours

ROW_MINUTES = 15
USUAL_HOURS = (8, 18)
MOST_COLUMNS = 40
LOOKED_AHEAD = 60


@dataclass(slots=True)
class Block:
    """Something in a column: `row` and `span` count quarters of an hour from the first hour shown, from 1."""

    row: int
    span: int
    starts_at: datetime
    state: str
    visit: Appointment | None = None
    absence: Absence | None = None


@dataclass(slots=True)
class Column:
    """One practitioner's day. Minutes of visits and of opening hours."""

    practitioner: Practitioner
    blocks: list[Block] = field(default_factory=list)
    booked_minutes: int = 0
    open_minutes: int = 0

    @property
    def visits(self) -> int:
        """How many visits, whoever may see them."""
        return sum(block.absence is None for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Day:
    """At most `MOST_COLUMNS` of the `practitioners` who are there, from the one after `skipped` on, by name; the hours
    shown, and what the strip above tells of all of them. `now_row` is None on other days."""

    columns: list[Column]
    practitioners: int
    skipped: int
    hours: list[int]
    booked_share: int | None
    unconfirmed: int
    missed: int
    now_row: float | None

    @property
    def rows(self) -> int:
        """Quarters of an hour that are shown."""
        return len(self.hours) * 60 // ROW_MINUTES

    @property
    def next_skipped(self) -> int | None:
        """What to skip to see those who come next; None when these are the last."""
        end = self.skipped + MOST_COLUMNS
        return end if end < self.practitioners else None

    @property
    def previous_skipped(self) -> int | None:
        """What to skip to see those before; None when these are the first."""
        return max(0, self.skipped - MOST_COLUMNS) if self.skipped else None


def locations() -> list[Location]:
    """The sites in use."""
    return list(Location.objects.filter(is_active=True))


def day_at(user: User, location: Location, day: date, skipped: int = 0) -> Day:
    """Everything of that day at that site, the first practitioners by name left out as many as `skipped` says.

    Visits of patients whom this person may not see are shown as taken time, without a word about whose they are. A
    constant number of statements.
    """
    zone = ZoneInfo(location.time_zone)
    begin = datetime.combine(day, time(), tzinfo=zone)
    end = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
    visits = _visits(location, begin, end)
    seen = set(patients_visible_to(user).filter(pk__in={one.patient_id for one in visits}).values_list("pk", flat=True))
    absences = _absences(location, begin, end)
    hours = _hours(location, day)
    moments = [one.starts_at.astimezone(zone) for one in visits] + [one.ends_at.astimezone(zone) for one in visits]
    first = min([USUAL_HOURS[0], *(at.hour for at in moments), *(row.starts.hour for row in hours)])
    last = max(
        [USUAL_HOURS[1], *(at.hour + 1 for at in moments), *(row.ends.hour + 1 for row in hours if row.ends.minute)]
    )
    origin = datetime.combine(day, time(first), tzinfo=zone)
    columns = _columns(visits, absences, hours)
    for one in visits:
        column = columns[one.practitioner_id]
        column.booked_minutes += int((one.ends_at - one.starts_at).total_seconds()) // 60
        shown = one if one.patient_id in seen else None
        column.blocks.append(
            _block(origin, one.starts_at, one.ends_at, state_of(one) if shown else "blocked", visit=shown)
        )
    for absence in absences:
        if absence.practitioner_id in columns:
            start, finish = max(absence.starts_at, origin), min(absence.ends_at, end)
            if start < finish:
                block = _block(origin, start, finish, "blocked", absence=absence)
                columns[absence.practitioner_id].blocks.append(block)
    for column in columns.values():
        column.blocks.sort(key=lambda block: block.row)
    return _summed(list(columns.values()), visits, list(range(first, min(last, 24))), origin, skipped)


def _summed(columns: list[Column], visits: list[Appointment], hours: list[int], origin: datetime, skipped: int) -> Day:
    open_minutes = sum(column.open_minutes for column in columns)
    booked = sum(column.booked_minutes for column in columns)
    rows = (timezone.now() - origin).total_seconds() / 60 / ROW_MINUTES
    to_come = [one for one in visits if one.status == AppointmentStatus.BOOKED]
    skipped = skipped if 0 <= skipped < len(columns) else 0
    return Day(
        columns=columns[skipped : skipped + MOST_COLUMNS],
        practitioners=len(columns),
        skipped=skipped,
        hours=hours,
        booked_share=min(100, round(100 * booked / open_minutes)) if open_minutes else None,
        unconfirmed=sum(one.confirmation == Confirmation.UNCONFIRMED for one in to_come),
        missed=sum(one.status == AppointmentStatus.NOSHOW for one in visits),
        now_row=round(rows, 2) if 0 <= rows <= len(hours) * 4 else None,
    )


def next_open_day(location: Location, after: date) -> date | None:
    """The first day after `after`, of the coming 60, on which somebody sees patients at the site by the weekly hours
    and the site is not closed from morning to night. Two statements."""
    rows = WeeklyHours.objects.filter(schedule__location=location, schedule__practitioner__is_active=True)
    hours = list(rows.values_list("weekday", "schedule__valid_from_date", "schedule__valid_until_date").distinct())
    zone, days = ZoneInfo(location.time_zone), [after + timedelta(days=number) for number in range(1, LOOKED_AHEAD + 1)]
    closed = list(
        Absence.objects.filter(location=location, ends_at__date__gt=after).values_list("starts_at", "ends_at")
    )

    def is_open(day: date) -> bool:
        begin = datetime.combine(day, time(), tzinfo=zone)
        end = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
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
        AppointmentStatus.NOSHOW: "noshow",
    }
    return done.get(AppointmentStatus(visit.status), "unconfirmed")


def _visits(location: Location, begin: datetime, end: datetime) -> list[Appointment]:
    rows = Appointment.objects.filter(location=location, starts_at__gte=begin, starts_at__lt=end)
    rows = rows.filter(status__in=OCCUPYING).select_related("patient", "service", "practitioner", "room")
    return list(rows)


def _absences(location: Location, begin: datetime, end: datetime) -> list[Absence]:
    rows = Absence.objects.filter(starts_at__lt=end, ends_at__gt=begin)
    return list(rows.filter(practitioner__schedules__location=location).distinct())


def _hours(location: Location, day: date) -> list[WeeklyHours]:
    rows = WeeklyHours.objects.filter(schedule__location=location, weekday=day.weekday())
    rows = rows.filter(Q(schedule__valid_from_date=None) | Q(schedule__valid_from_date__lte=day))
    rows = rows.filter(Q(schedule__valid_until_date=None) | Q(schedule__valid_until_date__gte=day))
    return list(rows.filter(schedule__practitioner__is_active=True).select_related("schedule__practitioner"))


def _columns(visits: list[Appointment], absences: list[Absence], hours: list[WeeklyHours]) -> dict[int, Column]:
    people = {row.schedule.practitioner_id: row.schedule.practitioner for row in hours}
    people |= {visit.practitioner_id: visit.practitioner for visit in visits}
    ordered = sorted(people.values(), key=lambda person: (person.name, person.pk))
    columns = {person.pk: Column(person) for person in ordered}
    for row in hours:
        columns[row.schedule.practitioner_id].open_minutes += _length(row.starts, row.ends)
    return columns


def _length(starts: time, ends: time) -> int:
    minutes = (ends.hour * 60 + ends.minute) - (starts.hour * 60 + starts.minute)
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
