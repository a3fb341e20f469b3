"""What a comparison of two descriptions says, and what it knows of the collection. Light: every process loads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import log2

MOST_FOR_A_NAME = 13.0


class Level(StrEnum):
    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


class Reason(StrEnum):
    """What two descriptions have in common or not; screens put them in words."""

    GIVEN_SAME = "given_same"
    GIVEN_ALIKE = "given_alike"
    GIVEN_SHORT = "given_short"
    GIVEN_NEIGHBOUR = "given_neighbour"
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
    """How often names and places stand in the collection: folded word → count. What is not listed is taken for rare.

    The bits of each listed word are worked out once.
    """

    size: int
    given: Mapping[str, int] = field(default_factory=dict)
    family: Mapping[str, int] = field(default_factory=dict)
    city: Mapping[str, int] = field(default_factory=dict)
    postcode: Mapping[str, int] = field(default_factory=dict)
    chance: float = field(init=False)
    rare: float = field(init=False)
    bits: Mapping[str, Mapping[str, float]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        listed = {"given": self.given, "family": self.family, "city": self.city, "postcode": self.postcode}
        bits = {kind: {name: self._bits(count) for name, count in names.items()} for kind, names in listed.items()}
        for name, value in (("chance", log2(max(self.size, 2))), ("rare", self._bits(1)), ("bits", bits)):
            object.__setattr__(self, name, value)

    def _bits(self, count: int) -> float:
        """Bits of agreeing by chance on a word that stands so often."""
        return min(MOST_FOR_A_NAME, -log2(min(max(count, 1) / max(self.size, 1), 0.5)))


@dataclass(frozen=True, slots=True)
class Verdict:
    """`score` is in bits beyond chance; `level` None means: not worth showing."""

    score: float
    level: Level | None
    reasons: tuple[Reason, ...]
