"""Finding and booking times in a full agenda: 200 practitioners, 60 days, 80 % booked.

The floor of a search is the bare SQL that reads the same taken spans. The floor of find-and-book is a transaction of
the same work by the same clients: the statements of the search, a slot that was prepared claimed with SKIP LOCKED, and
the bare inserts of the same rows (visit, its time, reminders, audit entry).
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta

from benchmarks.machine import ROOT, Row, environment

PRACTITIONERS, DAYS, BOOKED = 200, 60, 0.8
ROUNDS, CLIENTS, SECONDS = 60, 8, 8.0
SEARCH_GOAL, BOOK_GOAL = 100.0, 40.0

AGENDA = """
INSERT INTO scheduling_location (created_at, updated_at, name, address, time_zone, is_active)
  SELECT now(), now(), 'Site ' || n, '', 'America/New_York', true FROM generate_series(1, 4) n;
INSERT INTO scheduling_healthcareservice (created_at, updated_at, code, name, names, preparation, minutes,
    buffer_before_minutes, buffer_after_minutes, step_minutes, notice_minutes, horizon_days, modes, is_active)
  VALUES (now(), now(), 'visit', 'Visit', '{{}}', '{{}}', 30, 0, 0, 30, 0, 90, '{{on_site}}', true);
INSERT INTO scheduling_practitioner (created_at, updated_at, name, languages, daily_overbooking, is_active)
  SELECT now(), now(), 'Dr. ' || n, CASE WHEN n %% 10 = 0 THEN '{{en,pt}}'::text[] ELSE '{{en}}' END, 0, true
  FROM generate_series(1, %(practitioners)s) n;
INSERT INTO scheduling_practitioner_services (practitioner_id, healthcareservice_id)
  SELECT p.id, s.id FROM scheduling_practitioner p, scheduling_healthcareservice s;
INSERT INTO scheduling_schedule (created_at, updated_at, practitioner_id, location_id)
  SELECT now(), now(), p.id, (SELECT min(id) FROM scheduling_location) + p.id %% 4 FROM scheduling_practitioner p;
INSERT INTO scheduling_weeklyhours (schedule_id, weekday, starts, ends)
  SELECT s.id, d, '09:00', '17:00' FROM scheduling_schedule s, generate_series(0, 6) d;
INSERT INTO patients_patient (created_at, updated_at, mrn, given_name, family_name, preferred_name, gender, language,
    time_zone, site_name, {others})
  SELECT now(), now(), 'B' || n, 'Given', 'Family', '', 'unknown', 'en', '', '', {values}
  FROM generate_series(1, 1000) n;
INSERT INTO scheduling_appointment (created_at, updated_at, patient_id, service_id, practitioner_id, location_id, mode,
    status, confirmation, starts_at, ends_at, note, visit_date, cancelled_for, cancel_reason)
  SELECT now(), now(), (SELECT min(id) FROM patients_patient) + (random() * 999)::int, v.id, s.practitioner_id,
    s.location_id, 'on_site', 'booked', 'unconfirmed', at, at + interval '30 minutes', '', day::date, '', ''
  FROM scheduling_schedule s, scheduling_healthcareservice v,
    generate_series(current_date::timestamp + interval '1 day', current_date::timestamp + %(days)s * interval '1 day',
      interval '1 day') day, generate_series(0, 15) n,
    LATERAL (SELECT (day + interval '9 hours' + n * interval '30 minutes') AT TIME ZONE 'America/New_York' at) t
  WHERE random() < %(booked)s;
INSERT INTO scheduling_occupancy (practitioner_id, span, appointment_id)
  SELECT practitioner_id, tstzrange(starts_at, ends_at), id FROM scheduling_appointment;
INSERT INTO audit_auditchain (number, head_sequence, head_hash)
  SELECT n, 0, repeat('0', 64) FROM generate_series(0, 31) n ON CONFLICT DO NOTHING;
-- The free times of the afternoons: the product's first ones are in the mornings.
CREATE TABLE bench_slot (id serial PRIMARY KEY, practitioner_id bigint, location_id bigint, at timestamptz,
  is_free boolean);
INSERT INTO bench_slot (practitioner_id, location_id, at, is_free)
  SELECT s.practitioner_id, s.location_id, t.at, true
  FROM scheduling_schedule s, generate_series(current_date::timestamp + interval '1 day',
      current_date::timestamp + %(days)s * interval '1 day', interval '1 day') day, generate_series(8, 15) n,
    LATERAL (SELECT (day + interval '9 hours' + n * interval '30 minutes') AT TIME ZONE 'America/New_York' at) t
  WHERE NOT EXISTS (SELECT FROM scheduling_appointment taken
    WHERE taken.practitioner_id = s.practitioner_id AND taken.starts_at = t.at);
CREATE INDEX ON bench_slot (at) WHERE is_free;
ANALYZE;
"""


def measure(database_url: str) -> list[Row]:
    """Wall milliseconds (p95) of searches beside their SQL; bookings a second beside the bare transaction."""
    os.environ.update(environment(database_url, "http://127.0.0.1:1"), DJANGO_SETTINGS_MODULE="contact_center.settings")
    import django

    django.setup()
    _fill()
    from django.utils import timezone

    from scheduling.models import HealthcareService, Practitioner

    service, today = HealthcareService.objects.get(), timezone.localdate()
    until = today + timedelta(days=DAYS)
    one = frozenset({Practitioner.objects.values_list("pk", flat=True)[0]})
    searches = {
        "first 20 slots, anybody": {},
        "first 20 slots, one language": {"language": "pt"},
        "first 20 slots, one practitioner": {"practitioners": one},
    }
    rows = [_search_row(name, service, today, until, wishes) for name, wishes in searches.items()]
    return [*rows, _booking_row()]


def _fill() -> None:
    from django.db import connection

    from patients.models import Patient

    given = set(AGENDA.split("patients_patient (")[1].split(")", maxsplit=1)[0].replace(",", " ").split())
    fields = [one for one in Patient._meta.concrete_fields if not (one.null or one.generated or one.primary_key)]
    others = {field.column: field.get_default() for field in fields if field.column not in given}
    statement = AGENDA.format(others=", ".join(others), values=", ".join(map(_literal, others.values())))
    size = {"practitioners": PRACTITIONERS, "days": DAYS, "booked": BOOKED}
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(statement, size)


def _literal(value: object) -> str:
    if isinstance(value, bool | int):
        return str(value).lower()
    return "'{}'" if isinstance(value, list | dict) else "'" + str(value).replace("'", "''") + "'"


def _search_row(name: str, service: object, today: date, until: date, wishes: dict[str, object]) -> Row:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from django.utils import timezone

    from scheduling.selectors.openings import Search, find_slots

    search = Search(service, today, until, **wishes)
    found = find_slots(search, now=timezone.now())
    times = _times(lambda: find_slots(search, now=timezone.now()))
    with CaptureQueriesContext(connection) as asked:
        find_slots(search, now=timezone.now())
    taken = [query["sql"] for query in asked.captured_queries if "scheduling_occupancy" in query["sql"]]

    def bare() -> None:
        with connection.cursor() as cursor:
            for statement in taken:
                cursor.execute(statement)
                cursor.fetchall()

    p95, floor = _p95(times), _p95(_times(bare))
    return Row(
        f"{name} ({len(found)} found)", f"{p95:.1f} ms p95", f"{floor:.1f} ms bare SQL", f"{p95 / floor:.1f} x",
        f"<= {SEARCH_GOAL:.0f} ms", p95 <= SEARCH_GOAL and len(found) == 20,
    )  # fmt: skip


def _times(work: Callable[[], object]) -> list[float]:
    seconds = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        seconds.append((time.perf_counter() - begun) * 1000)
    return seconds


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def _booking_row() -> Row:
    bare, product = _rates()
    share = product / bare * 100
    return Row(
        f"find and book, {CLIENTS} clients", f"{product:.0f} /s", f"{bare:.0f} /s", f"{share:.0f} %",
        f">= {BOOK_GOAL:.0f} %", share >= BOOK_GOAL,
    )  # fmt: skip


def _rates() -> tuple[float, float]:
    """Bookings a second by bare SQL and by the product, all clients together."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.agenda_client", str(SECONDS)]
    clients = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(CLIENTS)]
    done = [tuple(map(int, client.communicate()[0].split()[-2:])) for client in clients]
    return sum(bare for bare, _ in done) / SECONDS, sum(product for _, product in done) / SECONDS
