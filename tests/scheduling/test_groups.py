"""Several patients in one visit: places are taken, held and given back, and never more than there are."""

from dataclasses import replace
from datetime import time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from contact_center.audit.models import AuditEntry
from contact_center.common.errors import Conflict, Refused
from contact_center.jobs import worker
from patients.models import Patient
from patients.services import erasure, merging
from scheduling.models import Appointment, FreedSlot, GroupSession, Occupancy, SlotOffer
from scheduling.selectors.openings import Search, find_slots
from scheduling.services import booking, mass_moves, offers, sessions
from scheduling.services.agenda import open_day
from scheduling.services.booking import SlotTaken, Wish, book, cancel, move
from scheduling.services.holds import extend_hold, hold_slot, purge_holds, release_holds
from scheduling.services.proposals import propose
from tests.factories.patients import PatientFactory
from tests.factories.scheduling import (
    EntryFactory,
    LocationFactory,
    PractitionerFactory,
    RoomFactory,
    RulesFactory,
    ScheduleFactory,
    ServiceFactory,
    a_day_at,
)

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("America/New_York")
WHY = {"asked_by": "patient", "reason": "Ill"}


@pytest.fixture
def site(sms_channel):
    return LocationFactory(time_zone=ZONE.key)


@pytest.fixture
def group():
    """A class of an hour for three patients."""
    return ServiceFactory(name="Prenatal class", places=3, minutes=60, step_minutes=60, modes=["on_site", "video"])


@pytest.fixture
def midwife(group, site):
    """Every day from nine to noon, for this class and for a visit of one patient."""
    found = PractitionerFactory(services=[group, ServiceFactory(name="Check-up", minutes=60, step_minutes=60)])
    ScheduleFactory(practitioner=found, location=site, hours=[(time(9), time(12))])
    return found


@pytest.fixture
def wish(group, midwife, site):
    def make(hour=9, *, days=3, **changes):
        given = {"service_id": group.pk, "practitioner_id": midwife.pk, "location_id": site.pk}
        return Wish(starts_at=a_day_at(hour, ZONE, days=days), **given | changes)

    return make


def comes(wish, **values):
    """Somebody new who has a place."""
    return book(actor=None, patient_id=PatientFactory(time_zone=ZONE.key, **values).pk, wishes=[wish])[0]


def places_left(group, *, days=3):
    """Hour at the site and places left, as the search says."""
    day = a_day_at(9, ZONE, days=days).date()
    found = find_slots(Search(group, day, day), now=timezone.now())
    return [(slot.starts_at.astimezone(ZONE).hour, slot.places) for slot in found]


def taken():
    """Seats and whether they end, in order."""
    rows = Occupancy.objects.order_by("seat", "pk").values_list("seat", "held_until_at")
    return [(seat, until is not None) for seat, until in rows]


def test_each_patient_takes_a_place_of_one_time_and_the_one_too_many_reads_other_times(wish, group, midwife):
    assert places_left(group) == [(9, 3), (10, 3), (11, 3)]
    visits = [comes(wish()) for _ in range(2)]
    assert len({visit.session_id for visit in visits}) == 1
    assert places_left(group) == [(9, 1), (10, 3), (11, 3)]
    comes(wish())
    with pytest.raises(SlotTaken) as refused:
        comes(wish())
    others = [(slot.starts_at.astimezone(ZONE).hour, slot.places) for slot in refused.value.alternatives]
    assert others == [(10, 3), (11, 3), (9, 3)]
    assert (taken(), Appointment.objects.count()) == ([(0, False), (1, False), (2, False), (3, False)], 3)


def test_a_group_and_another_visit_never_share_the_time_of_a_practitioner_or_a_room(wish, group, midwife, site):
    room = RoomFactory(location=site)
    midwife.schedules.update(room=room)
    other = PractitionerFactory(services=[group])
    ScheduleFactory(practitioner=other, location=site, room=room, hours=[(time(9), time(12))])
    comes(wish(room_id=room.pk))
    alone = midwife.services.get(name="Check-up")
    for changes in ({"service_id": alone.pk}, {"practitioner_id": other.pk}, {"mode": "video"}):
        with pytest.raises(SlotTaken):
            comes(wish(room_id=room.pk, **changes))
    comes(wish(10, service_id=alone.pk, room_id=room.pk))
    with pytest.raises(SlotTaken):
        comes(wish(10, room_id=room.pk))


def test_a_group_takes_no_time_once_the_last_one_has_left_it(wish, group, midwife):
    first, second = comes(wish()), comes(wish())
    cancel(actor=None, appointment_id=first.pk, **WHY)
    assert taken() == [(0, False), (2, False)]
    assert comes(wish()).occupancy.seat == 1
    for visit in Appointment.objects.filter(status="booked"):
        cancel(actor=None, appointment_id=visit.pk, **WHY)
    assert taken() == []
    comes(wish(service_id=midwife.services.get(name="Check-up").pk))
    assert places_left(group) == [(10, 3), (11, 3)]
    assert second.session_id == GroupSession.objects.get().pk


def test_nobody_has_two_places_in_a_group_and_nobody_comes_beside_them(wish, agent, midwife):
    visit = comes(wish())
    midwife.daily_overbooking = 3
    midwife.save()
    for given, words in (
        ({"patient_id": visit.patient_id, "may_overlap": True}, "The patient has a place in this group already."),
        ({"patient_id": PatientFactory().pk, "is_overbooking": True}, "A group has its places."),
    ):
        with pytest.raises(Refused, match=words):
            book(actor=agent, wishes=[wish()], **given)


def test_a_held_place_is_kept_runs_out_and_is_given_back(wish, group, time_machine):
    time_machine.move_to(a_day_at(12, ZONE, days=0), tick=False)
    held = hold_slot(actor=None, wish=wish())
    assert (taken(), places_left(group)[0]) == ([(0, True), (1, True)], (9, 2))
    time_machine.shift(timedelta(minutes=4))
    assert extend_hold(token=held.hold_token)
    time_machine.shift(timedelta(minutes=4))
    assert places_left(group)[0] == (9, 2)
    (visit,) = book(actor=None, patient_id=PatientFactory().pk, wishes=[wish(hold_token=held.hold_token)])
    assert (taken(), visit.occupancy.seat) == ([(0, False), (1, False)], 1)
    for _ in range(2):
        hold_slot(actor=None, wish=wish())
    with pytest.raises(SlotTaken):
        comes(wish())
    time_machine.shift(timedelta(minutes=5))
    assert (places_left(group)[0], purge_holds(), taken()) == ((9, 2), 2, [(0, False), (1, False)])
    cancel(actor=None, appointment_id=visit.pk, **WHY)
    again = hold_slot(actor=None, wish=wish())
    release_holds(tokens=[again.hold_token])
    assert (taken(), extend_hold(token=again.hold_token)) == ([], False)


@pytest.mark.parametrize("verb", ["extend", "leave"])
def test_a_group_whose_time_was_purged_as_its_holds_ran_out_takes_it_again(wish, verb):
    visits = [comes(wish()) for _ in range(2 if verb == "leave" else 0)]
    token = hold_slot(actor=None, wish=wish()).hold_token
    Occupancy.objects.filter(seat=0).delete()
    if verb == "leave":
        cancel(actor=None, appointment_id=visits[0].pk, **WHY)
    else:
        assert extend_hold(token=token)
    (whole,) = Occupancy.objects.filter(seat=0)
    assert (whole.span.lower, whole.span.upper) == (wish(9).starts_at, wish(10).starts_at)
    assert (whole.held_until_at is None, Occupancy.objects.count()) == (verb == "leave", 3 if verb == "leave" else 2)


def test_a_hold_whose_time_somebody_took_as_it_ran_out_is_not_prolonged(wish, midwife):
    token = hold_slot(actor=None, wish=wish()).hold_token
    Occupancy.objects.filter(seat=0).delete()
    comes(wish(service_id=midwife.services.get(name="Check-up").pk))
    assert extend_hold(token=token) is False


def test_a_group_is_moved_to_a_time_that_it_takes_in_part(wish, agent, midwife):
    visits = [comes(wish()) for _ in range(2)]
    at = wish().starts_at + timedelta(minutes=30)
    new = sessions.move_session(
        actor=agent, session_id=visits[0].session_id, practitioner_id=midwife.pk, starts_at=at, **WHY
    )
    assert (new.starts_at, new.visits.count(), taken()) == (at, 2, [(0, False), (1, False), (2, False)])


def test_a_place_is_moved_to_another_group_with_its_chain(wish, agent):
    stays, visit = comes(wish()), comes(wish(note="Brings her mother"))
    new = move(actor=agent, appointment_id=visit.pk, wish=wish(10), **WHY)
    assert (new.previous_id, new.session_id != visit.session_id, new.note) == (visit.pk, True, "Brings her mother")
    new = move(actor=agent, appointment_id=new.pk, wish=wish(11, note="Alone"), **WHY)
    assert new.note == "Alone"
    seats = Occupancy.objects.filter(seat__gte=1).values_list("appointment", "seat")
    assert sorted(seats) == [(stays.pk, 1), (new.pk, 1)]


def test_a_look_at_another_time_leaves_aside_a_group_whose_last_patient_would_leave_it(wish, agent, midwife):
    visit = comes(wish())
    at = wish().starts_at + timedelta(minutes=30)
    is_taken = [f"{midwife.name} is taken from 09:00 to 10:00."]

    def problems():
        return propose(moved=visit, starts_at=at).problems

    assert problems() == []
    held = hold_slot(actor=None, wish=wish())
    assert problems() == is_taken
    release_holds(tokens=[held.hold_token])
    other = comes(wish())
    assert problems() == is_taken
    cancel(actor=None, appointment_id=other.pk, **WHY)
    then = replace(wish(), starts_at=at)
    assert move(actor=agent, appointment_id=visit.pk, wish=then, **WHY).starts_at == at


def test_a_look_at_a_full_group_counts_no_place_that_would_be_left(wish, midwife):
    visit, there = comes(wish()), [comes(wish(10)) for _ in range(3)]
    given = {"moved": visit, "starts_at": wish(10).starts_at}
    assert propose(**given).problems == [f"{midwife.name} is taken from 10:00 to 11:00."]
    assert propose(**given, together=[there[0].pk]).problems == []


def test_the_same_request_again_takes_no_second_place(wish):
    key, patient = uuid4(), PatientFactory()
    first, second = (book(actor=None, patient_id=patient.pk, wishes=[wish(key=key)])[0] for _ in range(2))
    assert (first.pk, taken()) == (second.pk, [(0, False), (1, False)])


@pytest.mark.parametrize(
    "wrong",
    [{"seat": 1}, {"seat": 4}, {"seat": 2, "of_places": 9}, {"seat": 2, "of_places": None}, {"seat": None}],
    ids=["taken", "more than there are", "more than it says", "of nothing", "none"],
)
def test_the_database_lets_nobody_have_a_place_that_is_taken_or_not_there(wish, wrong):
    first, other = comes(wish()), comes(wish(10))
    seat = {"session": first.session, "practitioner": first.practitioner, "of_places": 3, "span": None} | wrong
    Occupancy.objects.filter(appointment=other).delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        Occupancy.objects.create(appointment=other, **seat)
        with transaction.get_connection().cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_freed_place_is_offered_to_who_waits_and_taken_by_one(clock, wish, group, provider):
    RulesFactory(service=group)
    visits = [comes(wish()) for _ in range(3)]
    waiting = [
        EntryFactory(patient=PatientFactory(phone=f"+1305555030{n}", time_zone=ZONE.key), service=group)
        for n in range(2)
    ]
    cancel(actor=None, appointment_id=visits[0].pk, **WHY)
    freed = FreedSlot.objects.get()
    assert offers.run_waves() == 1
    first, second = SlotOffer.objects.order_by("entry")
    assert {first.entry, second.entry} == set(waiting)
    won = offers.accept(actor=None, offer_id=second.pk)
    assert (won.session_id, won.occupancy.seat) == (visits[0].session_id, 1)
    with pytest.raises(offers.OfferGone):
        offers.accept(actor=None, offer_id=first.pk)
    freed.refresh_from_db()
    assert (freed.closed_for, freed.filled_by) == ("filled", won)


def test_an_absence_concerns_everybody_in_the_group(wish, agent, midwife):
    visits = [comes(wish()) for _ in range(3)]
    day = {"starts_at": a_day_at(8, ZONE), "ends_at": a_day_at(18, ZONE)}
    made = mass_moves.start(actor=agent, whom=midwife, reason="sickness", **day)
    mass_moves.take_in(mass_move_id=made.pk)
    assert sorted(made.visits.values_list("appointment", flat=True)) == [visit.pk for visit in visits]


def test_the_search_of_a_group_asks_as_much_for_ten_groups_as_for_one(wish, group, django_assert_num_queries):
    def left():
        search = Search(group, wish().starts_at.date(), wish(days=5).starts_at.date())
        return [slot.places for slot in find_slots(search, now=timezone.now(), limit=9)]

    comes(wish())
    with django_assert_num_queries(9):
        assert left() == [2] + [3] * 8
    for days, hour in ((3, 10), (3, 11), (4, 9), (4, 10), (4, 11), (5, 9), (5, 10), (5, 11), (5, 11)):
        comes(wish(hour, days=days))
    with django_assert_num_queries(9):
        assert left() == [2] * 8 + [1]


def test_reminders_are_planned_for_each_of_a_group(wish):
    visits = [comes(wish(days=10)) for _ in range(2)]
    assert [visit.reminders.filter(kind="booked").count() for visit in visits] == [1, 1]
    assert booking.cancel(actor=None, appointment_id=visits[0].pk, **WHY).status == "cancelled"
    left = [visit.reminders.filter(dropped_at=None).exists() for visit in visits]
    assert left == [False, True]


def test_a_group_that_is_cancelled_cancels_every_visit_and_opens_no_more(wish, group, agent, midwife):
    RulesFactory(service=group)
    visits = [comes(wish()) for _ in range(2)]
    hold_slot(actor=None, wish=wish())
    session = visits[0].session
    given = {"actor": agent, "session_id": session.pk, "asked_by": "organisation", "reason": "Too few"}
    assert [sessions.cancel_session(**given) for _ in range(2)] == [2, 0]
    rows = Appointment.objects.values_list("status", "cancelled_for", "cancel_reason")
    assert list(rows) == [("cancelled", "organisation", "Too few")] * 2
    assert (taken(), places_left(group), FreedSlot.objects.count()) == ([], [(10, 3), (11, 3)], 0)
    with pytest.raises(Refused, match="This group was cancelled"):
        comes(wish())
    comes(wish(service_id=midwife.services.get(name="Check-up").pk))


def test_a_group_that_is_moved_takes_everybody_along_with_their_chains(wish, group, agent, midwife):
    visits = [comes(wish()) for _ in range(2)]
    session = sessions.change_places(actor=agent, session_id=visits[0].session_id, places=5)
    visits += [comes(wish()) for _ in range(3)]
    given = {"actor": agent, "session_id": session.pk, "practitioner_id": midwife.pk} | WHY
    new = sessions.move_session(**given, starts_at=wish(11).starts_at)
    assert (new.places, new.starts_at, new.visits.count()) == (5, wish(11).starts_at, 5)
    assert sorted(new.visits.values_list("previous", flat=True)) == [visit.pk for visit in visits]
    assert (taken(), places_left(group)) == ([(seat, False) for seat in range(6)], [(10, 3)])
    session.refresh_from_db()
    assert (session.moved_to, session.cancelled_for) == (new, "patient")
    with pytest.raises(Conflict):
        sessions.move_session(**given, starts_at=wish(10).starts_at)


@pytest.mark.parametrize("whom", ["other", "same"])
def test_a_group_that_is_moved_gets_the_room_where_the_practitioner_is_then(wish, group, agent, midwife, site, whom):
    first, second = RoomFactory(location=site), RoomFactory(location=site)
    midwife.schedules.update(room=first)
    other = PractitionerFactory(services=[group])
    teacher, hours = {"other": (other, time(9)), "same": (midwife, time(13))}[whom]
    ScheduleFactory(practitioner=teacher, location=site, room=second, hours=[(hours, time(15))])
    visit = comes(wish(room_id=first.pk))
    new = sessions.move_session(
        actor=agent, session_id=visit.session_id, practitioner_id=teacher.pk, starts_at=wish(13).starts_at, **WHY
    )
    assert (new.room, new.practitioner, new.visits.get().room) == (second, teacher, second)


def test_a_group_can_be_moved_back_but_not_to_where_one_was_cancelled(wish, group, agent, midwife):
    visit = comes(wish())
    given = {"actor": agent, "practitioner_id": midwife.pk, **WHY}
    moved = sessions.move_session(**given, session_id=visit.session_id, starts_at=wish(10).starts_at)
    with pytest.raises(Refused, match="This group was moved"):
        comes(wish())
    back = sessions.move_session(**given, session_id=moved.pk, starts_at=wish().starts_at)
    assert (back.pk == visit.session_id, back.visits.count(), places_left(group)) == (False, 1, [(9, 2), (11, 3)])
    assert comes(wish()).session_id == back.pk
    sessions.cancel_session(actor=agent, session_id=back.pk, **WHY)
    other = comes(wish(11))
    with pytest.raises(Refused, match="This group was cancelled"):
        sessions.move_session(**given, session_id=other.session_id, starts_at=wish().starts_at)


def test_a_group_is_not_moved_to_a_time_that_is_taken_and_nothing_changes(wish, agent, midwife):
    visit = comes(wish())
    comes(wish(10, service_id=midwife.services.get(name="Check-up").pk))
    with pytest.raises(SlotTaken):
        sessions.move_session(
            actor=agent, session_id=visit.session_id, practitioner_id=midwife.pk, starts_at=wish(10).starts_at, **WHY
        )
    visit.refresh_from_db()
    visit.session.refresh_from_db()
    assert (visit.status, visit.session.cancelled_at, visit.occupancy.seat) == ("booked", None, 1)


def test_who_has_another_visit_when_the_group_is_moved_there_is_named_first(client, agent, wish, midwife, site):
    busy, hidden, free = comes(wish(), given_name="Ana", family_name="Prado"), comes(wish()), comes(wish())
    Patient.objects.filter(pk=hidden.patient_id).update(sensitivity="vip")
    other = PractitionerFactory(services=[ServiceFactory(name="Cardiology")])
    ScheduleFactory(practitioner=other, location=site)
    alone = {"service_id": other.services.get().pk, "practitioner_id": other.pk}
    for visit, hour in ((busy, 11), (hidden, 12)):
        book(actor=None, patient_id=visit.patient_id, wishes=[wish(hour, **alone)])
    midwife.schedules.get().hours.update(ends=time(13))
    client.force_login(agent)
    where, at = f"/schedule/groups/{free.session_id}/", wish(11).starts_at.astimezone(ZONE)
    form = {"verb": "move", "day": f"{at:%Y-%m-%d}", "at": "11:00", "practitioner": midwife.pk} | WHY

    def told(**changes):
        answer = client.post(where, form | changes)
        return answer.status_code, "Ana Prado (Cardiology, 11:00)" in answer.content.decode()

    assert (told(), Appointment.objects.filter(session=free.session_id, status="booked").count()) == ((422, True), 3)
    with pytest.raises(Refused, match=r"^Another visit at that time: 1 patient whom you may not see\.$"):
        sessions.move_session(
            actor=agent, session_id=free.session_id, practitioner_id=midwife.pk, starts_at=wish(12).starts_at, **WHY
        )
    assert told(may_overlap="on") == (302, False)
    assert Appointment.objects.filter(session__starts_at=wish(11).starts_at, status="booked").count() == 3


def test_a_session_never_has_fewer_places_than_are_taken(wish, agent):
    visits = [comes(wish()) for _ in range(3)]
    cancel(actor=None, appointment_id=visits[0].pk, **WHY)
    given = {"actor": agent, "session_id": visits[0].session_id}
    with pytest.raises(Refused, match="2 places are taken"):
        sessions.change_places(**given, places=1)
    sessions.change_places(**given, places=2)
    assert taken() == [(0, False), (1, False), (2, False)]
    with pytest.raises(SlotTaken):
        comes(wish())


def test_a_group_keeps_the_places_it_was_given_when_everybody_has_left_it(wish, group, agent, midwife):
    visit = comes(wish())
    sessions.change_places(actor=agent, session_id=visit.session_id, places=1)
    cancel(actor=None, appointment_id=visit.pk, **WHY)
    assert places_left(group) == [(9, 1), (10, 3), (11, 3)]
    assert comes(wish()).session.places == 1
    with pytest.raises(SlotTaken):
        comes(wish())


@pytest.mark.parametrize(("is_joined", "places"), [(True, 2), (False, 5)])
def test_a_group_brings_its_places_but_not_where_others_are(wish, agent, midwife, is_joined, places):
    """A limit that others were promised stands."""
    first, there = comes(wish()), comes(wish(10))
    sessions.change_places(actor=agent, session_id=first.session_id, places=5)
    sessions.change_places(actor=agent, session_id=there.session_id, places=2)
    if not is_joined:
        cancel(actor=None, appointment_id=there.pk, **WHY)
    given = {"actor": agent, "session_id": first.session_id, "practitioner_id": midwife.pk} | WHY
    assert sessions.move_session(**given, starts_at=wish(10).starts_at).places == places


def test_staff_see_who_comes_those_they_may_see_and_leave_a_trace(client, agent, wish, group):
    seen, hidden = comes(wish(), given_name="Ana", family_name="Prado"), comes(wish())
    Patient.objects.filter(pk=hidden.patient_id).update(sensitivity="vip")
    client.force_login(agent)
    where = f"/schedule/groups/{seen.session_id}/"
    page = client.get(where)
    words = " ".join(page.content.decode().split())
    assert ("Ana Prado" in words, "1 more whom you may not see." in words, "2 of 3 places taken" in words) == (
        True,
    ) * 3
    assert hidden.patient.full_name not in words
    entry = AuditEntry.objects.filter(object_type="group_session").latest("pk")
    assert (entry.action, entry.detail["found"]) == ("searched", [seen.patient_id])


@pytest.mark.parametrize(
    ("form", "status", "groups"),
    [
        ({"verb": "cancel", "asked_by": "organisation", "reason": ""}, 422, [(9, 3, 2)]),
        ({"verb": "places", "places": "1"}, 422, [(9, 3, 2)]),
        ({"verb": "places", "places": "x"}, 422, [(9, 3, 2)]),
        ({"verb": "move", "day": "2020-01-01", "at": "10:00", **WHY}, 422, [(9, 3, 2)]),
        ({"verb": "explode"}, 404, [(9, 3, 2)]),
        ({"verb": "places", "places": "6"}, 302, [(9, 6, 2)]),
        ({"verb": "move", "at": "11:00", **WHY}, 302, [(9, 3, 0), (11, 3, 2)]),
        ({"verb": "cancel", "asked_by": "organisation", "reason": "Too few"}, 302, [(9, 3, 0)]),
    ],
)
def test_the_page_of_a_group_says_what_is_wrong_or_does_it(client, agent, wish, midwife, form, status, groups):
    """`groups` have the hour, the places and how many come; the last one is shown after a change."""
    comes(wish())
    session = comes(wish()).session
    client.force_login(agent)
    given = {"practitioner": midwife.pk, "day": f"{wish().starts_at:%Y-%m-%d}"} | form
    answer = client.post(f"/schedule/groups/{session.pk}/", given)
    found = [
        (one.starts_at.astimezone(ZONE).hour, one.places, one.visits.filter(status="booked").count())
        for one in GroupSession.objects.order_by("starts_at")
    ]
    shown = f"/schedule/groups/{GroupSession.objects.latest('starts_at').pk}/" if status == 302 else None
    assert (answer.status_code, answer.get("Location"), found) == (status, shown, groups)


def test_the_calendar_shows_one_block_for_a_group(client, agent, wish, site):
    visits = [comes(wish()) for _ in range(2)]
    found = open_day(actor=agent, location=site, day=visits[0].visit_date)
    (block,) = found.columns[0].blocks
    assert (block.session, block.patients, block.visit, found.columns[0].booked_minutes) == (
        visits[0].session, 2, None, 60,
    )  # fmt: skip
    client.force_login(agent)
    page = client.get("/schedule/", {"site": site.pk, "day": visits[0].visit_date.isoformat()}).content.decode()
    assert (page.count("2 of 3"), visits[0].patient.full_name in page) == (1, False)


def test_a_merge_takes_the_place_in_a_group_along_and_gives_it_back(wish, supervisor):
    visit, other = comes(wish()), comes(wish())
    kept = PatientFactory()
    given = {"actor": supervisor, "session_id": visit.session_id}

    def who():
        return sorted(one.patient_id for one in sessions.open_session(**given).visits)

    merge = merging.merge_patients(actor=supervisor, source_id=visit.patient_id, target_id=kept.pk)
    assert (who(), taken()) == (sorted([kept.pk, other.patient_id]), [(0, False), (1, False), (2, False)])
    with pytest.raises(Refused, match="has a place in this group already"):
        book(actor=None, patient_id=kept.pk, wishes=[wish()], may_overlap=True)
    merging.unmerge_patients(actor=supervisor, merge_id=merge.pk)
    assert (who(), taken()) == (sorted([visit.patient_id, other.patient_id]), [(0, False), (1, False), (2, False)])


def test_an_erasure_leaves_no_word_about_the_patient_in_a_group(wish, supervisor, admin, agent):
    visit = comes(wish(note="Twins"))
    comes(wish(note="Stays"))
    given = {"asked_by": "patient", "reason": "Ana is ill"}
    sessions.cancel_session(actor=agent, session_id=visit.session_id, **given)
    request = erasure.request_erasure(actor=supervisor, patient_id=visit.patient_id, reason="by letter")
    erasure.approve_erasure(actor=admin, request_id=request.pk)
    worker.run_jobs()
    rows = Appointment.objects.order_by("pk").values_list("note", "cancel_reason")
    assert list(rows) == [("", ""), ("Stays", "Ana is ill")]
    assert "Ana" not in str(GroupSession.objects.values())


def test_patients_book_a_place_of_a_group_and_read_how_many_are_left(client, group, wish):
    group.is_public = True
    group.save()
    comes(wish())
    day = wish().starts_at.date().isoformat()
    where = f"/book/?service={group.code}&mode=on_site&day={day}"
    page = client.get(where).content.decode()
    assert "2 places left" in page
    slot = page.split('name="slot" value="')[1].split('"')[0]
    assert client.post(where, {"slot": slot}).status_code == 302
    assert "1 place left" in client.get(where).content.decode()
