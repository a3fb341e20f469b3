"""Alerts, programs, pending results, coverage, life events: what may be done with them, and what each deed leaves."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from contact_center.audit.models import AuditEntry
from contact_center.common import rotation
from contact_center.common.errors import Conflict, Refused
from patients.enums import EnrolmentStatus, PendingStatus
from patients.models import Alert, Coverage, PendingResult, ProgramEnrolment
from patients.services import care, pending, programs
from tests.factories.care import (
    AlertFactory,
    CareProgramFactory,
    CoverageFactory,
    EnrolmentFactory,
    LifeEventFactory,
    PendingResultFactory,
)
from tests.factories.patients import PatientFactory

TODAY = timezone.localdate


def trail(patient):
    """What the audit trail says of a patient: action and object, oldest first."""
    rows = AuditEntry.objects.filter(patient_id=patient.pk).order_by("pk")
    return [(row.action, row.object_type) for row in rows]


@pytest.fixture
def patient(db):
    return PatientFactory()


# ---- alerts ----


def test_an_alert_warns_until_its_last_day_is_over(agent, patient):
    alert = care.add_alert(
        actor=agent, patient_id=patient.pk, kind="safety", text="  Falls  ", severity="danger", expires_date=TODAY()
    )
    assert (alert.text, alert.created_by, alert.starts_date) == ("Falls", agent, TODAY())
    assert list(Alert.objects.valid_on(TODAY())) == [alert]
    assert list(Alert.objects.valid_on(TODAY() + timedelta(days=1))) == []
    assert list(Alert.objects.valid_on(TODAY() - timedelta(days=1))) == []
    assert trail(patient) == [("created", "alert")]


def test_an_alert_can_be_ended_once(agent, patient):
    alert = AlertFactory(patient=patient)
    assert care.end_alert(actor=agent, alert_id=alert.pk).ended_by == agent
    assert list(Alert.objects.valid_on(TODAY())) == []
    with pytest.raises(Refused):
        care.end_alert(actor=agent, alert_id=alert.pk)
    assert trail(patient) == [("closed", "alert")]


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("kind", {"kind": "rumour"}),
        ("severity", {"severity": "huge"}),
        ("text", {"text": "   "}),
        ("text", {"text": "x" * 241}),
        ("expires_date", {"expires_date": date(2020, 1, 1)}),
    ],
)
def test_a_wrong_alert_is_refused_at_its_field(agent, patient, field, wrong):
    right = {"kind": "safety", "text": "Falls", "severity": "danger"}
    with pytest.raises(ValidationError) as refusal:
        care.add_alert(actor=agent, patient_id=patient.pk, **right | wrong)
    assert list(refusal.value.message_dict) == [field]
    assert Alert.objects.count() == 0


def test_the_database_refuses_an_alert_that_ends_before_it_begins(patient):
    with pytest.raises(IntegrityError), transaction.atomic():
        AlertFactory(patient=patient, expires_date=TODAY() - timedelta(days=1))


def test_partner_agents_change_nothing_and_hidden_patients_do_not_exist(agent, partner_agent, patient):
    with pytest.raises(patient.DoesNotExist):
        care.add_alert(actor=partner_agent, patient_id=patient.pk, kind="safety", text="x", severity="info")
    hidden = AlertFactory(patient=PatientFactory(sensitivity="staff"))
    with pytest.raises(Alert.DoesNotExist):
        care.end_alert(actor=agent, alert_id=hidden.pk)


# ---- programs ----


def test_a_program_is_walked_step_by_step_to_its_end(agent, patient):
    program = CareProgramFactory(steps=["Call", "Visit"])
    enrolment = programs.enrol(actor=agent, patient_id=patient.pk, program=program)
    call, visit = program.steps.all()
    assert (enrolment.step, enrolment.step_due_date, enrolment.owner) == (call, TODAY() + timedelta(days=7), agent)
    programs.advance(actor=agent, enrolment_id=enrolment.pk, step_id=call.pk, note="She is well")
    enrolment.refresh_from_db()
    assert (enrolment.step, enrolment.status) == (visit, EnrolmentStatus.ACTIVE)
    programs.advance(actor=agent, enrolment_id=enrolment.pk, step_id=visit.pk)
    enrolment.refresh_from_db()
    assert (enrolment.step, enrolment.status, enrolment.step_due_date) == (None, EnrolmentStatus.COMPLETED, None)
    assert [(done.step, done.done_by, done.note) for done in enrolment.completions.all()] == [
        (call, agent, "She is well"),
        (visit, agent, ""),
    ]
    assert trail(patient) == [("created", "programenrolment")] + 2 * [("changed", "programenrolment")]


def test_the_same_step_is_not_done_twice_by_two_people(agent, second_agent, patient):
    enrolment = EnrolmentFactory(patient=patient)
    first = enrolment.step_id
    programs.advance(actor=agent, enrolment_id=enrolment.pk, step_id=first)
    with pytest.raises(Conflict):
        programs.advance(actor=second_agent, enrolment_id=enrolment.pk, step_id=first)
    assert enrolment.completions.count() == 1


def test_a_patient_is_in_a_program_once_at_a_time(agent, patient):
    enrolment = EnrolmentFactory(patient=patient)
    with pytest.raises(Refused):
        programs.enrol(actor=agent, patient_id=patient.pk, program=enrolment.program)
    programs.leave(actor=agent, enrolment_id=enrolment.pk, why="Moved away")
    again = programs.enrol(actor=agent, patient_id=patient.pk, program=enrolment.program)
    assert {row.pk: row.status for row in patient.enrolments.all()} == {
        enrolment.pk: EnrolmentStatus.LEFT,
        again.pk: EnrolmentStatus.ACTIVE,
    }


def test_leaving_needs_a_reason_and_a_program_that_goes_on(agent, patient):
    enrolment = EnrolmentFactory(patient=patient)
    with pytest.raises(ValidationError):
        programs.leave(actor=agent, enrolment_id=enrolment.pk, why=" ")
    programs.leave(actor=agent, enrolment_id=enrolment.pk, why="Moved away")
    for verb, given in (
        (programs.leave, {"why": "again"}),
        (programs.advance, {"step_id": 1}),
        (programs.change_enrolment, {"owner": agent, "step_due_date": TODAY()}),
    ):
        with pytest.raises(Refused):
            verb(actor=agent, enrolment_id=enrolment.pk, **given)


def test_a_program_that_is_out_of_use_takes_nobody(agent, patient):
    with pytest.raises(Refused):
        programs.enrol(actor=agent, patient_id=patient.pk, program=CareProgramFactory(is_active=False))


def test_only_admins_say_what_the_steps_are_and_none_is_taken_from_under_a_patient(admin, agent, patient):
    with pytest.raises(PermissionDenied):
        programs.save_program(actor=agent, name="Heart", steps=[("Call", 1)])
    program = programs.save_program(actor=admin, name="Heart", steps=[("Call", 1), ("Visit", 30)])
    enrolment = programs.enrol(actor=agent, patient_id=patient.pk, program=program)
    programs.advance(actor=agent, enrolment_id=enrolment.pk, step_id=enrolment.step_id)
    same = {"actor": admin, "program_id": program.pk, "name": "Heart"}
    with pytest.raises(ValidationError) as refusal:
        programs.save_program(**same, steps=[("Phone call", 2)])
    assert list(refusal.value.message_dict) == ["steps"]
    programs.save_program(**same, steps=[("Phone call", 2), ("Visit", 30), ("Letter", 7)])
    assert list(program.steps.values_list("position", "title", "days")) == [
        (1, "Phone call", 2),
        (2, "Visit", 30),
        (3, "Letter", 7),
    ]
    programs.save_program(**same, steps=[("Phone call", 2), ("Visit", 30)])
    assert program.steps.count() == 2


@pytest.mark.parametrize("steps", [[], [("", 1)], [("Call", -1)], [("Call", 5000)], [("Call", 1)] * 41])
def test_a_program_without_sensible_steps_is_refused(admin, steps):
    with pytest.raises(ValidationError) as refusal:
        programs.save_program(actor=admin, name="Heart", steps=steps)
    assert list(refusal.value.message_dict) == ["steps"]


def test_the_database_refuses_an_active_enrolment_without_a_dated_step(patient):
    with pytest.raises(IntegrityError), transaction.atomic():
        EnrolmentFactory(patient=patient, step_due_date=None)


# ---- pending results ----


def test_a_result_is_over_when_the_patient_was_told(agent, patient):
    row = pending.add_pending(
        actor=agent, patient_id=patient.pk, kind="result", title="MRI", expected_date=TODAY() + timedelta(days=2)
    )
    assert (row.owner, row.status, row.requested_date) == (agent, PendingStatus.WAITING, TODAY())
    with pytest.raises(Refused):
        pending.move_pending(actor=agent, pending_id=row.pk, verb="tell")
    pending.move_pending(actor=agent, pending_id=row.pk, verb="arrive")
    row = pending.move_pending(actor=agent, pending_id=row.pk, verb="tell")
    assert (row.status, row.ended_at) == (PendingStatus.TOLD, row.told_at)
    for verb in ("arrive", "tell", "cancel", "burn"):
        with pytest.raises(Refused):
            pending.move_pending(actor=agent, pending_id=row.pk, verb=verb)
    assert trail(patient) == [("created", "pendingresult")] + 2 * [("changed", "pendingresult")]


def test_what_is_expected_can_be_put_off_and_given_to_somebody_else(agent, second_agent, patient):
    row = PendingResultFactory(patient=patient)
    later = TODAY() + timedelta(days=9)
    pending.change_pending(actor=agent, pending_id=row.pk, owner=second_agent, expected_date=later)
    row.refresh_from_db()
    assert (row.owner, row.expected_date) == (second_agent, later)
    with pytest.raises(ValidationError):
        pending.change_pending(actor=agent, pending_id=row.pk, owner=agent, expected_date=date(2020, 1, 1))


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("kind", {"kind": "rumour"}),
        ("title", {"title": ""}),
        ("requested_date", {"requested_date": date(2999, 1, 1)}),
        ("expected_date", {"expected_date": date(2020, 1, 1)}),
    ],
)
def test_a_wrong_expectation_is_refused_at_its_field(agent, patient, field, wrong):
    right = {"kind": "result", "title": "MRI", "expected_date": TODAY()}
    with pytest.raises(ValidationError) as refusal:
        pending.add_pending(actor=agent, patient_id=patient.pk, **right | wrong)
    assert list(refusal.value.message_dict) == [field]


MOVES = {
    (ProgramEnrolment, "active"): {"complete": "completed", "leave": "left"},
    (ProgramEnrolment, "completed"): {},
    (ProgramEnrolment, "left"): {},
    (PendingResult, "waiting"): {"arrive": "arrived", "cancel": "cancelled"},
    (PendingResult, "arrived"): {"tell": "told", "cancel": "cancelled"},
    (PendingResult, "told"): {},
    (PendingResult, "cancelled"): {},
}


@pytest.mark.parametrize(("model", "status"), MOVES)
def test_every_state_allows_exactly_its_moves(model, status):
    verbs = ("complete", "leave") if model is ProgramEnrolment else ("arrive", "tell", "cancel")
    ended = {}
    for verb in verbs:
        row = model(status=status)
        try:
            getattr(row, verb)(*(["Moved"] if verb == "leave" else []))
            ended[verb] = row.status
        except TransitionNotAllowed:
            assert row.status == status
    assert ended == MOVES[model, status]


# ---- coverage and life events ----


def test_coverage_ends_yesterday_or_never_was(agent, patient):
    kept = care.add_coverage(
        actor=agent, patient_id=patient.pk, payer="Sunshine", member_number=" 12 ", valid_from_date=date(2026, 1, 1)
    )
    wrong = CoverageFactory(patient=patient)
    care.end_coverage(actor=agent, coverage_id=kept.pk)
    care.end_coverage(actor=agent, coverage_id=wrong.pk, is_error=True)
    kept.refresh_from_db(), wrong.refresh_from_db()
    assert (kept.member_number, kept.status, kept.valid_until_date) == (
        "12", "cancelled", TODAY() - timedelta(days=1),
    )  # fmt: skip
    assert (wrong.status, wrong.valid_until_date) == ("entered-in-error", None)
    with pytest.raises(Refused):
        care.end_coverage(actor=agent, coverage_id=kept.pk)


def raw_number(row):
    with connection.cursor() as cursor:
        cursor.execute("SELECT member_number FROM patients_coverage WHERE id = %s", [row.pk])
        return cursor.fetchone()[0]


def test_a_member_number_stands_encrypted(patient):
    row, without = CoverageFactory(patient=patient, member_number="M 77"), CoverageFactory(member_number="")
    assert ("M 77" in raw_number(row), raw_number(row)[:3], raw_number(without)) == (False, "v1:", "")
    assert Coverage.objects.get(pk=row.pk).member_number == "M 77"
    assert "patients_coverage.member_number" in [place.name for place in rotation.places()]
    with pytest.raises(ValidationError):
        care.add_coverage(actor=None, patient_id=patient.pk, payer="A", member_number="1" * 61)


def test_coverage_that_begins_today_does_not_end_before_it_begins(agent, patient):
    row = CoverageFactory(patient=patient, valid_from_date=TODAY())
    assert care.end_coverage(actor=agent, coverage_id=row.pk).valid_until_date == TODAY()


def test_wrong_coverage_is_refused_at_its_field(agent, patient):
    given = {"actor": agent, "patient_id": patient.pk}
    for field, wrong in (
        ("payer", {"payer": " "}),
        ("status", {"payer": "A", "status": "gone"}),
        ("valid_until_date", {"payer": "A", "valid_from_date": TODAY(), "valid_until_date": date(2020, 1, 1)}),
    ):
        with pytest.raises(ValidationError) as refusal:
            care.add_coverage(**given, **wrong)
        assert list(refusal.value.message_dict) == [field]
    assert Coverage.objects.count() == 0


def test_a_life_event_is_remembered_until_it_is_removed(agent, patient):
    event = care.add_life_event(actor=agent, patient_id=patient.pk, text="Moved to her son", happened_date=TODAY())
    with pytest.raises(ValidationError):
        care.add_life_event(actor=agent, patient_id=patient.pk, text="x", happened_date=date(2999, 1, 1))
    care.remove_life_event(actor=agent, life_event_id=event.pk)
    assert patient.life_events.count() == 0
    assert trail(patient) == [("created", "lifeevent"), ("deleted", "lifeevent")]


def test_rows_of_a_merged_record_are_history(agent, patient):
    rows = [AlertFactory(patient=patient), LifeEventFactory(patient=patient)]
    patient.merged_into = PatientFactory()
    patient.save()
    with pytest.raises(Alert.DoesNotExist):
        care.end_alert(actor=agent, alert_id=rows[0].pk)
