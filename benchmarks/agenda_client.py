"""One of the clients of `agenda`: books as fast as it can, by the product and by bare SQL in turns, and prints how many
of each."""

import random
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import django
import psycopg2

TURN_SECONDS = 1.0
"""All clients change at the same moments, so that both kinds meet the same machine."""
CLAIM = """
UPDATE bench_slot SET is_free = false WHERE id = (
  SELECT id FROM bench_slot WHERE is_free AND at >= %(since)s ORDER BY at LIMIT 1 FOR UPDATE SKIP LOCKED
) RETURNING practitioner_id, location_id, at
"""
WRITE = """
WITH visit AS (
  INSERT INTO scheduling_appointment (created_at, updated_at, patient_id, service_id, practitioner_id, location_id,
      mode, status, confirmation, starts_at, ends_at, note, visit_date, cancelled_for, cancel_reason)
    VALUES (now(), now(), %(patient)s, %(service)s, %(practitioner)s, %(location)s, 'on_site', 'booked', 'unconfirmed',
      %(at)s, %(at)s + interval '30 minutes', '', %(at)s::date, '', '')
    RETURNING id
), taken AS (
  INSERT INTO scheduling_occupancy (practitioner_id, span, appointment_id)
    SELECT %(practitioner)s, tstzrange(%(at)s, %(at)s + interval '30 minutes'), id FROM visit
), told AS (
  INSERT INTO scheduling_reminder (created_at, updated_at, appointment_id, patient_id, kind, channel_kind, due_at,
      drop_reason, answer)
    SELECT now(), now(), id, %(patient)s, kind, '', due, '', '' FROM visit, (VALUES ('booked', now()),
      ('days_7', %(at)s - interval '7 days'), ('days_2', %(at)s - interval '2 days'),
      ('day_1', %(at)s - interval '1 day')) planned (kind, due) WHERE due >= now()
), head AS (
  UPDATE audit_auditchain SET head_sequence = head_sequence + 1
    WHERE number = (SELECT id %% 32 FROM visit) RETURNING number, head_sequence
)
INSERT INTO audit_auditentry (chain_id, sequence, occurred_at, action, object_type, object_id, patient_id, detail,
    previous_hash, hash)
  SELECT number, head_sequence, now(), 'created', 'appointment', visit.id, %(patient)s, '{}', repeat('0', 64),
    repeat('0', 64) FROM head, visit
"""


def bare() -> Callable[[], bool]:
    """The same work without the product: read what a search reads, claim a slot that was prepared, with SKIP LOCKED,
    and write the rows that a booking writes."""
    from django.db import connection

    from patients.models import Patient
    from scheduling.models import HealthcareService, Practitioner, Schedule
    from scheduling.selectors import openings

    service = HealthcareService.objects.get().pk
    patients = list(Patient.objects.values_list("pk", flat=True))
    schedules, people = (list(model.objects.values_list("pk", flat=True)) for model in (Schedule, Practitioner))
    link = psycopg2.connect(**connection.get_connection_params())
    anybody = {"service": service, "practitioners": None, "locations": None, "languages": None}

    def read(cursor: psycopg2.extensions.cursor, day: datetime) -> None:
        times = {"since": day, "until": day + timedelta(hours=2), "now": day}
        for statement, values in (
            (openings.PATTERNS, anybody),
            (openings.HOURS, {"schedules": schedules, "weekdays": [day.weekday()]}),
            (openings.AWAY, {"practitioners": people, "rooms": [], "locations": []}),
            (openings.TAKEN, {"practitioners": people, "rooms": []}),
        ):
            cursor.execute(statement, times | values)
            cursor.fetchall()

    def work() -> bool:
        day = random_day()
        with link, link.cursor() as cursor:
            read(cursor, day)
            cursor.execute(CLAIM, {"since": day})
            practitioner, location, at = cursor.fetchone()
            given = {"practitioner": practitioner, "location": location, "at": at}
            cursor.execute(WRITE, given | {"service": service, "patient": random.choice(patients)})
        return True

    return work


def random_day() -> datetime:
    """The moment at which some day opens."""
    from django.utils import timezone

    today = timezone.localtime().replace(hour=9, minute=0, second=0, microsecond=0)
    return today + timedelta(days=random.randrange(1, 55))


def product() -> Callable[[], bool]:
    """Search as a patient does and book one of the first times; a time that was taken meanwhile is not counted."""
    from django.utils import timezone

    from patients.models import Patient
    from scheduling.models import HealthcareService
    from scheduling.selectors.openings import Search, find_slots
    from scheduling.services.booking import SlotTaken, Wish, book

    service = HealthcareService.objects.get()
    patients = list(Patient.objects.values_list("pk", flat=True))
    last = timezone.localdate() + timedelta(days=55)

    def work() -> bool:
        search = Search(service, random_day().date(), last)
        slot = random.choice(find_slots(search, now=timezone.now()))
        wish = Wish(service.pk, slot.starts_at, slot.practitioner_id, slot.location_id, slot.room_id)
        try:
            book(actor=None, patient_id=random.choice(patients), wishes=[wish], may_overlap=True)
        except SlotTaken:
            return False
        return True

    return work


def main(seconds: float) -> None:
    """Run until both have had so many seconds; prints how many the bare SQL and the product have done."""
    django.setup()
    works, done = (bare(), product()), [0, 0]
    for work in works:
        work()
    until = time.monotonic() + 2 * seconds
    while time.monotonic() < until:
        turn = int(time.time() / TURN_SECONDS) % 2
        done[turn] += works[turn]()
    print(*done)


if __name__ == "__main__":
    main(float(sys.argv[1]))
