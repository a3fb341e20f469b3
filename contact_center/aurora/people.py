"""Two thousand, or a hundred thousand, invented patients: names, households, languages and ways to reach them."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache

from contact_center.aurora.clinic import SITES
from contact_center.aurora.names import AREA_CODES, CULTURES, MAIL_DOMAINS, Culture
from patients.enums import Gender, Relation, Sensitivity

BORN_UNTIL = date(2024, 6, 30)
PROTECTIONS = (Sensitivity.STAFF, Sensitivity.VIP, Sensitivity.PROTECTED)
SITE_NAMES = [site.name for site in SITES]


@dataclass(slots=True)
class Invented:
    """A patient before they are a row. `phone` may be a relative's; then `shares_with` is that relative's number."""

    number: int
    culture: str
    given: str
    family: str
    gender: Gender
    born: date
    language: str
    site: str
    phone: str = ""
    email: str = ""
    whatsapp_user_id: str = ""
    sensitivity: Sensitivity = Sensitivity.NONE
    is_do_not_contact: bool = False
    deceased_days_ago: int | None = None
    is_shared: bool = False
    relatives: list[tuple[int, Relation, bool]] = field(default_factory=list)
    id: int = 0

    @property
    def first(self) -> str:
        """How staff address them."""
        return self.given.split()[0]

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"

    @property
    def is_adult(self) -> bool:
        return self.born.year < 2006

    @property
    def is_writable(self) -> bool:
        """Somebody the clinic still writes to."""
        return self.deceased_days_ago is None and not self.is_do_not_contact


def invent(count: int, rng: random.Random) -> list[Invented]:
    """`count` patients, the same ones for the same `rng`. About one in eight shares the phone of a relative."""
    people: list[Invented] = []
    phones = _phones(rng)
    while len(people) < count:
        grown_up = _adult(len(people), rng, phones)
        people.append(grown_up)
        if grown_up.phone and rng.random() < 0.11:
            for number in range(rng.choice((1, 1, 2, 3))):
                if len(people) < count:
                    people.append(_relative(len(people), grown_up, rng, is_child=number > 0 or rng.random() < 0.7))
    return people


def _adult(number: int, rng: random.Random, phones: Iterator[str]) -> Invented:
    culture_name = rng.choices(list(CULTURES), _shares())[0]
    culture = CULTURES[culture_name]
    gender = rng.choices((Gender.FEMALE, Gender.MALE, Gender.OTHER), (56, 43, 1))[0]
    born = BORN_UNTIL - timedelta(days=int(365.25 * rng.triangular(19, 92, 48)))
    person = Invented(
        number,
        culture_name,
        rng.choice(culture.male if gender == Gender.MALE else culture.female),
        _family_name(culture, rng),
        gender,
        born,
        rng.choices([code for code, _ in culture.languages], [weight for _, weight in culture.languages])[0],
        rng.choices(SITE_NAMES, (45, 33, 22))[0],
    )
    reach = rng.random()
    if reach < 0.93:
        person.phone = next(phones)
    if reach < 0.55 or 0.93 <= reach < 0.985:
        person.email = _email(person, rng)
    if rng.random() < 0.004:
        person.whatsapp_user_id = f"US.{rng.randrange(10**16, 10**17)}"
    if (luck := rng.random()) < 0.015:
        person.sensitivity = PROTECTIONS[int(luck * 1000) % len(PROTECTIONS)]
    person.is_do_not_contact = rng.random() < 0.008
    if rng.random() < (0.02 if born.year < 1950 else 0.001):
        person.deceased_days_ago = rng.randrange(5, 80)
    return person


def _relative(number: int, head: Invented, rng: random.Random, *, is_child: bool) -> Invented:
    culture = CULTURES[head.culture]
    gender = rng.choice((Gender.FEMALE, Gender.MALE))
    given = rng.choice(
        [name for name in (culture.male if gender == Gender.MALE else culture.female) if name != head.given]
    )
    family, language = head.family, head.language
    youngest = min(BORN_UNTIL, head.born + timedelta(days=int(365.25 * 45)))
    oldest = max(date(2006, 1, 1), head.born + timedelta(days=int(365.25 * 19)))
    is_child = is_child and oldest < youngest
    if is_child:
        born = oldest + timedelta(days=rng.randrange((youngest - oldest).days))
    else:
        born = min(date(2004, 1, 1), head.born + timedelta(days=rng.randrange(-2000, 2000)))
        family = _family_name(culture, rng) if rng.random() < 0.5 else family
    person = Invented(number, head.culture, given, family, gender, born, language, head.site, phone=head.phone)
    person.is_shared = head.is_shared = True
    if is_child:
        person.relatives.append((head.number, Relation.PARENT, True))
        head.relatives.append((number, Relation.CHILD, False))
    else:
        person.relatives.append((head.number, Relation.PARTNER, False))
        head.relatives.append((number, Relation.PARTNER, False))
    return person


@cache
def _shares() -> tuple[int, ...]:
    return tuple(culture.share for culture in CULTURES.values())


def _family_name(culture: Culture, rng: random.Random) -> str:
    first = rng.choice(culture.family)
    second = rng.choice(culture.family)
    return f"{first} {second}" if rng.random() < culture.double and first != second else first


def _phones(rng: random.Random) -> Iterator[str]:
    """Numbers of the exchange 555, which reaches nobody; a few of the range Britain keeps for films."""
    rounds = [(code, rng.randrange(10_000)) for code in AREA_CODES]
    british = 0
    for step in range(10_000):
        for code, start in rounds:
            yield f"+1{code}555{(start + step * 7_919) % 10_000:04d}"
        if step % 4 == 1 and british < 900:
            yield f"+442079460{british:03d}"
            british += 1


def _email(person: Invented, rng: random.Random) -> str:
    plain = (
        unicodedata.normalize("NFKD", f"{person.first}.{person.family.split()[0]}").encode("ascii", "ignore").decode()
    )
    letters = "".join(char for char in plain.lower() if char.isalnum() or char == ".").strip(".")
    return f"{letters or 'patient'}{person.number % 100_000}@{rng.choice(MAIL_DOMAINS)}"
