"""Complaints."""

from datetime import timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from complaints.models import Complaint
from tests.factories.accounts import UserFactory
from tests.factories.patients import PatientFactory


class ComplaintFactory(DjangoModelFactory):
    """A complaint that was just received, to be acknowledged in three days by a supervisor who registered it."""

    class Meta:
        model = Complaint

    reference = factory.Sequence(lambda n: f"Q-{n:07d}")
    patient = factory.SubFactory(PatientFactory)
    received_by = "voice"
    category = "communication"
    status = "received"
    words = "Two people told me two things"
    registered_by = factory.SubFactory(UserFactory, role="supervisor")
    owner = factory.SelfAttribute("registered_by")
    next_step = "Acknowledge the complaint"
    next_step_date = factory.LazyFunction(lambda: timezone.localdate() + timedelta(days=3))
    acknowledge_by_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=3))
    closed_at = factory.LazyAttribute(lambda row: timezone.now() if row.status in ("closed", "withdrawn") else None)
