"""How long a caller will wait: the formula that callers hear, and how right it was. Pure; seconds of one clock.

    wait = (calls ahead + 1) × mean time a call fills somebody ÷ people available or talking

A call fills somebody from the answer to the end of wrap-up. With somebody free and nobody ahead the wait is over at
once, and nothing is said. Said is a range, 70 to 130 per cent of the wait, in whole minutes. The mean is that of the
last four hours; with fewer than ENOUGH calls in them, that of the last two weeks; with fewer there too nothing is said.
"""

from collections.abc import Iterable
from typing import NamedTuple

ENOUGH = 5
"""With fewer calls their mean says nothing."""
LEAST, MOST = 0.7, 1.3


class Handled(NamedTuple):
    """How many calls there were, and how long each filled somebody on average."""

    calls: int
    mean_seconds: float


class Quote(NamedTuple):
    """Whole minutes that a caller is told."""

    least: int
    most: int

    def holds(self, seconds: float) -> bool:
        """Whether a wait lies in the range, whose ends are told in whole minutes."""
        return (self.least - 0.5) * 60 <= seconds <= (self.most + 0.5) * 60

    @property
    def middle_seconds(self) -> float:
        """The middle of the range."""
        return (self.least + self.most) * 30


def quote(*, ahead: int, recent: Handled, usual: Handled, people: int, free: int = 0) -> Quote | None:
    """What a caller with so many calls ahead is told; None where nothing is said."""
    known = next((one for one in (recent, usual) if one.calls >= ENOUGH), None)
    if known is None or not people or free > ahead:
        return None
    minutes = (ahead + 1) * known.mean_seconds / 60 / people
    least = max(1, round(minutes * LEAST))
    return Quote(least, max(least + 1, round(minutes * MOST)))


class Accuracy(NamedTuple):
    """How right quotes were: how many, the mean absolute error of their middles, the share that held."""

    quotes: int
    mean_error_seconds: float
    share_inside: float


def accuracy(told: Iterable[tuple[Quote, float]]) -> Accuracy:
    """Of quotes with the waits that followed; zeros of none."""
    pairs = list(told)
    if not pairs:
        return Accuracy(0, 0.0, 0.0)
    errors = sum(abs(one.middle_seconds - waited) for one, waited in pairs)
    return Accuracy(len(pairs), errors / len(pairs), sum(one.holds(waited) for one, waited in pairs) / len(pairs))
