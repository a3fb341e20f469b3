"""Whose complaint it is: locks at registering, conversations that move, records that are merged or to be forgotten."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from complaints.models import Complaint
from complaints.services.following import follow_astray, link_complaint
from complaints.services.registering import Told, register_complaint
from contact_center.audit.models import AuditEntry
from contact_center.common.errors import Refused
from inbox.services.linking import link_patient, unlink_patient
from inbox.services.merging import merge
from inbox.services.wrong_patient import move_to_right_patient
from patients.services.erasure import decline_erasure, request_erasure
from patients.services.merging import merge_patients
from tests.factories.complaints import ComplaintFactory
from tests.factories.inbox import InteractionFactory, MessageFactory
from tests.factories.patients import PatientFactory, RelatedPersonFactory

pytestmark = pytest.mark.django_db


def registered(actor, talk=None, patient=None, **told):
    told = Told(words="Two people told me two things", **told)
    return register_complaint(actor=actor, told=told, patient=patient, interaction_id=talk.pk if talk else None)


@pytest.mark.parametrize("to", ["other", "nobody"])
def test_it_goes_with_a_conversation_that_was_merged_into_the_one_that_moves(
    agent, talk, django_capture_on_commit_callbacks, to
):
    row, target = registered(agent, talk), InteractionFactory(channel=talk.channel, patient=talk.patient, owner=agent)
    merge(actor=agent, source_id=talk.pk, target_id=target.pk)
    right = PatientFactory() if to == "other" else None
    with django_capture_on_commit_callbacks(execute=True):
        if right:
            link_patient(actor=agent, interaction_id=target.pk, patient=right)
        else:
            unlink_patient(actor=agent, interaction_id=target.pk)
    row.refresh_from_db()
    assert (row.patient, row.interaction) == (right, talk)


def test_a_complaint_that_leaves_a_record_is_in_the_trail_of_both_and_one_nobody_heard_of_is_found(agent, talk):
    row, left, right = registered(agent, talk, protection="confidential"), talk.patient_id, PatientFactory()
    ComplaintFactory(patient=None, interaction=None)
    link_patient(actor=agent, interaction_id=talk.pk, patient=right)
    assert (follow_astray(), follow_astray()) == (1, 0)
    trail = AuditEntry.objects.filter(object_type="complaint", object_id=row.pk, action="linked").order_by("pk")
    assert [(entry.patient_id, entry.detail) for entry in trail] == [
        (left, {"to": "follow_conversation", "sealed": True}),
        (right.pk, {"to": "follow_conversation", "sealed": True}),
    ]
    unlink_patient(actor=agent, interaction_id=talk.pk)
    assert (follow_astray(), follow_astray(), Complaint.objects.get(pk=row.pk).patient) == (1, 0, None)


def test_a_complaint_stays_with_the_conversation_when_single_messages_of_it_move(
    agent, talk, django_capture_on_commit_callbacks
):
    _stays, astray = (MessageFactory(interaction=talk, status="received") for _time in range(2))
    row = registered(agent, talk)
    with django_capture_on_commit_callbacks(execute=True):
        moved = move_to_right_patient(
            actor=agent, interaction_id=talk.pk, patient=PatientFactory(), reason="shared_address",
            message_ids=[astray.pk],
        )  # fmt: skip
    row.refresh_from_db()
    assert (row.interaction, row.patient, moved.pk == talk.pk, follow_astray()) == (talk, talk.patient, False, 0)


def test_one_about_a_record_that_was_merged_meanwhile_is_about_the_one_it_goes_on_in(agent, supervisor, patient):
    goes_on_in = PatientFactory()
    merge_patients(actor=supervisor, source_id=patient.pk, target_id=goes_on_in.pk)
    assert registered(agent, patient=patient).patient == goes_on_in


def test_nothing_is_registered_about_somebody_who_is_to_be_forgotten(agent, supervisor, auditor, talk, patient):
    asked = request_erasure(actor=supervisor, patient_id=patient.pk, reason="She wrote to us")
    for given in ({"patient": patient}, {"talk": talk}):
        with pytest.raises(Refused, match="erased or about to be"):
            registered(agent, **given)
    decline_erasure(actor=auditor, request_id=asked.pk, why="She complains")
    assert registered(agent, talk).patient == patient


def test_registering_locks_the_patients_record_before_the_conversation(agent, talk):
    with CaptureQueriesContext(connection) as asked:
        registered(agent, talk)
    locks = [re.search(r'FROM "(\w+)".*(FOR .*UPDATE)', query["sql"]) for query in asked]
    assert [lock.groups() for lock in locks if lock][:2] == [
        ("patients_patient", "FOR NO KEY UPDATE"),  # who writes of this patient holding the conversation goes on
        ("inbox_interaction", "FOR UPDATE"),
    ]


def test_one_without_a_conversation_gets_its_patient_or_another_and_both_records_keep_it(supervisor, patient):
    mother = RelatedPersonFactory(patient=patient, name="Ana")
    row = ComplaintFactory(patient=patient, complainant="relative", relative=mother, complainant_name="Ana")
    unknown, right = ComplaintFactory(patient=None), PatientFactory()
    at = {"actor": supervisor, "note": "She called again and said who she is", "patient": right}
    assert link_complaint(**at, complaint_id=unknown.pk).patient == right
    linked = link_complaint(**at, complaint_id=row.pk)
    assert (linked.patient, linked.relative, linked.complainant_name) == (right, None, "Ana")
    trail = AuditEntry.objects.filter(object_type="complaint", object_id=row.pk, action="linked").order_by("pk")
    assert list(trail.values_list("patient_id", flat=True)) == [patient.pk, right.pk]
    assert [event.verb for event in row.events.all()] == ["link"]


def test_whom_it_concerns_is_not_said_by_everybody_nor_of_what_has_a_conversation_nor_of_hidden_records(
    supervisor, agent, talk, patient
):
    row, right = ComplaintFactory(patient=None, owner=agent), PatientFactory()
    of_talk, hidden = ComplaintFactory(patient=patient, interaction=talk), PatientFactory(sensitivity="vip")
    for who, one, to in ((agent, row, right), (supervisor, of_talk, right), (supervisor, row, hidden)):
        with pytest.raises(Refused):
            link_complaint(actor=who, complaint_id=one.pk, note="Because", patient=to)
    assert set(Complaint.objects.values_list("patient", flat=True)) == {None, patient.pk}


def test_the_page_of_one_without_a_conversation_asks_for_the_record_number(supervisor, signed_in):
    row, right, browser = ComplaintFactory(patient=None), PatientFactory(), signed_in(supervisor)
    url = f"/complaints/{row.pk}/link/"
    refused = browser.post(url, {"patient": "NO-SUCH", "note": "She said so"})
    assert (refused.status_code, "No patient has this number." in refused.content.decode()) == (422, True)
    browser.post(url, {"patient": f" {right.mrn.lower()} ", "note": "She said so"})
    row.refresh_from_db()
    assert row.patient == right
