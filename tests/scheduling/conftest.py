"""Patients that write back, and visits they are told about."""

import itertools
from datetime import datetime, timedelta
from importlib import import_module
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from inbox import realtime
from inbox.adapters.events import Address, InboundMessage
from inbox.models import Message
from inbox.services.inbound import receive_message
from inbox.services.outbox import deliver_message
from patients.models import Identifier
from scheduling.models import ExternalCode
from scheduling.services.handing_over import hand_over_due
from scheduling.services.reminders import plan_visit
from tests.factories.patients import PatientFactory
from tests.factories.scheduling import (
    AppointmentFactory,
    LocationFactory,
    PractitionerFactory,
    ScheduleFactory,
    ServiceFactory,
    a_day_at,
)

ZONE = ZoneInfo("America/New_York")
NOON = datetime(2026, 6, 1, 12, tzinfo=ZONE)
NOW = NOON.replace(hour=7)
PHONE = "+13055550123"
_numbers = itertools.count(1)


class FakeProvider:
    """A provider that takes everything; the edge of the network."""

    def send(self, message):
        from inbox.adapters.events import SendResult

        return SendResult(external_id=f"sent-{next(_numbers)}-{message.our_id}", status="sent")


@pytest.fixture
def clock():
    """`clock.move_to(moment)`; it begins on a Monday noon in New York."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def monday():
    """The clock stands at `NOW`, a Monday morning in New York."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def site(db):
    return LocationFactory(name="Brickell", time_zone=ZONE.key)


@pytest.fixture
def provider(monkeypatch):
    import_module("inbox.webhooks")  # which keeps the function that it finds when it is first loaded
    monkeypatch.setattr("inbox.services.providers.adapter_for", lambda name: FakeProvider())


@pytest.fixture
def told(provider):
    """Hand over what is due and let the outbox send it; the texts that left this time."""

    def tell():
        hand_over_due()
        waiting = list(Message.objects.filter(direction="outbound", status="queued").order_by("pk"))
        for message in waiting:
            deliver_message(message.pk)
        rows = Message.objects.filter(pk__in=[one.pk for one in waiting], status="sent")
        return [message.text for message in rows.order_by("pk")]

    return tell


@pytest.fixture
def ana(db):
    return PatientFactory(given_name="Ana", family_name="Prado", language="en", phone=PHONE, time_zone=ZONE.key)


@pytest.fixture
def visit_of(db):
    """`visit_of(patient, days=…, hour=…)` is a booked visit whose reminders are planned."""
    site = LocationFactory(name="Brickell", time_zone=ZONE.key, address="1221 Brickell Plaza")
    service = ServiceFactory(name="Cardiology")
    doctor = PractitionerFactory(name="Dr. Mehrotra", services=[service])

    def make(patient, *, days=10, hour=9, minute=0, is_planned=True, **extra):
        at = (timezone.now().astimezone(ZONE) + timedelta(days=days)).replace(hour=hour, minute=minute)
        extra.setdefault("service", service)
        visit = AppointmentFactory(
            patient=patient, practitioner=PractitionerFactory(name="Dr. Mehrotra", services=[extra["service"]]),
            location=site, starts_at=at, visit_date=at.date(), **extra,
        )  # fmt: skip
        if is_planned:
            plan_visit(visit)
        return visit

    make.doctor = doctor
    return make


@pytest.fixture
def writes():
    """`writes("1", to=channel)` is one inbound message, processed; the interaction it is in."""

    def write(text, *, to, sender=PHONE):
        now, number = timezone.now(), next(_numbers)
        item = InboundMessage(
            provider=to.adapter, external_id=f"in-{number}", channel_kind=to.kind,
            sender=Address("phone", sender, sender), recipient=Address("phone", to.address, to.address),
            text=text, occurred_at=now, kind="text",
        )  # fmt: skip
        with realtime.atomic():
            message = receive_message(item, received_at=now)
        return message.interaction

    return write


@pytest.fixture
def ward(db):
    """One practitioner with one service at one site, known to the hospital by codes, and one patient."""
    service, site = ServiceFactory(), LocationFactory(time_zone=ZONE.key)
    doctor = PractitionerFactory(services=[service])
    ScheduleFactory(practitioner=doctor, location=site)
    ExternalCode.objects.create(source="HIS", value="D1", practitioner=doctor)
    patient = PatientFactory(birth_date="1992-05-06")
    Identifier.objects.create(patient=patient, system="HIS", value="P123", raw="P-123")
    patient.doctor = doctor
    return patient


@pytest.fixture
def siu_message():
    """`siu_message(event, hour, number, …)`: a hospital's message about a visit at that hour in some days."""
    numbers = itertools.count(1)

    def write(event="S12", hour=10, number="", days=3, **words):
        at = a_day_at(hour, ZONE, days=days).strftime("%Y%m%d%H%M%S")
        given = {"visit": "V-1", "patient": "P-123", "born": "19920506", "doctor": "D1", "note": ""} | words
        return "\r".join([
            f"MSH|^~\\&|HIS|MAIN|CONTINUO|A|{timezone.now():%Y%m%d%H%M%S}||SIU^{event}^SIU_S12"
            f"|{number or f'M{next(numbers)}'}|P|2.5.1||||||UNICODE UTF-8",
            f"SCH||{given['visit']}^HIS||||^Ward round|||||^^30^{at}||||||||||||||Booked",
            f"PID|||{given['patient']}^^^HIS^MR||DOE^JANE||{given['born']}|F",
            "RGS|1", f"AIP|1||{given['doctor']}^DOE^HIS", f"NTE|||{given['note']}",
        ]).encode()  # fmt: skip

    return write
