"""Protected records: hidden from everybody, opened for an hour with a reason, told to the privacy officers."""

from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from contact_center.audit.models import AuditEntry
from contact_center.common.errors import Refused
from inbox.models import Notification
from patients.models import BreakGlass, Patient
from patients.selectors import access, people, search
from patients.services import glass, records
from tests.factories.care import BreakGlassFactory
from tests.factories.inbox import InteractionFactory
from tests.factories.patients import PatientFactory

WHY = "She calls about her results"


@pytest.fixture
def vip(db):
    return PatientFactory(
        given_name="Vera", family_name="Famosa", mrn="V-1", birth_date="1970-05-01", sensitivity="vip"
    )


def by_identity(actor, **given):
    whole = {"mrn": "v-1 ", "birth_date": "1970-05-01", "reason": WHY} | given
    return glass.break_glass_by_identity(actor=actor, **whole)


def test_breaking_the_glass_opens_one_record_for_one_person_for_one_hour(agent, second_agent, vip):
    other = PatientFactory(sensitivity="staff")
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        grant = by_identity(agent)
        assert (grant.expires_at - now, grant.reason, grant.patient) == (timedelta(hours=1), WHY, vip)
        assert set(people.patients_visible_to(agent)) == {vip}
        assert set(people.patients_visible_to(second_agent)) == set()
        assert list(access.hidden_patient_ids(agent)) == [other.pk]
        assert search.search_patients(agent, "famosa") == [vip]
        clock.shift(timedelta(minutes=60))
        assert list(people.patients_visible_to(agent)) == []
        assert search.search_patients(agent, "famosa") == []


def test_the_deed_and_every_view_under_it_are_on_record_with_its_grant(agent, vip):
    grant = by_identity(agent)
    records.open_patient_record(agent, vip.pk, "page")
    rows = AuditEntry.objects.filter(patient_id=vip.pk).order_by("pk")
    assert [(row.action, row.object_type, row.detail["glass"]) for row in rows] == [
        ("broke_glass", "breakglass", grant.pk),
        ("viewed", "patient", grant.pk),
    ]
    assert WHY not in str([row.detail for row in rows])


def test_privacy_officers_are_told_once_whatever_they_wish_and_the_actor_too(
    agent, admin, auditor, vip, django_capture_on_commit_callbacks
):
    admin.notification_preferences.create(kind="glass_broken", in_app=False, email=False)
    with django_capture_on_commit_callbacks(execute=True):
        grant = by_identity(agent)
    with django_capture_on_commit_callbacks(execute=True):
        own = by_identity(admin)
    told = Notification.objects.filter(kind="glass_broken").values_list("user", "actor", "dedupe_key", "is_in_app")
    assert set(told) == {
        (admin.pk, agent.pk, f"glass:{grant.pk}", True),
        (auditor.pk, agent.pk, f"glass:{grant.pk}", True),
        (admin.pk, admin.pk, f"glass:{own.pk}", True),
        (auditor.pk, admin.pk, f"glass:{own.pk}", True),
    }


@pytest.mark.parametrize("wrong", [{"mrn": "V-2"}, {"birth_date": "1970-05-02"}])
def test_both_record_number_and_birth_date_must_fit(agent, vip, wrong):
    with pytest.raises(Refused):
        by_identity(agent, **wrong)
    assert BreakGlass.objects.count() == 0


def test_an_unprotected_record_is_not_found_by_breaking_glass(agent):
    plain = PatientFactory(birth_date="1970-05-01")
    with pytest.raises(Refused):
        by_identity(agent, mrn=plain.mrn)


def test_a_reason_that_says_nothing_is_refused(agent, vip):
    with pytest.raises(ValidationError) as refusal:
        by_identity(agent, reason="  because  ")
    assert list(refusal.value.message_dict) == ["reason"]


def test_partner_agents_and_auditors_break_no_glass(partner_agent, auditor, vip):
    for person in (partner_agent, auditor):
        with pytest.raises(PermissionDenied):
            by_identity(person)
        BreakGlassFactory(user=person, patient=vip)
        assert list(people.patients_visible_to(person)) == []


def test_by_its_number_it_opens_only_to_those_whose_work_names_the_patient(agent, supervisor, vip, sms_channel):
    for person in (agent, supervisor):
        with pytest.raises(Patient.DoesNotExist):
            glass.break_glass(actor=person, patient_id=vip.pk, reason=WHY)
    InteractionFactory(channel=sms_channel, patient=vip)
    with pytest.raises(Patient.DoesNotExist):
        glass.break_glass(actor=agent, patient_id=vip.pk, reason=WHY)
    assert glass.break_glass(actor=supervisor, patient_id=vip.pk, reason=WHY).patient == vip
    InteractionFactory(channel=sms_channel, patient=vip, owner=agent)
    assert glass.break_glass(actor=agent, patient_id=vip.pk, reason=WHY).patient == vip


def test_access_can_be_given_back_early(agent, vip):
    by_identity(agent)
    by_identity(agent)
    glass.close_glass(actor=agent, patient_id=vip.pk)
    glass.close_glass(actor=agent, patient_id=vip.pk)
    assert list(people.patients_visible_to(agent)) == []
    assert AuditEntry.objects.filter(action="closed", patient_id=vip.pk).count() == 1


def test_only_privacy_officers_protect_a_record_and_doing_so_ends_what_was_open(agent, admin, auditor):
    patient = PatientFactory()
    with pytest.raises(PermissionDenied):
        glass.protect(actor=agent, patient_id=patient.pk, sensitivity="vip")
    with pytest.raises(ValidationError):
        glass.protect(actor=admin, patient_id=patient.pk, sensitivity="secret")
    glass.protect(actor=auditor, patient_id=patient.pk, sensitivity="vip")
    assert list(people.patients_visible_to(agent)) == []
    grant = BreakGlassFactory(user=agent, patient=patient)
    glass.protect(actor=admin, patient_id=patient.pk, sensitivity="staff")
    assert list(people.patients_visible_to(agent)) == []
    grant.refresh_from_db()
    assert grant.ended_at is not None
    glass.protect(actor=admin, patient_id=patient.pk, sensitivity="none")
    assert list(people.patients_visible_to(agent)) == [patient]
    changes = AuditEntry.objects.filter(patient_id=patient.pk, action="changed").order_by("pk")
    assert [(row.detail["before"], row.detail["after"]) for row in changes] == [
        ("none", "vip"), ("vip", "staff"), ("staff", "none"),
    ]  # fmt: skip


def test_a_service_cannot_set_protection_as_an_ordinary_field(agent):
    patient = PatientFactory()
    with pytest.raises(TypeError):
        records.update_patient(actor=agent, patient_id=patient.pk, sensitivity="none")
