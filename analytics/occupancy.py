"""How busy somebody is: arithmetic of times, in seconds of one clock. Pure.

Occupancy = on contact ÷ (on contact + idle), by the wall clock. On contact is every moment with at least one contact,
however many; idle is every moment somebody is available without one. Pauses, meetings and time away are neither.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Span(NamedTuple):
    """From a moment up to another."""

    start: float
    end: float


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same moments, each once, in order; empty spans are left out."""
    found: list[Span] = []
    for span in sorted(one for one in spans if one.end > one.start):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found


def shared(first: Iterable[Span], second: Iterable[Span]) -> list[Span]:
    """Moments that are in both."""
    ones, others, found = merged(first), merged(second), []
    i = j = 0
    while i < len(ones) and j < len(others):
        start, end = max(ones[i].start, others[j].start), min(ones[i].end, others[j].end)
        if end > start:
            found.append(Span(start, end))
        if ones[i].end < others[j].end:
            i += 1
        else:
            j += 1
    return found


def length(spans: Iterable[Span]) -> float:
    """How long they are together; overlapping moments count once."""
    return sum(span.end - span.start for span in merged(spans))


class Occupancy(NamedTuple):
    """Seconds on contact and idle."""

    on_contact: float
    idle: float

    @property
    def percent(self) -> int | None:
        """Whole per cent; None for whoever was neither."""
        whole = self.on_contact + self.idle
        return round(100 * self.on_contact / whole) if whole >= 1 else None


def occupancy(
    *, calls: Iterable[Span], written: Iterable[Span], available: Iterable[Span], busy: Iterable[Span]
) -> Occupancy:
    """Calls, with hold and wrap-up, count whatever somebody says they do; written work only while they are there."""
    available = merged(available)
    present = merged([*available, *busy])
    contact = merged([*calls, *shared(written, present)])
    return Occupancy(length(contact), length(available) - length(shared(contact, available)))
