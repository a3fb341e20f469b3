"""On which days a visit comes again. Pure; days and times are those of the site, so that a change of the clock moves
no visit to another hour."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from contact_center.common.business_time import moment_of
from scheduling.enums import Every

MOST_VISITS = 60
LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Pattern:
    """From `first` on, every so many days or weeks at the same local time; of weeks, on these weekdays (Monday is 0),
    on that of `first` when none is named. It ends after `count` visits or on the day `until`, whichever is first."""

    first: date
    at: time
    every: int = 1
    unit: str = Every.WEEK
    weekdays: frozenset[int] = frozenset()
    count: int | None = None
    until: date | None = None


def days_of(pattern: Pattern) -> list[date]:
    """The days in order: at most 60, and none later than a year after the first.

    Raises ValueError for a pattern that does not go forward or has no end.
    """
    if pattern.every < 1 or (pattern.count is None and pattern.until is None):
        raise ValueError("a series goes forward and ends")
    last = min(pattern.until or date.max, pattern.first + LONGEST)
    most = MOST_VISITS if pattern.count is None else min(pattern.count, MOST_VISITS)
    return list(islice(_days(pattern, last), max(most, 0)))


def _days(pattern: Pattern, last: date) -> Iterator[date]:
    is_weekly = pattern.unit == Every.WEEK
    weekdays = sorted(pattern.weekdays) or [pattern.first.weekday()]
    begin = pattern.first - timedelta(days=pattern.first.weekday()) if is_weekly else pattern.first
    while begin <= last:
        for day in [begin + timedelta(days=weekday) for weekday in weekdays] if is_weekly else [begin]:
            if pattern.first <= day <= last:
                yield day
        begin += timedelta(days=pattern.every * (7 if is_weekly else 1))


def moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """When that is; a time that a change of the clock leaves out is the moment of the change."""
    return moment_of(zone, day, at.hour * 60 + at.minute)
