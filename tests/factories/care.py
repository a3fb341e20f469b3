"""Alerts, programs and what else is known or expected of patients."""

from datetime import timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from patients.enums import AlertKind, PendingKind
from patients.models import (
    Alert,
    BreakGlass,
    CareProgram,
    Coverage,
    LifeEvent,
    PendingResult,
    ProgramEnrolment,
    ProgramStep,
)
from tests.factories.accounts import UserFactory
from tests.factories.patients import PatientFactory


class AlertFactory(DjangoModelFactory):
    class Meta:
        model = Alert

    patient = factory.SubFactory(PatientFactory)
    kind = AlertKind.SAFETY
    text = "Hard of hearing on the left"


class CareProgramFactory(DjangoModelFactory):
    """A program; `steps=["Call", "Visit"]` are due 7 days after one another."""

    class Meta:
        model = CareProgram
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Diabetes follow-up {n}")

    @factory.post_generation
    def steps(self, create, extracted, **kwargs):
        for position, title in enumerate(extracted or ["First call", "Visit", "Last call"], start=1):
            ProgramStep.objects.create(program=self, position=position, title=title, days=7)


class EnrolmentFactory(DjangoModelFactory):
    class Meta:
        model = ProgramEnrolment

    patient = factory.SubFactory(PatientFactory)
    program = factory.SubFactory(CareProgramFactory)
    step = factory.LazyAttribute(lambda made: made.program.steps.first())
    step_due_date = factory.LazyFunction(lambda: timezone.localdate() + timedelta(days=7))


class PendingResultFactory(DjangoModelFactory):
    class Meta:
        model = PendingResult

    patient = factory.SubFactory(PatientFactory)
    kind = PendingKind.RESULT
    title = "Blood count"
    expected_date = factory.LazyFunction(lambda: timezone.localdate() + timedelta(days=3))


class CoverageFactory(DjangoModelFactory):
    class Meta:
        model = Coverage

    patient = factory.SubFactory(PatientFactory)
    payer = "Sunshine Health"
    member_number = "M-1"


class LifeEventFactory(DjangoModelFactory):
    class Meta:
        model = LifeEvent

    patient = factory.SubFactory(PatientFactory)
    text = "Her sister died in spring"


class BreakGlassFactory(DjangoModelFactory):
    class Meta:
        model = BreakGlass

    user = factory.SubFactory(UserFactory)
    patient = factory.SubFactory(PatientFactory, sensitivity="vip")
    reason = "Called about her results"
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(hours=1))
