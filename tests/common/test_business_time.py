"""Business hours hold over ten zones and two years, across summer time, holidays, midnight and forced closing."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contact_center.common.business_time import (
    HORIZON,
    WHOLE_DAY,
    Always,
    BusinessCalendar,
    Closure,
    Day,
    Hours,
    Standing,
    clock_changes,
)

ZONES = [
    ZoneInfo(name)
    for name in (
        "America/New_York",
        "America/Sao_Paulo",
        "America/St_Johns",
        "America/Santiago",
        "Europe/Lisbon",
        "Africa/Cairo",
        "Asia/Kolkata",
        "Asia/Tokyo",
        "Australia/Lord_Howe",
        "America/Havana",
    )
]
NEW_YORK = ZoneInfo("America/New_York")
NINE_TO_SIX = {weekday: (Hours.of(time(9), time(18)),) for weekday in range(5)}
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)
TWO_YEARS = int(timedelta(days=730).total_seconds())
quick = settings(max_examples=40, deadline=None)


def at(*parts, zone=NEW_YORK, fold=0):
    return datetime(*parts, tzinfo=zone, fold=fold)


minutes = st.integers(0, 24 * 60 - 1)
hours = st.builds(lambda opens, length: Hours(opens, opens + length), minutes, st.integers(1, 24 * 60))
moments = st.integers(0, TWO_YEARS).map(lambda seconds: FIRST + timedelta(seconds=seconds))
durations = st.integers(0, 90 * 3600).map(lambda seconds: timedelta(seconds=seconds))
closures = st.builds(
    lambda start, length: Closure(start, start + timedelta(seconds=length)), moments, st.integers(1, 864_000)
)


@st.composite
def calendars(draw):
    """A calendar that is open at some time of each week."""
    weekly = draw(st.dictionaries(st.integers(0, 6), st.lists(hours, min_size=1, max_size=3).map(tuple), min_size=1))
    days = draw(
        st.dictionaries(
            st.integers(0, 730).map(lambda n: FIRST.date() + timedelta(days=n)),
            st.builds(Day, st.just("own"), st.lists(hours, max_size=2).map(tuple)),
            max_size=8,
        )
    )
    public = holidays.country_holidays("US", subdiv="FL", years=[2026, 2027]) if draw(st.booleans()) else {}
    shut = tuple(draw(st.lists(closures, max_size=3)))
    return BusinessCalendar(draw(st.sampled_from(ZONES)), weekly, days, public, shut)


@quick
@given(calendars(), moments, durations)
def test_what_was_added_lies_between(calendar, start, duration):
    due = calendar.add_business_time(start, duration)
    if due is None:  # so much is not open within ten years
        assert calendar.business_time_between(start, start + HORIZON) < duration
        return
    assert calendar.business_time_between(start, due) == duration
    assert duration == timedelta() or calendar.is_open_at(due - timedelta.resolution)


@quick
@given(calendars(), moments, moments, durations, durations)
def test_later_starts_and_longer_times_never_end_earlier(calendar, one, other, short, long):
    first, second = sorted((one, other))
    less, more = sorted((short, long))

    def end(start, duration):
        return calendar.add_business_time(start, duration) or NEVER

    assert end(first, less) <= end(second, less)
    assert end(first, less) <= end(first, more)


@quick
@given(calendars(), st.lists(moments, min_size=3, max_size=3))
def test_time_between_moments_adds_up(calendar, found):
    a, b, c = sorted(found)
    between = calendar.business_time_between
    assert between(a, b) + between(b, c) == between(a, c)
    assert between(c, a) == timedelta() or a == c


@quick
@given(calendars(), moments)
def test_an_opening_begins_with_its_first_moment_and_ends_before_its_last(calendar, moment):
    spans = list(calendar.openings(moment, moment + timedelta(days=40)))
    for span in spans[1:-1]:
        assert [calendar.is_open_at(span.start), calendar.is_open_at(span.end - timedelta.resolution)] == [True, True]
        assert [calendar.is_open_at(span.end), calendar.is_open_at(span.start - timedelta.resolution)] == [False, False]
    assert all(earlier.end < later.start for earlier, later in pairwise(spans))
    opens = calendar.opens_next_at(moment)
    assert calendar.is_open_at(moment) == (opens == moment)
    assert calendar.is_open_at(opens)


@quick
@given(st.sampled_from(ZONES), moments, moments)
def test_a_calendar_that_never_closes_loses_no_minute(zone, one, other):
    calendar = BusinessCalendar(zone, dict.fromkeys(range(7), (WHOLE_DAY,)))
    start, end = sorted((one, other))
    assert calendar.business_time_between(start, end) == end - start == Always().business_time_between(start, end)
    assert calendar.add_business_time(start, end - start) == end


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_every_day_of_two_years_is_as_long_as_its_zone_makes_it(zone):
    calendar = BusinessCalendar(zone, dict.fromkeys(range(7), (WHOLE_DAY,)))
    start, end = at(2026, 1, 1, zone=zone), at(2028, 1, 1, zone=zone)
    assert calendar.business_time_between(start, end) == end.astimezone(UTC) - start.astimezone(UTC)


def test_friday_evening_is_answered_on_monday_morning():
    calendar = BusinessCalendar(NEW_YORK, NINE_TO_SIX)
    assert calendar.add_business_time(at(2026, 3, 6, 17, 45), timedelta(minutes=45)) == at(2026, 3, 9, 9, 30)
    assert calendar.add_business_time(at(2026, 3, 6, 17, 30), timedelta(minutes=30)) == at(2026, 3, 6, 18)


def test_summer_time_changes_the_clock_and_not_the_length_of_work():
    calendar = BusinessCalendar(NEW_YORK, dict.fromkeys(range(7), (Hours.of(time(1), time(4)),)))
    whole = [
        calendar.business_time_between(at(2026, 3, day), at(2026, 3, day + 1)) / timedelta(hours=1) for day in (7, 8, 9)
    ]
    assert whole == [3, 2, 3]
    autumn = calendar.business_time_between(at(2026, 11, 1), at(2026, 11, 2))
    assert autumn == timedelta(hours=4)


def test_a_time_that_summer_time_leaves_out_is_the_moment_of_the_change():
    calendar = BusinessCalendar(NEW_YORK, {6: (Hours.of(time(2, 30), time(6)),)})
    assert calendar.opens_next_at(at(2026, 3, 8)) == at(2026, 3, 8, 3)
    assert list(clock_changes(NEW_YORK, at(2026, 1, 1), at(2027, 1, 1))) == [
        at(2026, 3, 8, 3),
        at(2026, 11, 1, 1, fold=1).astimezone(UTC),
    ]


def test_night_hours_belong_to_the_evening_on_which_they_begin():
    calendar = BusinessCalendar(NEW_YORK, {4: (Hours.of(time(22), time(6)),)}, holidays={date(2026, 7, 4): "Holiday"})
    assert [calendar.is_open_at(at(2026, 7, *when)) for when in ((3, 23), (4, 5, 59), (4, 6), (4, 22))] == [
        True,
        True,
        False,
        False,
    ]


def test_a_day_of_its_own_wins_over_a_holiday_and_a_closure_over_both():
    christmas = date(2026, 12, 25)
    shut = Closure(at(2026, 12, 25, 10), at(2026, 12, 25, 11), {"en": "Storm"})
    public = {christmas: "Christmas Day"}
    closed = BusinessCalendar(NEW_YORK, NINE_TO_SIX, {}, public)
    opened = BusinessCalendar(
        NEW_YORK, NINE_TO_SIX, {christmas: Day("Short day", (Hours.of(time(9), time(13)),))}, public, (shut,)
    )
    opens = at(2026, 12, 28, 9)
    assert closed.standing_at(at(2026, 12, 25, 9)) == Standing(False, "holiday", opens, "Christmas Day")
    assert opened.standing_at(at(2026, 12, 25, 10, 30)) == Standing(
        False, "closure", at(2026, 12, 25, 11), messages={"en": "Storm"}
    )
    assert opened.business_time_between(at(2026, 12, 25), at(2026, 12, 26)) == timedelta(hours=3)
    assert opened.standing_at(at(2026, 12, 25, 14)) == Standing(False, "day", opens, "Short day")


def test_a_closure_without_end_stops_every_clock():
    calendar = BusinessCalendar(NEW_YORK, NINE_TO_SIX, closures=(Closure(at(2026, 3, 2, 12)),))
    assert calendar.add_business_time(at(2026, 3, 2, 11), timedelta(hours=1)) == at(2026, 3, 2, 12)
    assert calendar.add_business_time(at(2026, 3, 2, 11), timedelta(hours=2)) is None
    assert calendar.opens_next_at(at(2026, 3, 2, 12)) is None
    assert calendar.closes_next_at(at(2026, 3, 2, 9)) == at(2026, 3, 2, 12)


def test_overlapping_ranges_count_once():
    calendar = BusinessCalendar(NEW_YORK, {0: (Hours(540, 720), Hours(660, 780), Hours(780, 800))})
    assert calendar.business_time_between(at(2026, 3, 2), at(2026, 3, 3)) == timedelta(minutes=260)


def test_an_hour_that_comes_twice_is_open_to_its_last_end():
    calendar = BusinessCalendar(NEW_YORK, {6: (Hours.of(time(0), time(1, 30)),)})
    assert calendar.closes_next_at(at(2026, 11, 1)) == at(2026, 11, 1, 1, 30, fold=1).astimezone(UTC)
    assert calendar.business_time_between(at(2026, 11, 1), at(2026, 11, 2)) == timedelta(hours=2, minutes=30)
