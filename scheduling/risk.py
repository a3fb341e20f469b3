"""How likely a visit is missed: points by feature that add up, so that every figure can be explained. Pure.

A model is learnt from an organisation's own visits (`learn`). Until there are enough of them, `RULES` counts: points
that anybody can read and check. Neither looks at sex, language or where somebody lives.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

Values = dict[str, str]
Terms = dict[str, dict[str, float]]
BASE = "base"

LEADS, LEAD_NAMES = (1, 2, 3, 5, 8, 15, 22, 30, 46, 76), ("0", "1", "2", "3", "5", "8", "15", "22", "30", "46", "76")
AGES = (1, 6, 13, 18, 23, 28, 35, 42, 50, 58, 66, 75)
AGE_NAMES = ("0", "1", "6", "13", "18", "23", "28", "35", "42", "50", "58", "66", "75")
WIDE_LEADS, WIDE_AGES = (1, 4, 15, 31), (13, 23, 35, 50, 65)
SHARES = (0.0001, 0.2, 0.4, 0.7)
ROUNDS, STEP, PULL, LEAST = 160, 0.08, 40.0, 25
"""Rounds of learning, how far each goes, how strongly rare values are pulled to nothing, and visits a value needs."""
ENOUGH_VISITS, ENOUGH_MISSED = 2000, 150


class Level(StrEnum):
    """What the risk asks for."""

    LOW = "low"
    RAISED = "raised"
    HIGH = "high"


class Action(StrEnum):
    """What to do about it."""

    NONE = "none"
    REMIND_EARLIER = "remind_earlier"
    CALL = "call"


@dataclass(frozen=True, slots=True)
class Facts:
    """What was known of a visit before it took place. `missed` and `kept` count the patient's visits that were over
    when this one was booked; `others` those on the same day; `age` None when it is not known."""

    lead_days: int
    age: int | None
    weekday: int
    hour: int
    missed: int = 0
    kept: int = 0
    others: int = 0
    answer: str = ""
    site: str = ""


@dataclass(frozen=True, slots=True)
class Risk:
    """`share` is the likelihood (0 to 1); `reasons` are features that raise it most, with their points, first first."""

    share: float
    reasons: list[tuple[str, str, float]]
    is_learnt: bool

    @property
    def percent(self) -> int:
        """As people read it."""
        return round(100 * self.share)

    @property
    def level(self) -> Level:
        """Raised from one in five, high from one in three."""
        return Level.HIGH if self.share >= 1 / 3 else Level.RAISED if self.share >= 0.2 else Level.LOW

    @property
    def action(self) -> Action:
        """What to do about it."""
        return {Level.HIGH: Action.CALL, Level.RAISED: Action.REMIND_EARLIER}.get(self.level, Action.NONE)


RULES: Terms = {
    BASE: {"": -2.6},
    "lead": {"0": -0.9, "5": 0.2, "8": 0.4, "15": 0.5, "22": 0.6, "30": 0.7, "46": 0.7, "76": 0.7},
    "age": {"13": 0.3, "18": 0.4, "23": 0.4, "28": 0.3, "58": -0.2, "66": -0.3, "75": -0.3},
    "missed": {"1": 0.7, "2": 1.2, "3": 1.6},
    "kept": {"3": -0.4},
    "answer": {"confirmed": -1.0, "declined": 2.0},
}


def values_of(facts: Facts) -> Values:
    """The features of a visit as words: what was known, in ranges."""
    age = "" if facts.age is None or facts.age < 0 else AGE_NAMES[bisect_right(AGES, facts.age)]
    lead = max(0, facts.lead_days)
    known = facts.missed + facts.kept
    share = bisect_right(SHARES, facts.missed / known) if known else -1
    wide_age = "" if not age else str(bisect_right(WIDE_AGES, facts.age or 0))
    return {
        "lead": LEAD_NAMES[bisect_right(LEADS, lead)],
        "age": age,
        "weekday": str(facts.weekday),
        "hour": str(facts.hour),
        "missed": str(min(3, facts.missed)),
        "kept": str(min(3, facts.kept)),
        "history": str(share),
        "others": str(min(3, facts.others)),
        "answer": facts.answer,
        "site": facts.site,
        "lead and age": f"{bisect_right(WIDE_LEADS, lead)}/{wide_age}",
        "lead and history": f"{bisect_right(WIDE_LEADS, lead)}/{share}",
    }


def assess(values: Values, terms: Terms | None = None) -> Risk:
    """The likelihood by a learnt model, or by the rules."""
    used = terms or RULES
    points = [(name, value, used.get(name, {}).get(value, 0.0)) for name, value in values.items()]
    score = used[BASE][""] + sum(point for _name, _value, point in points)
    reasons = sorted((one for one in points if one[2] >= 0.1), key=lambda one: -one[2])
    return Risk(1 / (1 + math.exp(-score)), reasons[:3], terms is not None)


def learn(rows: Sequence[Values], missed: Sequence[bool]) -> Terms:
    """Points by feature from visits and whether they were missed, by boosting one feature after another.

    Deterministic. Raises ValueError when all or none were missed.
    """
    count = len(rows)
    total = sum(missed)
    if not 0 < total < count:
        raise ValueError("Nothing can be learnt from visits that all went the same way.")
    columns = {name: _column([row[name] for row in rows]) for name in rows[0]}
    base = math.log(total / (count - total))
    points = {name: [0.0] * len(column.names) for name, column in columns.items()}
    scores = [base] * count
    for _round in range(ROUNDS):
        chances = [1 / (1 + math.exp(-score)) for score in scores]
        gaps = [is_missed - chance for is_missed, chance in zip(missed, chances, strict=True)]
        spreads = [chance * (1 - chance) for chance in chances]
        for name, column in columns.items():
            steps = _steps(column, gaps, spreads, points[name])
            points[name] = [known + step for known, step in zip(points[name], steps, strict=True)]
            scores = [score + steps[place] for score, place in zip(scores, column.places, strict=True)]
    terms = {
        name: {value: round(point, 4) for value, point in zip(columns[name].names, points[name], strict=True) if point}
        for name in columns
    }
    return terms | {BASE: {"": round(base, 4)}}


@dataclass(slots=True)
class _Column:
    places: list[int]
    names: list[str]
    is_rare: list[bool] = field(default_factory=list)


def _column(values: Sequence[str]) -> _Column:
    names = sorted(set(values))
    places = {name: place for place, name in enumerate(names)}
    counts = [0] * len(names)
    for value in values:
        counts[places[value]] += 1
    return _Column([places[value] for value in values], names, [count < LEAST for count in counts])


def _steps(column: _Column, gaps: Sequence[float], spreads: Sequence[float], points: Sequence[float]) -> list[float]:
    gap, spread = [0.0] * len(points), [0.0] * len(points)
    for place, one_gap, one_spread in zip(column.places, gaps, spreads, strict=True):
        gap[place] += one_gap
        spread[place] += one_spread
    return [
        0.0 if rare else STEP * (gap[place] - PULL * points[place]) / (spread[place] + PULL)
        for place, rare in enumerate(column.is_rare)
    ]


@dataclass(frozen=True, slots=True)
class Quality:
    """How good estimates were: `auc` from 0.5 (guessing) to 1, `calibration_error` (mean distance of what was said from
    what came, in tenths), `top_fifth` (share of the missed visits among the fifth with the highest risk)."""

    visits: int
    missed: int
    auc: float
    calibration_error: float
    top_fifth: float


def quality(shares: Sequence[float], missed: Sequence[bool]) -> Quality:
    """Measure estimates by what came of the visits. Figures that cannot be measured are nan."""
    order = sorted(range(len(shares)), key=lambda place: shares[place])
    total = sum(missed)
    top = order[len(order) - len(order) // 5 :]
    return Quality(
        visits=len(shares),
        missed=total,
        auc=_auc(order, shares, missed),
        calibration_error=_calibration_error(order, shares, missed),
        top_fifth=sum(missed[place] for place in top) / total if total else math.nan,
    )


def _auc(order: Sequence[int], shares: Sequence[float], missed: Sequence[bool]) -> float:
    total, ranks, place = sum(missed), 0.0, 0
    if not 0 < total < len(order):
        return math.nan
    while place < len(order):
        end = place
        while end < len(order) and shares[order[end]] == shares[order[place]]:
            end += 1
        ranks += sum(missed[one] for one in order[place:end]) * (place + 1 + end) / 2
        place = end
    return (ranks - total * (total + 1) / 2) / (total * (len(order) - total))


def _calibration_error(order: Sequence[int], shares: Sequence[float], missed: Sequence[bool]) -> float:
    if not order:
        return math.nan
    error = 0.0
    for number in range(10):
        part = order[len(order) * number // 10 : len(order) * (number + 1) // 10]
        error += abs(sum(shares[one] for one in part) - sum(missed[one] for one in part))
    return error / len(order)


def expected_missed(risks: Mapping[int, Risk]) -> float:
    """How many of these visits will be missed, on the average: one or more is room for one beside the agenda."""
    return sum(risk.share for risk in risks.values())
