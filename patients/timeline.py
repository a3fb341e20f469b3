"""Everything that happened with a patient as one line, newest first. Apps register their sources in `ready()`.

A source gives the entries older than a place, newest first, in a constant number of queries; the line merges them.
"""

import heapq
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any

from django.db.models import BooleanField, Func, Q, Value
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from contact_center.accounts.models import User
from contact_center.common.prepared import Given
from patients.models import Patient

PAGE = 30
KINDS: dict[str, str | Promise] = {
    "contact": _("Contacts"),
    "visit": _("Visits"),
    "case": _("Cases"),
    "complaint": _("Complaints"),
    "note": _("Notes"),
    "record": _("Record"),
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """One place in the line. Moment, key and id make it unique, so no page repeats or skips an entry."""

    at: datetime
    key: str
    pk: int

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}-{self.key}-{self.pk}"

    @classmethod
    def read(cls, text: str) -> "Place | None":
        """The place that `str()` made this text of; None for anything else."""
        found = re.fullmatch(r"(\d{1,16})-([a-z_]{1,30})-(\d{1,18})", text, re.ASCII)
        return cls(_EPOCH + int(found[1]) * _MICROSECOND, found[2], int(found[3])) if found else None


@dataclass(frozen=True, slots=True)
class Look:
    """What is asked for: a kind, a channel, first and last day; empty ones narrow nothing."""

    kind: str = ""
    channel: str = ""
    since: date | None = None
    until: date | None = None
    before: Place | None = None

    @property
    def is_plain(self) -> bool:
        """Whether nothing but a place narrows it, as far as one source knows: then `given_look` asks the same."""
        return not (self.channel or self.since or self.until)

    @property
    def given(self) -> tuple[datetime, str, int] | tuple[()]:
        """The values of `given_look`."""
        return (self.before.at, self.before.key, self.before.pk) if self.before else ()

    def narrowed(self, key: str, moment: str) -> Q:
        """Rows of one key whose field `moment` lies in these days and before this place."""
        wanted = Q()
        if self.since:
            wanted &= Q(**{f"{moment}__gte": _midnight(self.since)})
        if self.until:
            wanted &= Q(**{f"{moment}__lt": _midnight(self.until, 1)})
        if self.before:
            at: Any = self.before.at
            # The moment alone leads through an index; the rest decides among those of one moment.
            wanted &= Q(**{f"{moment}__lte": at}) & Q(_Earlier(moment, key, self.before))
        return wanted


class _Earlier(Func):
    """Whether a row of one key stands before a place, in the order of places."""

    output_field = BooleanField()

    def __init__(self, moment: str, key: str, place: Place) -> None:
        values = (value if isinstance(value, Given) else Value(value) for value in (place.at, place.key, place.pk))
        super().__init__(moment, Value(key), "pk", *values)

    def as_sql(self, compiler: Any, connection: Any, **_context: Any) -> Any:  # type: ignore[override]
        parts = [compiler.compile(part) for part in self.get_source_expressions()]
        (at, key, pk, *place), values = [sql for sql, _values in parts], [one for _sql, given in parts for one in given]
        return f'({at}, {key} COLLATE "C", {pk}) < ({", ".join(place)})', values


def given_look(first: int, *, is_later: bool) -> Look:
    """The plain look of a prepared question: the newest, or with `is_later` what stands before a place, whose moment,
    key and id are given from the place `first` on."""
    place: tuple[Any, Any, Any] = (Given(first), Given(first + 1), Given(first + 2))
    return Look(before=Place(*place) if is_later else None)


def _midnight(day: date, days_later: int = 0) -> datetime:
    """A day that no calendar of ours reaches counts as the nearest one that it does."""
    reached = min(max(day, date(1900, 1, 1)), date(2200, 1, 1)) + timedelta(days=days_later)
    return timezone.make_aware(datetime.combine(reached, time()))


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `title` says what, `text` its content, `who` did it, `chip` its state and tone."""

    place: Place
    kind: str
    title: str
    text: str = ""
    who: str = ""
    url: str = ""
    icon: str = "history"
    channel: str = ""
    tone: str = ""
    chip: tuple[str, str] | None = None

    @property
    def at(self) -> datetime:
        """When."""
        return self.place.at


@dataclass(slots=True)
class Line:
    """A page of entries, newest first, and the place before which there are more."""

    entries: list[Entry] = field(default_factory=list)
    older: Place | None = None


Page = Callable[[User, Patient, Look, int], Iterable[Entry]]


@dataclass(frozen=True, slots=True)
class Source:
    """`page(user, patient, look, size)` gives the newest `size` entries that `look` asks for, newest first.

    It is asked only for its `kinds`, and under a channel only when it `has_channels`.
    """

    key: str
    kinds: tuple[str, ...]
    page: Page
    has_channels: bool = False

    def is_asked(self, look: Look) -> bool:
        """Whether it can have what is looked for."""
        return (not look.kind or look.kind in self.kinds) and (not look.channel or self.has_channels)


_sources: dict[str, Source] = {}


def register(source: Source) -> None:
    """Add a source; a second one with the same key takes its place."""
    _sources[source.key] = source


def kinds() -> dict[str, str | Promise]:
    """The kinds of entries that some source gives, with their names."""
    given = {kind for source in _sources.values() for kind in source.kinds}
    return {key: title for key, title in KINDS.items() if key in given}


def timeline_of(user: User, patient: Patient, look: Look, size: int = PAGE) -> Line:
    """A page of what happened with this patient, of what the person may see; the last page is as fast as the first."""
    pages = [source.page(user, patient, look, size + 1) for source in _sources.values() if source.is_asked(look)]
    found = list(islice(heapq.merge(*pages, key=lambda entry: entry.place, reverse=True), size + 1))
    return Line(found[:size], found[size - 1].place if len(found) > size else None)
