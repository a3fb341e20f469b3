"""Missed visits are followed until they are made good; children are not "missing"."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from contact_center.common.errors import Refused
from scheduling.enums import RecoveryStatus
from scheduling.models import Appointment, NoShowRecovery, Reminder
from scheduling.selectors.recovery import results, to_do_for
from scheduling.services import attendance, booking, recovery
from tests.factories.patients import PatientFactory
from tests.factories.scheduling import AppointmentFactory, RulesFactory, ScheduleFactory

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
TO_DO = {"open", "contacting"}
MOVES = {
    "begin": ({"open"}, "contacting", []),
    "rebook": (TO_DO | {"unreachable", "declined", "expired"}, "rebooked", [Appointment(pk=1)]),
    "recover": ({"rebooked"}, "recovered", []),
    "fall_back": ({"rebooked"}, "contacting", []),
    "decline": (TO_DO, "declined", []),
    "give_up": (TO_DO, "unreachable", []),
    "expire": (TO_DO, "expired", []),
    "void": (TO_DO | {"rebooked", "declined", "unreachable"}, "void", []),
    "reopen": ({"void"}, "open", []),
}


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("state", RecoveryStatus.values)
def test_a_recovery_moves_only_as_listed(state, name):
    row, (allowed, target, given) = NoShowRecovery(status=state), MOVES[name]
    if state in allowed:
        getattr(row, name)(*given)
        assert row.status == target
    else:
        with pytest.raises(TransitionNotAllowed):
            getattr(row, name)(*given)


def test_the_table_above_names_every_move_of_a_recovery():
    field = NoShowRecovery._meta.get_field("status")
    assert {move.name for move in field.get_all_transitions(NoShowRecovery)} == set(MOVES)


@pytest.fixture
def missed():
    """A grown-up's visit an hour ago, marked as missed; and its recovery."""
    visit = AppointmentFactory(starts_at=timezone.now() - HOUR, patient=PatientFactory(birth_date=date(1980, 5, 4)))
    ScheduleFactory(practitioner=visit.practitioner, location=visit.location)
    visit.practitioner.services.add(visit.service)
    attendance.mark_missed(actor=None, appointment_id=visit.pk)
    return visit, NoShowRecovery.objects.get()


def again(visit, days=3):
    at = (timezone.now() + timedelta(days=days)).replace(hour=18, minute=0, second=0, microsecond=0)
    wish = booking.Wish(visit.service_id, at, visit.practitioner_id, visit.location_id)
    return booking.book(actor=None, patient_id=visit.patient_id, wishes=[wish])[0]


def come_of(visit, *verbs, actor):
    Appointment.objects.filter(pk=visit.pk).update(starts_at=timezone.now() - HOUR, ends_at=timezone.now() - HOUR / 2)
    for verb in verbs:
        verb(actor=actor, appointment_id=visit.pk)


def test_a_missed_visit_is_told_of_and_called_about_on_the_next_working_day(missed, agent):
    visit, row = missed
    assert (row.status, row.path, row.flagged_at) == ("open", "missed", None)
    local = timezone.localtime(row.call_due_at)
    assert row.call_due_at > timezone.now() and local.weekday() < 5
    Reminder.objects.filter(appointment=visit, kind="missed").update(handed_at=timezone.now())
    assert recovery.carry_on() == 1
    row.refresh_from_db()
    assert row.status == "contacting"
    assert to_do_for(agent) == [row]


def test_a_child_was_not_brought_nobody_writes_and_a_clinician_looks_at_once():
    visit = AppointmentFactory(
        starts_at=timezone.now() - HOUR, patient=PatientFactory(birth_date=timezone.localdate() - timedelta(days=3000))
    )
    attendance.mark_missed(actor=None, appointment_id=visit.pk)
    row = NoShowRecovery.objects.get()
    assert (row.path, row.flagged_at is not None, row.call_due_at <= timezone.now()) == ("not_brought", True, True)
    assert Reminder.objects.filter(appointment=visit, kind="missed").count() == 0


def test_booked_again_and_attended_counts_as_made_good(missed, agent):
    visit, row = missed
    new = again(visit)
    row.refresh_from_db()
    assert (row.status, row.rebooked_as) == ("rebooked", new)
    assert results() == {"missed": 1, "rebooked": 1, "recovered": 0}
    come_of(new, attendance.arrive, attendance.fulfil, actor=agent)
    row.refresh_from_db()
    assert (row.status, results()) == ("recovered", {"missed": 1, "rebooked": 0, "recovered": 1})


@pytest.mark.parametrize("how", ["missed", "cancelled"])
def test_when_the_new_visit_fails_as_well_somebody_calls_again(missed, agent, how):
    visit, row = missed
    new = again(visit)
    if how == "missed":
        come_of(new, attendance.mark_missed, actor=agent)
    else:
        booking.cancel(actor=agent, appointment_id=new.pk, asked_by="patient", reason="Ill")
    row.refresh_from_db()
    assert (row.status, row.rebooked_as, row.call_due_at > timezone.now()) == ("contacting", None, True)


def test_what_was_marked_by_mistake_is_taken_back(missed, agent):
    visit, row = missed
    attendance.take_back_missed(actor=agent, appointment_id=visit.pk)
    row.refresh_from_db()
    assert (row.status, to_do_for(agent), results()["missed"]) == ("void", [], 0)
    attendance.mark_missed(actor=agent, appointment_id=visit.pk)
    row.refresh_from_db()
    assert (row.status, NoShowRecovery.objects.count()) == ("open", 1)


def test_after_three_calls_a_clinician_looks_and_then_it_ends(missed, agent):
    _visit, row = missed
    with pytest.raises(Refused, match="Nobody asked a clinician"):
        recovery.review(actor=agent, recovery_id=row.pk)
    for _number in range(3):
        row = recovery.note_call(actor=agent, recovery_id=row.pk)
    assert (row.status, row.calls, row.flagged_at is not None, row.call_due_at) == ("contacting", 3, True, None)
    row = recovery.review(actor=agent, recovery_id=row.pk)
    assert (row.status, row.reviewed_by) == ("unreachable", agent)
    with pytest.raises(Refused, match="over"):
        recovery.note_call(actor=agent, recovery_id=row.pk)


def test_the_barrier_is_kept_and_partners_keep_out(missed, agent, partner_agent):
    _visit, row = missed
    row = recovery.note_barrier(actor=agent, recovery_id=row.pk, barrier="transport", note=" No bus ")
    assert (row.status, row.barrier, row.note) == ("contacting", "transport", "No bus")
    with pytest.raises(ValueError, match="boredom"):
        recovery.note_barrier(actor=agent, recovery_id=row.pk, barrier="boredom")
    with pytest.raises(PermissionDenied):
        recovery.decline(actor=partner_agent, recovery_id=row.pk)
    assert recovery.decline(actor=agent, recovery_id=row.pk).status == "declined"


def test_visits_count_as_missed_after_the_grace_of_their_service_and_only_then():
    now = timezone.now()
    late = AppointmentFactory(starts_at=now - timedelta(minutes=31))
    RulesFactory(service=late.service, grace_minutes=30)
    AppointmentFactory(service=late.service, starts_at=now - timedelta(minutes=20))
    AppointmentFactory(service=late.service, starts_at=now - timedelta(days=2))
    AppointmentFactory(starts_at=now - timedelta(hours=2))
    arrived = AppointmentFactory(service=late.service, starts_at=now - timedelta(minutes=40))
    stored = Appointment.objects.get(pk=arrived.pk)
    stored.arrive()
    stored.save()
    assert attendance.mark_missed_visits() == 1
    assert list(Appointment.objects.filter(status="noshow")) == [late]
    assert attendance.mark_missed_visits() == 0
