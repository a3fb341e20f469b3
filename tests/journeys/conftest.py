"""One stack per test process, shared by every story; each story brings people of its own."""

import itertools
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.utils import timezone

from contact_center.accounts.enums import Role
from contact_center.simulator.demo_content import TEXTS, content_sid
from inbox.enums import ChannelKind, FieldRole, FieldType
from inbox.models import Interaction
from tests.factories.accounts import TeamFactory, UserFactory
from tests.factories.inbox import (
    ChannelFactory,
    DispositionFactory,
    FormFieldFactory,
    MessageTemplateFactory,
    QueueFactory,
    ReasonFactory,
    WebFormFactory,
)
from tests.factories.patients import PatientFactory
from tests.factories.scheduling import (
    LocationFactory,
    PractitionerFactory,
    RulesFactory,
    ScheduleFactory,
    ServiceFactory,
)
from tests.factories.voice import MenuOptionFactory, VoiceLineFactory
from tests.journeys.people import Phone, Staff
from tests.journeys.stack import Stack, database_of_the_stack, orm_on
from tests.simulator.fixtures import wait_for

NUMBERS = itertools.count(1)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The stack copies the test database, so whoever uses it needs one to be made."""
    for item in items:
        if "stack" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.django_db)


@pytest.fixture(scope="session")
def running_stack(django_db_setup, django_db_blocker) -> Iterator[Stack]:
    """Every program, started once; ends with the session and leaves nothing behind."""
    with (
        django_db_blocker.unblock(),
        database_of_the_stack() as name,
        tempfile.TemporaryDirectory(prefix="stack-") as folder,
    ):
        stack = Stack(Path(folder), name)
        try:
            with orm_on(name):
                stack.clinic = set_up_clinic()
                stack.start()
            stack.simulator.set_delays(queued=0.0, sent=0.05, delivered=0.2, read=0.6)
            yield stack
        finally:
            stack.end()


def set_up_clinic() -> SimpleNamespace:
    """Teams, queues, channels, words and a form of a small clinic."""
    front, partner, apart = (
        TeamFactory(name="Front desk", slug="front-desk"),
        TeamFactory(name="Night partner", slug="night-partner", is_partner=True),
        TeamFactory(name="Billing", slug="billing"),
    )
    general = QueueFactory(name="General", slug="general", teams=[front, partner])
    sms = ChannelFactory(name="Clinic SMS", kind=ChannelKind.SMS, address="+15005550100", queue=general)
    whatsapp = ChannelFactory(name="Clinic WhatsApp", kind=ChannelKind.WHATSAPP, address="+15005550199", queue=general)
    email = ChannelFactory(name="Clinic mail", kind=ChannelKind.EMAIL, address="care@aurora.example", queue=general)
    line = ChannelFactory(name="Main line", kind=ChannelKind.VOICE, address="+15005550111", queue=general)
    voice = VoiceLineFactory(channel=line, languages=["en"], recording="announce", transcribes=True)
    reason = ReasonFactory(name="Appointment", code="appointment")
    MenuOptionFactory(line=voice, key="9", labels={"en": "appointments"}, queue=general, reason=reason)
    forms = ChannelFactory(name="Clinic forms", kind=ChannelKind.FORM, address="forms", queue=general)
    form = WebFormFactory(
        slug="question", title="Ask a question", channel=forms, receipt_text="We answer within a day."
    )
    for position, (key, label, kind, role) in enumerate(FORM_FIELDS):
        FormFieldFactory(form=form, key=key, label=label, type=kind, role=role, position=position, is_required=True)
    text = TEXTS["we_have_your_answer"]["en"]
    template = MessageTemplateFactory(
        name="we_have_your_answer",
        body=text,
        external_id=content_sid("we_have_your_answer", "en"),
        variables=[{"key": "1", "label": "First name", "type": "text"}, {"key": "2", "label": "Who", "type": "text"}],
    )
    return SimpleNamespace(
        front=front,
        partner=partner,
        apart=apart,
        general=general,
        sms=sms,
        whatsapp=whatsapp,
        email=email,
        form=form,
        template=template,
        reason=reason,
        sensitive=ReasonFactory(name="Fertility", code="fertility", is_sensitive=True),
        resolved=DispositionFactory(name="Answered", code="answered", is_resolved=True),
        open=DispositionFactory(name="To be followed up", code="follow-up", is_resolved=False),
        supervisor=UserFactory(email="supervisor@stack.test", role=Role.SUPERVISOR),
    )


FORM_FIELDS = (
    ("name", "Given name", FieldType.TEXT, FieldRole.GIVEN_NAME),
    ("email", "E-mail", FieldType.EMAIL, FieldRole.EMAIL),
    ("question", "Your question", FieldType.TEXTAREA, FieldRole.MESSAGE),
)


@pytest.fixture
def stack(running_stack, django_db_blocker) -> Iterator[Stack]:
    """The running stack, and the ORM of the test upon its database."""
    with django_db_blocker.unblock(), orm_on(running_stack.database):
        yield running_stack


@pytest.fixture
def clinic(stack) -> SimpleNamespace:
    """The clinic that every story shares."""
    return stack.clinic


@pytest.fixture
def hire(stack):
    """`hire()` is a new agent of the front desk, signed in; `role=` and `teams=` say otherwise."""

    def make(role: Role = Role.AGENT, teams=None, **names: str) -> Staff:
        teams = [stack.clinic.front] if teams is None else teams
        return Staff(stack, UserFactory(email=f"staff{next(NUMBERS)}@stack.test", role=role, teams=teams, **names))

    return make


@pytest.fixture
def lead(stack) -> Staff:
    """The supervisor, signed in."""
    return Staff(stack, stack.clinic.supervisor)


@pytest.fixture
def somebody(stack):
    """`somebody()` has a phone and a mailbox that no other story uses."""

    def make(name: str = "Lucía Pérez") -> Phone:
        number = next(NUMBERS)
        return Phone(stack, f"+1305555{number:04d}", name, f"patient{number}@mail.example")

    return make


@pytest.fixture
def interaction_of(stack):
    """`interaction_of(address)` waits for the only interaction of an address, and for so many `messages` in it."""

    def find(address: str, messages: int = 1, **more) -> Interaction:
        def found():
            rows = list(Interaction.objects.filter(contact_value=address, **more))
            if len(rows) != 1 or rows[0].messages.count() < messages:
                return None
            rows[0].refresh_from_db()  # as it stands once the last of these messages was stored
            return rows

        return wait_for(found)[0]

    return find


@pytest.fixture
def late_row(somebody, interaction_of):
    """A WhatsApp conversation whose patient last wrote 25 hours ago."""
    patient = somebody()
    patient.write("Are you there?")
    row = interaction_of(patient.number)
    long_ago = timezone.now() - timedelta(hours=25)
    row.messages.update(occurred_at=long_ago)
    Interaction.objects.filter(pk=row.pk).update(last_inbound_at=long_ago)
    row.patient_phone = patient
    return row


@pytest.fixture
def practice(stack, somebody):
    """A practitioner whose visits patients book, in a zone where it is eleven now, so that nothing waits for a night's
    end; `practice.patient(name)` is the phone of a new patient who lives there."""
    zone = f"Etc/GMT{datetime.now(UTC).hour - 11:+d}"
    service = ServiceFactory(name=f"Cardiology {next(NUMBERS)}", is_public=True, preparation={"en": "Bring images."})
    site = LocationFactory(time_zone=zone)
    doctor = PractitionerFactory(name="Dr. Mehrotra", services=[service])
    ScheduleFactory(practitioner=doctor, location=site)
    RulesFactory(service=service, group_size=3)

    def patient(given_name: str) -> Phone:
        phone = somebody(f"{given_name} Prado")
        phone.patient = PatientFactory(
            given_name=given_name, family_name="Prado", birth_date="1967-03-14", phone=phone.number, time_zone=zone,
            language="en", preferred_channel="sms",
        )  # fmt: skip
        return phone

    return SimpleNamespace(zone=zone, service=service, site=site, doctor=doctor, patient=patient)
