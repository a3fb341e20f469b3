"""What the pages of hours and policies show."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.db.models import Count, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.common.business_time import DAY_MINUTES, Hours, Standing
from inbox.enums import OPEN, Weekday
from inbox.models import ForcedClosure, Interaction, Queue, ServiceCalendar, SetupVersion, SlaPolicy
from inbox.selectors.hours import calendar_of, public_holidays, terms_of_policy
from inbox.sla import Facts, Terms, first_fit

LOOK_AHEAD = timedelta(days=366)
CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A date that is not an ordinary one: a public holiday, or a day with hours of its own (`day_id`)."""

    date: date
    name: str
    hours: str
    is_holiday: bool
    day_id: int | None = None
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CalendarLine:
    """One calendar in the list: what holds now, for which queues, and the next special day."""

    calendar: ServiceCalendar
    standing: Standing
    closes_at: datetime | None
    queues: list[Queue]
    next_day: SpecialDay | None


@dataclass(frozen=True, slots=True)
class WeekdayRow:
    """One weekday: its hours in words and as stretches of a bar 1440 wide."""

    label: str
    hours: str
    bars: list[tuple[int, int]]


def hours_words(ranges: Iterable[Hours]) -> str:
    """`08:00–12:00, 14:00–17:00`; `24 hours`, or that it is closed."""
    found = sorted(ranges)
    if not found:
        return _("Closed")
    if found == [Hours(0, DAY_MINUTES)]:
        return _("24 hours")
    return ", ".join(f"{_clock(one.opens)}–{_clock(one.closes)}" for one in found)


def _clock(minutes: int) -> str:
    minutes = minutes if minutes == DAY_MINUTES else minutes % DAY_MINUTES
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def calendars() -> QuerySet[ServiceCalendar]:
    """All calendars with what they are made of."""
    return ServiceCalendar.objects.prefetch_related("ranges", "days__ranges", "closures", "queues")


def calendar_lines() -> list[CalendarLine]:
    """Every calendar as it stands now. Six queries for any number."""
    now = timezone.now()
    found = []
    for row in calendars():
        calendar = calendar_of(row)
        days = special_days(row, now.astimezone(calendar.zone).date())
        closes_at = calendar.closes_next_at(now)
        queues = sorted(row.queues.all(), key=lambda queue: queue.name)
        found.append(CalendarLine(row, calendar.standing_at(now), closes_at, queues, days[0] if days else None))
    return found


def special_days(row: ServiceCalendar, since: date) -> list[SpecialDay]:
    """Public holidays that apply and days of their own within a year from `since`, in order."""
    until = since + LOOK_AHEAD
    own = {day.date: day for day in row.days.all() if since <= day.date <= until}
    public = public_holidays(row.country, row.subdivision)
    found = []
    for offset in range(LOOK_AHEAD.days + 1):
        when = since + timedelta(days=offset)
        day, holiday = own.get(when), public.get(when)
        if day is not None:
            hours = hours_words(one.hours for one in day.ranges.all())
            languages = tuple(sorted(day.messages))
            found.append(SpecialDay(when, day.name, hours, bool(holiday), day.pk, languages))
        elif holiday:
            found.append(SpecialDay(when, holiday, _("Closed"), True))
    return found


def week_of(row: ServiceCalendar) -> list[WeekdayRow]:
    """The seven weekdays; what runs past midnight is drawn on the next one too."""
    by_day: dict[int, list[Hours]] = {day: [] for day in range(7)}
    for one in row.ranges.all():
        if one.weekday is not None:
            by_day[one.weekday].append(one.hours)
    found = []
    for day in Weekday:
        bars = [(one.opens, min(one.closes, DAY_MINUTES) - one.opens) for one in by_day[day]]
        bars += [(0, one.closes - DAY_MINUTES) for one in by_day[(day - 1) % 7] if one.closes > DAY_MINUTES]
        found.append(WeekdayRow(str(day.label), hours_words(by_day[day]), sorted(bars)))
    return found


def closure_of(row: ServiceCalendar, at: datetime) -> ForcedClosure | None:
    """The forced closure that holds at a moment."""
    return next(
        (one for one in row.closures.all() if one.from_at <= at and (one.until_at is None or at < one.until_at)), None
    )


def versions_of(kind: str, object_id: int | None = None, *, limit: int = 20) -> list[SetupVersion]:
    """The latest changes of a calendar or of the policies, the newest first."""
    found = SetupVersion.objects.filter(kind=kind).select_related("actor")
    return list((found.filter(object_id=object_id) if object_id else found)[:limit])


@lru_cache(maxsize=1)
def zone_names() -> list[str]:
    """IANA zones of places, by name."""
    return ["UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))]


@lru_cache(maxsize=1)
def holiday_sets() -> dict[str, tuple[str, ...]]:
    """Countries whose public holidays are known, with their parts."""
    import holidays

    known = holidays.list_supported_countries(include_aliases=False)
    return {code: tuple(parts) for code, parts in sorted(known.items())}


def open_facts() -> Counter[Facts]:
    """How many open interactions there are with the same facts. One query."""
    rows = Interaction.objects.filter(status__in=OPEN).order_by()
    found: Any = rows.values_list("queue_id", "reason_id", "priority", "channel_kind").annotate(n=Count("pk"))
    return Counter({Facts(*facts): n for *facts, n in found})


def taken_by(policies: Iterable[Terms], facts: Counter[Facts]) -> Counter[int | None]:
    """How many of these interactions each policy takes, by its id; under None those that none takes."""
    known, found = list(policies), Counter[int | None]()
    for one, count in facts.items():
        terms = first_fit(known, one)
        found[terms.policy_id if terms else None] += count
    return found


def policy_lines() -> tuple[list[tuple[SlaPolicy, int | None]], int]:
    """Every policy in order with how many open interactions it takes now (None while it is off), and how many none
    does. A constant number of queries."""
    policies = list(SlaPolicy.objects.select_related("calendar").prefetch_related("queues", "reasons"))
    counts = taken_by([terms_of_policy(one) for one in policies if one.is_active], open_facts())
    return [(one, counts[one.pk] if one.is_active else None) for one in policies], counts[None]


def zone_of(name: str) -> ZoneInfo:
    """The zone of that name; the clinic's for an unknown one."""
    return ZoneInfo(name) if name in available_timezones() else ZoneInfo(timezone.get_default_timezone_name())


def duration_words(minutes: int | None) -> str:
    """`1d 4h`; empty for None. A day has 24 hours."""
    if not minutes:
        return ""
    days, rest = divmod(minutes, DAY_MINUTES)
    hours, left = divmod(rest, 60)
    return " ".join(f"{n}{unit}" for n, unit in ((days, "d"), (hours, "h"), (left, "m")) if n)
