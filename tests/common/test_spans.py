"""Spans are the same time before and after they are joined or cut."""

from datetime import UTC, datetime, timedelta
from itertools import count, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from contact_center.common.spans import joined, without

spans = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 40)).map(lambda pair: (pair[0], sum(pair))), max_size=12)
quick = settings(max_examples=60, deadline=None)


def points(found):
    return [at for start, end in found for at in range(start, end)]


@quick
@given(spans)
def test_joined_spans_are_the_same_time_in_order_and_never_touch(found):
    whole = list(joined(sorted(found)))
    assert points(whole) == sorted(set(points(found)))
    assert all(before[1] < after[0] for before, after in pairwise(whole))


@quick
@given(spans)
def test_what_is_left_and_what_is_taken_make_up_the_whole(taken):
    left = list(without((10, 220), sorted(taken)))
    assert points(left) == sorted(set(range(10, 220)) - set(points(taken)))
    assert left == list(joined(left))


def test_spans_without_end_are_joined_as_far_as_they_are_asked_for():
    pairs = joined((hour, hour + 1) for hour in count(0, 2))
    assert [next(pairs), next(pairs)] == [(0, 1), (2, 3)]


def test_moments_are_cut_as_numbers_are():
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    hour = timedelta(hours=1)
    assert list(without((noon, noon + 3 * hour), [(noon + hour, noon + 2 * hour)])) == [
        (noon, noon + hour),
        (noon + 2 * hour, noon + 3 * hour),
    ]
