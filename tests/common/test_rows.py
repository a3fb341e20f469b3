"""Many rows written with one statement, as `bulk_create` and `bulk_update` would have written them."""

from datetime import date

import pytest
from django.db import DataError, IntegrityError, transaction

from contact_center.common.rows import insert_rows, update_rows
from patients.models import Patient, PatientImportRow
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db


def test_rows_are_inserted_in_order_with_their_ids(django_assert_num_queries):
    made = [Patient(mrn=f"R{number}", given_name="Ana", family_name=f"Né {number}") for number in range(3)]
    with django_assert_num_queries(1):
        insert_rows(made)
    stored = [Patient.objects.get(pk=one.pk) for one in made]
    assert [(one.mrn, one.search_name, one.access_needs) for one in stored] == [
        ("R0", "ana ne 0", []), ("R1", "ana ne 1", []), ("R2", "ana ne 2", []),
    ]  # fmt: skip
    assert all(one.created_at and not one._state.adding for one in made)


def test_one_row_that_may_not_stand_keeps_all_out():
    PatientFactory(mrn="TAKEN")
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_rows([Patient(mrn="FREE", given_name="A", family_name="B"), Patient(mrn="TAKEN", given_name="A")])
    assert list(Patient.objects.values_list("mrn", flat=True)) == ["TAKEN"]


def test_named_fields_of_many_rows_are_written_and_no_others(django_assert_num_queries):
    one, other, third = PatientFactory(access_needs=["hearing"]), PatientFactory(), PatientFactory()
    before = other.updated_at
    for patient in (one, other):
        patient.given_name, patient.language, patient.access_needs = "100 % 'Ana'", "es", []
        patient.birth_date, patient.merged_into = None, None
    one.birth_date, other.merged_into = date(1984, 3, 9), third
    with django_assert_num_queries(1):
        update_rows([one, other], "given_name", "birth_date", "merged_into", "access_needs")
    columns = ("given_name", "birth_date", "merged_into", "access_needs", "language")
    rows = dict(
        zip(
            (one.pk, other.pk),
            Patient.objects.filter(pk__in=[one.pk, other.pk]).order_by("pk").values_list(*columns),
            strict=True,
        )
    )
    assert rows == {
        one.pk: ("100 % 'Ana'", date(1984, 3, 9), None, [], "en"),
        other.pk: ("100 % 'Ana'", None, third.pk, [], "en"),
    }
    other.refresh_from_db()
    assert other.updated_at > before


def test_a_value_that_is_too_long_is_refused_and_not_cut():
    patient = PatientFactory(mrn="SHORT")
    patient.mrn = "M" * 33
    with pytest.raises(DataError), transaction.atomic():
        update_rows([patient], "mrn")
    patient.refresh_from_db()
    assert patient.mrn == "SHORT"


def test_nothing_is_written_for_no_rows(django_assert_num_queries):
    with django_assert_num_queries(0):
        insert_rows([])
        update_rows([], "mrn")
    assert not PatientImportRow.objects.exists()
