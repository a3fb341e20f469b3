"""Business hours as pure arithmetic: when a calendar is open, and how much of its time passes between two moments.

Moments are aware and instants count, not what clocks show: an hour that summer time leaves out is nobody's, one that
it repeats counts twice. Everything is half-open: a range begins with its first moment and ends before its last.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from contact_center.common.spans import joined, without

DAY_MINUTES = 24 * 60
HORIZON = timedelta(days=3653)
"""So far ahead a calendar is searched for its next opening. One that stays closed longer counts as closed for good."""
_ONE_DAY, _LONGEST_REACH = timedelta(days=1), timedelta(days=2)


class Hours(NamedTuple):
    """A range of one local day, in minutes after its midnight. `closes` beyond 1440 lies in the next day's morning."""

    opens: int
    closes: int

    @classmethod
    def of(cls, opens: time, closes: time) -> "Hours":
        """From clock times; one that does not close after it opens runs past midnight. Whole minutes."""
        start, end = opens.hour * 60 + opens.minute, closes.hour * 60 + closes.minute
        return cls(start, end if end > start else end + DAY_MINUTES)


WHOLE_DAY = Hours(0, DAY_MINUTES)


class Span(NamedTuple):
    """From `start` until before `end`, both UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Day:
    """A day with hours of its own; without any it is closed. `messages` are for patients, by language."""

    name: str
    hours: tuple[Hours, ...] = ()
    messages: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Closure:
    """Closed whatever the hours say, until `until_at` or, without it, until somebody lifts it."""

    from_at: datetime
    until_at: datetime | None = None
    messages: Mapping[str, str] = field(default_factory=dict)

    def covers(self, at: datetime) -> bool:
        """Whether `at` lies in it."""
        return self.from_at <= at and (self.until_at is None or at < self.until_at)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a calendar says of one moment. `why` is open, closure, day, holiday or hours; `name` is the day's."""

    is_open: bool
    why: str
    opens_at: datetime | None
    name: str = ""
    messages: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """Weekly hours in one zone, with days of their own, public holidays and forced closures.

    A closure wins over a day of its own, that over a holiday, that over the week (Monday is 0). A range that runs past
    midnight belongs to the day on which it begins.
    """

    zone: ZoneInfo
    weekly: Mapping[int, tuple[Hours, ...]]
    days: Mapping[date, Day] = field(default_factory=dict)
    holidays: Mapping[date, str] = field(default_factory=dict)
    closures: tuple[Closure, ...] = ()

    def day_of(self, day: date) -> Day:
        """The hours that hold on a local date; `name` is empty on ordinary days."""
        own = self.days.get(day)
        if own is not None:
            return own
        holiday = self.holidays.get(day)
        return Day(holiday) if holiday else Day("", self.weekly.get(day.weekday(), ()))

    def openings(self, start: datetime, end: datetime) -> Iterator[Span]:
        """The spans in which it is open between `start` and `end`, in order, none touching the next."""
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        shut = self._closed_spans()
        for span in joined(self._scheduled(start, end)):
            for opens, closes in without(span, shut):
                clipped = Span(max(opens, start), min(closes, end))
                if clipped.start < clipped.end:
                    yield clipped

    def is_open_at(self, at: datetime) -> bool:
        """Whether it is open in the moment that begins at `at`."""
        if any(closure.covers(at) for closure in self.closures):
            return False
        at = at.astimezone(UTC)
        return any(span.start <= at < span.end for span in self._scheduled(at, at + timedelta.resolution))

    def opens_next_at(self, at: datetime) -> datetime | None:
        """`at` itself while it is open, else the next opening (UTC); None when there is none within ten years."""
        return next((span.start for span in self.openings(at, _ahead(at))), None)

    def closes_next_at(self, at: datetime) -> datetime | None:
        """When the opening that `at` lies in ends (UTC); None while it is closed, or open for ten years on end."""
        first = next(self.openings(at, _ahead(at)), None)
        if first is None or first.start > at or first.end >= _ahead(at):
            return None
        return first.end

    def standing_at(self, at: datetime) -> Standing:
        """Whether it is open, and if not why, since what is to be told, and when it opens."""
        if self.is_open_at(at):
            return Standing(True, "open", at)
        opens_at = self.opens_next_at(at)
        for closure in self.closures:
            if closure.covers(at):
                return Standing(False, "closure", opens_at, messages=closure.messages)
        day = at.astimezone(self.zone).date()
        told = self.day_of(day)
        why = "day" if day in self.days else "holiday" if told.name else "hours"
        return Standing(False, why, opens_at, told.name, told.messages)

    def business_time_between(self, start: datetime, end: datetime) -> timedelta:
        """How long it is open between two moments; zero when `end` is not after `start`."""
        return sum((span.end - span.start for span in self.openings(start, end)), timedelta())

    def add_business_time(self, start: datetime, duration: timedelta) -> datetime | None:
        """The first moment (UTC) by which `duration` of open time has passed since `start`; `start` for none or less.

        None when it is not open so long within ten years.
        """
        left = duration
        if left <= timedelta():
            return start.astimezone(UTC)
        for span in self.openings(start, _ahead(start)):
            if span.end - span.start >= left:
                return span.start + left
            left -= span.end - span.start
        return None

    def _scheduled(self, start: datetime, end: datetime) -> Iterator[Span]:
        """Spans by the clock alone that may touch the time asked for, in the order in which they begin."""
        day = start.astimezone(self.zone).date() - _LONGEST_REACH
        last = end.astimezone(self.zone).date()
        while day <= last:
            for hours in sorted(self.day_of(day).hours):
                opens, closes = moment_of(self.zone, day, hours.opens), moment_of(self.zone, day, hours.closes, True)
                if opens < closes and closes > start:
                    yield Span(opens, closes)
            day += _ONE_DAY

    def _closed_spans(self) -> list[tuple[datetime, datetime]]:
        never = datetime.max.replace(tzinfo=UTC)
        return sorted((one.from_at.astimezone(UTC), one.until_at or never) for one in self.closures)


def _ahead(at: datetime) -> datetime:
    return at.astimezone(UTC) + HORIZON


@lru_cache(maxsize=20_000)
def moment_of(zone: ZoneInfo, day: date, minutes: int, is_end: bool = False) -> datetime:
    """The instant (UTC) at which clocks in `zone` show so many minutes after the midnight of `day`.

    A time that summer time leaves out is the moment at which the clocks change. Of one that comes twice, a beginning
    is the first and an end the last, so that nobody who reads a clock within the hours is turned away.
    """
    shown = datetime.combine(day, time()) + timedelta(minutes=minutes)
    first = shown.replace(tzinfo=zone).astimezone(UTC)
    second = shown.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if first <= second:
        return second if is_end else first
    return _clock_change(zone, second, first)


def _clock_change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The second at which the offset changes between two moments that have different ones."""
    old = before.astimezone(zone).utcoffset()
    low, high = int(before.timestamp()), int(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == old:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)


def clock_changes(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    """The moments (UTC) between `start` and `end` at which clocks in `zone` are put forward or back."""
    at = start.astimezone(UTC)
    while at < end:
        following = min(at + _ONE_DAY, end)
        if at.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
            yield _clock_change(zone, at, following)
        at = following


class Always:
    """The calendar of those who never close: calendar time itself."""

    def add_business_time(self, start: datetime, duration: timedelta) -> datetime | None:
        """`start` plus `duration`, in UTC."""
        return start.astimezone(UTC) + max(duration, timedelta())

    def business_time_between(self, start: datetime, end: datetime) -> timedelta:
        """The time between two moments; zero when `end` is not after `start`."""
        return max(end.astimezone(UTC) - start.astimezone(UTC), timedelta())

    def is_open_at(self, at: datetime) -> bool:
        """True."""
        return True

    def opens_next_at(self, at: datetime) -> datetime | None:
        """`at`."""
        return at.astimezone(UTC)

    def closes_next_at(self, at: datetime) -> datetime | None:
        """None."""
        return None

    def standing_at(self, at: datetime) -> Standing:
        """Open."""
        return Standing(True, "open", at)
