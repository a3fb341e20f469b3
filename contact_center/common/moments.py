"""When something is, as people read it: one table of shapes for pages, messages and files, in the language that is set.

Imports no app. Staff and patients read 24 hours; the year is said where it is not this one, and
always where the shape has it.
"""

from datetime import date, datetime, time, tzinfo
from functools import lru_cache

from django.utils import formats, timezone
from django.utils.translation import get_language

FULL = "l j F"
SHAPES = {  # name -> its day, its clock
    "time": ("", "%H:%M"),
    "seconds": ("", "%H:%M:%S"),
    "day": ("j M", ""),
    "weekday": ("D j M", ""),
    "date": ("j M Y", ""),
    "dated": ("D j M Y", "%H:%M"),
    "moment": ("D j M", "%H:%M"),
    "exact": ("j M Y", "%H:%M:%S"),
    "day_name": ("l", ""),
    "full_day": (FULL, ""),
    "full": (FULL, "%H:%M"),
    "full_year": (f"{FULL} Y", "%H:%M"),
}
IN_FULL = {"es": (r"l j \d\e F", r" \d\e Y"), "pt": (r"l, j \d\e F", r" \d\e Y")}
Moment = datetime | date | time


def moment_words(at: Moment | None, shape: str = "moment", zone: tzinfo | None = None) -> str:
    """What `at` is called, on the clock of `zone` (by default the one that is set); empty for nothing.

    Shapes are those of `SHAPES`, and `near`: the time of today, else the day. Raises KeyError for any other.
    """
    local = timezone.localtime(at, zone) if isinstance(at, datetime) and timezone.is_aware(at) else at
    return written(local, shape)


def written(at: Moment | None, shape: str = "moment") -> str:
    """As `moment_words`, of what already stands on the right clock."""
    if at is None or at == "":
        return ""
    if shape == "near":
        shape = "time" if isinstance(at, datetime) and at.date() == timezone.localdate() else "day"
    day, clock = SHAPES[shape]
    said = [_day(at, day)] if day and not isinstance(at, time) else []
    if clock and not (isinstance(at, date) and not isinstance(at, datetime)):
        said.append(at.strftime(clock))
    return ", ".join(said)


def _day(at: date, shape: str) -> str:
    language = get_language() or ""
    day, always, _rest = shape.partition(" Y")
    day, year = IN_FULL.get(language[:2], (day, " Y")) if day == FULL else (day, " Y")
    if "j" in day and (always or at.year != timezone.localdate().year):
        day += year
    return _day_words(at.date() if isinstance(at, datetime) else at, day, language)


@lru_cache(maxsize=2048)
def _day_words(day: date, shape: str, language: str) -> str:
    """In the language that is set, which is `language`. Kept: a page names the same days again and again."""
    said = formats.date_format(day, shape)
    return said.lower() if language[:2] in IN_FULL else said  # Django writes days and months of both with capitals
