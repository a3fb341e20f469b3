"""Where a visit fits: openings minus what is taken. Pure; `now` is given, times inside are seconds of the epoch."""

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from contact_center.common.business_time import moment_of

Span = tuple[int, int]  # half-open


class Resource(NamedTuple):
    """Somebody or some room that can be in one visit at a time."""

    kind: str
    id: int


class Hours(NamedTuple):
    """A range of a weekly pattern, in local time. It ends on the next day when `ends` is not after `starts`."""

    weekday: int
    starts: time
    ends: time


class Opening(NamedTuple):
    """A span in which a practitioner sees patients at one place."""

    start: int
    end: int
    practitioner_id: int
    location_id: int
    room_id: int | None
    zone: ZoneInfo

    @property
    def resources(self) -> tuple[Resource, ...]:
        """What a visit here takes up."""
        practitioner = Resource("practitioner", self.practitioner_id)
        return (practitioner, Resource("room", self.room_id)) if self.room_id else (practitioner,)


@dataclass(frozen=True, slots=True)
class Fit:
    """What is looked for. Minutes; `part_of_day` is local, half-open, the whole day when None."""

    minutes: int
    buffer_before: int = 0
    buffer_after: int = 0
    step: int = 15
    part_of_day: tuple[time, time] | None = None
    weekdays: frozenset[int] = frozenset(range(7))


@dataclass(frozen=True, slots=True)
class Slot:
    """A time that is free. Ordered by start, then practitioner, without a room before with one. `places`: how many
    are left in a group."""

    start: int
    practitioner_id: int
    end: int
    location_id: int
    room_id: int | None = None
    places: int | None = field(default=None, compare=False)

    def __lt__(self, other: "Slot") -> bool:
        mine = self.start, self.practitioner_id, self.end, self.location_id, self.room_id or 0
        return mine < (other.start, other.practitioner_id, other.end, other.location_id, other.room_id or 0)

    @property
    def starts_at(self) -> datetime:
        """Aware, UTC."""
        return datetime.fromtimestamp(self.start, UTC)

    @property
    def ends_at(self) -> datetime:
        """Aware, UTC."""
        return datetime.fromtimestamp(self.end, UTC)


def spans_of(hours: Iterable[Hours], first: date, last: date, zone: ZoneInfo) -> list[Span]:
    """The spans that a weekly pattern opens from `first` to `last`, by the day on which they begin.

    A time that a change of the clock leaves out is the moment of the change; of one that comes twice it is the first.
    """
    by_weekday: dict[int, list[Hours]] = {}
    for one in hours:
        by_weekday.setdefault(one.weekday, []).append(one)
    spans = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        for one in by_weekday.get(day.weekday(), ()):
            until = day if one.ends > one.starts else day + timedelta(days=1)
            span = (_second(zone, day, one.starts), _second(zone, until, one.ends))
            if span[0] < span[1]:
                spans.append(span)
    return sorted(spans)


def _second(zone: ZoneInfo, day: date, at: time) -> int:
    return int(moment_of(zone, day, at.hour * 60 + at.minute).timestamp())


def free_slots(
    openings: Iterable[Opening],
    taken: Mapping[Resource, Sequence[Span]],
    fit: Fit,
    now: datetime,
    until: datetime | None = None,
) -> Iterator[Slot]:
    """Slots in order of start, lazily. A slot lies with its buffers inside one opening, begins on the grid of the
    opening's start, not before `now` but before `until`, and touches no taken span of its resources.

    `taken` holds joined spans in order (`common.spans.joined`).
    """
    earliest, limit = int(now.timestamp()), int(until.timestamp()) if until else None
    return heapq.merge(*(_in_opening(opening, taken, fit, earliest, limit) for opening in openings))


def _in_opening(
    opening: Opening, taken: Mapping[Resource, Sequence[Span]], fit: Fit, earliest: int, limit: int | None
) -> Iterator[Slot]:
    step, before, after = fit.step * 60, fit.buffer_before * 60, fit.buffer_after * 60
    length = fit.minutes * 60
    last = opening.end - length - after
    if limit is not None:
        last = min(last, limit - 1)
    rows = [taken.get(resource, ()) for resource in opening.resources]
    start = opening.start + before
    if start < earliest:
        start += -(-(earliest - start) // step) * step
    while start <= last:
        blocked_until = _blocked_until(rows, start - before, start + length + after)
        if blocked_until is not None:
            start += -(-(blocked_until + before - start) // step) * step
            continue
        if is_wanted(start, start + length, fit, opening.zone):
            end = start + length
            yield Slot(start, opening.practitioner_id, end, opening.location_id, opening.room_id)
        start += step


def _blocked_until(rows: Sequence[Sequence[Span]], start: int, end: int) -> int | None:
    """The end of a taken span that touches this time, None when there is none."""
    for spans in rows:
        place = bisect_right(spans, (start, float("inf")))
        if place and spans[place - 1][1] > start:
            return spans[place - 1][1]
        if place < len(spans) and spans[place][0] < end:
            return spans[place][1]
    return None


def is_wanted(start: int, end: int, fit: Fit, zone: ZoneInfo) -> bool:
    """Whether a visit at that time lies in the part of day and on the weekdays asked for."""
    if fit.part_of_day is None and len(fit.weekdays) == 7:
        return True
    local = datetime.fromtimestamp(start, zone)
    if local.weekday() not in fit.weekdays:
        return False
    if fit.part_of_day is None:
        return True
    finish = datetime.fromtimestamp(end, zone)
    from_, until = fit.part_of_day
    return from_ <= local.time() and finish.date() == local.date() and finish.time() <= until


@dataclass(frozen=True, slots=True)
class Gap:
    """Minutes from the end of an earlier visit of the row (`place`, from 0) to the beginning of this one."""

    place: int
    least: int = 0
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One of several visits in a row; minutes. `most_wait`: how long the patient may wait from when it could begin."""

    slots: Sequence[Slot]
    gaps: Sequence[Gap] = ()
    most_wait: int | None = None
    buffer_before: int = 0
    buffer_after: int = 0


def in_a_row(steps: Sequence[Step]) -> Iterator[tuple[Slot, ...]]:
    """Ways to have all visits in the given order at one site, in order of the first one's start; for each first slot
    the one in which each next visit begins as early as it can. Each step's slots are in order of start."""
    if not steps:
        return
    for first in steps[0].slots:
        rest = _continue((first,), steps)
        if rest is not None:
            yield rest


def _continue(way: tuple[Slot, ...], steps: Sequence[Step]) -> tuple[Slot, ...] | None:
    place = len(way)
    if place == len(steps):
        return way
    step = steps[place]
    earliest = max([way[-1].end, *(way[gap.place].end + gap.least * 60 for gap in step.gaps)])
    limits = [way[gap.place].end + gap.most * 60 for gap in step.gaps if gap.most is not None]
    if step.most_wait is not None:
        limits.append(earliest + step.most_wait * 60)
    begin = bisect_right(step.slots, earliest - 1, key=lambda slot: slot.start)
    for slot in step.slots[begin:]:
        if limits and slot.start > min(limits):
            return None
        if slot.location_id == way[0].location_id and all(
            _fits(slot, step, *one) for one in zip(way, steps, strict=False)
        ):
            rest = _continue((*way, slot), steps)
            if rest is not None:
                return rest
    return None


def _fits(slot: Slot, step: Step, earlier: Slot, its_step: Step) -> bool:
    """Whether the buffers of both have room where one practitioner or one room serves both."""
    is_shared = slot.practitioner_id == earlier.practitioner_id or (slot.room_id or 0) == earlier.room_id
    return not is_shared or slot.start - step.buffer_before * 60 >= earlier.end + its_step.buffer_after * 60


def in_order(chosen: Sequence[int], after: Mapping[int, Iterable[int]]) -> list[int]:
    """The chosen ones as they were chosen, but each behind those that come before it (`after`: one to its earlier
    ones). Raises ValueError where that goes in a circle."""
    left, done = list(chosen), []
    while left:
        ready = next((one for one in left if not any(first in left for first in after.get(one, ()))), None)
        if ready is None:
            raise ValueError("in a circle")
        left.remove(ready)
        done.append(ready)
    return done
