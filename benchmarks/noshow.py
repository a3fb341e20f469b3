"""How well missed visits are foreseen in a public file of visits: learnt from its first days, measured on its last.

`python -m benchmarks.noshow [FOLDER]` reads train.csv.gz (../shared/data/noshow). Without the folder it says so and
ends well. Of each visit only what was known when it was booked is used: the patient's earlier visits count when they
were over by then.
"""

import csv
import gzip
import sys
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from scheduling.risk import Facts, Quality, Values, assess, learn, quality, values_of

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "noshow"
TEST_DAYS = 1
WEEKDAY = 0  # five days teach nothing about days of the week
GOALS = {"auc": 0.725, "auc_ahead": 0.60, "calibration_error": 0.02, "top_fifth": 0.37}


@dataclass(frozen=True, slots=True)
class Visit:
    """A row of the file. Sex is only for looking where the estimates err."""

    patient: str
    booked_at: datetime
    day: date
    age: int
    sex: str
    site: str
    is_missed: bool


def main(folder: Path) -> int:
    """Print the figures; 1 when a goal is missed."""
    file = folder / "train.csv.gz"
    if not file.is_file():
        print(f"noshow: no data in {folder.name}, nothing measured")
        return 0
    begun = time.perf_counter()
    test, shares = measured(read(file))
    overall = quality(shares, [one.is_missed for one in test])
    ahead = [place for place, one in enumerate(test) if one.day > one.booked_at.date()]
    booked_ahead = quality([shares[place] for place in ahead], [test[place].is_missed for place in ahead])
    print(f"noshow: {len(test)} visits of the last day, {time.perf_counter() - begun:.1f} s")
    figures = {
        "auc": overall.auc, "auc_ahead": booked_ahead.auc, "calibration_error": overall.calibration_error,
        "top_fifth": overall.top_fifth,
    }  # fmt: skip
    met = [_print(name, figures[name], goal) for name, goal in GOALS.items()]
    for title, found in by_group(test, shares).items():
        print(f"  {title:16s} {found.visits:6d} visits  AUC {found.auc:.3f}  calibration {found.calibration_error:.3f}")
    return 0 if all(met) else 1


def _print(name: str, figure: float, goal: float) -> bool:
    is_met = figure <= goal if name == "calibration_error" else figure >= goal
    print(f"  {name:18s} {figure:.3f}  goal {goal}  {'met' if is_met else 'MISSED'}")
    return is_met


def read(file: Path) -> list[Visit]:
    """The visits, without those that were booked after their day or whose patient's age cannot be."""
    found = []
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            booked, day = datetime.fromisoformat(row["ScheduledDay"]), date.fromisoformat(row["AppointmentDay"][:10])
            age = int(row["Age"])
            if booked.date() <= day and age >= 0:
                missed = row["No-show"] == "Yes"
                found.append(Visit(row["PatientId"], booked, day, age, row["Gender"], row["Neighbourhood"], missed))
    return found


def measured(visits: list[Visit]) -> tuple[list[Visit], list[float]]:
    """The visits of the last day, and what was foreseen of them."""
    last = sorted({one.day for one in visits})[-TEST_DAYS:]
    history = _history(visits)
    same_day = Counter((one.patient, one.day) for one in visits)
    rows = {True: list[tuple[Visit, Values]](), False: list[tuple[Visit, Values]]()}
    for one in visits:
        missed, kept = history(one)
        facts = Facts(
            (one.day - one.booked_at.date()).days, one.age, WEEKDAY, one.booked_at.hour, missed, kept,
            same_day[one.patient, one.day] - 1, "", one.site,
        )  # fmt: skip
        rows[one.day in last].append((one, values_of(facts)))
    terms = learn([values for _one, values in rows[False]], [one.is_missed for one, _values in rows[False]])
    return [one for one, _values in rows[True]], [assess(values, terms).share for _one, values in rows[True]]


def _history(visits: list[Visit]) -> Callable[[Visit], tuple[int, int]]:
    by_patient: dict[str, list[Visit]] = defaultdict(list)
    for one in sorted(visits, key=lambda one: one.day):
        by_patient[one.patient].append(one)

    def before(one: Visit) -> tuple[int, int]:
        known = by_patient[one.patient]
        over = known[: bisect_left(known, one.booked_at.date(), key=lambda other: other.day)]
        missed = sum(other.is_missed for other in over)
        return missed, len(over) - missed

    return before


def by_group(visits: list[Visit], shares: list[float]) -> dict[str, Quality]:
    """The same figures by sex, age and the biggest sites."""
    sites = {site for site, _count in Counter(one.site for one in visits).most_common(3)}
    groups: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(visits):
        groups[f"sex {one.sex}"].append(place)
        groups[f"age {'under 18' if one.age < 18 else '18 to 64' if one.age < 65 else '65 and over'}"].append(place)
        if one.site in sites:
            groups[f"site {sorted(sites).index(one.site) + 1}"].append(place)
    return {
        title: quality([shares[place] for place in places], [visits[place].is_missed for place in places])
        for title, places in sorted(groups.items())
    }


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER))
