"""Freed times go to the waitlist: in waves, to one winner, with the winner's old time offered on."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_fsm import TransitionNotAllowed

from contact_center.audit.models import AuditEntry
from contact_center.common.errors import Refused
from inbox import grounds
from inbox.models import Interaction, Message
from scheduling import offer_links
from scheduling.enums import OfferStatus
from scheduling.models import Appointment, FreedSlot, SlotOffer, WaitlistEntry
from scheduling.services import booking, offers, waitlist
from scheduling.services.waitlist import Wishes
from tests.factories.patients import PatientFactory
from tests.factories.scheduling import EntryFactory, RulesFactory, ScheduleFactory, ServiceFactory

pytestmark = pytest.mark.django_db
CANCEL = {"asked_by": "patient", "reason": "Ill"}
MOVES = {
    "accept": ("accepted", [Appointment(pk=1)]), "decline": ("declined", []), "expire": ("expired", []),
    "withdraw": ("withdrawn", []),
}  # fmt: skip


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("state", OfferStatus.values)
def test_an_offer_is_answered_or_ended_once(state, name):
    offer, (target, given) = SlotOffer(status=state), MOVES[name]
    if state == "offered":
        getattr(offer, name)(*given)
        assert offer.status == target
    else:
        with pytest.raises(TransitionNotAllowed):
            getattr(offer, name)(*given)


def test_the_table_above_names_every_move_of_an_offer():
    field = SlotOffer._meta.get_field("status")
    assert {move.name for move in field.get_all_transitions(SlotOffer)} == set(MOVES)


@pytest.fixture
def freed(clock, told, ana, visit_of, sms_channel):
    """Ana's visit in two days at nine was cancelled, and the service has rules; the visit that was."""
    visit = visit_of(ana, days=2, is_planned=False)
    RulesFactory(service=visit.service)
    ScheduleFactory(practitioner=visit.practitioner, location=visit.location)
    visit_of.other = visit
    return visit


def waits(visit, number, **extra):
    patient = PatientFactory(
        given_name=f"P{number}", phone=f"+1305555020{number}", language="en", time_zone="America/New_York"
    )
    joined_at = timezone.now() - timedelta(days=10 - number)
    return EntryFactory(patient=patient, service=visit.service, joined_at=joined_at, **extra)


def statuses():
    return list(SlotOffer.objects.order_by("rank").values_list("entry__patient__given_name", "wave", "status"))


def test_a_cancelled_time_goes_to_the_best_two_and_then_to_the_next(freed, told, clock):
    for number in (1, 2, 3):
        waits(freed, number)
    booking.cancel(actor=None, appointment_id=freed.pk, **CANCEL)
    assert offers.run_waves() == 1
    texts = told()
    assert [text.partition(" http")[0] for text in texts] == [
        f"P{number}, a time is free: Wednesday 3 June at 09:00 with Dr. Mehrotra, Brickell. Reply 1 to take it, 2 to"
        " leave it. The first to answer gets it, until 13:00." for number in (1, 2)
    ]  # fmt: skip
    assert statuses() == [("P1", 1, "offered"), ("P2", 1, "offered")]
    clock.shift(timedelta(minutes=21))
    offers.run_waves()
    assert statuses() == [("P1", 1, "offered"), ("P2", 1, "offered"), ("P3", 2, "offered")]
    clock.shift(timedelta(hours=2))
    offers.run_waves()
    assert {status for _who, _wave, status in statuses()} == {"expired"}
    assert FreedSlot.objects.get().closed_for == "nobody"


def test_the_first_to_answer_wins_and_late_claimers_are_told_and_kept(freed, told, sms_channel, writes):
    first, second = waits(freed, 1), waits(freed, 2)
    booking.cancel(actor=None, appointment_id=freed.pk, **CANCEL)
    offers.run_waves()
    told()
    writes("yes", to=sms_channel, sender="+13055550202")
    talk = writes("1", to=sms_channel, sender="+13055550201")
    said = list(
        Message.objects.filter(idempotency_key__startswith="offer-answer").order_by("pk").values_list("text", flat=True)
    )
    assert said == [
        "It is yours: Wednesday 3 June at 09:00 with Dr. Mehrotra, Brickell.",
        "This time is not free any more. You stay on the waitlist, and your visit stays as it is.",
    ]
    assert statuses() == [("P1", 1, "withdrawn"), ("P2", 1, "accepted")]
    assert Interaction.objects.get(pk=talk.pk).status == "closed"
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.closed_for, second.closed_for) == ("", "booked")
    filled = FreedSlot.objects.get()
    won = SlotOffer.objects.get(status="accepted")
    assert (filled.closed_for, filled.filled_by, filled.trigger) == ("filled", won.appointment, "cancelled")
    assert (won.appointment.patient, won.appointment.starts_at) == (second.patient, freed.starts_at)


def test_who_takes_an_earlier_time_frees_the_one_they_had_and_it_is_counted_once(freed, told, visit_of, clock):
    entry = waits(freed, 1)
    later = visit_of(entry.patient, days=9, service=freed.service, is_planned=False)
    Appointment.objects.filter(pk=later.pk).update(practitioner=freed.practitioner)
    entry.appointment_id = later.pk
    entry.save()
    other = waits(freed, 2, first_date=later.visit_date)
    booking.cancel(actor=None, appointment_id=freed.pk, **CANCEL)
    offers.run_waves()
    made = offers.accept(actor=None, offer_id=SlotOffer.objects.get(entry=entry).pk)
    assert offers.accept(actor=None, offer_id=SlotOffer.objects.get(entry=entry).pk) == made
    assert (made.previous_id, made.starts_at) == (later.pk, freed.starts_at)
    root, cascade = FreedSlot.objects.order_by("pk")
    assert (root.filled_by, cascade.freed_by_id, cascade.cause, cascade.trigger) == (made, later.pk, root, "cascade")
    offers.run_waves()
    assert list(cascade.offers.values_list("entry", flat=True)) == [other.pk]


def test_the_database_lets_one_offer_of_a_time_win(freed):
    one, two = waits(freed, 1), waits(freed, 2)
    booking.cancel(actor=None, appointment_id=freed.pk, **CANCEL)
    offers.run_waves()
    winner = offers.accept(actor=None, offer_id=SlotOffer.objects.get(entry=one).pk)
    late = SlotOffer.objects.get(entry=two)
    late.__dict__["status"] = "accepted"
    late.appointment = freed
    with pytest.raises(IntegrityError, match="slot_offer_one_winner"), transaction.atomic():
        super(SlotOffer, late).save_base(raw=True, force_update=True)
    assert winner.patient == one.patient


def test_a_time_that_was_booked_otherwise_is_gone_and_its_offers_with_it(freed, agent):
    waits(freed, 1)
    booking.cancel(actor=None, appointment_id=freed.pk, **CANCEL)
    offers.run_waves()
    offer = SlotOffer.objects.get()
    assert offers.still_holds(offer.message_id)
    wish = booking.Wish(freed.service_id, freed.starts_at, freed.practitioner_id, freed.location_id)
    booking.book(actor=None, patient_id=PatientFactory().pk, wishes=[wish])
    with pytest.raises(offers.OfferGone, match="stays on the waitlist"):
        offers.accept(actor=None, offer_id=offer.pk)
    offer.refresh_from_db()
    assert (offer.status, FreedSlot.objects.get().closed_for) == ("withdrawn", "taken")
    assert not grounds.still_hold(offer.message_id, {"grounds": "offer"})


def test_nothing_is_offered_at_night_too_late_or_without_rules(freed, clock, visit_of, ana):
    waits(freed, 1)
    clock.shift(timedelta(hours=11))  # 23:00
    booking.cancel(actor=None, appointment_id=freed.pk, **CANCEL)
    offers.run_waves()
    slot = FreedSlot.objects.get()
    assert (statuses(), timezone.localtime(slot.next_wave_at).hour) == ([], 8)
    clock.shift(timedelta(hours=33))  # the day of the visit, 08:00: an hour before
    offers.run_waves()
    assert FreedSlot.objects.get().closed_for == "cut_off"
    without = visit_of(ana, days=3, service=ServiceFactory(), is_planned=False)
    booking.cancel(actor=None, appointment_id=without.pk, **CANCEL)
    assert FreedSlot.objects.count() == 1


def test_declining_asks_the_next_at_once_and_keeps_the_place(freed):
    first, _second, third = waits(freed, 1), waits(freed, 2), waits(freed, 3)
    freed.service.capacity_rules.__class__.objects.update(group_size=1)
    booking.cancel(actor=None, appointment_id=freed.pk, **CANCEL)
    offers.run_waves()
    offers.decline(actor=None, offer_id=SlotOffer.objects.get(entry=first).pk)
    assert offers.run_waves() == 1
    assert statuses() == [("P1", 1, "declined"), ("P2", 2, "offered")]
    assert WaitlistEntry.objects.filter(closed_at=None).count() == 3 and third.closed_at is None


def test_a_wait_that_ends_with_its_visit_is_on_record_and_what_was_offered_is_taken_back(freed, visit_of):
    entry = waits(freed, 1)
    later = visit_of(entry.patient, days=9, service=freed.service, is_planned=False)
    entry.appointment = later
    entry.save()
    booking.cancel(actor=None, appointment_id=freed.pk, **CANCEL)
    offers.run_waves()
    booking.cancel(actor=None, appointment_id=later.pk, **CANCEL)
    offer = SlotOffer.objects.get()
    with pytest.raises(offers.OfferGone):
        offers.accept(actor=None, offer_id=offer.pk)
    offers.run_waves()
    assert statuses() == [("P1", 1, "withdrawn")]
    left = AuditEntry.objects.get(object_type="waitlist_entry", object_id=entry.pk)
    assert (left.action, left.patient_id, left.detail) == ("changed", entry.patient_id, {"closed_for": "withdrawn"})


def test_leaving_takes_the_offer_back_and_joining_wakes_times_nobody_wanted(freed, agent):
    entry = waits(freed, 1)
    booking.cancel(actor=None, appointment_id=freed.pk, **CANCEL)
    offers.run_waves()
    waitlist.leave(actor=agent, entry_id=entry.pk)
    assert statuses() == [("P1", 1, "withdrawn")]
    FreedSlot.objects.update(next_wave_at=timezone.now())
    offers.run_waves()
    assert FreedSlot.objects.get().closed_for == "nobody"
    newcomer = PatientFactory(phone="+13055550209", time_zone="America/New_York")
    joined = waitlist.join(actor=agent, patient_id=newcomer.pk, wishes=Wishes(freed.service_id, urgency="urgent"))
    again = waitlist.join(actor=agent, patient_id=newcomer.pk, wishes=Wishes(freed.service_id, weekdays=[2]))
    assert (again.pk, again.joined_at, again.weekdays) == (joined.pk, joined.joined_at, [2])
    assert offers.run_waves() == 1
    assert SlotOffer.objects.get(entry=joined).status == "offered"


def test_people_stop_and_hurry_and_partners_may_not(freed, supervisor, partner_agent):
    for number in (1, 2, 3):
        waits(freed, number)
    booking.cancel(actor=None, appointment_id=freed.pk, **CANCEL)
    offers.run_waves()
    slot = FreedSlot.objects.get()
    with pytest.raises(PermissionDenied):
        offers.stop(actor=partner_agent, freed_id=slot.pk)
    offers.offer_next(actor=supervisor, freed_id=slot.pk)
    assert offers.run_waves() == 1
    offers.stop(actor=supervisor, freed_id=slot.pk)
    assert {status for _who, _wave, status in statuses()} == {"withdrawn"}
    with pytest.raises(Refused, match="not offered any more"):
        offers.offer_next(actor=supervisor, freed_id=slot.pk)


@pytest.mark.parametrize(
    ("wishes", "why"),
    [
        ({"mode": "video"}, "not offered in that way"),
        ({"last_date": timezone.localdate() - timedelta(days=1)}, "nor in the past"),
        ({"appointment_id": 0}, "an earlier time be looked for"),
    ],
)
def test_wishes_that_cannot_be_are_refused(agent, wishes, why):
    service = ServiceFactory()
    with pytest.raises(Refused, match=why):
        waitlist.join(actor=agent, patient_id=PatientFactory().pk, wishes=Wishes(service.pk, **wishes))
    assert WaitlistEntry.objects.count() == 0


def test_the_link_of_an_offer_shows_takes_and_tells_who_comes_late(freed, client):
    for number in (1, 2):
        waits(freed, number)
    booking.cancel(actor=None, appointment_id=freed.pk, **CANCEL)
    offers.run_waves()
    ours, late = SlotOffer.objects.order_by("rank")
    address = f"/o/{offer_links.token_for(ours.pk)}/"
    shown = client.get(address)
    assert (shown.status_code, "<b>Wednesday 3 June</b><b>09:00</b>" in shown.content.decode()) == (200, True)
    assert SlotOffer.objects.filter(status="offered").count() == 2
    assert "it is yours" in client.post(address, {"answer": "yes"}).content.decode()
    gone = client.post(f"/o/{offer_links.token_for(late.pk)}/", {"answer": "yes"})
    assert (gone.status_code, "not free any more" in gone.content.decode()) == (409, True)
    assert [client.get(f"/o/{bad}/").status_code for bad in (f"{ours.pk}:forged", "x", "0:")] == [404, 404, 404]


def test_a_patient_who_asks_anew_still_waits_with_the_visit_that_stands_and_staff_may_part_them(visit_of, ana, agent):
    visit = visit_of(ana)
    entry = EntryFactory(patient=ana, service=visit.service, appointment=visit)
    parted = []
    for actor in (None, agent):
        waitlist.join(actor=actor, patient_id=ana.pk, wishes=Wishes(visit.service_id, weekdays=[2]))
        entry.refresh_from_db()
        parted.append((entry.appointment, entry.weekdays))
    assert parted == [(visit, [2]), (None, [2])]
    entry.appointment = visit
    entry.save()
    booking.cancel(actor=None, appointment_id=visit.pk, **CANCEL)
    assert waitlist.join(actor=None, patient_id=ana.pk, wishes=Wishes(visit.service_id)).appointment is None
