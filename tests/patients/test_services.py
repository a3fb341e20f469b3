"""Changing patients leaves a true record and a true trail."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone

from contact_center.audit.enums import AuditAction
from contact_center.audit.models import AuditEntry
from contact_center.audit.services import verify
from patients import signals
from patients.enums import ConsentPurpose, ConsentStatus, ContactScheme, Relation
from patients.models import Consent, ContactPoint, Patient
from patients.services import addresses, consents, family, records
from patients.services.addresses import NewAddress
from tests.factories.patients import ContactPointFactory, PatientFactory


def trail():
    """Every audit entry so far, as (who, what, of what kind, which, whose)."""
    fields = ("actor_id", "action", "object_type", "object_id", "patient_id")
    return list(AuditEntry.objects.order_by("id").values_list(*fields))


def test_a_new_patient_has_a_number_addresses_and_one_entry(agent):
    patient = records.create_patient(
        actor=agent,
        given_name=" Ana ",
        family_name="Souza",
        birth_date=date(1980, 2, 29),
        addresses=[
            NewAddress(ContactScheme.PHONE, "(305) 555-0123"),
            NewAddress(ContactScheme.EMAIL, "Ana@Example.org"),
        ],
    )
    patient.refresh_from_db()
    assert (patient.full_name, patient.search_name, patient.mrn[0]) == ("Ana Souza", "ana souza", "P")
    points = patient.contact_points.values_list("scheme", "value", "raw", "rank")
    assert list(points) == [
        ("phone", "+13055550123", "(305) 555-0123", 1),
        ("email", "ana@example.org", "Ana@Example.org", 2),
    ]
    assert trail() == [(agent.pk, "created", "patient", patient.pk, patient.pk)]


def test_the_trail_holds_field_names_and_no_values(agent):
    records.create_patient(actor=agent, given_name="Zebedee", family_name="Quux")
    detail = AuditEntry.objects.get().detail
    assert detail == {"fields": ["family_name", "given_name"]}


@pytest.mark.django_db(transaction=True)
def test_twenty_patients_made_at_once_have_twenty_numbers():
    def make(_):
        try:
            return records.create_patient(actor=None, given_name="A", family_name="B").mrn
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        assert len(set(pool.map(make, range(20)))) == 20


def test_a_number_taken_by_an_import_is_passed_over(db):
    first = records.next_mrn()
    PatientFactory(mrn=f"P{int(first[1:]) + 1:07d}")
    assert records.next_mrn() == f"P{int(first[1:]) + 2:07d}"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("birth_date", date(1800, 1, 1)),
        ("birth_date", timezone.localdate() + timedelta(days=2)),
        ("deceased_date", timezone.localdate() + timedelta(days=2)),
        ("time_zone", "Mars/Olympus"),
        ("gender", "f"),
        ("given_name", "  "),
        ("family_name", "x" * 200),
    ],
)
def test_wrong_values_are_told_at_their_field_and_nothing_is_saved(agent, field, value):
    with pytest.raises(ValidationError) as refused:
        records.create_patient(actor=agent, **{"given_name": "Ana", "family_name": "Souza", field: value})
    assert list(refused.value.message_dict) == [field]
    assert (Patient.objects.count(), trail()) == (0, [])


def test_a_change_is_kept_with_the_names_of_the_changed_fields_only(agent):
    patient = PatientFactory(given_name="Ana", family_name="Souza")
    records.update_patient(actor=agent, patient_id=patient.pk, given_name="Anna", family_name="Souza")
    patient.refresh_from_db()
    entry = AuditEntry.objects.get()
    assert (patient.full_name, entry.action, entry.detail) == ("Anna Souza", "changed", {"fields": ["given_name"]})


def test_a_change_of_nothing_leaves_no_entry(agent):
    patient = PatientFactory(given_name="Ana")
    records.update_patient(actor=agent, patient_id=patient.pk, given_name="Ana")
    assert trail() == []


@pytest.mark.parametrize("who", ["partner_agent", "auditor"])
def test_those_who_may_not_edit_change_nothing(everybody, who):
    patient = PatientFactory(given_name="Ana")
    user = getattr(everybody, who)
    with pytest.raises((PermissionDenied, Patient.DoesNotExist)):
        records.update_patient(actor=user, patient_id=patient.pk, given_name="X")
    with pytest.raises(PermissionDenied):
        records.create_patient(actor=user, given_name="A", family_name="B")
    patient.refresh_from_db()
    assert (patient.given_name, trail()) == ("Ana", [])


def test_a_merged_record_cannot_be_edited(agent):
    patient = PatientFactory(merged_into=PatientFactory())
    with pytest.raises(Patient.DoesNotExist):
        records.update_patient(actor=agent, patient_id=patient.pk, given_name="X")


def test_the_same_line_in_another_spelling_is_not_a_second_address(agent):
    patient = PatientFactory(phone="+5511987654321")
    point = addresses.add_contact_point(
        actor=agent, patient_id=patient.pk, scheme=ContactScheme.PHONE, value="+55 11 8765-4321"
    )
    assert [(one.pk, one.value) for one in patient.contact_points.all()] == [(point.pk, "+5511987654321")]
    assert trail() == []


def test_two_people_may_share_one_phone(agent):
    PatientFactory(phone="+13055550123")
    child = PatientFactory()
    addresses.add_contact_point(actor=agent, patient_id=child.pk, scheme=ContactScheme.PHONE, value="3055550123")
    assert ContactPoint.objects.filter(value="+13055550123").count() == 2


@pytest.mark.parametrize(
    ("scheme", "value", "field"),
    [
        (ContactScheme.PHONE, "12", "value"),
        (ContactScheme.PHONE, "call me", "value"),
        (ContactScheme.EMAIL, "ana@", "value"),
        (ContactScheme.WHATSAPP_USER, " ", "value"),
        (ContactScheme.WHATSAPP_USER, "a\x00b", "value"),
        ("fax", "+13055550123", "scheme"),
    ],
)
def test_what_is_no_address_is_refused_at_its_field(agent, scheme, value, field):
    patient = PatientFactory()
    with pytest.raises(ValidationError) as refused:
        addresses.add_contact_point(actor=agent, patient_id=patient.pk, scheme=scheme, value=value)
    assert list(refused.value.message_dict) == [field]
    assert not patient.contact_points.exists()


def test_a_bounce_marks_the_address_of_everybody_who_has_it_once(db):
    first, second = PatientFactory(email="home@example.org"), PatientFactory(email="home@example.org")
    PatientFactory(email="other@example.org")
    assert addresses.mark_contact_point_bounced(scheme="email", value="home@example.org", reason="5.1.1 " * 40) == 2
    assert addresses.mark_contact_point_bounced(scheme="email", value="home@example.org", reason="again") == 0
    marked = ContactPoint.objects.exclude(bounced_at=None)
    assert {point.patient_id: len(point.bounce_reason) for point in marked} == {first.pk: 120, second.pk: 120}
    assert [(action, whose) for _, action, _, _, whose in trail()] == [("changed", first.pk), ("changed", second.pk)]


def test_proof_that_the_person_is_there_clears_a_bounce(agent):
    point = ContactPointFactory(bounced_at=timezone.now(), bounce_reason="5.1.1")
    addresses.verify_contact_point(actor=agent, contact_point_id=point.pk)
    point.refresh_from_db()
    assert (point.bounced_at, point.bounce_reason, point.verified_at is None) == (None, "", False)


def test_a_removed_address_is_gone_and_the_trail_knows(agent):
    point = ContactPointFactory()
    addresses.remove_contact_point(actor=agent, contact_point_id=point.pk)
    assert trail() == [(agent.pk, "deleted", "contactpoint", point.pk, point.patient_id)]
    assert not ContactPoint.objects.exists()


def test_the_address_of_a_hidden_patient_is_absent(partner_agent):
    point = ContactPointFactory()
    with pytest.raises(ContactPoint.DoesNotExist):
        addresses.verify_contact_point(actor=partner_agent, contact_point_id=point.pk)


def test_a_withdrawn_consent_is_a_new_word_beside_the_old(agent):
    patient = PatientFactory()
    for status in (ConsentStatus.GRANTED, ConsentStatus.WITHDRAWN):
        consents.record_consent(
            actor=agent,
            patient_id=patient.pk,
            purpose=ConsentPurpose.REMINDERS,
            channel_kind="sms",
            status=status,
            source="phone call",
        )
    assert [consent.status for consent in Consent.objects.all()] == ["withdrawn", "granted"]
    assert len(trail()) == 2


def test_a_relative_may_be_a_patient_but_never_oneself(agent):
    mother, child = PatientFactory(), PatientFactory()
    person = family.add_related_person(
        actor=agent,
        patient_id=child.pk,
        name="Mother",
        relation=Relation.PARENT,
        relative_id=mother.pk,
        is_proxy=True,
    )
    assert (person.patient, person.relative, person.is_proxy) == (child, mother, True)
    with pytest.raises(ValidationError):
        family.add_related_person(
            actor=agent, patient_id=child.pk, name="X", relation=Relation.PARENT, relative_id=child.pk
        )


def test_opening_a_record_leaves_exactly_one_entry(agent):
    patient = PatientFactory()
    assert records.open_patient_record(agent, patient.pk, "page") == patient
    assert trail() == [(agent.pk, AuditAction.VIEWED, "patient", patient.pk, patient.pk)]


def test_a_refused_record_leaves_no_view(auditor):
    patient = PatientFactory()
    with pytest.raises(Patient.DoesNotExist):
        records.open_patient_record(auditor, patient.pk)
    assert trail() == []


def test_a_search_is_kept_with_whom_it_found_and_without_its_text(agent):
    patient = PatientFactory(given_name="Zebedee")
    assert records.search_records(agent, "zebedee") == [patient]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.detail) == ("searched", {"found": [patient.pk]})


def test_facts_are_announced_after_commit_and_not_after_rollback(agent, django_capture_on_commit_callbacks):
    heard = []

    def hear(signal, **ids):
        heard.append({name: ids[name] for name in ids if name != "sender"})

    signals.patient_created.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            patient = records.create_patient(actor=agent, given_name="Ana", family_name="Souza")
            assert heard == []
        with pytest.raises(ValidationError):
            records.create_patient(actor=agent, given_name="", family_name="Souza")
    finally:
        signals.patient_created.disconnect(hear)
    assert heard == [{"patient_id": patient.pk}]


def test_the_trail_of_all_this_verifies(agent):
    patient = records.create_patient(actor=agent, given_name="Ana", family_name="Souza")
    records.update_patient(actor=agent, patient_id=patient.pk, site_name="Doral")
    records.search_records(agent, "ana")
    assert list(verify()) == []
