"""How much speaks for two descriptions being of one person, in bits, with reasons.

The model is Fellegi and Sunter's: each agreement counts for as many bits as it is rarer among strangers than among
descriptions of one person, and each contradiction against it. How often strangers agree on a name comes from the
collection itself (`Rarity`), so a shared Smith says less than a shared Sondergeld. A pair is as likely one person as
its bits exceed those needed to find one person in the collection by chance: with ten bits more it is a thousand to
one. Evidence that whole households share is bounded, and "certain" needs the person's own facts besides.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from itertools import product
from math import log2

from rapidfuzz.distance import OSA, JaroWinkler

from patients.matching.nicknames import are_nicknames
from patients.matching.people import Person, Place

CERTAIN_BITS, LIKELY_BITS, POSSIBLE_BITS = 10.0, 0.0, -2.0
"""Beyond what chance would need: a thousand to one, as likely as not, worth a look."""
MOST_FOR_A_NAME, MOST_FOR_A_HOME = 13.0, 18.0
SLIP = 0.25
"""Share of descriptions of one person in which a fact is written otherwise."""


class Level(StrEnum):
    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


class Reason(StrEnum):
    """What two descriptions have in common or not; screens put them in words."""

    GIVEN_SAME = "given_same"
    GIVEN_ALIKE = "given_alike"
    GIVEN_SHORT = "given_short"
    GIVEN_DIFFERS = "given_differs"
    FAMILY_SAME = "family_same"
    FAMILY_ALIKE = "family_alike"
    FAMILY_DIFFERS = "family_differs"
    NAMES_SWAPPED = "names_swapped"
    BIRTH_SAME = "birth_same"
    BIRTH_SWAPPED = "birth_swapped"
    BIRTH_SLIP = "birth_slip"
    BIRTH_DIFFERS = "birth_differs"
    GENDER_DIFFERS = "gender_differs"
    IDENTIFIER_SAME = "identifier_same"
    IDENTIFIER_ALIKE = "identifier_alike"
    IDENTIFIER_DIFFERS = "identifier_differs"
    CONTACT_SAME = "contact_same"
    ADDRESS_SAME = "address_same"
    ADDRESS_ALIKE = "address_alike"
    ADDRESS_DIFFERS = "address_differs"


@dataclass(frozen=True, slots=True)
class Rarity:
    """How often names and places stand in the collection: folded word → count. What is not listed is taken for rare."""

    size: int
    given: Mapping[str, int] = field(default_factory=dict)
    family: Mapping[str, int] = field(default_factory=dict)
    city: Mapping[str, int] = field(default_factory=dict)
    postcode: Mapping[str, int] = field(default_factory=dict)

    def bits(self, names: Mapping[str, int], name: str) -> float:
        """Bits of agreeing on this name by chance."""
        share = max(names.get(name, 1), 1) / max(self.size, 1)
        return min(MOST_FOR_A_NAME, -log2(min(share, 0.5)))


@dataclass(frozen=True, slots=True)
class Verdict:
    """`score` is in bits beyond chance; `level` None means: not worth showing."""

    score: float
    level: Level | None
    reasons: tuple[Reason, ...]


Finding = tuple[float, Reason | None]


def compare(one: Person, other: Person, rarity: Rarity) -> Verdict:
    """Weigh everything that two descriptions have in common and what contradicts it. Symmetric; never raises.

    A pair that nothing could make one person is given up early, without reasons.
    """
    names = _names(one, other, rarity)
    birth = _birth(one.birth, other.birth)
    own = [*names, birth, _gender(one.gender, other.gender), _identifiers(one, other)]
    hope = sum(bits for bits, _why in own) + MOST_FOR_A_HOME - log2(max(rarity.size, 2))
    if hope < POSSIBLE_BITS:  # no home in common could make up for it
        return Verdict(round(hope - MOST_FOR_A_HOME, 2), None, ())
    contact, home = _contacts(one, other), _best(one.places, other.places, rarity)
    shared = min(MOST_FOR_A_HOME, contact[0] + home[0])
    score = sum(bits for bits, _why in own) + shared - log2(max(rarity.size, 2))
    reasons = tuple(why for _bits, why in [*own, contact, home] if why)
    return Verdict(round(score, 2), _level(score, reasons), reasons)


def _level(score: float, reasons: tuple[Reason, ...]) -> Level | None:
    against, shared = AGAINST & set(reasons), SHARED & set(reasons)
    if score >= CERTAIN_BITS and not against and len(OWN & set(reasons)) >= 2:
        return Level.CERTAIN
    if score >= LIKELY_BITS and (shared or not against):
        return Level.LIKELY
    is_worth_a_look = len(OWN & set(reasons)) >= 2 or shared
    return Level.POSSIBLE if score >= POSSIBLE_BITS and is_worth_a_look else None


R = Reason
AGAINST = {R.GIVEN_DIFFERS, R.FAMILY_DIFFERS, R.BIRTH_DIFFERS, R.IDENTIFIER_DIFFERS, R.GENDER_DIFFERS}
SHARED = {R.CONTACT_SAME, R.ADDRESS_SAME, R.ADDRESS_ALIKE, R.IDENTIFIER_SAME, R.IDENTIFIER_ALIKE}
OWN = {
    R.GIVEN_SAME, R.GIVEN_ALIKE, R.GIVEN_SHORT, R.FAMILY_SAME, R.FAMILY_ALIKE, R.NAMES_SWAPPED, R.BIRTH_SAME,
    R.BIRTH_SWAPPED, R.BIRTH_SLIP, R.IDENTIFIER_SAME, R.IDENTIFIER_ALIKE,
}  # fmt: skip


def _names(one: Person, other: Person, rarity: Rarity) -> list[Finding]:
    straight = [
        _name(one.given, other.given, lambda name: rarity.bits(rarity.given, name), GIVEN, is_given=True),
        _name(one.family, other.family, lambda name: rarity.bits(rarity.family, name), FAMILY),
    ]
    crossed = _name(one.given, other.family, lambda name: rarity.bits(rarity.family, name), FAMILY)
    back = _name(one.family, other.given, lambda name: rarity.bits(rarity.given, name), GIVEN)
    swapped = crossed[0] + back[0] - 3.0
    is_swap = crossed[1] != FAMILY[2] and back[1] != GIVEN[2] and (crossed[1] or back[1])
    if is_swap and swapped > sum(bits for bits, _why in straight):
        return [(swapped, Reason.NAMES_SWAPPED)]
    return straight


GIVEN = (Reason.GIVEN_SAME, Reason.GIVEN_ALIKE, Reason.GIVEN_DIFFERS)
FAMILY = (Reason.FAMILY_SAME, Reason.FAMILY_ALIKE, Reason.FAMILY_DIFFERS)


def _name(
    one: str, other: str, bits: Callable[[str], float], words: tuple[Reason, Reason, Reason], *, is_given: bool = False
) -> Finding:
    if not one or not other:
        return 0.0, None
    if one == other:
        return bits(one) + log2(1 - SLIP), words[0]
    a, b = one.replace(" ", ""), other.replace(" ", "")
    likeness = _likeness(a, b)
    if likeness >= 0.8 or (min(len(a), len(b)) > 2 and OSA.distance(a, b) == 1):
        return max(1.0, min(bits(one), bits(other)) * likeness - 3.0), words[1]
    if is_given and are_nicknames(one, other):
        return max(1.0, min(bits(one), bits(other)) - 4.0), Reason.GIVEN_SHORT
    parts, others = set(one.split()), set(other.split())
    if parts & others and (parts <= others or others <= parts):
        return max(1.0, min(bits(one), bits(other)) - 4.0), words[1]
    if min(len(a), len(b)) == 1 and a[0] == b[0]:
        return 1.0, words[1]
    return (-1.0 if likeness >= 0.65 else -4.0), words[2]


@lru_cache(maxsize=1 << 16)
def _likeness(a: str, b: str) -> float:
    """1 for equal words; slips, letters that changed places and endings that were cut count little."""
    edits = OSA.normalized_similarity(a, b)
    return max(edits, JaroWinkler.similarity(a, b) - 0.08 if min(len(a), len(b)) > 3 else edits)


def _birth(one: str, other: str) -> Finding:
    if not one or not other:
        return 0.0, None
    if one == other:
        return 14.0, Reason.BIRTH_SAME
    if one[:4] == other[:4] and one[4:6] == other[6:] and one[6:] == other[4:6]:
        return 10.0, Reason.BIRTH_SWAPPED
    edits = OSA.distance(one, other)
    if edits == 1:
        return 8.0, Reason.BIRTH_SLIP
    same = (one[:4] == other[:4]) + (one[4:6] == other[4:6]) + (one[6:] == other[6:])
    if same == 2 or edits == 2:
        return 3.0, Reason.BIRTH_SLIP
    return -6.0, Reason.BIRTH_DIFFERS


def _gender(one: str, other: str) -> Finding:
    if not one or not other:
        return 0.0, None
    return (1.0, None) if one == other else (-4.0, Reason.GENDER_DIFFERS)


def _identifiers(one: Person, other: Person) -> Finding:
    if not one.identifiers or not other.identifiers:
        return 0.0, None
    if one.identifiers & other.identifiers:
        return 20.0, Reason.IDENTIFIER_SAME
    theirs = dict(other.identifiers)
    both = [(value, theirs[system]) for system, value in one.identifiers if system in theirs]
    if not both:
        return 0.0, None
    near = any(len(a) > 5 and OSA.distance(a, b) == 1 for a, b in both)
    return (10.0, Reason.IDENTIFIER_ALIKE) if near else (-6.0, Reason.IDENTIFIER_DIFFERS)


def _contacts(one: Person, other: Person) -> Finding:
    return (11.0, Reason.CONTACT_SAME) if one.contacts & other.contacts else (0.0, None)


def _best(ours: tuple[Place, ...], theirs: tuple[Place, ...], rarity: Rarity) -> Finding:
    found = [_home(a, b, rarity) for a, b in product(ours, theirs)]
    return max(found, key=lambda finding: finding[0], default=(0.0, None))


def _home(one: Place, other: Place, rarity: Rarity) -> Finding:
    city = min(7.0, rarity.bits(rarity.city, one.city), rarity.bits(rarity.city, other.city))
    code = min(7.0, rarity.bits(rarity.postcode, one.postcode), rarity.bits(rarity.postcode, other.postcode))
    lines = [
        _part(one.street, theirs, 9.0, 6.0, -1.5) + _part(one.extra, extra, 7.0, 5.0, -0.5)
        for theirs, extra in ((other.street, other.extra), (other.extra, other.street))
    ]
    parts = [
        _part(one.number, other.number, 5.0, 0.5, -0.5),
        max(lines),
        _part(one.city, other.city, city, city * 0.6, -1.5),
        _part(one.postcode, other.postcode, code, code * 0.5, -2.0),
        _part(one.region, other.region, 1.0, 0.0, -0.7),
    ]
    bits = sum(parts)
    if bits >= 18:
        return bits, Reason.ADDRESS_SAME
    if bits > 4:
        return bits, Reason.ADDRESS_ALIKE
    return (bits, Reason.ADDRESS_DIFFERS) if bits < -2 else (bits, None)


def _part(one: str, other: str, same: float, alike: float, differs: float) -> float:
    if not one or not other:
        return 0.0
    if one == other:
        return same
    a, b = one.replace(" ", ""), other.replace(" ", "")
    return alike if _likeness(a, b) >= 0.8 or sorted(a) == sorted(b) else differs
