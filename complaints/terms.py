"""Until when a complaint has to be acknowledged. Pure."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from complaints.enums import ComplaintKind
from contact_center.common.business_time import BusinessCalendar, moment_of

USUAL_DAYS: dict[str, int] = {
    ComplaintKind.CONCERN: 1,
    ComplaintKind.COMPLAINT: 3,
    ComplaintKind.GRIEVANCE: 2,
    ComplaintKind.COMPLIMENT: 5,
}
"""Working days where nobody has said anything else."""
FURTHEST = timedelta(days=366)
OLDEST = timedelta(days=3653)
MIDNIGHT = 24 * 60


def may_have_come(moment: datetime, now: datetime) -> bool:
    """Whether something can have reached us then: not in the future, and not in the year 26 by a slip of the keys."""
    return now - OLDEST < moment <= now


def acknowledge_by(received_at: datetime, days: int, calendar: BusinessCalendar | None, zone: ZoneInfo) -> datetime:
    """The end of the last of so many working days after the day of receipt: when the house closes then.

    Working days are those on which `calendar` opens by its hours, holidays and days of its own; without one they are
    Monday to Friday in `zone`, until midnight. A calendar that does not open for a year gives that year's end.
    """
    local = calendar.zone if calendar else zone
    first = received_at.astimezone(local).date()
    ends = _closing(calendar)
    day, left = first, days
    while left and day < first + FURTHEST:
        day += timedelta(days=1)
        left -= ends(day) is not None
    return moment_of(local, day, ends(day) or MIDNIGHT, is_end=True)


def last_day(due_at: datetime) -> date:
    """The day of the house on which a promise ends: one until midnight ends on the day before it."""
    return timezone.localdate(due_at - timedelta(microseconds=1))


def _closing(calendar: BusinessCalendar | None) -> Callable[[date], int | None]:
    """The minute of a working day at which it ends; None for any other day."""
    if calendar is None:
        return lambda day: MIDNIGHT if day.weekday() < 5 else None
    return lambda day: max((hours.closes for hours in calendar.day_of(day).hours), default=None)
