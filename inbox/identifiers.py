"""Comparing what a person says with what is on record: tolerant of spelling, never of another person. Pure."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date

from patients.numbers import normalise_email, normalise_phone, phone_variants

_DATE = re.compile(r"^\s*(\d{1,4})\s*[-/. ]\s*(\d{1,2})\s*[-/. ]\s*(\d{1,4})\s*$")


def folded(text: str) -> str:
    """Lower case without accents, marks and double spaces; letters of every script stay."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(char if char.isalnum() else " " for char in plain if not unicodedata.combining(char))
    return " ".join(kept.split())


def same_name(said: str, given: str, family: str, preferred: str = "") -> bool:
    """True when every word said belongs to the name, and both the given and the family name are among them.

    Order does not matter, nor does a second given or family name that was left out.
    """
    words = folded(said).split()
    first, last = set(folded(f"{given} {preferred}").split()), set(folded(family).split())
    if not words or not first or not last:
        return False
    return set(words) <= first | last and bool(first & set(words)) and bool(last & set(words))


def same_date(said: str, known: date | None) -> bool:
    """True when the numbers are this day, in any usual order; day and month may stand either way round."""
    found = _DATE.match(said)
    if known is None or found is None:
        return False
    one, two, three = (int(part) for part in found.groups())
    year, pair = (one, (two, three)) if len(found[1]) == 4 else (three, (one, two))
    return year == known.year and pair in ((known.day, known.month), (known.month, known.day))


def same_number(said: str, known: Iterable[str], region: str) -> bool:
    """True when what was said is one of these phone numbers, in any spelling."""
    phone = normalise_phone(said, region)
    return phone is not None and bool(set(phone_variants(phone.e164)) & set(known))


def same_email(said: str, known: Iterable[str]) -> bool:
    """True when it is one of these addresses."""
    return normalise_email(said) in set(known)


def same_end(said: str, known: Iterable[str], length: int = 4) -> bool:
    """True when the last signs of a number are these: four at least, or the whole number."""
    bare = "".join(char for char in said.upper() if char.isalnum())
    return len(bare) >= length and any(number.upper().endswith(bare) for number in known)


def same_word(said: str, known: Iterable[str]) -> bool:
    """True when it is one of these, without regard to spaces and case."""
    bare = "".join(said.upper().split())
    return bool(bare) and bare in {"".join(one.upper().split()) for one in known}
