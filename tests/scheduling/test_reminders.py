"""The plan of what is told about a visit: by the patient's clock, right on both sides of a change of the clocks."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inbox.gate import quiet_until
from scheduling.enums import DropReason, ReminderKind
from scheduling.models.catalogue import whole_cadence
from scheduling.reminders import Due, Visit, overtaken, plan, plan_afterwards, reason_to_drop

K = ReminderKind
ALL = whole_cadence()
ZONES = (
    "America/New_York", "America/Los_Angeles", "America/Sao_Paulo", "America/Santiago", "Europe/Madrid",
    "Europe/Lisbon", "Africa/Cairo", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Apia",
    "America/St_Johns",
)  # fmt: skip


def visit(at, zone="America/New_York", **facts):
    starts_at = at.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return Visit(starts_at, starts_at + timedelta(minutes=30), zone, facts.pop("patient_zone", zone), **facts)


def local(dues, zone="America/New_York"):
    return [(due.kind.value, due.at.astimezone(ZoneInfo(zone)).strftime("%d %b %H:%M")) for due in dues]


def test_a_visit_far_ahead_is_told_at_booking_and_seven_three_two_and_one_days_before_at_ten():
    now = datetime(2026, 6, 1, 15, tzinfo=UTC)
    dues = plan(visit(datetime(2026, 6, 20, 9, 40), has_preparation=True), ALL, now)
    assert local(dues) == [
        ("booked", "01 Jun 11:00"),
        ("days_7", "13 Jun 10:00"),
        ("preparation", "17 Jun 10:00"),
        ("days_2", "18 Jun 10:00"),
        ("day_1", "19 Jun 10:00"),
    ]


def test_what_would_have_been_told_before_the_booking_is_left_out_and_preparation_comes_an_hour_later():
    now = datetime(2026, 6, 19, 16, tzinfo=UTC)  # noon of the day before
    dues = plan(visit(datetime(2026, 6, 20, 9, 40), has_preparation=True), ALL, now)
    assert local(dues) == [("booked", "19 Jun 12:00"), ("preparation", "19 Jun 13:00")]


def test_a_booking_at_night_is_told_in_the_morning_or_in_the_hours_the_patient_named():
    night = datetime(2026, 6, 2, 2, 30, tzinfo=UTC)
    assert local(plan(visit(datetime(2026, 6, 20, 9)), [K.BOOKED], night)) == [("booked", "02 Jun 08:00")]
    own = visit(datetime(2026, 6, 20, 9), hours=(time(18), time(20)))
    assert local(plan(own, [K.BOOKED, K.DAY_1], night)) == [("booked", "02 Jun 18:00"), ("day_1", "19 Jun 18:00")]


def test_nothing_is_planned_for_a_visit_that_began_nor_beyond_its_cadence():
    now = datetime(2026, 6, 20, 14, tzinfo=UTC)
    assert plan(visit(datetime(2026, 6, 20, 9)), ALL, now) == []
    assert plan(visit(datetime(2026, 8, 20, 9)), [], now) == []


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("fulfilled", [("thanks", "20 Jun 13:00"), ("survey", "21 Jun 10:00")]),
        ("noshow", [("missed", "20 Jun 10:30")]),
        ("cancelled", []),
    ],
)
def test_afterwards_it_depends_on_how_it_went(status, told):
    one = visit(datetime(2026, 6, 20, 9, 30), status=status)
    assert local(plan_afterwards(one, ALL, datetime(2026, 6, 20, 14, 30, tzinfo=UTC))) == told


@pytest.mark.parametrize(
    ("kind", "facts", "reason"),
    [
        (K.DAYS_2, {}, None),
        (K.DAYS_2, {"confirmation": "confirmed"}, DropReason.CONFIRMED),
        (K.DAY_1, {"confirmation": "confirmed"}, None),
        (K.DAY_1, {"status": "cancelled"}, DropReason.CANCELLED),
        (K.DAY_1, {"status": "arrived"}, DropReason.OTHERWISE),
        (K.PREPARATION, {"is_prepared": True}, DropReason.READ),
        (K.THANKS, {}, DropReason.OTHERWISE),
        (K.MISSED, {"status": "noshow"}, None),
        (K.SURVEY, {"status": "fulfilled"}, None),
    ],
)
def test_a_reminder_is_asked_again_whether_it_is_still_so(kind, facts, reason):
    one = visit(datetime(2026, 6, 20, 9), **facts)
    now = one.starts_at - timedelta(hours=20) if kind not in (K.MISSED,) else one.starts_at + timedelta(hours=2)
    assert reason_to_drop(kind, now, one, now) == reason


def test_late_reminders_are_dropped_and_of_several_due_at_once_the_latest_is_told():
    one, week = visit(datetime(2026, 6, 20, 9)), timedelta(days=7)
    assert reason_to_drop(K.DAYS_7, one.starts_at - week, one, one.starts_at - timedelta(days=2)) == "too_late"
    assert reason_to_drop(K.DAY_1, one.starts_at, one, one.starts_at) == "too_late"
    assert overtaken(["days_7", "days_2", "preparation", "day_1"]) == {"days_7", "days_2"}


@settings(max_examples=30, deadline=None)
@given(
    moment=st.datetimes(datetime(2027, 1, 1), datetime(2029, 1, 1)),
    zone=st.sampled_from(ZONES),
    patient_zone=st.sampled_from(ZONES),
    ahead=st.timedeltas(timedelta(minutes=5), timedelta(days=40)),
    hours=st.sampled_from([None, (time(9), time(12)), (time(20), time(2)), (time(0), time(23, 59))]),
)
def test_nothing_is_ever_planned_twice_in_the_past_after_the_visit_or_into_quiet_hours(
    moment, zone, patient_zone, ahead, hours
):
    now = moment.replace(tzinfo=UTC)
    one = Visit(now + ahead, now + ahead + timedelta(minutes=30), zone, patient_zone, hours, has_preparation=True)
    dues = plan(one, ALL, now)
    assert len({due.kind for due in dues}) == len(dues)
    assert [due for due in dues if not now <= due.at < one.starts_at] == []
    assert [due for due in dues if quiet_until(due.at, patient_zone, hours)] == []


@pytest.mark.parametrize(
    ("day", "zone"),
    [
        (datetime(2027, 3, 15, 9), "America/New_York"),  # the night before the clocks went forward
        (datetime(2027, 11, 8, 9), "America/New_York"),
        (datetime(2028, 3, 1, 9), "Europe/Madrid"),  # a leap day lies before it
    ],
)
def test_the_day_before_is_ten_o_clock_also_when_the_clocks_change_and_on_a_leap_day(day, zone):
    one = visit(day, zone)
    due = next(due for due in plan(one, ALL, one.starts_at - timedelta(days=30)) if due.kind == K.DAY_1)
    before = (day - timedelta(days=1)).replace(hour=10)
    assert due == Due(before.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC), K.DAY_1)
