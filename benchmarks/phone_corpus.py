"""How many phone inputs of a labelled corpus are read as expected, and which are not.

Two differences are meant: a Mexican number with the 044 or 045 of a domestic call is read as the number it is.

Usage: python benchmarks/phone_corpus.py [phones.jsonl]
"""

import json
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from patients.numbers import normalise_phone  # noqa: E402

CORPUS = ROOT.parent / "shared/data/phones/phones.jsonl"


def measure(rows: list[dict]) -> dict[str, float]:
    """Shares (0 to 1) of rows whose number, validity and type come out as expected, and of rows rightly refused."""
    right = {"number": 0, "validity": 0, "type": 0}
    readable = [row for row in rows if row["ok"]]
    for row in readable:
        found = normalise_phone(row["input"], row["region"])
        if found is None:
            continue
        right["number"] += found.e164 == row["e164"]
        right["validity"] += found.is_valid == row["valid"]
        right["type"] += found.type == row["type"].lower()
    refused = [row for row in rows if not row["ok"]]
    rates = {name: count / len(readable) for name, count in right.items()}
    not_valid = [row for row in refused if not is_taken_as_valid(row)]
    return rates | {"refused": len(not_valid) / len(refused) if refused else 1.0}


def is_taken_as_valid(row: dict) -> bool:
    """Whether an input without a number in it is taken for a number that exists."""
    found = normalise_phone(row["input"], row["region"])
    return found is not None and found.is_valid


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else CORPUS
    if not path.exists():
        print(f"phones: skipped, no corpus at {path}")
        return
    rows = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    start = time.process_time()
    rates = measure(rows)
    spent = (time.process_time() - start) / len(rows)
    shares = ", ".join(f"{name} {rate:.1%}" for name, rate in rates.items())
    for row in rows:
        found = normalise_phone(row["input"], row["region"])
        if row["ok"] and (found is None or found.e164 != row["e164"]):
            print(f"  differs: {row['input']!r} in {row['region']}: {found and found.e164}, expected {row['e164']}")
    print(f"phones: {len(rows)} inputs, {shares}; {spent * 1e6:.0f} µs CPU each")


if __name__ == "__main__":
    main()
