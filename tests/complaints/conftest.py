"""A conversation of a patient whom the front desk serves."""

import pytest

from tests.factories.inbox import InteractionFactory
from tests.factories.patients import PatientFactory


@pytest.fixture
def patient(db):
    return PatientFactory(given_name="Vera", family_name="Molina")


@pytest.fixture
def talk(patient, sms_channel, agent):
    return InteractionFactory(channel=sms_channel, patient=patient, owner=agent)
