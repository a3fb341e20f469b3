"""A receipt says when we open again, in the patient's own language and zone, and why we are closed."""

from datetime import UTC, datetime

import pytest
import time_machine

from inbox.enums import MessagePurpose
from inbox.models import ForcedClosure
from inbox.selectors.hours import forget_setup
from inbox.services.webforms import submit_form
from patients.models import ContactPoint
from tests.factories.hours import CalendarDayFactory, CalendarFactory
from tests.factories.inbox import FormFieldFactory, WebFormFactory
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 3, 2, 15, tzinfo=UTC)
SATURDAY = datetime(2026, 3, 7, 15, tzinfo=UTC)


@pytest.fixture
def receipt(queue, form_channel, email_channel):
    """`receipt(at)` is what a patient from Lisbon who writes Spanish is told at that moment."""
    queue.calendar = CalendarFactory()
    queue.save()
    form = WebFormFactory(channel=form_channel, language="es")
    FormFieldFactory(form=form, key="mail", role="email")
    FormFieldFactory(form=form, key="family", role="family_name")
    patient = PatientFactory(family_name="Quispe", language="es", time_zone="Europe/Lisbon")
    ContactPoint.objects.create(patient=patient, scheme="email", value="ana@example.org", raw="ana@example.org")

    def told(at):
        forget_setup()
        with time_machine.travel(at, tick=False):
            made = submit_form(form=form, answers={"mail": "ana@example.org", "family": "Quispe"}, nonce=str(at))
        return made.interaction.messages.get(purpose=MessagePurpose.RECEIPT).text

    return told


def test_nothing_is_said_of_hours_while_we_are_open(receipt):
    assert receipt(MONDAY).rstrip(".").split()[-1].startswith("F-")


def test_the_next_opening_stands_in_the_patients_language_and_zone(receipt):
    assert "lunes 9 de marzo, 13:00" in receipt(SATURDAY)  # nine in New York, which has put its clocks forward


def test_a_closure_says_its_message_and_no_time_without_an_end(receipt, queue):
    ForcedClosure.objects.create(calendar=queue.calendar, from_at=MONDAY, messages={"en": "Storm.", "es": "Tormenta."})
    assert receipt(MONDAY).endswith("Tormenta.")


def test_a_day_of_its_own_says_its_message_in_english_where_there_is_no_other(receipt, queue):
    CalendarDayFactory(calendar=queue.calendar, date=MONDAY.date(), messages={"en": "We train today."})
    said = receipt(MONDAY)
    assert "We train today." in said
    assert "martes 3 de marzo, 14:00" in said


def test_a_queue_without_calendar_is_always_open(receipt, queue):
    queue.calendar = None
    queue.save()
    assert "marzo" not in receipt(SATURDAY)
