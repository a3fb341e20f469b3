"""Who fits a freed time, and who is asked first."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from scheduling.waves import Freed, Misfit, Wanted, misfit, points, ranked

NOW = datetime(2026, 6, 1, 15, tzinfo=UTC)  # a Monday, 11:00 in New York
FREED = Freed(datetime(2026, 6, 3, 14, tzinfo=UTC), "America/New_York", 1, 7, "on_site")  # Wednesday, 10:00 there


def wants(**what):
    return Wanted(**{
        "entry_id": 1, "urgency": "routine", "joined_at": NOW - timedelta(days=3), "mode": "on_site",
        "notice": timedelta(hours=4), "patient_zone": "America/New_York",
    } | what)  # fmt: skip


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ({}, None),
        ({"mode": "video"}, Misfit.MODE),
        ({"weekdays": frozenset({0, 1})}, Misfit.DAY),
        ({"weekdays": frozenset({2})}, None),
        ({"first_date": date(2026, 6, 4)}, Misfit.DAY),
        ({"last_date": date(2026, 6, 2)}, Misfit.DAY),
        ({"last_date": date(2026, 6, 3)}, None),
        ({"not_before": time(10)}, None),
        ({"not_before": time(10, 1)}, Misfit.HOUR),
        ({"not_after": time(9, 59)}, Misfit.HOUR),
        ({"locations": frozenset({2})}, Misfit.SITE),
        ({"practitioners": frozenset({8})}, Misfit.PRACTITIONER),
        ({"notice": timedelta(hours=48)}, Misfit.NOTICE),
        ({"notice": timedelta(hours=47)}, None),
        ({"current_starts_at": FREED.starts_at}, Misfit.NOT_EARLIER),
        ({"current_starts_at": FREED.starts_at + timedelta(days=1)}, None),
        ({"is_busy": True}, Misfit.BUSY),
        ({"is_asked": True}, Misfit.ASKED),
        ({"offers_today": 3}, Misfit.ENOUGH),
        ({"patient_zone": "Asia/Tokyo"}, Misfit.QUIET),
        ({"contact_hours": (time(12), time(18))}, Misfit.QUIET),
    ],
)
def test_only_who_wants_and_can_take_the_time_is_asked(what, reason):
    assert misfit(wants(**what), FREED, NOW, most_offers_a_day=3) == reason


def test_points_say_what_they_are_for():
    entry = wants(
        urgency="soon", joined_at=NOW - timedelta(days=90), practitioners=frozenset({7}), locations=frozenset({1}),
        weekdays=frozenset({2}), current_starts_at=FREED.starts_at + timedelta(days=22), offers_of_late=2,
    )  # fmt: skip
    assert points(entry, FREED, NOW) == {"urgency": 40, "wait": 60, "fit": 23, "fairness": -16}


def test_the_urgent_come_first_then_the_long_waiting_and_of_equals_the_first_to_join():
    people = [
        wants(entry_id=1),
        wants(entry_id=2, urgency="urgent", joined_at=NOW),
        wants(entry_id=3, joined_at=NOW - timedelta(days=20)),
        wants(entry_id=4, joined_at=NOW - timedelta(days=20), offers_of_late=2),
        wants(entry_id=5, joined_at=NOW - timedelta(days=3, hours=5)),
    ]
    assert [one.entry_id for one in ranked(people, FREED, NOW)] == [2, 3, 4, 5, 1]
