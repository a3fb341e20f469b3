"""Visits that come again: at the same local time, looked at first, booked together, changed from one of them on."""

import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from contact_center.common.errors import Conflict, Refused
from inbox.models import Message
from scheduling.enums import Every
from scheduling.models import Absence, Appointment, AppointmentSeries, Occupancy, VisitQuestion
from scheduling.recurrence import LONGEST, MOST_VISITS, Pattern, days_of, moment
from scheduling.services import series as service
from scheduling.services.booking import SlotTaken, Wish, book, cancel, move
from scheduling.services.series import Terms, book_series, cancel_following, foresee, foresee_move, move_following
from tests.factories.inbox import MessageTemplateFactory
from tests.factories.patients import PatientFactory
from tests.factories.scheduling import (
    LocationFactory,
    PractitionerFactory,
    RoomFactory,
    ScheduleFactory,
    ServiceFactory,
)

ZONE = ZoneInfo("America/New_York")
TEN_ZONES = [
    ZoneInfo(name)
    for name in (
        "America/New_York", "America/Sao_Paulo", "America/St_Johns", "Europe/Berlin", "Europe/London",
        "Africa/Casablanca", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Auckland", "UTC",
    )
]  # fmt: skip
WHY = {"asked_by": "patient", "reason": "New job"}
TUESDAY = date(2026, 6, 2)


@pytest.mark.parametrize(
    ("pattern", "days"),
    [
        (Pattern(TUESDAY, time(10), count=3), ["06-02", "06-09", "06-16"]),
        (Pattern(TUESDAY, time(10), every=2, until=date(2026, 6, 30)), ["06-02", "06-16", "06-30"]),
        (
            Pattern(TUESDAY, time(10), weekdays=frozenset({0, 2, 4}), count=4),
            ["06-03", "06-05", "06-08", "06-10"],
        ),
        (Pattern(TUESDAY, time(10), every=2, unit=Every.DAY, count=3), ["06-02", "06-04", "06-06"]),
        (Pattern(TUESDAY, time(10), count=9, until=date(2026, 6, 9)), ["06-02", "06-09"]),
        (Pattern(TUESDAY, time(10), until=date(2026, 6, 1)), []),
    ],
)  # fmt: skip
def test_a_pattern_names_its_days(pattern, days):
    assert [f"{day:%m-%d}" for day in days_of(pattern)] == days


@pytest.mark.parametrize("wrong", [{"every": 0, "count": 3}, {"every": 1}])
def test_a_pattern_goes_forward_and_ends(wrong):
    with pytest.raises(ValueError, match="a series goes forward and ends"):
        days_of(Pattern(TUESDAY, time(10), **wrong))


@settings(max_examples=30, deadline=None)
@given(
    zone=st.sampled_from(TEN_ZONES),
    first=st.dates(date(2026, 1, 1), date(2028, 12, 31)),
    at=st.times(time(5), time(22)).map(lambda one: one.replace(second=0, microsecond=0)),
    every=st.integers(1, 5),
    unit=st.sampled_from(Every.values),
    weekdays=st.frozensets(st.integers(0, 6), max_size=3),
    count=st.integers(1, 80),
)
def test_every_visit_of_a_series_has_the_same_local_time_whatever_the_clocks_do(
    zone, first, at, every, unit, weekdays, count
):
    pattern = Pattern(first, at, every, unit, weekdays, count)
    days = days_of(pattern)
    moments = [moment(day, at, zone) for day in days]
    assert [(one.astimezone(zone).date(), one.astimezone(zone).time()) for one in moments] == [(d, at) for d in days]
    assert moments == sorted(set(moments))
    assert len(days) <= min(count, MOST_VISITS)
    assert all(first <= day <= first + LONGEST for day in days)
    if unit == Every.WEEK:
        assert {day.weekday() for day in days} <= (weekdays or {first.weekday()})


def test_a_time_that_the_clocks_leave_out_is_the_moment_of_the_change():
    assert moment(date(2026, 3, 8), time(2, 30), ZONE) == datetime(2026, 3, 8, 3, tzinfo=ZONE)


@pytest.fixture
def terms(clock, sms_channel):
    """Half an hour with one practitioner, every day from nine to five."""
    physio, site = ServiceFactory(name="Physiotherapy"), LocationFactory(name="Brickell", time_zone=ZONE.key)
    person = PractitionerFactory(name="Dr. Mehrotra", services=[physio])
    ScheduleFactory(practitioner=person, location=site)
    return Terms(physio, person, site, None, "on_site")


def wish_of(terms, at, **extra):
    return Wish(terms.service.pk, at, terms.practitioner.pk, terms.location.pk, mode=terms.mode, **extra)


PATTERN = Pattern(TUESDAY, time(10), count=4)


def booked(agent, patient, terms, *, numbers=(1, 2, 3, 4), key=None, pattern=PATTERN, hours=None):
    """The visits of a weekly series on Tuesdays at ten, some of them at other `hours` by number."""
    days = dict(enumerate(days_of(pattern), start=1))
    at = {number: moment(days[number], time((hours or {}).get(number, 10)), ZONE) for number in numbers}
    wishes = {number: wish_of(terms, one) for number, one in at.items()}
    made = book_series(actor=agent, patient_id=patient.pk, pattern=pattern, wishes=wishes, key=key or uuid4())
    return list(made.visits.order_by("series_number"))


def local(visits):
    return [f"{visit.starts_at.astimezone(ZONE):%m-%d %H:%M}" for visit in visits]


@pytest.mark.django_db
def test_what_hinders_is_named_per_day_and_other_times_of_that_day_are_offered(agent, ana, terms):
    book(actor=None, patient_id=PatientFactory().pk, wishes=[wish_of(terms, datetime(2026, 6, 9, 10, tzinfo=ZONE))])
    Absence.objects.create(
        location=terms.location, reason="holiday", name="Founders' Day",
        starts_at=datetime(2026, 6, 16, tzinfo=ZONE), ends_at=datetime(2026, 6, 17, tzinfo=ZONE),
    )  # fmt: skip
    elsewhere = PractitionerFactory(services=[terms.service])
    ScheduleFactory(practitioner=elsewhere, location=terms.location)
    other = Wish(terms.service.pk, datetime(2026, 6, 23, 10, tzinfo=ZONE), elsewhere.pk, terms.location.pk)
    book(actor=None, patient_id=ana.pk, wishes=[other])
    seen = foresee(terms=terms, pattern=PATTERN, patient_id=ana.pk)
    assert [(one.number, one.offer is not None, one.problems) for one in seen] == [
        (1, True, []),
        (2, False, ["Dr. Mehrotra is taken from 10:00 to 10:30."]),
        (3, False, ["Closed then: Founders' Day."]),
        (4, True, []),
    ]
    assert seen[3].warnings == ["The patient has another visit at that time: Physiotherapy, 10:00 to 10:30."]
    assert [f"{one.starts_at:%H:%M}" for one in seen[1].others] == ["09:30", "10:30", "09:00"]
    assert seen[2].others == []


@pytest.mark.django_db
def test_many_days_without_hindrance_cost_as_much_as_two(ana, terms, django_assert_num_queries):
    with CaptureQueriesContext(connection) as two:
        foresee(terms=terms, pattern=Pattern(TUESDAY, time(10), every=4, count=2), patient_id=ana.pk)
    days = Pattern(TUESDAY, time(10), unit=Every.DAY, count=29)
    with django_assert_num_queries(len(two)):
        seen = foresee(terms=terms, pattern=days, patient_id=ana.pk)
    assert ([one.problems for one in seen], seen[-1].day) == ([[]] * 29, TUESDAY + timedelta(days=28))


@pytest.mark.django_db
def test_days_on_which_the_site_is_closed_cost_no_more_than_one(ana, terms):
    begin = datetime(2026, 6, 3, tzinfo=ZONE)
    away = Absence.objects.create(location=terms.location, starts_at=begin, ends_at=begin + timedelta(days=1))
    days = Pattern(TUESDAY, time(10), unit=Every.DAY, count=15)
    with CaptureQueriesContext(connection) as one_day:
        foresee(terms=terms, pattern=days, patient_id=ana.pk)
    away.ends_at = begin + timedelta(days=9)
    away.save()
    with CaptureQueriesContext(connection) as nine_days:
        seen = foresee(terms=terms, pattern=days, patient_id=ana.pk)
    assert [one.number for one in seen if one.problems == ["Closed then: Leave."]] == list(range(2, 11))
    assert len(nine_days) <= len(one_day)


@pytest.mark.django_db
def test_the_room_of_a_series_is_kept_where_it_is_free(ana, terms):
    room, another = (RoomFactory(location=terms.location) for _ in range(2))
    terms.practitioner.schedules.update(room=room)
    ScheduleFactory(practitioner=terms.practitioner, location=terms.location, room=another)
    elsewhere = ServiceFactory()
    other = PractitionerFactory(services=[elsewhere])
    ScheduleFactory(practitioner=other, location=terms.location, room=room)
    at = datetime(2026, 6, 9, 10, tzinfo=ZONE)
    book(
        actor=None, patient_id=PatientFactory().pk,
        wishes=[Wish(elsewhere.pk, at, other.pk, terms.location.pk, room.pk)],
    )  # fmt: skip
    seen = foresee(terms=replace(terms, room_id=room.pk), pattern=PATTERN, patient_id=ana.pk)
    assert [one.offer.slot.room_id for one in seen] == [room.pk, another.pk, room.pk, room.pk]


@pytest.mark.django_db
def test_a_series_is_booked_whole_or_not_at_all_and_once(agent, ana, terms):
    key = uuid4()
    visits = booked(agent, ana, terms, key=key)
    assert local(visits) == ["06-02 10:00", "06-09 10:00", "06-16 10:00", "06-23 10:00"]
    assert [visit.series_number for visit in visits] == [1, 2, 3, 4]
    assert booked(agent, ana, terms, key=key) == visits
    with pytest.raises(Conflict):
        booked(agent, PatientFactory(), terms, key=key)
    with pytest.raises(SlotTaken):
        booked(agent, PatientFactory(), terms, numbers=(1, 4))
    assert (Appointment.objects.count(), AppointmentSeries.objects.count()) == (4, 1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("numbers", "why"),
    [((), "Choose the visits"), ((5,), "You changed this after"), ((2,), "You changed this after")],
)
def test_only_visits_of_the_pattern_are_booked(agent, ana, terms, numbers, why):
    wishes = {number: wish_of(terms, datetime(2026, 6, 2, 10, tzinfo=ZONE)) for number in numbers}
    with pytest.raises(Refused, match=why):
        book_series(actor=agent, patient_id=ana.pk, pattern=PATTERN, wishes=wishes, key=uuid4())


@pytest.mark.django_db
def test_the_patient_gets_one_receipt_for_a_series(agent, ana, terms, told):
    booked(agent, ana, terms, numbers=(2, 3))
    (text,) = told()
    assert text.startswith(
        "Ana, your visits are booked: Tuesday 9 June at 10:00; Tuesday 16 June at 10:00, with Dr. Mehrotra, Brickell."
    )
    assert Message.objects.count() == 1


@pytest.mark.django_db
def test_a_receipt_for_many_visits_names_the_first_the_last_and_how_many(agent, ana, terms, told):
    booked(agent, ana, terms, numbers=range(1, 12), pattern=replace(PATTERN, count=11))
    (text,) = told()
    assert text.partition(" http")[0] == (
        "Ana, your visits are booked: 11 visits, the first: Tuesday 2 June at 10:00, the last: Tuesday 11 August at"
        " 10:00, with Dr. Mehrotra, Brickell. Reply 1 if you will come, 2 for another time, 3 if you cannot come."
    )


@pytest.mark.django_db
@pytest.mark.parametrize("words", ["2", "cancel"])
def test_which_of_very_many_visits_is_meant_is_seen_to_by_a_person(agent, ana, terms, told, sms_channel, writes, words):
    booked(agent, ana, terms, numbers=range(1, 12), pattern=replace(PATTERN, count=11))
    told()
    assert (writes(words, to=sms_channel).status, told(), VisitQuestion.objects.count()) == ("queued", [], 0)


@pytest.mark.django_db
def test_a_template_that_names_one_hour_tells_only_visits_at_that_hour(agent, ana, terms, told, whatsapp_channel):
    MessageTemplateFactory(name="appointment_reminder", language="en", body="{{1}}, {{2}}: {{3}} at {{4}}.")
    ana.preferred_channel = "whatsapp"
    ana.save()
    booked(agent, ana, terms, hours={2: 14})
    assert told() == [
        "Ana, Brickell: Tuesday 2 June, Tuesday 16 June, Tuesday 23 June at 10:00.",
        "Ana, Brickell: Tuesday 9 June at 14:00.",
    ]


@pytest.mark.django_db
def test_visits_of_a_series_moved_to_different_people_are_told_with_who_it_is(agent, ana, terms, told):
    visits = booked(agent, ana, terms)
    told()
    other = PractitionerFactory(name="Dr. Okafor", services=[terms.service])
    ScheduleFactory(practitioner=other, location=terms.location)
    for visit, whose in zip(visits, [terms, replace(terms, practitioner=other), terms], strict=False):
        wish = wish_of(whose, visit.starts_at + timedelta(days=1))
        move(actor=agent, appointment_id=visit.pk, wish=wish, **WHY)
    assert [text.partition(". Reply")[0].partition("now: ")[2] for text in told()] == [
        "Wednesday 3 June at 10:00; Wednesday 17 June at 10:00, with Dr. Mehrotra, Brickell",
        "Wednesday 10 June, 10:00 with Dr. Okafor, Brickell",
    ]


@pytest.mark.django_db
def test_a_visit_that_is_moved_stays_in_its_series_and_the_others_stay_where_they_are(agent, ana, terms):
    visits = booked(agent, ana, terms)
    at = datetime(2026, 6, 10, 11, tzinfo=ZONE)
    new = move(actor=agent, appointment_id=visits[1].pk, wish=wish_of(terms, at), **WHY)
    assert (new.series_id, new.series_number) == (visits[1].series_id, 2)
    left = service.following(Appointment.objects.get(pk=visits[0].pk))
    assert local(left) == ["06-02 10:00", "06-10 11:00", "06-16 10:00", "06-23 10:00"]


@pytest.mark.django_db
def test_a_visit_and_those_after_it_are_cancelled_with_the_reason(agent, ana, terms):
    visits = booked(agent, ana, terms)
    cancel(actor=agent, appointment_id=visits[3].pk, **WHY)
    assert cancel_following(actor=agent, appointment_id=visits[1].pk, **WHY) == 2
    rows = Appointment.objects.order_by("series_number").values_list("status", "cancel_reason")
    assert list(rows) == [("booked", ""), *[("cancelled", "New job")] * 3]
    assert Occupancy.objects.count() == 1
    with pytest.raises(Conflict):
        cancel_following(actor=agent, appointment_id=visits[1].pk, **WHY)


@pytest.mark.django_db
def test_a_visit_and_those_after_it_are_moved_also_to_where_the_next_one_was(agent, ana, terms, told):
    visits = booked(agent, ana, terms)
    told()
    given = {"appointment": visits[1], "practitioner": terms.practitioner}
    seen = foresee_move(**given, day=date(2026, 6, 16), at=time(10))
    assert [(one.problems, one.warnings) for one in seen.values()] == [([], [])] * 3
    wishes = {pk: wish_of(terms, one.offer.starts_at) for pk, one in seen.items()}
    assert move_following(actor=agent, appointment_id=visits[1].pk, wishes=wishes, **WHY) == 3
    left = Appointment.objects.filter(status="booked").order_by("series_number")
    assert local(left) == ["06-02 10:00", "06-16 10:00", "06-23 10:00", "06-30 10:00"]
    assert [one.series_number for one in left] == [1, 2, 3, 4]
    (text,) = told()
    assert text.startswith("Ana, your visit was moved. It is now: Tuesday 16 June at 10:00; Tuesday 23 June at 10:00;")


@pytest.mark.django_db
def test_a_move_of_several_changes_nothing_when_one_of_them_is_taken(agent, ana, terms):
    visits = booked(agent, ana, terms)
    book(actor=None, patient_id=PatientFactory().pk, wishes=[wish_of(terms, datetime(2026, 6, 23, 11, tzinfo=ZONE))])
    seen = foresee_move(appointment=visits[2], day=visits[2].visit_date, at=time(11), practitioner=terms.practitioner)
    assert [one.problems for one in seen.values()] == [[], ["Dr. Mehrotra is taken from 11:00 to 11:30."]]
    wishes = {pk: wish_of(terms, one.offer.starts_at) for pk, one in seen.items()}
    with pytest.raises(SlotTaken):
        move_following(actor=agent, appointment_id=visits[2].pk, wishes=wishes, **WHY)
    with pytest.raises(Conflict):
        wrong = {visits[0].pk: wish_of(terms, datetime(2026, 6, 3, 11, tzinfo=ZONE))}
        move_following(actor=agent, appointment_id=visits[2].pk, wishes=wrong, **WHY)
    assert Appointment.objects.filter(status="booked", series=visits[0].series_id).count() == 4


@pytest.mark.django_db
def test_a_group_may_come_again_and_its_places_are_counted_per_day(agent, ana, terms):
    terms.service.places = 2
    terms.service.save()
    at = datetime(2026, 6, 9, 10, tzinfo=ZONE)
    for _ in range(2):
        book(actor=None, patient_id=PatientFactory().pk, wishes=[wish_of(terms, at)])
    book(actor=None, patient_id=PatientFactory().pk, wishes=[wish_of(terms, at - timedelta(days=7))])
    seen = foresee(terms=terms, pattern=PATTERN, patient_id=ana.pk)
    assert [one.offer.slot.places if one.offer else one.problems for one in seen] == [
        1, ["Dr. Mehrotra is taken from 10:00 to 10:30."], 2, 2,
    ]  # fmt: skip
    visits = booked(agent, ana, terms, numbers=(1, 3, 4))
    assert [visit.occupancy.seat for visit in visits] == [2, 1, 1]


def boxes(page):
    """The times on the page, and those of them that are ticked."""
    found = re.findall(r'type="checkbox" name="visit" value="([^"]+)"( checked)?', page)
    return [value for value, _tick in found], [value for value, tick in found if tick]


@pytest.mark.django_db
def test_an_agent_repeats_a_chosen_time_sees_the_days_and_books_them(client, agent, ana, terms):
    client.force_login(agent)
    search = f"/patients/{ana.pk}/visits/book/"
    query = {"service": terms.service.pk, "mode": "on_site", "from_date": "2026-06-02"}
    page = client.get(search, query).content.decode()
    slot = page.split('name="slot" value="')[1].split('"')[0]
    where, form = f"/patients/{ana.pk}/visits/series/", {"slot": slot, "service": terms.service.pk, "key": uuid4()}
    page = client.post(where, form).content.decode()
    chosen, ticked = boxes(page)
    assert (len(chosen), ticked) == (6, chosen)
    weekly = form | {"every": "1", "unit": "week", "count": "6", "verb": "book"}
    again = client.post(where, weekly | {"visit": chosen[:1] * 2})
    assert (again.status_code, boxes(again.content.decode())) == (422, (chosen, chosen[:1]))
    book(actor=None, patient_id=PatientFactory().pk, wishes=[wish_of(terms, datetime(2026, 6, 9, 9, tzinfo=ZONE))])
    others = [value for value in boxes(client.post(where, form).content.decode())[0] if value not in chosen]
    again = client.post(where, weekly | {"visit": [chosen[0], others[1], chosen[0]]})
    assert (len(others), boxes(again.content.decode())[1]) == (3, [chosen[0], others[1]])
    Appointment.objects.get().delete()
    fortnightly = client.post(where, weekly | {"every": "2", "visit": chosen[:3]})
    days, ticked = boxes(fortnightly.content.decode())
    assert (fortnightly.status_code, days[0], len(days), ticked) == (422, chosen[0], 6, days)
    assert "You changed this after the visits were shown." in fortnightly.content.decode()
    assert client.post(where, weekly | {"count": "", "until": ""}).status_code == 422
    answer = client.post(where, weekly | {"visit": chosen[:3]})
    first = Appointment.objects.earliest("starts_at")
    assert (answer.status_code, answer.url) == (302, f"/visits/{first.pk}/following/")
    assert local(Appointment.objects.all()) == ["06-02 09:00", "06-09 09:00", "06-16 09:00"]
    assert client.get(where).status_code == 302


@pytest.mark.django_db
def test_an_agent_moves_or_cancels_a_visit_and_those_after_it(client, agent, ana, terms):
    visits = booked(agent, ana, terms)
    client.force_login(agent)
    where = f"/visits/{visits[1].pk}/following/"
    new = {"day": "2026-06-10", "at": "11:00", "practitioner": terms.practitioner.pk, **WHY}
    page = client.post(where, new | {"verb": "preview"}).content.decode()
    chosen, ticked = boxes(page)
    assert (len(chosen), ticked, Appointment.objects.count()) == (3, chosen, 4)
    again = client.post(where, new | {"verb": "move", "reason": "", "visit": chosen[1:]})
    assert (again.status_code, boxes(again.content.decode())) == (422, (chosen, chosen[1:]))
    assert client.post(where, new | {"verb": "move"}).status_code == 422
    later = client.post(where, new | {"verb": "move", "at": "12:00", "visit": chosen[:2]})
    assert "You changed this after the visits were shown." in later.content.decode()
    still = [value.partition("~")[0] for value in boxes(later.content.decode())[1]]
    assert (later.status_code, still) == (422, [value.partition("~")[0] for value in chosen[:2]])
    assert Appointment.objects.count() == 4
    elsewhere = PractitionerFactory(services=[terms.service])
    ScheduleFactory(practitioner=elsewhere, location=terms.location)
    other = Wish(terms.service.pk, datetime(2026, 6, 17, 11, tzinfo=ZONE), elsewhere.pk, terms.location.pk)
    (other,) = book(actor=None, patient_id=ana.pk, wishes=[other])
    assert client.post(where, new | {"verb": "move", "visit": chosen}).status_code == 422
    assert client.post(where, new | {"verb": "move", "visit": chosen, "may_overlap": "on"}).status_code == 302
    cancel(actor=None, appointment_id=other.pk, **WHY)
    left = Appointment.objects.filter(status="booked").order_by("starts_at")
    assert local(left) == ["06-02 10:00", "06-10 11:00", "06-17 11:00", "06-24 11:00"]
    where = f"/visits/{left[2].pk}/following/"
    assert client.post(where, {"verb": "cancel", "asked_by": "patient", "reason": ""}).status_code == 422
    assert client.post(where, {"verb": "cancel", **WHY}).status_code == 302
    assert Appointment.objects.filter(status="booked").count() == 2
    assert client.post(where, {"verb": "explode"}).status_code == 404
