"""What taking in a file of patients and searching all of them for duplicates cost.

BENCH_PATIENTS (default 100000) is the number of rows; one in fifty is somebody of an earlier row with a slip.
"""

import io
import os
import random
import resource
import time
from datetime import date, timedelta

from benchmarks.machine import Row, environment

COUNT = int(os.environ.get("BENCH_PATIENTS", "100000"))
MOST_SECONDS, MOST_MEGABYTES = 600.0, 400.0
SOUNDS = "ka lo mi ren tas vel dor ina que sol mar bel tro wen zar phi gon lux nie hol"
NAMES = "Maria José Ana Luis Carmen Juan Lucía Carlos Elena Pedro Sofía Miguel Grace John Ruth Peter"
SYLLABLES, GIVEN = SOUNDS.split(), NAMES.split()


def measure(database_url: str) -> list[Row]:
    """Rows a second of the dry run and the import with their peak memory, and seconds of a scan."""
    os.environ.update(environment(database_url, "http://127.0.0.1:1"), DJANGO_SETTINGS_MODULE="contact_center.settings")
    import django

    django.setup()
    from contact_center.accounts.enums import Role
    from contact_center.accounts.services import create_user
    from patients.services import duplicates, importing

    lead = create_user(actor=None, email="bench@aurora.example", role=Role.SUPERVISOR)
    before = _megabytes()
    made = importing.upload(actor=lead, name="patients.csv", file=_file())
    checking = _seconds(
        lambda: importing.check(actor=lead, import_id=made.pk, columns=made.columns, settings=made.settings)
    )
    importing.settle(made.pk)
    writing = _seconds(lambda: importing.run(actor=lead, import_id=made.pk, known="update", alike="create"))
    peak = _megabytes() - before
    scanning = _seconds(lambda: duplicates.start_scan(actor=lead))
    return [
        _rate("dry run of a file", checking),
        _rate("import of a file", writing),
        Row(
            "import: peak memory above start", f"{peak:.0f} MB", "", "", f"≤ {MOST_MEGABYTES:.0f} MB",
            peak <= MOST_MEGABYTES,
        ),
        Row(
            f"duplicate scan of {_patients()} patients, {_suggestions()} pairs", f"{scanning:.0f} s", "", "",
            f"≤ {MOST_SECONDS:.0f} s", scanning <= MOST_SECONDS,
        ),
    ]  # fmt: skip


def _rate(name: str, seconds: float) -> Row:
    goal = COUNT / MOST_SECONDS
    rate = COUNT / seconds
    return Row(
        f"{name}, {COUNT} rows", f"{rate:.0f} rows/s", f"{seconds:.0f} s", "", f"≥ {goal:.0f} rows/s", rate >= goal
    )


def _seconds(begin) -> float:
    """Wall seconds of background work, done by this process as a worker would."""
    from contact_center.jobs import worker
    from contact_center.jobs.models import Job

    begin()
    begun = time.perf_counter()
    while Job.objects.filter(status__in=["queued", "running"]).exists():
        worker.run_jobs()
    return time.perf_counter() - begun


def _patients() -> int:
    from patients.models import Patient

    return Patient.objects.count()


def _suggestions() -> int:
    from patients.models import DuplicateSuggestion

    return DuplicateSuggestion.objects.count()


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _word(chance: random.Random, syllables: int) -> str:
    return "".join(chance.choices(SYLLABLES, k=syllables)).title()


def _file() -> io.BytesIO:
    chance = random.Random(7)
    lines = ["Record number,Given name,Family name,Birth date,Phone,E-mail,Street,City,Postal code"]
    people: list[tuple[str, ...]] = []
    for number in range(COUNT):
        if people and number % 50 == 49:
            given, family, born, phone, home = chance.choice(people)
            family = family[:2] + family[3:2:-1] + family[4:]
        else:
            given = chance.choice(GIVEN) + chance.choice(["", "", " " + chance.choice(GIVEN)])
            family = _word(chance, chance.randint(2, 4))
            born = (date(1930, 1, 1) + timedelta(days=chance.randrange(33_000))).isoformat()
            phone, home = (
                f"+1305{2000000 + number * 7 % 7999999:07d}",
                f"{chance.randint(1, 400)} {_word(chance, 3)} Street",
            )
            people.append((given, family, born, phone, home))
        mail = f"person{number}@mail.example"
        lines.append(f"X{number:07d},{given},{family},{born},{phone},{mail},{home},Miami,{33100 + number % 90}")
    return io.BytesIO("\n".join(lines).encode())
