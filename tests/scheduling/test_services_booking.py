"""Holding, booking, moving and cancelling visits."""

from dataclasses import replace
from datetime import time, timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from contact_center.audit.models import AuditEntry
from contact_center.common.errors import Conflict, Refused
from scheduling import signals
from scheduling.models import Absence, Appointment, Occupancy
from scheduling.selectors.appointments import current_of, past_of, upcoming_of
from scheduling.services.booking import SlotTaken, Wish, book, cancel, move
from scheduling.services.holds import hold_slot, purge_holds, release_holds
from tests.factories.patients import PatientFactory
from tests.factories.scheduling import (
    LocationFactory,
    PractitionerFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
    a_day_at,
)
from tests.scheduling.conftest import ZONE

pytestmark = pytest.mark.django_db


@pytest.fixture
def service():
    return ServiceFactory(modes=["on_site", "video"])


@pytest.fixture
def doctor(service, site):
    found = PractitionerFactory(services=[service])
    ScheduleFactory(practitioner=found, location=site)
    return found


@pytest.fixture
def patient():
    return PatientFactory()


@pytest.fixture
def wish(service, doctor, site):
    def make(hour=10, minute=0, **changes):
        given = {"service_id": service.pk, "practitioner_id": doctor.pk, "location_id": site.pk}
        return Wish(starts_at=a_day_at(hour, ZONE, minute=minute), **given | changes)

    return make


def test_a_booked_visit_says_who_when_and_where_and_takes_the_time(
    agent, patient, wish, service, doctor, site, django_capture_on_commit_callbacks
):
    told = []
    signals.appointment_booked.connect(lambda **fact: told.append(fact["appointment_id"]), weak=False, dispatch_uid="t")
    with django_capture_on_commit_callbacks(execute=True):
        (visit,) = book(actor=agent, patient_id=patient.pk, wishes=[wish(note=" First visit ")])
    signals.appointment_booked.disconnect(dispatch_uid="t")
    visit.refresh_from_db()
    assert (visit.patient, visit.service, visit.practitioner, visit.location) == (patient, service, doctor, site)
    assert (visit.status, visit.confirmation, visit.mode, visit.note) == (
        "booked", "unconfirmed", "on_site", "First visit",
    )  # fmt: skip
    assert visit.ends_at - visit.starts_at == timedelta(minutes=30)
    assert (visit.visit_date, visit.booked_by) == (a_day_at(10, ZONE).date(), agent)
    assert (visit.occupancy.span.lower, visit.occupancy.span.upper) == (visit.starts_at, visit.ends_at)
    assert upcoming_of(patient, timezone.now()) == [visit]
    assert told == [visit.pk]
    entry = AuditEntry.objects.get(object_type="appointment")
    assert (entry.action, entry.patient_id, entry.object_id) == ("created", patient.pk, visit.pk)


def test_a_taken_time_is_refused_with_others_to_choose_from(agent, patient, wish):
    book(actor=agent, patient_id=patient.pk, wishes=[wish(9)])
    with pytest.raises(SlotTaken) as refused:
        book(actor=agent, patient_id=PatientFactory().pk, wishes=[wish(9)])
    assert str(refused.value) == "This time has just been taken. Choose another one."
    assert [slot.starts_at for slot in refused.value.alternatives] == [
        a_day_at(9, ZONE, minute=30), a_day_at(10, ZONE), a_day_at(10, ZONE, minute=30),
    ]  # fmt: skip
    assert Appointment.objects.count() == 1


def test_the_buffers_of_a_visit_are_kept_free(agent, patient, wish, service):
    service.buffer_after_minutes = 15
    service.save()
    book(actor=agent, patient_id=patient.pk, wishes=[wish(10)])
    with pytest.raises(SlotTaken):
        book(actor=agent, patient_id=PatientFactory().pk, wishes=[wish(10, 30)])
    assert book(actor=agent, patient_id=PatientFactory().pk, wishes=[wish(11)])


def test_a_room_serves_one_visit_at_a_time(agent, service, site, wish):
    room = RoomFactory(location=site)
    doctors = [PractitionerFactory(services=[service]) for _ in range(2)]
    for doctor in doctors:
        ScheduleFactory(practitioner=doctor, location=site, room=room)
    first, second = (wish(practitioner_id=doctor.pk, room_id=room.pk) for doctor in doctors)
    book(actor=agent, patient_id=PatientFactory().pk, wishes=[first])
    with pytest.raises(SlotTaken):
        book(actor=agent, patient_id=PatientFactory().pk, wishes=[second])


def test_several_visits_are_booked_all_or_none(agent, patient, wish):
    book(actor=agent, patient_id=PatientFactory().pk, wishes=[wish(11)])
    with pytest.raises(SlotTaken):
        book(actor=agent, patient_id=patient.pk, wishes=[wish(10), wish(11)])
    assert upcoming_of(patient, timezone.now()) == []
    assert len(book(actor=agent, patient_id=patient.pk, wishes=[wish(10), wish(12)])) == 2


def test_a_request_that_comes_twice_books_once(agent, patient, wish):
    one = wish(key=uuid4())
    first = book(actor=agent, patient_id=patient.pk, wishes=[one])
    assert book(actor=agent, patient_id=patient.pk, wishes=[one]) == first
    assert Appointment.objects.count() == 1


def test_a_hold_keeps_the_time_for_whoever_has_its_token(agent, second_agent, patient, wish):
    held = hold_slot(actor=agent, wish=wish())
    with pytest.raises(SlotTaken):
        book(actor=second_agent, patient_id=PatientFactory().pk, wishes=[wish()])
    (visit,) = book(actor=agent, patient_id=patient.pk, wishes=[wish(hold_token=held.hold_token)])
    assert list(Occupancy.objects.values_list("appointment", "hold_token")) == [(visit.pk, None)]


def test_a_hold_can_be_given_back_and_ends_by_itself(agent, patient, wish):
    released, forgotten = hold_slot(actor=agent, wish=wish(9)), hold_slot(actor=agent, wish=wish(10))
    release_holds(tokens=[released.hold_token])
    release_holds(tokens=[released.hold_token])
    Occupancy.objects.filter(pk=forgotten.pk).update(held_until_at=timezone.now())
    assert len(book(actor=agent, patient_id=patient.pk, wishes=[wish(9), wish(10)])) == 2
    hold_slot(actor=agent, wish=wish(15))
    Occupancy.objects.filter(appointment=None).update(held_until_at=timezone.now())
    assert (purge_holds(), Occupancy.objects.count()) == (1, 2)


def test_nobody_holds_more_than_five_times(agent, wish):
    for hour in range(9, 14):
        hold_slot(actor=agent, wish=wish(hour))
    with pytest.raises(Refused, match="You hold several times already"):
        hold_slot(actor=agent, wish=wish(14))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"hour": 8}, "Nobody sees patients at that time. Choose another one."),
        ({"hour": 16, "minute": 45}, "Nobody sees patients at that time. Choose another one."),
        ({"mode": "phone"}, "This visit is not offered in that way."),
        ({"practitioner_id": 0}, "This is not offered any more. Search again."),
        ({"room_id": 999}, "This is not offered any more. Search again."),
    ],
)
def test_what_is_not_offered_is_refused_in_words(changes, sentence, agent, patient, wish):
    with pytest.raises(Refused) as refused:
        book(actor=agent, patient_id=patient.pk, wishes=[wish(**changes)])
    assert str(refused.value) == sentence


def test_a_time_that_is_over_is_refused(agent, patient, wish, service, doctor, site):
    past = Wish(service.pk, timezone.now() - timedelta(minutes=1), doctor.pk, site.pk)
    with pytest.raises(Refused, match="This time is over"):
        book(actor=agent, patient_id=patient.pk, wishes=[past])


def test_two_visits_of_one_patient_at_once_need_a_yes(agent, patient, wish, service, site):
    other = PractitionerFactory(services=[service])
    ScheduleFactory(practitioner=other, location=site)
    book(actor=agent, patient_id=patient.pk, wishes=[wish()])
    second = wish(practitioner_id=other.pk)
    with pytest.raises(Refused, match="The patient has another visit at that time"):
        book(actor=agent, patient_id=patient.pk, wishes=[second])
    assert len(book(actor=agent, patient_id=patient.pk, wishes=[second], may_overlap=True)) == 1


def test_staff_may_put_visits_beside_the_agenda_up_to_the_daily_limit(agent, wish, doctor):
    doctor.daily_overbooking = 1
    doctor.save()
    book(actor=agent, patient_id=PatientFactory().pk, wishes=[wish()])
    (extra,) = book(actor=agent, patient_id=PatientFactory().pk, wishes=[wish()], is_overbooking=True)
    with pytest.raises(Refused, match="No more visits beside the agenda"):
        book(actor=agent, patient_id=PatientFactory().pk, wishes=[wish()], is_overbooking=True)
    cancel(actor=agent, appointment_id=extra.pk, asked_by="patient", reason="Better")
    assert book(actor=agent, patient_id=PatientFactory().pk, wishes=[wish()], is_overbooking=True)


def test_the_dead_are_not_booked_and_hidden_patients_are_not_found(agent, partner_agent, auditor, patient, wish):
    dead = PatientFactory(deceased_date=timezone.localdate())
    with pytest.raises(Refused, match="has died"):
        book(actor=agent, patient_id=dead.pk, wishes=[wish()])
    for person in (partner_agent, auditor):
        with pytest.raises(PermissionDenied):
            book(actor=person, patient_id=patient.pk, wishes=[wish()])


def test_moving_keeps_the_chain_and_frees_the_old_time(agent, patient, wish):
    (first,) = book(actor=agent, patient_id=patient.pk, wishes=[wish(10)])
    second = move(actor=agent, appointment_id=first.pk, wish=wish(10, 30), asked_by="patient", reason="Work")
    third = move(actor=agent, appointment_id=second.pk, wish=wish(10), asked_by="patient", reason="Work again")
    first.refresh_from_db()
    assert (first.status, first.cancelled_for, first.cancel_reason) == ("cancelled", "patient", "Work")
    assert (second.previous, third.previous, current_of(first)) == (first, second, third)
    assert (upcoming_of(patient, timezone.now()), past_of(patient, timezone.now())) == ([third], [])
    assert Occupancy.objects.get().appointment == third
    with pytest.raises(Conflict, match="moved meanwhile"):
        move(actor=agent, appointment_id=first.pk, wish=wish(12), asked_by="patient", reason="Late")


def test_a_visit_may_move_into_its_own_time(agent, patient, wish):
    (first,) = book(actor=agent, patient_id=patient.pk, wishes=[wish(10)])
    second = move(actor=agent, appointment_id=first.pk, wish=wish(10, 15), asked_by="patient", reason="Bus")
    assert second.starts_at - first.starts_at == timedelta(minutes=15)


def test_a_move_to_a_taken_time_leaves_everything_as_it_was(agent, patient, wish):
    (mine,) = book(actor=agent, patient_id=patient.pk, wishes=[wish(10)])
    book(actor=agent, patient_id=PatientFactory().pk, wishes=[wish(11)])
    with pytest.raises(SlotTaken):
        move(actor=agent, appointment_id=mine.pk, wish=wish(11), asked_by="patient", reason="Work")
    mine.refresh_from_db()
    assert (mine.status, mine.occupancy.span.lower) == ("booked", mine.starts_at)


def test_cancelling_says_who_and_why_frees_the_time_and_is_harmless_twice(agent, patient, wish):
    (visit,) = book(actor=agent, patient_id=patient.pk, wishes=[wish()])
    with pytest.raises(Refused, match="Say why"):
        cancel(actor=agent, appointment_id=visit.pk, asked_by="patient", reason=" ")
    for _ in range(2):
        visit = cancel(actor=agent, appointment_id=visit.pk, asked_by="practitioner", reason="Ill")
    assert (visit.status, visit.cancelled_for, visit.cancel_reason) == ("cancelled", "practitioner", "Ill")
    assert (Occupancy.objects.count(), past_of(patient, timezone.now())) == (0, [visit])
    with pytest.raises(Conflict, match="cancelled meanwhile"):
        move(actor=agent, appointment_id=visit.pk, wish=wish(12), asked_by="patient", reason="Late")


def test_the_database_itself_keeps_visits_apart(agent, patient, wish):
    (visit,) = book(actor=agent, patient_id=patient.pk, wishes=[wish()])
    taken = visit.occupancy
    with pytest.raises(IntegrityError), transaction.atomic():
        Occupancy.objects.create(
            practitioner=taken.practitioner, span=taken.span, hold_token=uuid4(), held_until_at=timezone.now()
        )


def test_a_key_that_booked_for_somebody_else_is_told_in_words(agent, patient, wish):
    key = uuid4()
    book(actor=agent, patient_id=patient.pk, wishes=[wish(key=key)])
    with pytest.raises(Conflict, match="Another visit has this identifier"):
        book(actor=agent, patient_id=PatientFactory().pk, wishes=[wish(hour=12, key=key)])
    assert Appointment.objects.count() == 1


def test_a_visit_that_crosses_midnight_belongs_to_the_day_it_begins_and_takes_its_time_of_both(agent, service, site):
    night = PractitionerFactory(services=[service])
    ScheduleFactory(practitioner=night, location=site, hours=[(time(22), time(6))])
    late, early = a_day_at(23, ZONE, minute=45), a_day_at(0, ZONE, days=4)
    (visit,) = book(
        actor=agent, patient_id=PatientFactory().pk, wishes=[Wish(service.pk, late, night.pk, site.pk)]
    )  # fmt: skip
    assert (visit.visit_date, visit.ends_at) == (late.date(), early + timedelta(minutes=15))
    with pytest.raises(SlotTaken) as refused:
        book(actor=agent, patient_id=PatientFactory().pk, wishes=[Wish(service.pk, early, night.pk, site.pk)])
    assert refused.value.alternatives


@pytest.mark.parametrize(
    "make",
    [
        lambda visit: ServiceFactory(minutes=0),
        lambda visit: Occupancy.objects.filter(pk=visit.occupancy.pk).update(span=(visit.starts_at, visit.starts_at)),
        lambda visit: Appointment.objects.filter(pk=visit.pk).update(ends_at=visit.starts_at),
        lambda visit: Absence.objects.create(
            practitioner=visit.practitioner, starts_at=visit.starts_at, ends_at=visit.starts_at
        ),
    ],
    ids=["service", "occupancy", "visit", "absence"],
)
def test_nothing_takes_no_time(make, agent, patient, wish):
    (visit,) = book(actor=agent, patient_id=patient.pk, wishes=[wish()])
    with pytest.raises(IntegrityError), transaction.atomic():
        make(visit)


@pytest.mark.parametrize("far", [timedelta(days=4000), timedelta(days=365 * 7900)])
def test_a_time_beyond_every_agenda_is_refused_in_words(far, agent, patient, wish):
    with pytest.raises(Refused, match="This time lies too far ahead"):
        book(actor=agent, patient_id=patient.pk, wishes=[replace(wish(), starts_at=timezone.now() + far)])


def test_a_site_without_a_known_zone_is_refused_in_words():
    with pytest.raises(ValidationError, match="This time zone is not known"):
        LocationFactory.build(time_zone="Mars/Olympus").full_clean()
