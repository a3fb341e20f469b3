"""Complaints when records are merged, given out, erased, grow old, and on the patient's own page."""

import io
import json
import re
import zipfile
from datetime import timedelta

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from complaints.models import Complaint, ComplaintEvent
from complaints.services.reading import open_complaint
from contact_center.audit.models import AuditEntry
from inbox import portal
from patients import duties
from patients.enums import DataClass
from patients.models import LegalHold, Patient, RetentionRule, RetentionRun
from patients.services.erasure import erase_rows
from patients.services.giving_out import write_zip
from patients.services.holds import held_classes
from patients.services.merging import merge_patients, unmerge_patients
from patients.services.retention import enforce
from tests.factories.accounts import UserFactory
from tests.factories.complaints import ComplaintFactory
from tests.factories.patients import PatientFactory, RelatedPersonFactory

pytestmark = pytest.mark.django_db


def with_note(**fields):
    row = ComplaintFactory(**fields)
    ComplaintEvent.objects.create(complaint=row, verb="register", status=row.status, note="Told on the phone")
    return row


def test_complaints_go_on_in_the_joined_record_and_come_back(supervisor, patient):
    old = with_note(patient=PatientFactory())
    own, merged = (
        with_note(patient=patient),
        merge_patients(actor=supervisor, source_id=old.patient_id, target_id=patient.pk),
    )
    assert set(patient.complaints.all()) == {old, own}
    unmerge_patients(actor=supervisor, merge_id=merged.pk)
    assert (set(patient.complaints.all()), set(Patient.objects.get(pk=old.patient_id).complaints.all())) == (
        {own},
        {old},
    )


def from_file(patient, name):
    target = io.BytesIO()
    write_zip(patient, target)
    with zipfile.ZipFile(target) as archive:
        return json.loads(archive.read(f"data/{name}.json"))


def given_out(patient):
    rows = from_file(patient, "complaints.Complaint")
    return [row["reference"] for row in rows], len(from_file(patient, "complaints.ComplaintEvent"))


def test_the_file_with_all_data_has_the_patients_complaints_and_no_others_secret(patient):
    own, sealed = with_note(patient=patient), with_note(patient=patient, protection="confidential")
    with_note(patient=patient, complainant="other", protection="confidential")
    assert given_out(patient) == ([own.reference, sealed.reference], 2)


def test_the_trail_in_that_file_tells_of_no_others_secret_also_where_it_is_one_only_since_then(patient, supervisor):
    made = {name: ComplaintFactory(patient=patient) for name in ("plain", "own", "hers", "left")}
    for row in made.values():
        open_complaint(actor=supervisor, complaint_id=row.pk)
    Complaint.objects.exclude(pk=made["plain"].pk).update(protection="confidential")
    Complaint.objects.filter(pk=made["hers"].pk).update(complainant="other")
    Complaint.objects.filter(pk=made["left"].pk).update(patient=PatientFactory())
    for name in ("plain", "own", "hers"):
        open_complaint(actor=supervisor, complaint_id=made[name].pk)
    told = [row for row in from_file(patient, "audit_entries") if row["object_type"] == "complaint"]
    trail = AuditEntry.objects.filter(object_type="complaint").order_by("pk")
    assert [row["id"] for row in told] == [
        entry.pk for entry in trail if entry.object_id in (made["plain"].pk, made["own"].pk)
    ]
    assert len(told) == 4


def test_an_open_complaint_stands_in_the_way_of_an_erasure_and_a_closed_one_stays_without_its_words(patient):
    mother = RelatedPersonFactory(patient=patient)
    row = with_note(patient=patient, complainant="relative", relative=mother, complainant_name="Ana", response="Sorry")
    assert duties.obstacles_of([patient.pk]) == ["Close the open complaints first."]
    Complaint.objects.update(status="closed", closed_at=timezone.now())
    assert duties.obstacles_of([patient.pk]) == []
    erase_rows([patient.pk])
    row.refresh_from_db()
    assert (row.words, row.wanted, row.response, row.complainant_name, row.next_step, row.relative) == (
        *("", "", "", "", ""),
        None,
    )
    assert (row.events.get().note, row.kind, row.category, row.status) == ("", "complaint", "communication", "closed")


def test_a_hold_on_complaints_keeps_them_and_a_rule_takes_only_those_long_closed(patient, admin):
    hold = LegalHold.objects.create(patient=patient, data_classes=["complaints"], reason="court", placed_by=admin)
    rows = [with_note(patient=patient, status="closed"), with_note(patient=patient, status="closed"), with_note()]
    erase_rows([patient.pk], held_classes([patient.pk]))
    Complaint.objects.exclude(pk=rows[1].pk).filter(status="closed").update(
        closed_at=timezone.now() - timedelta(days=40)
    )
    RetentionRule.objects.create(data_class=DataClass.COMPLAINTS, days=30)

    def says_something():
        enforce(RetentionRun.objects.create(date=timezone.localdate() + timedelta(days=RetentionRun.objects.count())))
        return [bool(Complaint.objects.get(pk=row.pk).words) for row in rows]

    assert says_something() == [True, True, True]
    hold.delete()
    assert says_something() == [False, True, True]


# ---- the patient's own page ----


def own_page(about, viewer):
    section = next(one for one in portal.sections() if one.key == "complaints")
    context = section.context(about, viewer)
    if context is None:
        return []
    page = render_to_string(section.template, {"data": context})
    return sorted(re.findall(r"Q-\w+", page)), page


def test_the_own_page_says_where_it_stands_what_is_next_and_who_sees_to_it(patient):
    owner = UserFactory(first_name="Ines", role="supervisor")
    row = with_note(patient=patient, owner=owner, status="investigating", next_step="Ask nurse Kim about the call")
    references, page = own_page(patient, patient)
    assert references == [row.reference]
    said = ("We are finding out what happened", "We write our answer", "(Ines)", "Information and advice")
    assert [words in page for words in (*said, "nurse Kim", row.words)] == [True] * 4 + [False] * 2


def test_a_protected_one_is_shown_to_whoever_made_it_and_to_nobody_else(patient):
    proxy, twin = PatientFactory(), PatientFactory()
    link = RelatedPersonFactory(patient=patient, relative=proxy, is_proxy=True, scopes=["appointments"])
    plain, sealed = with_note(patient=patient), with_note(patient=patient, protection="staff")
    hers = with_note(patient=patient, protection="confidential", complainant="relative", relative=link)
    assert own_page(patient, patient)[0] == sorted([plain.reference, sealed.reference])
    assert own_page(patient, proxy)[0] == sorted([plain.reference, hers.reference])
    assert own_page(patient, twin) == []
    type(link).objects.update(scopes=["billing"])
    assert own_page(patient, proxy)[0] == [hers.reference]
