"""Seeding an empty database: repeatable, all or nothing, and never over somebody's data."""

import pytest
from django.core.management import CommandError, call_command

from contact_center.accounts.models import User
from contact_center.aurora import seeding
from inbox.models import Case, Interaction, Message
from patients.models import ContactPoint, Patient
from tests.factories.patients import PatientFactory


@pytest.fixture(autouse=True)
def _own_data_dir(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "data"


def _rows():
    """Everything but times."""
    return (
        list(Patient.objects.order_by("id").values_list("mrn", "given_name", "family_name", "birth_date", "language")),
        list(ContactPoint.objects.order_by("id").values_list("patient_id", "scheme", "value")),
        list(
            Interaction.objects.order_by("id").values_list(
                "channel_kind", "status", "patient_id", "owner_id", "snippet"
            )
        ),
        list(Message.objects.order_by("id").values_list("interaction_id", "public_id", "direction", "status", "text")),
        list(Case.objects.order_by("id").values_list("reference", "patient_id", "owner_id", "title")),
    )


def test_the_same_number_makes_the_same_rows_and_another_one_others(db, time_machine):
    seeding.empty()
    time_machine.move_to("2026-03-02 15:00Z", tick=False)
    seeding.seed(patients=24, number=7)
    first = _rows()
    seeding.empty()
    time_machine.move_to("2026-07-19 04:30Z", tick=False)
    seeding.seed(patients=24, number=7)
    assert _rows() == first
    seeding.empty()
    seeding.seed(patients=24, number=8)
    assert _rows()[0] != first[0]


def test_a_database_with_other_patients_is_left_alone(db):
    PatientFactory()
    with pytest.raises(CommandError, match="not the demo clinic's"):
        call_command("seed", "--scale", "50")
    assert (Patient.objects.count(), User.objects.count()) == (1, 0)


def test_an_interrupted_run_leaves_nothing(db, monkeypatch):
    monkeypatch.setattr(seeding.audits, "write", lambda now: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        seeding.seed(patients=40, number=7)
    assert (Patient.objects.count(), Message.objects.count(), User.objects.count()) == (0, 0, 0)
