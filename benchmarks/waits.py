"""How right the wait is that callers hear: `python -m benchmarks.waits`. Not part of `make bench`.

A simulated day on the production formula: callers come by a day's curve, people come and go in shifts, calls last as
long as calls do, some callers give up. Each who waits is quoted what `inbox.waits` says of what is known then. Printed
are the mean absolute error of the quotes' middles and the share of waits inside the range; with DATABASE_URL also of
the quotes that are on record there, of the last thirty days.
"""

import heapq
import os
import sys
from bisect import bisect_left
from collections import deque
from random import Random

from inbox.waits import Accuracy, Handled, Quote, accuracy, quote

HOUR = 3600.0
CALLERS_AN_HOUR = (0, 0, 0, 0, 0, 0, 0, 20, 60, 100, 110, 95, 70, 75, 90, 85, 70, 45, 20, 8, 0, 0, 0, 0)
PEOPLE = (0, 0, 0, 0, 0, 0, 0, 3, 6, 9, 11, 11, 8, 8, 10, 10, 8, 6, 4, 3, 2, 2, 2, 2)
CALL_SECONDS, SPREAD, PATIENCE = 270.0, 0.6, 900.0
DAYS = int(os.environ.get("BENCH_DAYS", "20"))


def simulate(random: Random, *, is_known: bool = True) -> list[tuple[Quote, float]]:
    """One day: each quote with the wait that followed. `is_known`: there were days before, so the fallback knows."""
    busy: list[float] = []  # when each call ends
    ends: list[tuple[float, float]] = []  # of ended calls: when, how long
    line: deque[tuple[float, float, Quote | None]] = deque()
    found: list[tuple[Quote, float]] = []
    usual = Handled(500, CALL_SECONDS) if is_known else Handled(0, 0.0)
    for at in _arrivals(random):
        _serve(at, busy, line, ends, found, random)
        people = PEOPLE[int(at // HOUR) % 24]
        told = None
        if len(busy) >= people or line:
            told = quote(ahead=len(line), recent=_recent(ends, at), usual=usual, people=max(people, len(busy)))
        line.append((at, at + random.expovariate(1 / PATIENCE), told))
        _serve(at, busy, line, ends, found, random)
    _serve(40 * HOUR, busy, line, ends, found, random)
    return found


def _serve(
    now: float, busy: list[float], line: deque[tuple[float, float, Quote | None]], ends: list[tuple[float, float]],
    found: list[tuple[Quote, float]], random: Random,
) -> None:  # fmt: skip
    """Let everybody who becomes free until `now` take the next who still waits."""
    clock = line[0][0] if line else now
    while True:
        while line and line[0][1] < clock:
            line.popleft()  # gave up
        people = PEOPLE[int(clock // HOUR) % 24]
        if line and line[0][0] <= clock and len(busy) < people:
            came, _until, told = line.popleft()
            lasts = random.lognormvariate(0, SPREAD) * CALL_SECONDS / 1.197  # the mean of that spread
            heapq.heappush(busy, clock + lasts)
            ends.append((clock + lasts, lasts))
            if told is not None:
                found.append((told, clock - came))
            continue
        after = [
            moment for moment in (busy[0] if busy else None, (clock // HOUR + 1) * HOUR if line else None) if moment
        ]
        if not after or min(after) > now:
            return
        clock = min(after)
        while busy and busy[0] <= clock:
            heapq.heappop(busy)


def _recent(ends: list[tuple[float, float]], now: float) -> Handled:
    lasted = [seconds for end, seconds in ends if now - 4 * HOUR <= end <= now]
    return Handled(len(lasted), sum(lasted) / len(lasted) if lasted else 0.0)


def _arrivals(random: Random) -> list[float]:
    found = []
    for hour, callers in enumerate(CALLERS_AN_HOUR):
        at = hour * HOUR
        while callers and (at := at + random.expovariate(callers / HOUR)) < (hour + 1) * HOUR:
            found.append(at)
    return found


def on_record() -> Accuracy:
    """Of the quotes in the database."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contact_center.settings")
    import django

    django.setup()
    from datetime import timedelta

    from django.utils import timezone

    from inbox.selectors.voice_figures import quotes_told

    return accuracy(quotes_told(timezone.now() - timedelta(days=30)))


def show(name: str, found: Accuracy) -> None:
    """One line."""
    print(
        f"{name}: {found.quotes} quotes, mean absolute error {found.mean_error_seconds:.0f} s, "
        f"{found.share_inside:.0%} inside the range"
    )


if __name__ == "__main__":
    for name, is_known in ((f"{DAYS} simulated days", True), (f"{DAYS} simulated first days", False)):
        pairs = [pair for day in range(DAYS) for pair in simulate(Random(day), is_known=is_known)]
        show(name, accuracy(pairs))
        by_length = sorted(pairs, key=lambda one: one[1])
        short = bisect_left([waited for _quote, waited in by_length], 120.0)
        show("  of waits under two minutes", accuracy(by_length[:short]))
        show("  of longer waits", accuracy(by_length[short:]))
    if os.environ.get("DATABASE_URL"):
        show("on record", on_record())
    sys.exit(0)
