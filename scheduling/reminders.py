"""When a patient is told what about a visit, and whether it is still true. Pure: `now` is given, times are aware.

Local hours are the patient's: nothing is planned into the quiet hours, on either side of a change of the clocks.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from contact_center.common.business_time import moment_of
from inbox.gate import Hours, quiet_until
from scheduling.enums import ABOUT_TIME, AFTERWARDS, AppointmentStatus, Confirmation, DropReason, ReminderKind

K, S = ReminderKind, AppointmentStatus
TOLD_AT_MINUTES = 10 * 60
DAYS_BEFORE = {K.DAYS_7: 7, K.PREPARATION: 3, K.DAYS_2: 2, K.DAY_1: 1}
PREPARE_AFTER_BOOKING = timedelta(hours=1)
THANKS_AFTER = timedelta(hours=3)
LAST_MOMENT = timedelta(hours=1)
"""Before a visit: what would be told later than this is told no more."""
STALE = {
    K.BOOKED: timedelta(days=2),
    K.DAYS_7: timedelta(days=4),
    K.MISSED: timedelta(days=1),
    K.THANKS: timedelta(days=2),
    K.SURVEY: timedelta(days=5),
}
"""How long after its time a reminder is still worth sending; the others until the visit."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What the planner looks at. `zone` is the site's, `patient_zone` and `hours` are the patient's (IANA, local)."""

    starts_at: datetime
    ends_at: datetime
    zone: str
    patient_zone: str
    hours: Hours | None = None
    has_preparation: bool = False
    status: str = S.BOOKED
    confirmation: str = Confirmation.UNCONFIRMED
    is_prepared: bool = False

    @property
    def date(self) -> date:
        """The day of the visit where it takes place."""
        return self.starts_at.astimezone(ZoneInfo(self.zone)).date()


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """One thing to tell, and when (UTC)."""

    at: datetime
    kind: ReminderKind


def plan(visit: Visit, cadence: Collection[str], now: datetime) -> list[Due]:
    """What is to be told of a visit that was just booked or moved, in order; nothing of a visit that has begun.

    What would have been told before now is left out: the words at booking say it. Each kind comes once.
    """
    if visit.starts_at <= now:
        return []
    found = []
    if K.BOOKED in cadence:
        found.append(Due(out_of_quiet(now, visit), K.BOOKED))
    for kind, days in DAYS_BEFORE.items():
        if kind not in cadence or (kind == K.PREPARATION and not visit.has_preparation):
            continue
        at = at_local_time(visit.date - timedelta(days=days), visit)
        if kind == K.PREPARATION and at <= now:
            at = out_of_quiet(now + PREPARE_AFTER_BOOKING, visit)
        if at > now:
            found.append(Due(at, kind))
    latest = visit.starts_at - LAST_MOMENT
    return sorted(due for due in found if due.at <= latest or (due.kind == K.BOOKED and due.at < visit.starts_at))


def plan_afterwards(visit: Visit, cadence: Collection[str], now: datetime) -> list[Due]:
    """What is to be told after a visit, by how it went: thanks and a question, or words about a missed one."""
    if visit.status == S.FULFILLED:
        thanks = out_of_quiet(max(now, visit.ends_at + THANKS_AFTER), visit)
        asked = at_local_time(visit.date + timedelta(days=1), visit)
        asked = max(asked, out_of_quiet(thanks + THANKS_AFTER, visit))
        found = [Due(thanks, K.THANKS), Due(asked, K.SURVEY)]
    elif visit.status == S.NOSHOW:
        found = [Due(out_of_quiet(now, visit), K.MISSED)]
    else:
        found = []
    return [due for due in found if due.kind in cadence]


def at_local_time(day: date, visit: Visit) -> datetime:
    """Ten o'clock of that day where the patient is, or the first moment after it that is not quiet (UTC)."""
    return out_of_quiet(moment_of(ZoneInfo(visit.patient_zone), day, TOLD_AT_MINUTES), visit)


def out_of_quiet(moment: datetime, visit: Visit) -> datetime:
    """This moment, or the end of the quiet hours it lies in (UTC)."""
    return (quiet_until(moment, visit.patient_zone, visit.hours) or moment).astimezone(UTC)


def reason_to_drop(kind: str, due_at: datetime, visit: Visit, now: datetime) -> DropReason | None:
    """Why it is not to be told now; None when it is still true and useful."""
    if kind in AFTERWARDS:
        wanted = S.NOSHOW if kind == K.MISSED else S.FULFILLED
        if visit.status != wanted:
            return DropReason.OTHERWISE
    elif visit.status == S.CANCELLED:
        return DropReason.CANCELLED
    elif visit.status not in (S.BOOKED, S.PENDING):
        return DropReason.OTHERWISE
    elif visit.starts_at <= now:
        return DropReason.TOO_LATE
    elif kind in (K.DAYS_7, K.DAYS_2) and visit.confirmation == Confirmation.CONFIRMED:
        return DropReason.CONFIRMED
    elif kind == K.PREPARATION and visit.is_prepared:
        return DropReason.READ
    if kind in STALE and now - due_at > STALE[ReminderKind(kind)]:
        return DropReason.TOO_LATE
    return None


def overtaken(kinds: Iterable[str]) -> set[str]:
    """Of several that are due at once for one visit, those that a later one makes needless."""
    telling = [kind for kind in ABOUT_TIME if kind in set(kinds)]
    return {str(kind) for kind in telling[:-1]}
