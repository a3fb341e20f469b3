"""Until when an interaction may rest: the offers of the snooze dialog. Pure: no queries."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

LATER_HOURS = 3
DAY_STARTS, DAY_ENDS = time(9), time(18)


@dataclass(frozen=True, slots=True)
class Rest:
    """One offer: its key and the local moment at which it ends."""

    key: str
    until_at: datetime


def offers(now: datetime) -> list[Rest]:
    """Later today (whole hours, before the day ends), tomorrow and next Monday at nine. `now` is local and aware."""
    later = (now + timedelta(hours=LATER_HOURS, minutes=59)).replace(minute=0, second=0, microsecond=0)
    found = [Rest("later", later)] if later.date() == now.date() and later.time() <= DAY_ENDS else []
    days_to_monday = 7 - now.weekday()
    found.append(Rest("tomorrow", _morning(now, 1)))
    if days_to_monday > 1:
        found.append(Rest("monday", _morning(now, days_to_monday)))
    return found


def _morning(now: datetime, days: int) -> datetime:
    """Nine o'clock on that day by the wall clock, also across a change of summer time."""
    day = (now + timedelta(days=days)).date()
    return datetime.combine(day, DAY_STARTS, tzinfo=now.tzinfo)
