"""The pure core of slot search, across changes of the clock."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contact_center.common.spans import joined
from scheduling.slots import Fit, Gap, Hours, Opening, Resource, Slot, Step, free_slots, in_a_row, in_order, spans_of

ZONES = [
    ZoneInfo(name)
    for name in (
        "America/New_York", "America/Sao_Paulo", "America/St_Johns", "Europe/Madrid", "Europe/Lisbon", "Asia/Kolkata",
        "Australia/Lord_Howe", "Pacific/Auckland", "Africa/Casablanca", "Pacific/Apia",
    )
]  # fmt: skip
MADRID = ZoneInfo("Europe/Madrid")
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
days = st.dates(min_value=date(2025, 1, 1), max_value=date(2026, 12, 31))
times = st.integers(0, 95).map(lambda quarter: time(quarter // 4, quarter % 4 * 15))


def opening(start, end, **changes):
    given = {"practitioner_id": 1, "location_id": 1, "room_id": None, "zone": ZoneInfo("UTC")} | changes
    return Opening(start * 60, end * 60, **given)


def minutes(slots):
    return [(slot.start // 60, slot.end // 60) for slot in slots]


def test_a_range_begins_after_the_gap_of_the_clock_and_with_the_first_of_two_equal_times():
    def begins(day):
        ((start, _end),) = spans_of([Hours(6, time(2, 30), time(5))], day, day, MADRID)
        return datetime.fromtimestamp(start, UTC)

    assert begins(date(2026, 3, 29)) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert begins(date(2026, 10, 25)) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_night_lasts_an_hour_less_and_an_hour_more_when_the_clock_changes():
    def length(day):
        ((start, end),) = spans_of([Hours(day.weekday(), time(22), time(6))], day, day, MADRID)
        return (end - start) / 3600

    assert [length(date(2026, 3, 28)), length(date(2026, 3, 27)), length(date(2026, 10, 24))] == [7, 8, 9]


@settings(max_examples=100, deadline=None)
@given(zone=st.sampled_from(ZONES), day=days, starts=times, ends=times)
def test_the_spans_of_a_fortnight_begin_at_their_local_time_and_never_overlap(zone, day, starts, ends):
    hours = [Hours(weekday, starts, ends) for weekday in range(7) if starts != ends]
    spans = spans_of(hours, day, day + timedelta(days=13), zone)
    assert all(start < end for start, end in spans)
    assert all(after[0] >= before[1] - 7200 for before, after in pairwise(spans))
    odd = {start for start, _ in spans if datetime.fromtimestamp(start, zone).time() != starts}
    assert {start for start in odd if not _is_after_gap(start, zone)} == set()


def _is_after_gap(start, zone):
    before = datetime.fromtimestamp(start - 1, zone).utcoffset()
    return datetime.fromtimestamp(start, zone).utcoffset() > before


def test_the_same_hour_with_and_without_a_room_is_offered_both_ways():
    both = [opening(0, 30, room_id=7), opening(0, 30)]
    found = free_slots(both, {}, Fit(minutes=30), LONG_AGO)
    assert [(slot.start, slot.room_id) for slot in found] == [(0, None), (0, 7)]


spans = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 40)).map(lambda pair: (pair[0], sum(pair))), max_size=12)


@settings(max_examples=200, deadline=None)
@given(
    taken=spans,
    step=st.sampled_from([5, 10, 15]),
    before=st.integers(0, 10),
    after=st.integers(0, 10),
    cut=st.integers(0, 220),
)
def test_slots_are_exactly_the_free_times_on_the_grid_also_when_they_are_looked_for_in_two_parts(
    taken, step, before, after, cut
):
    fit = Fit(minutes=20, buffer_before=before, buffer_after=after, step=step)

    def part(begin, end):
        """With nothing known of what is taken but what can touch a visit that starts in this part."""
        near = [one for one in taken if one[1] > begin - before and one[0] < end + 20 + after]
        blocked = list(joined(sorted((start * 60, end * 60) for start, end in near)))
        since, until = (datetime.fromtimestamp(minute * 60, UTC) for minute in (begin, end))
        return minutes(free_slots([opening(0, 220)], {Resource("practitioner", 1): blocked}, fit, since, until))

    found = part(0, cut) + part(cut, 221)
    free = [
        (start, start + 20)
        for start in range(before, 220, step)
        if start + 20 + after <= 220
        and all(end <= start - before or begin >= start + 20 + after for begin, end in taken)
    ]
    assert found == free


def test_nothing_begins_before_now_and_the_grid_stays():
    now = datetime.fromtimestamp(47 * 60, UTC)
    assert minutes(free_slots([opening(0, 120)], {}, Fit(minutes=30, step=30), now)) == [(60, 90), (90, 120)]


def test_a_room_that_is_taken_closes_the_time_of_everybody_in_it():
    rooms = [opening(0, 60, room_id=7), opening(0, 60, practitioner_id=2, room_id=8)]
    found = free_slots(rooms, {Resource("room", 7): [(0, 3600)]}, Fit(minutes=30, step=30), LONG_AGO)
    assert [(slot.practitioner_id, slot.start) for slot in found] == [(2, 0), (2, 1800)]


def test_a_part_of_the_day_and_the_weekdays_are_the_sites_own():
    zone = ZoneInfo("America/New_York")
    span = spans_of([Hours(0, time(9), time(17))], date(2026, 3, 9), date(2026, 3, 9), zone)[0]
    monday = Opening(*span, 1, 1, None, zone)
    fit = Fit(minutes=60, step=60, part_of_day=(time(15), time(17)))
    found = list(free_slots([monday], {}, fit, LONG_AGO))
    assert [slot.starts_at.astimezone(zone).hour for slot in found] == [15, 16]
    assert list(free_slots([monday], {}, Fit(minutes=60, weekdays=frozenset({1})), LONG_AGO)) == []


def test_visits_in_a_row_keep_their_order_and_gaps():
    def at(*starts):
        return [Slot(start * 60, 1, (start + 30) * 60, 1) for start in starts]

    blood, talk = at(0, 60), at(30, 45, 90, 200)
    ways = in_a_row([Step(blood), Step(talk, [Gap(0, least=15, most=60)])])
    assert [tuple(slot.start // 60 for slot in way) for way in ways] == [(0, 45)]
    assert list(in_a_row([])) == []


@pytest.mark.parametrize("most_wait", [None, 120])
def test_the_earliest_way_to_have_all_visits_comes_first(most_wait):
    first = [Slot(start * 60, 1, (start + 10) * 60, 1) for start in (0, 20, 40)]
    second = [Slot(start * 60, 2, (start + 10) * 60, 1) for start in (15, 55)]
    ways = list(in_a_row([Step(first), Step(second, most_wait=most_wait)]))
    assert [(one.start // 60, two.start // 60) for one, two in ways] == [(0, 15), (20, 55), (40, 55)]


def starts_of(*steps):
    return [tuple(slot.start // 60 for slot in way) for way in in_a_row(steps)]


def row_of(*starts, who=1, site=1, room=None, minutes=10):
    return [Slot(start * 60, who, (start + minutes) * 60, site, room) for start in starts]


def test_a_gap_counts_from_the_visit_it_is_about_also_across_another_one():
    blood, picture = row_of(0), row_of(10, 50, who=2)
    talk = row_of(20, 40, 75, who=3)
    assert starts_of(Step(blood), Step(picture), Step(talk, [Gap(0, least=30, most=60)])) == [(0, 10, 40)]
    assert starts_of(Step(blood), Step(picture), Step(talk, [Gap(0, most=5)])) == []


def test_a_patient_waits_from_when_the_next_visit_could_begin_and_travels_nowhere_between():
    first, second = row_of(0), row_of(35, 60, who=2)
    assert starts_of(Step(first), Step(second, [Gap(0, least=20)], most_wait=5)) == [(0, 35)]
    assert starts_of(Step(first), Step(second, most_wait=20)) == []
    assert starts_of(Step(first), Step(row_of(10, who=2, site=2) + row_of(30, who=2))) == [(0, 30)]


@pytest.mark.parametrize(("who", "room", "expected"), [(1, None, 20), (2, 5, 20), (2, 6, 10), (2, None, 10)])
def test_buffers_of_two_visits_do_not_meet_where_one_person_or_room_serves_both(who, room, expected):
    first = row_of(0, room=5)
    second = row_of(10, 15, 20, who=who, room=room)
    found = starts_of(Step(first, buffer_after=5), Step(second, buffer_before=5))
    assert found == [(0, expected)]


def test_what_comes_first_is_put_first_and_the_rest_stays_as_it_was_chosen():
    assert in_order([3, 1, 2], {}) == [3, 1, 2]
    assert in_order([3, 1, 2], {3: [2], 2: [9]}) == [1, 2, 3]
    with pytest.raises(ValueError, match="circle"):
        in_order([1, 2], {1: [2], 2: [1]})
