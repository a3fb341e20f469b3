"""What a scheduling message (HL7 v2 SIU S12 to S26) says, in words of ours. Pure."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from scheduling.adapters.er7 import Message, Unreadable

BOOK, CHANGE, CANCEL, DISCARD, BLOCK, OPEN, MISS, PART = (
    "book", "change", "cancel", "discard", "block", "open", "miss", "part",
)  # fmt: skip
EVENTS = {
    "S12": BOOK, "S13": CHANGE, "S14": CHANGE, "S15": CANCEL, "S16": CANCEL, "S17": DISCARD, "S18": CHANGE,
    "S19": CHANGE, "S20": PART, "S21": PART, "S22": PART, "S23": BLOCK, "S24": OPEN, "S26": MISS,
}  # fmt: skip
_MOMENT = re.compile(r"(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?(?:\.\d+)?([+-]\d{4})?$")
UNITS = {"": 1, "MIN": 1, "M": 1, "MN": 1, "MINUTES": 1, "H": 60, "HR": 60, "S": 1 / 60, "SEC": 1 / 60}
YEARS = range(1900, 2200)
"""Years in which somebody may mean a visit; at both ends of the calendar none can be reckoned with."""
Code = tuple[str, str]
"""A value and the authority that gave it, "" when the message does not say."""


class Unsupported(ValueError):
    """A message of another kind; says which kinds are taken."""


@dataclass(slots=True)
class Told:
    """One message about one visit. Moments are as written: naive ones are the site's."""

    event: str
    action: str
    source: str
    control_id: str
    facility: str = ""
    visits: list[Code] = field(default_factory=list)
    patients: list[Code] = field(default_factory=list)
    birth_date: str = ""
    practitioners: list[Code] = field(default_factory=list)
    services: list[Code] = field(default_factory=list)
    locations: list[Code] = field(default_factory=list)
    start: str = ""
    minutes: int | None = None
    note: str = ""
    reason: str = ""


def read(message: Message) -> Told:
    """What the message says. Raises Unsupported for another kind, Unreadable for one without what it must say."""
    head, visit, person = message.first("MSH"), message.first("SCH"), message.first("PID")
    event = head.get(9, 2)
    if head.get(9) != "SIU" or event not in EVENTS:
        raise Unsupported("Only SIU S12 to S24 and S26 are taken here.")
    if not head.get(12).startswith("2."):
        raise Unsupported("Only version 2 is taken here.")
    if not head.get(10):
        raise Unreadable("MSH-10 is empty: the message cannot be told from others.")
    source = head.get(3)[:100] or "hl7"
    told = Told(event, EVENTS[event], source, head.get(10), head.get(4)[:100])
    told.visits = _codes(visit.all(2), authority=2) + _codes(visit.all(1), authority=2)
    told.patients = _codes(person.all(3), authority=4) + _codes(person.all(2), authority=4)
    told.birth_date = person.get(7)[:8]
    people = [*_of(message, "AIP", 3), *_of(message, "AIG", 3), *_of(message, "AIG", 4)]
    told.practitioners = people + _codes(visit.all(16), authority=9) + _codes(message.first("PV1").all(7), authority=9)
    told.services = _of(message, "AIS", 3) + _codes(visit.all(7), authority=3) + _codes(visit.all(8), authority=3)
    told.locations = [(one.get(3), one.get(3, 4)) for one in message.every("AIL") if one.get(3)]
    told.locations += [(one.get(3, 4), "") for one in message.every("AIL") if one.get(3, 4)]
    told.start, told.minutes = _time(message)
    told.note = " ".join(one.get(3) for one in message.every("NTE") if one.get(3))[:240]
    told.reason = visit.get(6, 2) or visit.get(6)
    return told


def _codes(repetitions: list[list[str]], *, authority: int) -> list[Code]:
    found = []
    for parts in repetitions:
        given = parts[authority - 1].split("&")[0] if len(parts) >= authority else ""
        if parts[0]:
            found.append((parts[0][:120], given[:120]))
    return found


def _of(message: Message, name: str, number: int) -> list[Code]:
    return [code for one in message.every(name) for code in _codes(one.all(number), authority=3)]


def _time(message: Message) -> tuple[str, int | None]:
    """Start and length: SCH-11 as far as version 2.4 and often later, else TQ1 or the resources."""
    visit, timing = message.first("SCH"), message.first("TQ1")
    starts = [visit.get(11, 4), timing.get(7)]
    for name, number in (("AIS", 4), ("AIP", 6), ("AIG", 8), ("AIL", 6)):
        starts.append(message.first(name).get(number))
    length, unit = visit.get(9), visit.get(10).upper()
    if not length.isdecimal():
        length, unit = visit.get(11, 3).lstrip("M"), ""
    minutes = round(int(length) * UNITS.get(unit, 1)) if length.isdecimal() and len(length) < 5 else None
    return next(filter(None, starts), ""), minutes


def moment(text: str, zone: ZoneInfo) -> datetime:
    """The moment, in UTC's reckoning when it says its offset, else of the site's clock.

    Raises Unreadable, also for a time that a change of the clock leaves out or brings twice: it is not guessed.
    """
    found = _MOMENT.match(text)
    if not found:
        raise Unreadable("The time of the visit is not written as YYYYMMDDHHMM.")
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
        local = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the zone follows
    except ValueError:
        raise Unreadable("The time of the visit is not in the calendar.") from None
    if year not in YEARS:
        raise Unreadable("The time of the visit lies outside every agenda.")
    if found[7]:
        sign = -1 if found[7][0] == "-" else 1
        offset = timedelta(hours=int(found[7][1:3]), minutes=int(found[7][3:]))
        if offset >= timedelta(hours=24):
            raise Unreadable("The offset of the time is not one.")
        return local.replace(tzinfo=timezone(sign * offset))
    first, later = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() != later.utcoffset():
        raise Unreadable("The clocks change at that time: send it with its offset from UTC.")
    return first
