"""Many book the same time at once, and two times in opposite order: one wins, nobody waits in a circle."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

import pytest
from django.db import OperationalError, connection

from scheduling.models import Appointment, Occupancy
from scheduling.services.booking import SlotTaken, Wish, book
from tests.factories.patients import PatientFactory
from tests.factories.scheduling import LocationFactory, PractitionerFactory, ScheduleFactory, ServiceFactory, a_day_at

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
ZONE = ZoneInfo("America/New_York")
AT_ONCE = 100


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
