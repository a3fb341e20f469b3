"""Due reminders planned and handed to the outbox, with the peak of memory above the start; and how many of the replies
of a public collection are understood (`BENCH_REPLIES`, a folder; left out where there is none).

BENCH_REMINDERS (default 100000) is the number of visits, one each of as many patients. The floor is the bare SQL that
inserts as many rows of a reminder, a conversation and a message.
"""

import json
import os
import resource
import time
from datetime import timedelta
from pathlib import Path

from benchmarks.machine import ROOT, Row, environment

COUNT = int(os.environ.get("BENCH_REMINDERS", "100000"))
REPLIES = Path(os.environ.get("BENCH_REPLIES", ROOT.parent / "shared" / "data" / "dates-and-replies"))
LEAST_A_SECOND, MOST_MEGABYTES, LEAST_UNDERSTOOD = 300.0, 80.0, 0.8

VISITS = """
INSERT INTO inbox_queue (created_at, updated_at, name, slug, position, is_active)
  VALUES (now(), now(), 'Bench', 'bench', 0, true);
INSERT INTO inbox_channel (created_at, updated_at, name, kind, adapter, address, is_active, sends_receipts, queue_id)
  SELECT now(), now(), 'SMS', 'sms', 'twilio_messaging', '+15005550100', true, false, id FROM inbox_queue;
INSERT INTO scheduling_location (created_at, updated_at, name, address, time_zone, is_active)
  VALUES (now(), now(), 'Site', '', 'UTC', true);
INSERT INTO scheduling_healthcareservice (created_at, updated_at, code, name, names, preparation, minutes,
    buffer_before_minutes, buffer_after_minutes, step_minutes, notice_minutes, horizon_days, modes, is_active)
  VALUES (now(), now(), 'visit', 'Visit', '{{}}', '{{}}', 30, 0, 0, 30, 0, 90, '{{on_site}}', true);
INSERT INTO scheduling_practitioner (created_at, updated_at, name, languages, daily_overbooking, is_active)
  VALUES (now(), now(), 'Dr. One', '{{en}}', 0, true);
INSERT INTO patients_patient (created_at, updated_at, mrn, given_name, family_name, preferred_name, gender, language,
    time_zone, site_name, {others})
  SELECT now(), now(), 'B' || n, 'Given', 'Family', '', 'unknown', (ARRAY['en', 'es', 'pt'])[n %% 3 + 1], 'UTC', '',
    {values} FROM generate_series(1, %(count)s) n;
INSERT INTO patients_contactpoint (created_at, updated_at, patient_id, scheme, value, raw, use, rank, bounce_reason)
  SELECT now(), now(), id, 'phone', '+1305' || lpad(id::text, 7, '0'), '', 'mobile', 1, '' FROM patients_patient;
INSERT INTO scheduling_appointment (created_at, updated_at, patient_id, service_id, practitioner_id, location_id, mode,
    status, confirmation, starts_at, ends_at, note, visit_date, cancelled_for, cancel_reason)
  SELECT now(), now(), p.id, s.id, d.id, l.id, 'on_site', 'booked', 'unconfirmed', %(at)s, %(at)s + interval '1 hour',
    '', %(at)s::date, '', ''
  FROM patients_patient p, scheduling_healthcareservice s, scheduling_practitioner d, scheduling_location l;
ANALYZE;
"""
BARE = """
CREATE TABLE bench_due (LIKE scheduling_reminder INCLUDING DEFAULTS INCLUDING IDENTITY);
CREATE TABLE bench_talk (LIKE inbox_interaction INCLUDING DEFAULTS INCLUDING IDENTITY);
CREATE TABLE bench_message (LIKE inbox_message INCLUDING DEFAULTS INCLUDING IDENTITY);
INSERT INTO bench_due SELECT * FROM scheduling_reminder;
INSERT INTO bench_talk SELECT * FROM inbox_interaction;
INSERT INTO bench_message SELECT * FROM inbox_message;
"""


def measure(database_url: str) -> list[Row]:
    """Reminders a second beside bare SQL, megabytes above the start, and the share of replies understood."""
    os.environ.update(environment(database_url, "http://127.0.0.1:1"), DJANGO_SETTINGS_MODULE="contact_center.settings")
    import django

    django.setup()
    return [*_handing_over(), *_understood()]


def _handing_over() -> list[Row]:
    import time_machine
    from django.db import connection
    from django.utils import timezone

    from scheduling.models import Reminder
    from scheduling.services.handing_over import hand_over_due
    from scheduling.services.reminders import plan_missing

    noon = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=2)
    _fill({"count": COUNT, "at": noon})
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
    before, begun = _megabytes(), time.monotonic()
    with time_machine.travel(noon - timedelta(days=1, hours=12), tick=True):
        plan_missing(limit=COUNT)
    planned = time.monotonic() - begun
    with time_machine.travel(noon - timedelta(days=1), tick=True):
        begun = time.monotonic()
        while hand_over_due(most_waiting=None):
            pass
    handed = time.monotonic() - begun
    peak, told = _megabytes() - before, Reminder.objects.filter(message__isnull=False).count()
    begun = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(BARE)
    bare = time.monotonic() - begun
    rate, floor = told / (planned + handed), told / bare
    return [
        Row(
            f"due reminders planned and handed to the outbox ({told})", f"{rate:.0f} /s", f"{floor:.0f} /s",
            f"{rate / floor:.0%}", f">= {LEAST_A_SECOND:.0f} /s", rate >= LEAST_A_SECOND and told == COUNT,
        ),
        Row("reminders: memory above start", f"{peak:.0f} MB", "", "", f"<= {MOST_MEGABYTES:.0f} MB",
            peak <= MOST_MEGABYTES,),
    ]  # fmt: skip


def _fill(given: dict[str, object]) -> None:
    from django.db import connection

    from benchmarks.agenda import _literal
    from patients.models import Patient

    named = set(VISITS.split("patients_patient (")[1].split(")", maxsplit=1)[0].replace(",", " ").split())
    fields = [one for one in Patient._meta.concrete_fields if not (one.null or one.generated or one.primary_key)]
    others = {field.column: field.get_default() for field in fields if field.column not in named}
    statement = VISITS.format(others=", ".join(others), values=", ".join(map(_literal, others.values())))
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(statement, given)


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _understood() -> list[Row]:
    """Yes and no of the collection; what is left to a person is not understood, what is turned round is wrong."""
    from scheduling.understanding import Meaning, understand

    rows = []
    for path in sorted(REPLIES.glob("*-BooleanModel.json")):
        cases = [case for case in json.loads(path.read_text()) if len(case["Results"]) == 1]
        wanted = [case["Results"][0]["Resolution"]["value"] for case in cases]
        said = [understand(case["Input"]).meaning for case in cases]
        right = sum(
            meaning == (Meaning.YES if value else Meaning.NO) for meaning, value in zip(said, wanted, strict=True)
        )
        turned = sum(
            meaning == (Meaning.NO if value else Meaning.YES) for meaning, value in zip(said, wanted, strict=True)
        )
        share = right / len(cases) if cases else 1.0
        name = path.name.partition("-")[0]
        rows.append(
            Row(
                f"replies understood, {name} ({len(cases)})", f"{share:.0%}", f"{turned} turned round", "",
                f">= {LEAST_UNDERSTOOD:.0%}, none turned round", share >= LEAST_UNDERSTOOD and not turned,
            )
        )  # fmt: skip
    return rows
