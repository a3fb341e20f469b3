"""Words of other systems for things of ours: FHIR references and codes. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SERVICE_SYSTEM, VISIT_SYSTEM = "urn:continuo:service", "urn:continuo:visit"
LARGEST_ID = 2**63 - 1
_REFERENCE = re.compile(r"(?:.*/)?(?P<kind>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.-]{1,64})(?:/_history/[^/]+)?$")
_SLOT = re.compile(r"(\d{1,18})-(\d{1,18})-(\d{1,11})$")
_MOMENT = re.compile(r"(?P<prefix>[a-z]{2})?(?P<text>\d{4}(?:-\d{2}){0,2}(?:T.+)?)$")
PREFIXES = ("eq", "ge", "gt", "le", "lt")


class Misunderstood(ValueError):
    """Words that mean nothing here; says why, without quoting them."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Which row of which kind."""

    kind: str
    id: int


def reference(text: str, kind: str = "") -> Reference:
    """`Patient/12`, also as a whole address, or `12` where the kind is known. Raises Misunderstood."""
    found = _REFERENCE.match(text)
    said, pk = (found["kind"], found["id"]) if found else (kind, text)
    if not said or (kind and said != kind) or not pk.isascii() or not pk.isdecimal() or int(pk) > LARGEST_ID:
        raise Misunderstood(f"A reference such as {kind or 'Patient'}/12 is expected.")
    return Reference(said, int(pk))


@dataclass(frozen=True, slots=True)
class SlotId:
    """A slot is not a row: its id says which schedule, which service and when."""

    schedule_id: int
    service_id: int
    start: int

    def __str__(self) -> str:
        return f"{self.schedule_id}-{self.service_id}-{self.start}"

    @property
    def starts_at(self) -> datetime:
        """Aware, UTC."""
        return datetime.fromtimestamp(self.start, UTC)


def slot_id(text: str) -> SlotId:
    """The parts of a slot's id. Raises Misunderstood."""
    found = _SLOT.match(text)
    if not found or max(int(found[1]), int(found[2])) > LARGEST_ID:
        raise Misunderstood("This is not the id of a slot.")
    return SlotId(int(found[1]), int(found[2]), int(found[3]))


def span_of(text: str, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """The half-open span of moments that a FHIR date with its prefix means; a date alone is a day of this zone.

    `ge2026-11-30` has no end, `lt2026-12-01T09:00:00Z` no begin. Raises Misunderstood.
    """
    found = _MOMENT.match(text)
    if not found or (found["prefix"] or "eq") not in PREFIXES:
        raise Misunderstood("A date such as ge2026-11-30 or lt2026-12-01T09:00:00Z is expected.")
    begin, end = _extent(found["text"], zone)
    return {
        "eq": (begin, end), "ge": (begin, None), "gt": (end, None), "le": (None, end), "lt": (None, begin),
    }[found["prefix"] or "eq"]  # fmt: skip


def _extent(text: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    try:
        if "T" in text:
            moment = datetime.fromisoformat(text.replace(" ", "+"))  # an unescaped plus arrives as a blank
            moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
            moment = moment.astimezone(UTC)
            _in_range(moment.date())
            return moment, moment + timedelta(seconds=1)
        first, last = _days(text)
        return (datetime.combine(first, time(), tzinfo=zone), datetime.combine(last, time(), tzinfo=zone))
    except (ValueError, OverflowError):
        raise Misunderstood("This is not a date.") from None


def _days(text: str) -> tuple[date, date]:
    """The first day that is meant, and the first that is not."""
    parts = [int(part) for part in text.split("-")]
    first = date(parts[0], *(parts[1:] + [1, 1])[:2])
    _in_range(first)
    if len(parts) == 1:
        return first, date(first.year + 1, 1, 1)
    if len(parts) == 2:
        return first, (first + timedelta(days=31)).replace(day=1)
    return first, first + timedelta(days=1)


def _in_range(day: date) -> None:
    if not 1900 < day.year < 2200:
        raise ValueError
