"""Visits as iCalendar text (RFC 5545), for calendars of patients and practitioners. Pure.

Every moment is written in UTC: it needs no description of a time zone, and no calendar can read it an hour off after
the clocks change or where it does not know the zone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

MOST_BYTES = 75
PRODUCT = "-//Continuo//Agenda//EN"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `uid` stays the same when it changes; `sequence` then rises. Moments are aware."""

    uid: str
    starts_at: datetime
    ends_at: datetime
    changed_at: datetime
    summary: str
    place: str = ""
    words: str = ""
    address: str = ""
    sequence: int = 0
    is_cancelled: bool = False
    is_free: bool = False


def calendar_text(entries: Iterable[Entry], *, name: str = "", refresh_minutes: int | None = None) -> str:
    """A whole calendar with CRLF lines of at most 75 bytes. Raises ValueError for a moment without a zone."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", "CALSCALE:GREGORIAN", "METHOD:PUBLISH"]
    if name:
        lines.append(f"X-WR-CALNAME:{escaped(name)}")
    if refresh_minutes:
        lines += [f"REFRESH-INTERVAL;VALUE=DURATION:PT{refresh_minutes}M", f"X-PUBLISHED-TTL:PT{refresh_minutes}M"]
    for entry in entries:
        lines += _event(entry)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in folded(line))


def _event(entry: Entry) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{escaped(entry.uid)}"
    yield f"DTSTAMP:{moment(entry.changed_at)}"
    yield f"LAST-MODIFIED:{moment(entry.changed_at)}"
    yield f"DTSTART:{moment(entry.starts_at)}"
    yield f"DTEND:{moment(entry.ends_at)}"
    yield f"SEQUENCE:{entry.sequence}"
    yield f"SUMMARY:{escaped(entry.summary)}"
    for name, text in (("LOCATION", entry.place), ("DESCRIPTION", entry.words)):
        if text:
            yield f"{name}:{escaped(text)}"
    if entry.address:
        yield f"URL:{entry.address}"
    yield f"STATUS:{'CANCELLED' if entry.is_cancelled else 'CONFIRMED'}"
    yield f"TRANSP:{'TRANSPARENT' if entry.is_free or entry.is_cancelled else 'OPAQUE'}"
    yield "END:VEVENT"


def moment(at: datetime) -> str:
    """The moment in UTC, to the second."""
    if at.tzinfo is None:
        raise ValueError("a moment needs its zone")
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def escaped(text: str) -> str:
    """Text as a value: what means something there stands behind a backslash, controls are left out."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(sign for sign in text if sign == "\n" or sign == "\t" or sign.isprintable())
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def folded(line: str) -> Iterator[str]:
    """The line in parts of at most 75 bytes, later ones behind a blank; no letter is split."""
    part, size = "", 0
    for sign in line:
        width = len(sign.encode())
        if size + width > MOST_BYTES:
            yield part
            part, size = " ", 1
        part, size = part + sign, size + width
    yield part
