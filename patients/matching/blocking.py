"""Keys that two descriptions of one person are likely to share in spite of slips; only those are compared.

Each key joins two or three facts, so that few strangers share it, and no fact stands in all of them, so that a slip in
one leaves others.
"""

import hashlib
from collections.abc import Iterator
from functools import lru_cache

import jellyfish

from patients.matching.people import Person, Place

CROWD = 50
"""A key that more people share says nothing; they meet under their other keys."""


def keys_of(person: Person) -> list[int]:
    """The person's keys as signed 64-bit numbers, sorted; numbers tell nothing of whom they were made."""
    return sorted({_number(key) for key in _keys(person)})


def _number(key: tuple[str, ...]) -> int:
    digest = hashlib.blake2b("\x1f".join(key).encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _keys(person: Person) -> Iterator[tuple[str, ...]]:
    sounds = sorted({sound(part) for part in (person.given, person.family) if part})
    heads = sorted({part.replace(" ", "")[:3] for part in (person.given, person.family) if part})
    year, days = person.birth[:4], "".join(sorted(person.birth[4:]))
    if person.birth:
        yield ("birth", year, days)
        for name in {*sounds, *heads}:
            yield ("year", name, year)
            yield ("days", name, days)
    if len(sounds) == 2:
        yield ("names", *sounds)
    for scheme, value in person.contacts:
        yield ("contact", scheme, value)
    for system, value in person.identifiers:
        yield ("identifier", system, "".join(sorted(value)))
    for place in person.places:
        yield from _of_place(place, sounds, person.birth)


def _of_place(place: Place, sounds: list[str], birth: str) -> Iterator[tuple[str, ...]]:
    street = place.street.replace(" ", "")[:4]
    if place.number and street:
        yield ("door", place.number, street, place.city[:4] or place.postcode[:3])
        yield ("door", place.number, street, place.postcode)
    if place.postcode:
        area = "".join(sorted(place.postcode))
        for name in sounds:
            yield ("area", name, area)
        if birth:
            yield ("born", birth[:4], area)
            yield ("born", "".join(sorted(birth[4:])), area)
        if street:
            yield ("road", street, area)
    if place.city and sounds:
        for name in sounds:
            yield ("city", name, sound(place.city))


@lru_cache(maxsize=1 << 14)
def sound(name: str) -> str:
    """How a name sounds, so that spellings of it meet; scripts without a rule stay as they are."""
    bare = name.replace(" ", "")
    return jellyfish.metaphone(bare) or bare if bare.isascii() else bare
