"""Many book the same time or day at once, and two times in opposite order: one wins, nobody waits in a circle."""

import os
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import OperationalError, connection

from contact_center.common.errors import Refused
from scheduling.models import Appointment, Occupancy, Reminder
from scheduling.services.booking import SlotTaken, Wish, book
from scheduling.services.handing_over import hand_over_due
from tests.factories.inbox import ChannelFactory
from tests.factories.patients import PatientFactory
from tests.factories.scheduling import LocationFactory, PractitionerFactory, ScheduleFactory, ServiceFactory, a_day_at

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
ZONE = ZoneInfo("America/New_York")
AT_ONCE = 100
PROCESSES = 8
OVERLAPS = """
SELECT count(*) FROM scheduling_appointment a JOIN scheduling_appointment b ON a.id < b.id
  AND a.practitioner_id = b.practitioner_id AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at
"""


@pytest.fixture
def wish():
    service, site = ServiceFactory(), LocationFactory(time_zone=ZONE.key)
    doctors = [PractitionerFactory(services=[service]) for _ in range(2)]
    for doctor in doctors:
        ScheduleFactory(practitioner=doctor, location=site)

    def make(doctor=0, hour=10):
        return Wish(service.pk, a_day_at(hour, ZONE), doctors[doctor].pk, site.pk)

    return make


def try_to_book(patient_id, wishes):
    try:
        book(actor=None, patient_id=patient_id, wishes=wishes, may_overlap=True)
    except SlotTaken:
        return "conflict"
    except OperationalError as error:
        return f"shown: {getattr(error.__cause__, 'pgcode', '')}"
    finally:
        connection.close()
    return "booked"


def test_D1_a_hundred_book_one_time_and_one_gets_it(wish):
    patients = [PatientFactory().pk for _ in range(AT_ONCE)]
    together = threading.Barrier(25)

    def one(patient_id):
        together.wait(60)
        return try_to_book(patient_id, [wish()])

    with ThreadPoolExecutor(25) as pool:
        outcome = Counter(pool.map(one, patients))
    print(f"D1: {AT_ONCE} bookings of one time: {dict(outcome)}")
    assert (dict(outcome), Appointment.objects.count()) == ({"booked": 1, "conflict": AT_ONCE - 1}, 1)


@pytest.mark.parametrize("rounds", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_D1_two_times_in_opposite_order_show_no_deadlock(wish, rounds):
    patients = [PatientFactory().pk for _ in range(2)]
    orders = ([wish(0), wish(1)], [wish(1), wish(0)])
    outcome: Counter[str] = Counter()
    with ThreadPoolExecutor(2) as pool:
        for _ in range(rounds):
            outcome.update(pool.map(try_to_book, patients, orders))
            Occupancy.objects.all().delete()
            Appointment.objects.all().delete()
    print(f"D1: two times in opposite order {rounds} times: {dict(outcome)}")
    assert dict(outcome) == {"booked": rounds, "conflict": rounds}


def in_processes(work, count):
    """Run `work(number)` in so many processes at once; each must end well."""
    children = []
    for number in range(count):
        pid = os.fork()
        if pid == 0:
            # The parent's session must not be ended or used by the child: it forgets the socket and opens its own.
            connection.connection = None
            status = 1
            try:
                work(number)
                status = 0
            finally:
                os._exit(status)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * count


def book_at_random(patients, doctors, site, service, bookings, said):
    """Book visits of half an hour that begin every quarter of one day; the keys of those that were confirmed to us."""
    chance = random.Random(os.getpid())
    day = a_day_at(9, ZONE)
    with said.open("w") as answers:
        for _ in range(bookings):
            key, at = uuid4(), day + timedelta(minutes=15 * chance.randrange(31))
            wish = Wish(service, at, chance.choice(doctors), site, key=key)
            try:
                book(actor=None, patient_id=chance.choice(patients), wishes=[wish])
                print(f"booked {key}", file=answers)
            except (SlotTaken, Refused) as error:
                print(type(error).__name__, file=answers)


@pytest.mark.parametrize("each", [12, pytest.param(1000, marks=[pytest.mark.slow, pytest.mark.timeout(1500)])])
def test_D1_eight_processes_book_one_day_and_no_time_goes_twice_and_no_confirmation_is_lost(each, tmp_path):
    ChannelFactory()
    service, site = ServiceFactory(step_minutes=15), LocationFactory(time_zone=ZONE.key)
    doctors = [PractitionerFactory(services=[service]) for _ in range(each // 3)]
    for doctor in doctors:
        ScheduleFactory(practitioner=doctor, location=site)
    with time_machine.travel(a_day_at(12, ZONE, days=0), tick=True):
        patients = [
            PatientFactory(phone=f"+1786{number:07d}", time_zone=ZONE.key).pk for number in range(PROCESSES * each // 4)
        ]
        answers = [tmp_path / str(number) for number in range(PROCESSES)]
        in_processes(
            lambda number: book_at_random(
                patients, [one.pk for one in doctors], site.pk, service.pk, each, answers[number]
            ),
            PROCESSES,
        )
        while hand_over_due(most_waiting=None):
            pass
    said = [line.split() for path in answers for line in Path(path).read_text().splitlines()]
    outcome = Counter(words[0] for words in said)
    confirmed = {UUID(words[1]) for words in said if words[0] == "booked"}
    told = Reminder.objects.filter(kind="booked", message__isnull=False)
    lost = confirmed - set(told.values_list("appointment__booking_key", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(OVERLAPS)
        doubled = cursor.fetchone()[0]
    print(
        f"D1: {PROCESSES} processes x {each} bookings of one day: {dict(outcome)},"
        f" {doubled} double bookings, {len(lost)} lost confirmations"
    )
    assert (sum(outcome.values()), doubled, lost) == (PROCESSES * each, 0, set())
    assert outcome["booked"] == len(confirmed) == Appointment.objects.count() == Occupancy.objects.count()
    assert outcome["SlotTaken"] > each
