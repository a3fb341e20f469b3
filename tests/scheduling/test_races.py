"""Two who want the same at the same moment."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from inbox.models import Message
from scheduling.models import Appointment, FreedSlot, GroupSession, MassMoveVisit, Reminder, SlotOffer
from scheduling.services import booking, holds, mass_moves, offers, sessions
from scheduling.services.handing_over import hand_over_due
from tests.blocking import at_once, while_waiting
from tests.factories.patients import PatientFactory
from tests.factories.scheduling import EntryFactory, RoomFactory, RulesFactory, ScheduleFactory, ServiceFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def class_wish(visit_of, ana):
    """A place in a class of half an hour for three, which can take place at any time of that day."""
    visit = visit_of(ana, days=2, is_planned=False)
    ScheduleFactory(practitioner=visit.practitioner, location=visit.location)
    group = ServiceFactory(places=3, step_minutes=30)
    visit.practitioner.services.add(group)
    return booking.Wish(
        group.pk, visit.starts_at + timedelta(hours=2), visit.practitioner_id, visit.location_id
    )  # fmt: skip


def takes(wish):
    """The visit of somebody new."""
    patient = PatientFactory(time_zone="America/New_York")
    return booking.book(actor=None, patient_id=patient.pk, wishes=[wish])[0]


def test_two_patients_claim_one_offer_and_one_wins(clock, provider, sms_channel, ana, visit_of):
    visit = visit_of(ana, days=2, is_planned=False)
    RulesFactory(service=visit.service)
    ScheduleFactory(practitioner=visit.practitioner, location=visit.location)
    for number in range(2):
        patient = PatientFactory(phone=f"+1305555020{number}", time_zone="America/New_York")
        EntryFactory(patient=patient, service=visit.service, joined_at=timezone.now() - timedelta(days=1))
    booking.cancel(actor=None, appointment_id=visit.pk, asked_by="patient", reason="Ill")
    offers.run_waves()
    first, second = SlotOffer.objects.values_list("pk", flat=True)
    results = at_once(*(lambda pk=pk: offers.accept(actor=None, offer_id=pk).pk for pk in (first, second)))
    won = FreedSlot.objects.get().filled_by_id
    assert sorted(map(str, results)) == sorted([str(won), "OfferGone"])
    assert sorted(SlotOffer.objects.values_list("status", flat=True)) == ["accepted", "withdrawn"]
    assert Appointment.objects.filter(status="booked").count() == 1


def test_visits_of_one_message_are_cancelled_at_once_and_neither_waits_for_the_other(
    clock, provider, sms_channel, ana, visit_of
):
    visits = [visit_of(ana, days=3, hour=hour) for hour in (9, 11)]
    Reminder.objects.update(due_at=timezone.now())
    hand_over_due()
    told = Reminder.objects.exclude(message=None)
    assert told.values("message").distinct().count() == 1 < told.count()
    given = {"actor": None, "asked_by": "patient", "reason": "Ill"}
    results = at_once(*(lambda pk=visit.pk: booking.cancel(appointment_id=pk, **given).status for visit in visits))
    assert results == ["cancelled", "cancelled"]
    assert list(Message.objects.values_list("status", flat=True)) == ["cancelled"]
    assert hand_over_due() <= 1  # what the other one gave back meanwhile is dropped here
    assert Reminder.objects.filter(dropped_at=None).count() == 0


def test_two_workers_tell_of_two_absences_and_the_patient_hears_once(
    clock, provider, sms_channel, ana, visit_of, agent, monkeypatch
):
    visit = visit_of(ana, days=3, is_planned=False)
    day = {"starts_at": visit.starts_at - timedelta(hours=2), "ends_at": visit.ends_at + timedelta(hours=2)}
    for reason in ("sickness", "meeting"):
        mass_moves.start(actor=agent, whom=visit.practitioner, reason=reason, **day)
    others, tell = [], mass_moves.tell

    def tell_while_another_worker_tries(*args, **options):
        others.extend(at_once(mass_moves.carry_on))
        return tell(*args, **options)

    monkeypatch.setattr(mass_moves, "tell", tell_while_another_worker_tries)
    assert (mass_moves.carry_on(), others) == (2, [0])
    assert Message.objects.count() == 1
    assert MassMoveVisit.objects.filter(message=Message.objects.get()).count() == 2


def test_while_a_site_is_being_closed_others_book_and_cancel_there(
    clock, provider, sms_channel, ana, visit_of, agent, monkeypatch
):
    visit, other = visit_of(ana, days=3), visit_of(ana, days=3, hour=11)
    monkeypatch.setattr(mass_moves, "record", lambda **given: None)  # both may fall to one chain of the audit trail
    day = {"starts_at": visit.starts_at - timedelta(hours=2), "ends_at": visit.ends_at + timedelta(hours=9)}
    ill = {"actor": None, "asked_by": "patient", "reason": "Ill"}
    with transaction.atomic():
        move = mass_moves.start(actor=agent, whom=visit.location, reason="holiday", **day)
        results = at_once(
            lambda: RoomFactory(location=visit.location) and "made",
            lambda: booking.cancel(appointment_id=visit.pk, **ill).status,
        )
    assert results == ["made", "cancelled"]
    with transaction.atomic():
        Appointment.objects.select_for_update().get(pk=other.pk)
        assert at_once(mass_moves.carry_on) == [1]
    move.refresh_from_db()
    assert (move.visits.count(), move.closed_at, move.next_wave_at > timezone.now()) == (0, None, True)
    assert (mass_moves.carry_on(), [row.appointment for row in move.visits.all()]) == (1, [other])


def test_eight_threads_want_the_last_place_of_a_group_and_one_gets_it(clock, class_wish):
    for _ in range(2):
        takes(class_wish)
    patients = [PatientFactory(time_zone="America/New_York").pk for _ in range(8)]
    results = at_once(
        *(
            lambda pk=pk: booking.book(actor=None, patient_id=pk, wishes=[class_wish])[0].occupancy.seat
            for pk in patients
        )
    )
    assert sorted(map(str, results)) == ["3", *["SlotTaken"] * 7]
    assert Appointment.objects.filter(session__places=3, status="booked").count() == 3


@pytest.mark.parametrize("verb", ["extend", "release"])
def test_whoever_waits_for_a_group_keeps_nobody_from_its_places(clock, class_wish, verb):
    session = takes(class_wish).session
    token = holds.hold_slot(actor=None, wish=class_wish).hold_token
    found = []

    def lock():
        GroupSession.objects.select_for_update().get(pk=session.pk)

    def lock_places():
        found.extend(session.seats.select_for_update(nowait=True).values_list("seat", flat=True))

    verbs = {"extend": lambda: holds.extend_hold(token=token), "release": lambda: holds.release_holds(tokens=[token])}
    assert while_waiting(lock, verbs[verb], lock_places) == {"extend": True, "release": None}[verb]
    assert sorted(found) == [0, 1, 2]
    assert session.seats.count() == {"extend": 3, "release": 2}[verb]


@pytest.mark.parametrize("verb", ["cancel", "move"])
def test_who_gets_a_place_while_the_whole_group_is_cancelled_or_moved_goes_with_it(clock, agent, class_wish, verb):
    session = takes(class_wish).session
    given = {"actor": agent, "session_id": session.pk, "asked_by": "organisation", "reason": "Too few"}
    later = {"starts_at": class_wish.starts_at + timedelta(hours=1), "practitioner_id": class_wish.practitioner_id}

    def change():
        if verb == "cancel":
            return sessions.cancel_session(**given)
        return sessions.move_session(**given, **later).visits.filter(status="booked").count()

    assert while_waiting(lambda: takes(class_wish), change) == 2
    assert list(session.visits.values_list("status", flat=True)) == ["cancelled"] * 2
    assert session.seats.count() == 0
