"""`make bench`: every measured cost with its floor and goal in one table. Ends with 1 when a goal is missed.

BENCH_SIZES (default 10000,1000000) are the numbers of interactions; names as arguments choose: accept, processing,
live, memory, workspace, agenda, assignment, records, reminders, voice.
"""

import subprocess
import sys
import warnings
from collections.abc import Sequence

from benchmarks import accept, agenda, assignment, live, memory, processing, records, reminders, voice, workspace
from benchmarks.machine import CLINIC_DATABASE, ROOT, Row, environment, scratch_database


def main(chosen: Sequence[str]) -> int:
    """Measure and print."""
    warnings.filterwarnings("ignore", message=".*django-fsm.*")
    rows: list[Row] = []
    if not chosen or "memory" in chosen:
        rows += memory.measure()
    modules = (
        ("accept", accept),
        ("agenda", agenda),
        ("assignment", assignment),
        ("processing", processing),
        ("live", live),
        ("records", records),
        ("reminders", reminders),
        ("voice", voice),
        ("workspace", workspace),
    )
    for name, module in modules:
        if chosen and name not in chosen:
            continue
        if module is workspace and CLINIC_DATABASE:
            rows += workspace.measure("")
            continue
        with scratch_database(CLINIC_DATABASE if module is live else "") as url:
            subprocess.run(
                [sys.executable, "-W", "ignore", "manage.py", "migrate", "--verbosity", "0"],
                cwd=ROOT,
                env=environment(url, "http://127.0.0.1:1"),
                check=True,
            )
            rows += module.measure(url)
    show(rows)
    return 0 if all(row.is_met for row in rows) else 1


def show(rows: Sequence[Row]) -> None:
    """Print the table."""
    titles = Row("what", "product", "floor", "ratio", "goal", False)
    table = [[row.name, row.measured, row.floor, row.ratio, row.goal] for row in (titles, *rows)]
    widths = [max(len(line[column]) for line in table) for column in range(5)]
    for line, row in zip(table, (titles, *rows), strict=True):
        verdict = "" if row is titles else "met" if row.is_met else "MISSED"
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)), "", verdict)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
