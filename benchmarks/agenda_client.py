"""One of the clients of `agenda`: books as fast as it can for some seconds and prints how many it booked."""

import random
import sys
import time
from collections.abc import Callable
from datetime import timedelta

import django

BARE = """
WITH taken AS (
  UPDATE bench_slot SET is_free = false WHERE id = (
    SELECT id FROM bench_slot WHERE is_free ORDER BY at LIMIT 1 FOR UPDATE SKIP LOCKED
  ) RETURNING practitioner_id, at
)
INSERT INTO scheduling_appointment (created_at, updated_at, patient_id, service_id, practitioner_id, location_id, mode,
    status, confirmation, starts_at, ends_at, note, visit_date, cancelled_for, cancel_reason)
  SELECT now(), now(), (SELECT min(id) FROM patients_patient), (SELECT min(id) FROM scheduling_healthcareservice),
    practitioner_id, (SELECT min(id) FROM scheduling_location), 'on_site', 'booked', 'unconfirmed', at,
    at + interval '30 minutes', '', at::date, '', ''
  FROM taken
"""


def bare() -> Callable[[], bool]:
    """Claim a prepared slot and insert the visit, nothing else."""
    from django.db import connection, transaction

    def work() -> bool:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(BARE)
            return bool(cursor.rowcount)

    return work


def product() -> Callable[[], bool]:
    """Search as a patient does and book one of the first times; a time that was taken meanwhile is not counted."""
    from django.utils import timezone

    from patients.models import Patient
    from scheduling.models import HealthcareService
    from scheduling.selectors.openings import Search, find_slots
    from scheduling.services.booking import SlotTaken, Wish, book

    service = HealthcareService.objects.get()
    patients = list(Patient.objects.values_list("pk", flat=True))
    first, last = timezone.localdate() + timedelta(days=1), timezone.localdate() + timedelta(days=55)

    def work() -> bool:
        day = first + timedelta(days=random.randrange((last - first).days))
        search = Search(service, day, last)
        slot = random.choice(find_slots(search, now=timezone.now()))
        wish = Wish(service.pk, slot.starts_at, slot.practitioner_id, slot.location_id, slot.room_id)
        try:
            book(actor=None, patient_id=random.choice(patients), wishes=[wish], may_overlap=True)
        except SlotTaken:
            return False
        return True

    return work


def main(kind: str, seconds: float) -> None:
    """Run until the time is over."""
    django.setup()
    work = {"bare": bare, "product": product}[kind]()
    done, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        done += work()
    print(done)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
