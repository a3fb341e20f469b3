"""Reminders across changes of the clocks, outages and killed workers: each exactly once, none in the night."""

import heapq
import itertools
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from inbox.adapters.events import SendResult
from inbox.gate import quiet_until
from inbox.models import Message, OptOut
from inbox.services.ledger import drain_ledger
from inbox.services.outbox import deliver_message
from scheduling.models import Appointment, Reminder
from scheduling.services.handing_over import hand_over_due
from scheduling.services.reminders import plan_missing, plan_visit
from tests.factories.inbox import ChannelFactory
from tests.factories.patients import PatientFactory
from tests.factories.scheduling import LocationFactory, PractitionerFactory, ServiceFactory
from tests.faults.crash import die_within
from tests.faults.lab import race
from tests.faults.test_outbox import store_inbound
from tests.scheduling.test_reminders import ZONES

pytestmark = pytest.mark.fault
BOOKED_BEFORE = timedelta(days=20)
_ids = itertools.count(1)


class Takes:
    def send(self, message):
        return SendResult(external_id=f"sent-{next(_ids)}", status="sent")


@pytest.fixture
def agenda(db):
    """`agenda(zone, at)` is a booked visit at that local time, of a patient who lives there."""
    channel, service, doctor = ChannelFactory(), ServiceFactory(), PractitionerFactory()
    sites = {zone: LocationFactory(time_zone=zone) for zone in ZONES}

    def make(zone, at):
        starts_at = at.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        number = next(_ids)
        patient = PatientFactory(phone=f"+1305{number:07d}", time_zone=zone)
        made = Appointment(
            patient=patient, service=service, practitioner=doctor, location=sites[zone], starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=30), visit_date=at.date(),
        )  # fmt: skip
        made.save()
        return made

    make.channel = channel
    return make


def days_after_changes(zone, year):
    """The days of this year after which the clock of the zone shows another offset, and the day after a leap day."""
    days = [datetime(year, 1, 1, 9) + timedelta(days=number) for number in range(2, 360)]
    offset = [day.replace(hour=12, tzinfo=ZoneInfo(zone)).utcoffset() for day in days]
    changed = [day for day, before, after in zip(days[1:], offset, offset[1:], strict=False) if before != after]
    return [*changed, datetime(year, 3, 1, 9)]


def test_C7_across_changes_of_the_clocks_each_is_told_once_and_none_at_night(agenda, monkeypatch):
    monkeypatch.setattr("inbox.services.providers.adapter_for", lambda name: Takes())
    events, order, late = [], itertools.count(), []
    visits = [(zone, day) for zone in ZONES for day in days_after_changes(zone, 2028)]
    for zone, day in visits:
        booked_at = day.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) - BOOKED_BEFORE
        heapq.heappush(events, (booked_at, next(order), partial(agenda, zone, day)))
    with time_machine.travel(events[0][0], tick=False) as clock:
        while events:
            at, _number, book = heapq.heappop(events)
            clock.move_to(at + timedelta(seconds=30))
            if book is not None:
                for row in plan_visit(book()):
                    heapq.heappush(events, (row.due_at, next(order), None))
            hand_over_due()
            for pk in Message.objects.filter(status="queued").values_list("pk", flat=True):
                deliver_message(pk)
    told = Counter(Reminder.objects.filter(message__status="sent").values_list("appointment_id", "kind"))
    for row in Reminder.objects.select_related("message", "patient"):
        if quiet_until(row.message.sent_at, row.patient.time_zone):
            late.append((row.patient.time_zone, row.kind, row.message.sent_at))
    twice = {key: times for key, times in told.items() if times != 1}
    print(
        f"C7: {len(visits)} visits in {len(ZONES)} zones around changes of the clocks and a leap day:"
        f" {sum(told.values())} of {len(visits) * 4} told, {len(twice)} more than once, {len(late)} in quiet hours"
    )
    assert (sum(told.values()), twice, late) == (len(visits) * 4, {}, [])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kills", [5, pytest.param(50, marks=[pytest.mark.slow, pytest.mark.timeout(600)])])
def test_C7_killed_while_handing_over_nothing_is_missed_and_nothing_doubled(kills):
    ChannelFactory()
    service, doctor, site = ServiceFactory(), PractitionerFactory(), LocationFactory(time_zone="UTC")
    count = 8 * kills
    noon = timezone.now().astimezone(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    tomorrow = noon + timedelta(days=1)
    for number in range(count):
        Appointment.objects.create(
            patient=PatientFactory(phone=f"+1786{number:07d}", time_zone="UTC"), service=service, location=site,
            practitioner=doctor, starts_at=tomorrow, ends_at=tomorrow + timedelta(hours=1), visit_date=tomorrow.date(),
        )  # fmt: skip
    with time_machine.travel(noon - timedelta(days=3), tick=False):
        plan_missing()
    chance, struck = random.Random(7), 0
    work = partial(hand_over_due, batch=3)
    with time_machine.travel(noon, tick=True):
        for _ in range(kills):
            struck += die_within(work, chance.randint(1, 60), is_after=bool(chance.getrandbits(1)))
        while hand_over_due():
            pass
    told = Counter(Reminder.objects.filter(handed_at__isnull=False).values_list("appointment_id", flat=True))
    missed = count - len(told)
    doubled = Message.objects.count() - sum(told.values())
    print(f"C7: {count} reminders, killed {struck} times while handing over: {missed} missed, {doubled} doubled")
    assert (missed, doubled, set(told.values())) == (0, 0, {1})
    assert struck > kills // 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rounds", [8, pytest.param(100, marks=pytest.mark.slow)])
def test_W8_no_reminder_leaves_after_a_stop_was_stored(rounds, sms_channel, monkeypatch):
    monkeypatch.setattr("inbox.services.providers.adapter_for", lambda name: Takes())
    service, doctor, site = ServiceFactory(), PractitionerFactory(), LocationFactory(time_zone="UTC")
    tomorrow = timezone.now().astimezone(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=1)
    late, sent, waiting = [], 0, []

    def tell():
        hand_over_due()
        for pk in Message.objects.filter(status="queued", purpose="reminders").values_list("pk", flat=True):
            deliver_message(pk)

    with time_machine.travel(tomorrow - timedelta(days=1), tick=True):
        for number in range(rounds):
            address = f"+1786558{number:04d}"
            visit = Appointment.objects.create(
                patient=PatientFactory(phone=address, time_zone="UTC"), service=service, location=site,
                practitioner=doctor, starts_at=tomorrow, ends_at=tomorrow + timedelta(hours=1),
                visit_date=tomorrow.date(),
            )  # fmt: skip
            plan_visit(visit)
            store_inbound(address, 1000 + number)
            if number % 2:  # else the reminder is not even in the outbox yet
                hand_over_due()
                waiting += Message.objects.filter(address=address, status="queued").values_list("address", flat=True)
            race(tell, drain_ledger)
            drain_ledger()
            tell()
            stored_at = OptOut.objects.get(address=address).started_at
            left = Message.objects.filter(address=address, purpose="reminders", sent_at__isnull=False)
            sent += left.count()
            late += left.filter(sent_at__gt=stored_at).values_list("pk", "sent_at")
    print(f"W8: {rounds} races of a reminder and STOP: {sent} left before, {len(late)} after STOP was stored")
    assert (late, set(waiting)) == ([], {f"+1786558{number:04d}" for number in range(1, rounds, 2)})
