"""Who on the waitlist fits a freed time, and in which order they are asked. Pure; times are aware, `now` is given."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from inbox.gate import Hours, quiet_until
from scheduling.enums import Urgency

URGENCY_POINTS = {Urgency.URGENT: 120, Urgency.SOON: 40, Urgency.ROUTINE: 0}
MOST_WAIT_POINTS = 60  # one a day: two months of waiting outweigh "soon", never "urgent"
PRACTITIONER_POINTS, SITE_POINTS, TIME_POINTS = 10, 5, 5
MOST_EARLIER_POINTS = 10  # one a week that the visit comes earlier
OFFER_POINTS, MOST_OFFERS = -8, 5  # for each offer of late: others get their turn


class Misfit(StrEnum):
    """Why somebody is not asked. Those that pass are worth another look."""

    MODE = "mode"
    DAY = "day"
    HOUR = "hour"
    SITE = "site"
    PRACTITIONER = "practitioner"
    NOTICE = "notice"
    NOT_EARLIER = "not_earlier"
    BUSY = "busy"
    ASKED = "asked"
    ENOUGH = "enough"
    QUIET = "quiet"


PASSES = frozenset({Misfit.ASKED, Misfit.ENOUGH, Misfit.QUIET})


@dataclass(frozen=True, slots=True)
class Freed:
    """A free time at a site."""

    starts_at: datetime
    zone: str
    location_id: int
    practitioner_id: int
    mode: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one patient on the waitlist wants, and how often they were asked. Empty sets mean any."""

    entry_id: int
    urgency: str
    joined_at: datetime
    mode: str
    notice: timedelta
    patient_zone: str
    weekdays: frozenset[int] = frozenset()
    not_before: time | None = None
    not_after: time | None = None
    first_date: date | None = None
    last_date: date | None = None
    locations: frozenset[int] = frozenset()
    practitioners: frozenset[int] = frozenset()
    current_starts_at: datetime | None = None
    contact_hours: Hours | None = None
    is_busy: bool = False
    is_asked: bool = False
    offers_today: int = 0
    offers_of_late: int = 0


@dataclass(frozen=True, slots=True)
class Ranked:
    """A place in the order: the higher the sum of the points, the earlier."""

    entry_id: int
    points: dict[str, int]

    @property
    def total(self) -> int:
        """All points together."""
        return sum(self.points.values())


def misfit(wanted: Wanted, freed: Freed, now: datetime, *, most_offers_a_day: int) -> Misfit | None:
    """The first reason why this patient is not asked for that time; None when they may be."""
    local = freed.starts_at.astimezone(ZoneInfo(freed.zone))
    day, at = local.date(), local.time()
    checks = (
        (wanted.mode != freed.mode, Misfit.MODE),
        (bool(wanted.weekdays) and local.weekday() not in wanted.weekdays, Misfit.DAY),
        (wanted.first_date is not None and day < wanted.first_date, Misfit.DAY),
        (wanted.last_date is not None and day > wanted.last_date, Misfit.DAY),
        (wanted.not_before is not None and at < wanted.not_before, Misfit.HOUR),
        (wanted.not_after is not None and at > wanted.not_after, Misfit.HOUR),
        (bool(wanted.locations) and freed.location_id not in wanted.locations, Misfit.SITE),
        (bool(wanted.practitioners) and freed.practitioner_id not in wanted.practitioners, Misfit.PRACTITIONER),
        (freed.starts_at - now < wanted.notice, Misfit.NOTICE),
        (wanted.current_starts_at is not None and wanted.current_starts_at <= freed.starts_at, Misfit.NOT_EARLIER),
        (wanted.is_busy, Misfit.BUSY),
        (wanted.is_asked, Misfit.ASKED),
        (wanted.offers_today >= most_offers_a_day, Misfit.ENOUGH),
        (quiet_until(now, wanted.patient_zone, wanted.contact_hours) is not None, Misfit.QUIET),
    )
    return next((reason for is_so, reason in checks if is_so), None)


def points(wanted: Wanted, freed: Freed, now: datetime) -> dict[str, int]:
    """Points for urgency, wait, fit and fairness."""
    fit = 0
    fit += PRACTITIONER_POINTS if freed.practitioner_id in wanted.practitioners else 0
    fit += SITE_POINTS if freed.location_id in wanted.locations else 0
    fit += TIME_POINTS if wanted.weekdays or wanted.not_before or wanted.not_after else 0
    if wanted.current_starts_at is not None:
        fit += min(MOST_EARLIER_POINTS, max(0, (wanted.current_starts_at - freed.starts_at).days // 7))
    return {
        "urgency": URGENCY_POINTS[Urgency(wanted.urgency)],
        "wait": min(MOST_WAIT_POINTS, max(0, (now - wanted.joined_at).days)),
        "fit": fit,
        "fairness": OFFER_POINTS * min(MOST_OFFERS, wanted.offers_of_late),
    }


def ranked(wanted: Iterable[Wanted], freed: Freed, now: datetime) -> list[Ranked]:
    """Most points first; of equals, whoever has waited longest."""
    keyed = [(one, Ranked(one.entry_id, points(one, freed, now))) for one in wanted]
    keyed.sort(key=lambda pair: (-pair[1].total, pair[0].joined_at, pair[0].entry_id))
    return [place for _one, place in keyed]
