"""How much speaks for two descriptions being of one person, in bits, with reasons.

The model is Fellegi and Sunter's: each agreement counts for as many bits as it is rarer among strangers than among
descriptions of one person, and each contradiction against it. How often strangers agree on a name comes from the
collection itself (`Rarity`), so a shared Smith says less than a shared Sondergeld. A pair is as likely one person as
its bits exceed those needed to find one person in the collection by chance: with ten bits more it is a thousand to
one. Evidence that whole households share is bounded, and "certain" needs the person's own facts besides.
"""

from collections.abc import Mapping
from functools import lru_cache
from math import log2

from rapidfuzz.distance import OSA, JaroWinkler

from patients.matching.nicknames import are_nicknames
from patients.matching.people import Person, Place
from patients.matching.verdict import Level, Rarity, Reason, Verdict

osa_distance, osa_similarity, jaro_winkler = OSA.distance, OSA.normalized_similarity, JaroWinkler.similarity
CERTAIN_BITS, LIKELY_BITS, POSSIBLE_BITS = 10.0, 0.0, -2.0
"""Beyond what chance would need: a thousand to one, as likely as not, worth a look."""
MARRIED_BITS = 15.0
MOST_FOR_A_HOME = 18.0
OFTEN = 4
"""A word that so many people here are called is a name and no slip."""
SLIP = 0.25
"""Share of descriptions of one person in which a fact is written otherwise."""

STREET_ALIKE, REGION_SAME, CITY_ALIKE, POSTCODE_ALIKE = 6.0, 1.0, 0.6, 0.5
"""Bits for a street and a region; shares of what the same town and code would give."""

Finding = tuple[float, Reason | None]
NOTHING: Finding = (0.0, None)
GIVEN_UP = Verdict(float("-inf"), None, ())


def compare(one: Person, other: Person, rarity: Rarity) -> Verdict:
    """Weigh everything that two descriptions have in common and what contradicts it. Symmetric; never raises.

    A pair that nothing could make one person is given up early, without score and reasons: that is nearly every pair
    of a scan, so what is cheap to compare comes first.
    """
    birth = _birth(one.birth, other.birth)
    gender, number = _gender(one.gender, other.gender), _identifiers(one, other)
    rest = birth[0] + gender[0] + number[0] - rarity.chance
    most = rest + _most_for_homes(one, other, rarity)
    names = _names(one, other, rarity, least=POSSIBLE_BITS - most)
    own = rest + names[0]
    if most + names[0] < POSSIBLE_BITS:  # no home in common could make up for it
        return GIVEN_UP
    contact, home = _contacts(one, other), _best(one.places, other.places, rarity)
    score = own + min(MOST_FOR_A_HOME, contact[0] + home[0])
    if score < POSSIBLE_BITS:
        return GIVEN_UP
    others = (birth[1], gender[1], number[1], contact[1], home[1])
    reasons = names[1] + tuple(why for why in others if why)
    if Reason.GIVEN_ALIKE in reasons and _are_two_names(one.given, other.given, rarity):
        reasons = tuple(Reason.GIVEN_NEIGHBOUR if why == Reason.GIVEN_ALIKE else why for why in reasons)
    return Verdict(round(score, 2), _level(score, reasons), reasons)


def _level(score: float, reasons: tuple[Reason, ...]) -> Level | None:
    said = set(reasons)
    against, shared, own = AGAINST & said, SHARED & said, OWN & said
    is_excused = against == {R.FAMILY_DIFFERS} and said >= MARRIED and said & PROOF and score >= MARRIED_BITS
    is_clear = R.GIVEN_NEIGHBOUR not in said and len(own) >= 2
    if score >= CERTAIN_BITS and is_clear and (not against or is_excused):
        return Level.CERTAIN
    if score >= LIKELY_BITS and (shared or not against):
        return Level.LIKELY
    is_worth_a_look = len(own) >= 2 or shared
    return Level.POSSIBLE if score >= POSSIBLE_BITS and is_worth_a_look else None


R = Reason
MARRIED = {R.GIVEN_SAME, R.BIRTH_SAME}
PROOF = {R.ADDRESS_SAME, R.IDENTIFIER_SAME}
"""Whoever married has another family name; first name, birth date and home are still theirs. Twins differ in the first
name, father and son in the birth date, so nobody else is excused."""
AGAINST = {R.GIVEN_DIFFERS, R.FAMILY_DIFFERS, R.BIRTH_DIFFERS, R.IDENTIFIER_DIFFERS, R.GENDER_DIFFERS}
SHARED = {R.CONTACT_SAME, R.ADDRESS_SAME, R.ADDRESS_ALIKE, R.IDENTIFIER_SAME, R.IDENTIFIER_ALIKE}
OWN = {
    R.GIVEN_SAME, R.GIVEN_ALIKE, R.GIVEN_NEIGHBOUR, R.GIVEN_SHORT, R.FAMILY_SAME, R.FAMILY_ALIKE, R.NAMES_SWAPPED,
    R.BIRTH_SAME, R.BIRTH_SWAPPED, R.BIRTH_SLIP, R.IDENTIFIER_SAME, R.IDENTIFIER_ALIKE,
}  # fmt: skip


def _are_two_names(one: str, other: str, rarity: Rarity) -> bool:
    """Alike, yet no slip: names that differ by their ending as those of a brother and a sister do, or both well known
    here. Twins are called so, and share birth date, family name, phone and home."""
    if one in other or other in one:
        short, long = sorted((one, other), key=len)
        return long in (f"{short}a", f"{short}o")
    if one[:-1] == other[:-1] and {one[-1:], other[-1:]} == {"a", "o"}:
        return True
    return min(rarity.given.get(one, 0), rarity.given.get(other, 0)) >= OFTEN


GIVEN = (Reason.GIVEN_SAME, Reason.GIVEN_ALIKE, Reason.GIVEN_DIFFERS)
FAMILY = (Reason.FAMILY_SAME, Reason.FAMILY_ALIKE, Reason.FAMILY_DIFFERS)
SAME = log2(1 - SLIP)
TOO_FEW: tuple[float, tuple[Reason, ...]] = (float("-inf"), ())


def _names(one: Person, other: Person, rarity: Rarity, least: float) -> tuple[float, tuple[Reason, ...]]:
    """Bits of both names, also when they were swapped, with reasons; where fewer than `least` are found, TOO_FEW."""
    given, family, rare = rarity.bits["given"], rarity.bits["family"], rarity.rare
    is_same = one.given == other.given and one.family == other.family
    last = _name(one.family, other.family, family, rare, FAMILY)
    crossed = NOTHING if is_same else _name(one.given, other.family, family, rare, FAMILY)
    is_straight = is_same or crossed[1] == Reason.FAMILY_DIFFERS
    if is_straight and last[0] + max(1.0, min(given.get(one.given, rare), given.get(other.given, rare))) < least:
        return TOO_FEW
    first = _name(one.given, other.given, given, rare, GIVEN, is_given=True)
    straight, reasons = first[0] + last[0], tuple(why for why in (first[1], last[1]) if why)
    if is_straight:
        return straight, reasons
    back = _name(one.family, other.given, given, rare, GIVEN)
    is_swap = back[1] != Reason.GIVEN_DIFFERS and (crossed[1] or back[1])
    if is_swap and crossed[0] + back[0] - 3.0 > straight:
        return crossed[0] + back[0] - 3.0, (Reason.NAMES_SWAPPED,)
    return straight, reasons


def _name(
    one: str, other: str, bits: Mapping[str, float], rare: float, words: tuple[Reason, Reason, Reason],
    *, is_given: bool = False,
) -> Finding:  # fmt: skip
    if not one or not other:
        return 0.0, None
    if one == other:
        return bits.get(one, rare) + SAME, words[0]
    kin, likeness = _given_kinship(one, other) if is_given else _kinship(one, other)
    if kin == UNLIKE:
        return likeness, words[2]
    least = min(bits.get(one, rare), bits.get(other, rare))
    if kin == ALIKE:
        return max(1.0, least * likeness - 3.0), words[1]
    if kin == INITIAL:
        return 1.0, words[1]
    return max(1.0, least - 4.0), words[1] if kin == PART else Reason.GIVEN_SHORT


ALIKE, SHORT, PART, INITIAL, UNLIKE = range(5)
SOMEWHAT, STRANGERS = (UNLIKE, -1.0), (UNLIKE, -4.0)


@lru_cache(maxsize=1 << 14)
def _given_kinship(one: str, other: str) -> tuple[int, float]:
    """Given names are few and meet again and again; family names are many, and looking them up would cost as much."""
    return _kinship(one, other, are_nicknames(one, other))


def _kinship(one: str, other: str, is_short: bool = False) -> tuple[int, float]:
    """What two different names have to do with each other by their letters alone: how alike they are, or for strangers
    the bits that speak against them. `is_short`: one is known to be short for the other."""
    a, b = one.replace(" ", ""), other.replace(" ", "")
    edits = osa_similarity(a, b, score_cutoff=0.6)
    shorter = min(len(a), len(b))
    likeness = max(edits, jaro_winkler(a, b, score_cutoff=0.7) - 0.08) if shorter > 3 else edits
    if likeness >= 0.8 or (edits and shorter > 2 and osa_distance(a, b, score_cutoff=1) == 1):
        return ALIKE, likeness
    if is_short:
        return SHORT, likeness
    if (" " in one or " " in other) and _is_part(one, other):
        return PART, likeness
    if shorter == 1 and a[0] == b[0]:
        return INITIAL, likeness
    return SOMEWHAT if likeness >= 0.65 else STRANGERS


def _is_part(one: str, other: str) -> bool:
    parts, others = set(one.split()), set(other.split())
    return parts <= others or others <= parts


def _likeness(a: str, b: str) -> float:
    """1 for equal words; slips, letters that changed places and endings that were cut count little. 0 for strangers."""
    edits: float = osa_similarity(a, b, score_cutoff=0.6)
    if len(a) <= 3 or len(b) <= 3:
        return edits
    return max(edits, jaro_winkler(a, b, score_cutoff=0.7) - 0.08)


def _birth(one: str, other: str) -> Finding:
    if not one or not other:
        return 0.0, None
    if one == other:
        return 14.0, Reason.BIRTH_SAME
    same_year = one[:4] == other[:4]
    if same_year and one[4:6] == other[6:] and one[6:] == other[4:6]:
        return 10.0, Reason.BIRTH_SWAPPED
    edits = osa_distance(one, other, score_cutoff=2)
    if edits == 1:
        return 8.0, Reason.BIRTH_SLIP
    if edits == 2 or same_year + (one[4:6] == other[4:6]) + (one[6:] == other[6:]) == 2:
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
    near = any(len(a) > 5 and osa_distance(a, b) == 1 for a, b in both)
    return (10.0, Reason.IDENTIFIER_ALIKE) if near else (-6.0, Reason.IDENTIFIER_DIFFERS)


def _contacts(one: Person, other: Person) -> Finding:
    return NOTHING if one.contacts.isdisjoint(other.contacts) else (11.0, Reason.CONTACT_SAME)


def _best(ours: tuple[Place, ...], theirs: tuple[Place, ...], rarity: Rarity) -> Finding:
    best: Finding | None = None
    for a in ours:
        for b in theirs:
            found = _home(a, b, rarity)
            best = found if best is None or found[0] > best[0] else best
    return best or NOTHING


def _most_for_homes(one: Person, other: Person, rarity: Rarity) -> float:
    """At least as many bits as contacts and homes of these two can give, without comparing any letters."""
    if len(one.places) != 1 or len(other.places) != 1 or not one.contacts.isdisjoint(other.contacts):
        return MOST_FOR_A_HOME
    a, b = one.places[0], other.places[0]
    if a.street == b.street or a.extra or b.extra:
        return MOST_FOR_A_HOME
    bits = 5.0 if a.number == b.number else 0.5
    for kind, ours, theirs, alike in (
        ("city", a.city, b.city, CITY_ALIKE),
        ("postcode", a.postcode, b.postcode, POSTCODE_ALIKE),
    ):
        same = _most_for_area(ours, theirs, rarity.bits[kind], rarity.rare)
        bits += same if ours == theirs else same * alike
    return min(MOST_FOR_A_HOME, bits + STREET_ALIKE + REGION_SAME)


def _home(one: Place, other: Place, rarity: Rarity) -> Finding:
    bits = (
        _part(one.number, other.number, 5.0, 0.5, -0.5)
        + _line(one, other)
        + _area(one.city, other.city, rarity.bits["city"], rarity.rare, CITY_ALIKE, -1.5)
        + _area(one.postcode, other.postcode, rarity.bits["postcode"], rarity.rare, POSTCODE_ALIKE, -2.0)
        + _part(one.region, other.region, REGION_SAME, 0.0, -0.7)
    )
    if bits >= 18:
        return bits, Reason.ADDRESS_SAME
    if bits > 4:
        return bits, Reason.ADDRESS_ALIKE
    return (bits, Reason.ADDRESS_DIFFERS) if bits < -2 else (bits, None)


def _line(one: Place, other: Place) -> float:
    """Street and the line beside it, which are written in either order."""
    straight = _part(one.street, other.street, 9.0, STREET_ALIKE, -1.5)
    if not one.extra and not other.extra:
        return max(straight, 0.0)
    return max(
        straight + _part(one.extra, other.extra, 7.0, 5.0, -0.5),
        _part(one.street, other.extra, 9.0, STREET_ALIKE, -1.5) + _part(one.extra, other.street, 7.0, 5.0, -0.5),
    )


def _area(one: str, other: str, bits: Mapping[str, float], rare: float, alike: float, differs: float) -> float:
    same = _most_for_area(one, other, bits, rare)
    return _part(one, other, same, same * alike, differs)


def _most_for_area(one: str, other: str, bits: Mapping[str, float], rare: float) -> float:
    return min(7.0, bits.get(one, rare), bits.get(other, rare))


def _part(one: str, other: str, same: float, alike: float, differs: float) -> float:
    if not one or not other:
        return 0.0
    if one == other:
        return same
    return alike if _are_alike(one, other) else differs


@lru_cache(maxsize=1 << 14)
def _are_alike(one: str, other: str) -> bool:
    """Slips of one word of an address, or its letters in another order. Towns and codes meet again and again."""
    a, b = one.replace(" ", ""), other.replace(" ", "")
    return _likeness(a, b) >= 0.8 or (len(a) == len(b) and sorted(a) == sorted(b))
