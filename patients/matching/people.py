"""A person as descriptions of people are compared: folded words, digits of a birth date, addresses."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

MOST_LETTERS = 120
_NOT_WORD = re.compile(r"[^\w]+|_")
_STROKES = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})


def fold(text: str) -> str:
    """Lower case, without accents and punctuation, one space between words; other scripts stay as they are."""
    kept = text[:MOST_LETTERS]
    if kept.isascii() and kept.replace(" ", "").isalnum():  # most names; nothing to take out
        return " ".join(kept.lower().split())
    return _fold(kept)


@lru_cache(maxsize=1 << 16)
def _fold(text: str) -> str:
    bare = unicodedata.normalize("NFKD", text.casefold().translate(_STROKES))
    letters = "".join(char for char in bare if not unicodedata.combining(char))
    return " ".join(_NOT_WORD.sub(" ", letters).split())


@dataclass(frozen=True, slots=True)
class Place:
    """A postal address in folded words."""

    number: str = ""
    street: str = ""
    extra: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """What is compared. Names are folded, `birth` is YYYYMMDD or empty, contacts and identifiers are (kind, value)."""

    id: int
    given: str = ""
    family: str = ""
    birth: str = ""
    gender: str = ""
    contacts: frozenset[tuple[str, str]] = frozenset()
    identifiers: frozenset[tuple[str, str]] = frozenset()
    places: tuple[Place, ...] = field(default=())


NOWHERE = Place()


def place(*, line: str = "", extra: str = "", city: str = "", region: str = "", postcode: str = "") -> Place:
    """An address as it was written; the house number is taken out of the line wherever it stands."""
    words = fold(line).split()
    number = next((word for word in words if any(char.isdigit() for char in word)), "")
    street = " ".join(word for word in words if word != number)
    return Place(number, street, fold(extra), fold(city), fold(region), fold(postcode).replace(" ", ""))


def person(
    id: int,
    *,
    given: str,
    family: str,
    birth_date: date | str | None = None,
    gender: str = "",
    contacts: Iterable[tuple[str, str]] = (),
    identifiers: Iterable[tuple[str, str]] = (),
    places: Iterable[Place] = (),
) -> Person:
    """A person in the form that is compared. `birth_date` may be eight digits, also of a day that cannot be."""
    birth = birth_date.isoformat().replace("-", "") if isinstance(birth_date, date) else (birth_date or "")
    kept = tuple({one for one in places if one != NOWHERE})
    if len(kept) > 1:
        kept = tuple(sorted(kept, key=repr))
    return Person(
        id, fold(given), fold(family), birth, "" if gender == "unknown" else gender,
        frozenset(contacts), frozenset(identifiers), kept,
    )  # fmt: skip
