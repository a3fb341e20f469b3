"""Half-open spans of anything that has an order: moments, seconds of the epoch, minutes of a day."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol, TypeVar


class Ordered(Protocol):
    """What can stand on a line."""

    def __lt__(self, other: Any, /) -> bool: ...

    def __le__(self, other: Any, /) -> bool: ...


Point = TypeVar("Point", bound=Ordered)


def joined(spans: Iterable[tuple[Point, Point]]) -> Iterator[tuple[Point, Point]]:
    """The same time in as few spans as possible, lazily; `spans` come in the order in which they begin."""
    present: tuple[Point, Point] | None = None
    for begin, end in spans:
        if present is None:
            present = begin, end
        elif begin <= present[1]:
            if present[1] < end:
                present = present[0], end
        else:
            yield present
            present = begin, end
    if present is not None:
        yield present


def without(span: tuple[Point, Point], taken: Iterable[tuple[Point, Point]]) -> Iterator[tuple[Point, Point]]:
    """What is left of `span`, lazily, in order; `taken` come in the order in which they begin, overlapping or not."""
    start, finish = span
    for begin, end in taken:
        if finish <= begin:
            break
        if start < begin:
            yield start, begin
        if start < end:
            start = end
    if start < finish:
        yield start, finish
