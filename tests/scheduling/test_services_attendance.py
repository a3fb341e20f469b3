"""What becomes of a visit: every state of the machine × every move."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from contact_center.common.errors import Refused
from scheduling.enums import AppointmentStatus
from scheduling.models import Appointment, Occupancy
from scheduling.services import attendance
from tests.factories.scheduling import AppointmentFactory

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
MOVES = {
    "settle": ({"proposed", "pending", "waitlist"}, "booked", {}),
    "arrive": ({"booked", "noshow"}, "arrived", {}),
    "check_in": ({"booked", "arrived"}, "checked-in", {}),
    "fulfil": ({"arrived", "checked-in"}, "fulfilled", {}),
    "miss": ({"booked"}, "noshow", {}),
    "take_back_miss": ({"noshow"}, "booked", {}),
    "cancel": ({"proposed", "pending", "booked", "waitlist"}, "cancelled", {"asked_by": "patient", "reason": "Ill"}),
    "discard": (
        {"proposed", "pending", "booked", "arrived", "checked-in", "noshow", "waitlist"}, "entered-in-error", {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("state", AppointmentStatus.values)
def test_a_visit_moves_only_as_listed(state, name):
    allowed, target, given = MOVES[name]
    visit = Appointment(status=state)
    if state in allowed:
        getattr(visit, name)(**given)
        assert visit.status == target
    else:
        with pytest.raises(TransitionNotAllowed):
            getattr(visit, name)(**given)


def test_the_table_above_names_every_move():
    field = Appointment._meta.get_field("status")
    assert {move.name for move in field.get_all_transitions(Appointment)} == set(MOVES)


def test_the_patient_confirms_or_declines_until_the_visit_begins(agent):
    visit = AppointmentFactory()
    attendance.confirm(actor=None, appointment_id=visit.pk)
    visit.refresh_from_db()
    assert (visit.confirmation, visit.confirmed_at is not None) == ("confirmed", True)
    attendance.decline(actor=agent, appointment_id=visit.pk)
    visit.refresh_from_db()
    assert (visit.status, visit.confirmation, visit.confirmed_at) == ("booked", "declined", None)
    begun = AppointmentFactory(starts_at=timezone.now() - HOUR)
    with pytest.raises(Refused, match="cannot be confirmed any more"):
        attendance.confirm(actor=agent, appointment_id=begun.pk)


def test_a_visit_is_attended_step_by_step(agent):
    visit = AppointmentFactory(starts_at=timezone.now() - HOUR)
    for verb in (attendance.arrive, attendance.check_in, attendance.fulfil):
        verb(actor=agent, appointment_id=visit.pk)
    visit.refresh_from_db()
    assert (visit.status, visit.arrived_at <= visit.fulfilled_at) == ("fulfilled", True)
    with pytest.raises(Refused) as refused:
        attendance.arrive(actor=agent, appointment_id=visit.pk)
    assert str(refused.value) == "This cannot be done with a visit that is “Attended”."


def test_a_missed_visit_can_be_taken_back_and_who_comes_late_has_come(agent):
    visit = AppointmentFactory(starts_at=timezone.now() - HOUR)
    assert attendance.mark_missed(actor=None, appointment_id=visit.pk).noshow_at is not None
    assert attendance.take_back_missed(actor=agent, appointment_id=visit.pk).noshow_at is None
    attendance.mark_missed(actor=None, appointment_id=visit.pk)
    assert attendance.arrive(actor=agent, appointment_id=visit.pk).status == "arrived"


def test_nobody_misses_a_visit_whose_time_has_not_come(agent):
    with pytest.raises(Refused, match="has not come yet"):
        attendance.mark_missed(actor=agent, appointment_id=AppointmentFactory().pk)


def test_a_visit_entered_in_error_frees_its_time(agent):
    visit = AppointmentFactory()
    attendance.discard(actor=agent, appointment_id=visit.pk)
    assert Occupancy.objects.count() == 0


def test_only_who_books_visits_says_what_became_of_them(partner_agent, auditor):
    visit = AppointmentFactory(starts_at=timezone.now() - HOUR)
    for person in (partner_agent, auditor):
        with pytest.raises(PermissionDenied):
            attendance.arrive(actor=person, appointment_id=visit.pk)
    visit.refresh_from_db()
    assert visit.status == "booked"
