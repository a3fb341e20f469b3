"""What the suggestions find and miss in files of people with typing errors whose true pairs are known.

`python -m benchmarks.linkage [FOLDER]` reads the FEBRL files in it (../shared/data/linkage), without the social
security number, and prints precision, recall and F1 of each level. Without the folder it says so and ends well.
"""

import csv
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

from patients.matching.blocking import CROWD, keys_of
from patients.matching.people import Person, person, place
from patients.matching.scoring import compare
from patients.matching.verdict import Level, Rarity, Verdict

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "linkage"
Pairs = dict[tuple[int, int], Verdict]


def main(folder: Path) -> int:
    """Print one line per file and level."""
    if not folder.is_dir():
        print(f"linkage: no data in {folder.name}, nothing measured")
        return 0
    for name, files in SETS.items():
        if not all((folder / file).is_file() for file in files):
            continue
        people, truth = read([folder / file for file in files])
        begun = time.perf_counter()
        found = suggestions(people)
        seconds = time.perf_counter() - begun
        print(f"{name}: {len(people)} records, {len(truth)} true pairs, {seconds:.1f} s")
        for title, levels in LEVELS.items():
            chosen = {pair for pair, verdict in found.items() if verdict.level in levels}
            print(f"  {title:28s} {len(chosen):6d} pairs  {figures(chosen, truth)}")
    return 0


SETS = {"febrl1": ["febrl1.csv"], "febrl4": ["febrl4a-half.csv", "febrl4b-half.csv"]}
LEVELS = {
    "certain": {Level.CERTAIN},
    "certain and likely": {Level.CERTAIN, Level.LIKELY},
    "with possible": set(Level),
}


def read(files: Iterable[Path]) -> tuple[dict[int, Person], set[tuple[int, int]]]:
    """People by number, and the pairs of numbers that are one person."""
    people: dict[int, Person] = {}
    same: dict[str, list[int]] = defaultdict(list)
    for file in files:
        with file.open(newline="", encoding="utf-8") as lines:
            for row in csv.DictReader(lines, skipinitialspace=True):
                number = len(people)
                people[number] = _person(number, {key.strip(): (value or "").strip() for key, value in row.items()})
                same[re.split(r"-(?:org|dup)", row["rec_id"])[0]].append(number)
    return people, {pair for group in same.values() for pair in combinations(group, 2)}


def _person(number: int, row: dict[str, str]) -> Person:
    home = place(
        line=f"{row['street_number']} {row['address_1']}", extra=row["address_2"], city=row["suburb"],
        region=row["state"], postcode=row["postcode"],
    )  # fmt: skip
    return person(
        number, given=row["given_name"], family=row["surname"], birth_date=row["date_of_birth"], places=[home]
    )


def suggestions(people: dict[int, Person]) -> Pairs:
    """Every pair with a level, by the same keys, limits and weights as the product uses."""
    blocks: dict[int, list[int]] = defaultdict(list)
    for number, one in people.items():
        for key in keys_of(one):
            blocks[key].append(number)
    pairs = {pair for block in blocks.values() if len(block) <= CROWD for pair in combinations(block, 2)}
    homes = [home for one in people.values() for home in one.places]
    rarity = Rarity(
        len(people),
        Counter(one.given for one in people.values()),
        Counter(one.family for one in people.values()),
        Counter(home.city for home in homes),
        Counter(home.postcode for home in homes),
    )
    verdicts = {pair: compare(people[pair[0]], people[pair[1]], rarity) for pair in pairs}
    return {pair: verdict for pair, verdict in verdicts.items() if verdict.level}


def figures(found: set[tuple[int, int]], truth: set[tuple[int, int]]) -> str:
    """Precision, recall and F1 in one line."""
    right = len(found & truth)
    precision, recall = right / len(found) if found else 1.0, right / len(truth)
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return f"precision {precision:.4f}  recall {recall:.4f}  F1 {f1:.4f}"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER))
