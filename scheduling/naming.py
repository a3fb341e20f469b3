"""Which of several visits somebody names: by weekday, date or hour, in English, Spanish and Portuguese. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

_WEEKDAYS = (
    "monday|mon|lunes|lun|segunda|segunda-feira",
    "tuesday|tue|tues|martes|terca|terca-feira",
    "wednesday|wed|miercoles|quarta|quarta-feira",
    "thursday|thu|thur|thurs|jueves|quinta|quinta-feira",
    "friday|fri|viernes|sexta|sexta-feira",
    "saturday|sat|sabado",
    "sunday|sun|domingo",
)
_MONTHS = (
    "january|jan|enero|ene|janeiro", "february|feb|febrero|fevereiro|fev", "march|mar|marzo|marco",
    "april|apr|abril|abr", "may|mayo|maio|mai", "june|jun|junio|junho", "july|jul|julio|julho",
    "august|aug|agosto|ago", "september|sep|sept|septiembre|setiembre|setembro|set", "october|oct|octubre|outubro|out",
    "november|nov|noviembre|novembro", "december|dec|diciembre|dic|dezembro|dez",
)  # fmt: skip


_ANY_HOUR = r"\d{1,2}[:.h]\d{2}|\d{1,2}\s*(?:a|p)\.?m|(?:at|a las|as|a la)\s+\d{1,2}"


class HasMoment(Protocol):
    """A visit at a site with a clock of its own."""

    starts_at: datetime

    @property
    def location(self) -> "HasZone": ...


class HasZone(Protocol):
    """A site."""

    time_zone: str


Visit = TypeVar("Visit", bound=HasMoment)


def named_by(text: str, visits: Sequence[Visit]) -> list[Visit]:
    """The one visit whose day or hour these words name; none when they name none, or several."""
    words = _folded(text)
    scores = [_score(words, one.starts_at.astimezone(ZoneInfo(one.location.time_zone))) for one in visits]
    best = max(scores, default=0)
    found = [one for one, score in zip(visits, scores, strict=True) if score == best and best > 0]
    return found if len(found) == 1 else []


def names_another(text: str, visit: HasMoment) -> bool:
    """True when these words name a day of the week or an hour that is not this visit's."""
    words = _folded(text)
    at = visit.starts_at.astimezone(ZoneInfo(visit.location.time_zone))
    names_weekday = any(_has(words, names) for names in _WEEKDAYS) and not _has(words, _WEEKDAYS[at.weekday()])
    return names_weekday or (_has(words, _ANY_HOUR) and not _names_hour(words, at))


def _score(words: str, at: datetime) -> int:
    """How many of day of the week, date and hour are named."""
    day, month = at.day, _MONTHS[at.month - 1]
    is_weekday = _has(words, _WEEKDAYS[at.weekday()])
    is_date = _has(
        words,
        rf"0?{day}(?:st|nd|rd|th|o)?\s*(?:de|of|do|/|\.|-)?\s*(?:{month})|(?:{month})\s*0?{day}(?:st|nd|rd|th)?"
        rf"|0?{day}[/.-]0?{at.month}|0?{at.month}/0?{day}|(?:el|dia|o|the)\s+0?{day}(?:st|nd|rd|th)?",
    )
    return is_weekday + is_date + _names_hour(words, at)


def _names_hour(words: str, at: datetime) -> bool:
    minutes = f"{at.minute:02d}"
    half = at.hour % 12 or 12
    suffix = "a" if at.hour < 12 else "p"
    exact = rf"0?{at.hour}[:.h]{minutes}|0?{half}(?:[:.h]{minutes}){'?' if at.minute == 0 else ''}\s*{suffix}\.?m"
    bare = rf"|(?:a las|at|as|la de las|a das)\s+0?(?:{at.hour}|{half})(?![:.\d])" if at.minute == 0 else ""
    loose = rf"|0?{half}[:.h]{minutes}(?!\s*{'p' if suffix == 'a' else 'a'})"
    return _has(words, exact + bare + loose)


def _has(words: str, pattern: str) -> bool:
    return re.search(rf"(?<![\w:./])(?:{pattern})(?![\w:])", words) is not None


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in plain if not unicodedata.combining(sign))
