"""Every state of a complaint × every move, and what the database itself refuses."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from complaints.enums import ComplaintStatus
from complaints.models import Complaint
from contact_center.accounts.models import User
from tests.factories.complaints import ComplaintFactory
from tests.factories.patients import PatientFactory, RelatedPersonFactory

WORKING = {"received", "acknowledged", "triaged", "investigating", "response_review", "reopened"}
ONWARD = {"triaged", "investigating", "response_review", "reopened", "escalated", "external_review"}
MOVES = {
    "acknowledge": ({"received"}, "acknowledged", []),
    "triage": ({"acknowledged", "reopened"}, "triaged", []),
    "acknowledge_late": (ONWARD, None, []),
    "start_investigation": ({"triaged", "reopened", "escalated", "external_review"}, "investigating", []),
    "propose_response": ({"investigating"}, "response_review", [User(pk=1), "We are sorry."]),
    "send_back": ({"response_review"}, "investigating", []),
    "approve_response": ({"response_review"}, "response_review", [User(pk=1)]),
    "answer": ({"response_review"}, "answered", []),
    "follow_up": ({"answered"}, "recovery_follow_up", []),
    "close": ({"answered", "recovery_follow_up", "external_review"}, "closed", []),
    "settle": ({"acknowledged", "triaged"}, "closed", []),
    "reopen": ({"answered", "recovery_follow_up", "closed", "withdrawn"}, "reopened", []),
    "escalate": (WORKING, "escalated", []),
    "withdraw": (WORKING | {"escalated", "external_review"}, "withdrawn", []),
    "refer_externally": ({"answered", "recovery_follow_up", "closed", "escalated"}, "external_review", []),
}


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("state", ComplaintStatus.values)
def test_a_complaint_moves_only_as_listed(state, name):
    row, (allowed, target, given) = Complaint(status=state, kind="concern", approved_at=timezone.now()), MOVES[name]
    if state in allowed:
        getattr(row, name)(*given)
        assert row.status == (target or state)
    else:
        with pytest.raises(TransitionNotAllowed):
            getattr(row, name)(*given)


def test_the_table_above_names_every_move_of_a_complaint():
    field = Complaint._meta.get_field("status")
    assert {move.name for move in field.get_all_transitions(Complaint)} == set(MOVES)


@pytest.mark.parametrize(("name", "state", "fields"), [
    ("answer", "response_review", {"kind": "concern"}),
    ("settle", "acknowledged", {"kind": "complaint"}),
    ("settle", "triaged", {"kind": "grievance"}),
])  # fmt: skip
def test_what_is_not_approved_is_not_answered_and_only_light_ones_are_closed_at_once(name, state, fields):
    with pytest.raises(TransitionNotAllowed):
        getattr(Complaint(status=state, **fields), name)()


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", [
    {"next_step": ""},
    {"next_step_date": None},
    {"status": "lost"},
    {"status": "closed", "closed_at": None},
])  # fmt: skip
def test_the_database_keeps_nothing_open_without_step_and_day(wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        ComplaintFactory(**wrong)


@pytest.mark.django_db
def test_a_relative_complains_for_a_known_patient_only():
    relative = RelatedPersonFactory(patient=PatientFactory())
    with pytest.raises(IntegrityError), transaction.atomic():
        ComplaintFactory(patient=None, complainant="relative", relative=relative)
    with pytest.raises(IntegrityError), transaction.atomic():
        ComplaintFactory(patient=relative.patient, complainant="patient", relative=relative)
