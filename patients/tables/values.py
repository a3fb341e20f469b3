"""What the cells of a row say about a person."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.utils.translation import gettext as _

from patients.enums import ImportField
from patients.matching.people import fold
from patients.tables.reading import FORMULA, TOO_LONG

F = ImportField
DAY_FIRST, MONTH_FIRST = "day", "month"
_NUMBERS = re.compile(r"^(\d{1,4})[-/. ](\d{1,2})[-/. ](\d{1,4})(?:[T ].*)?$")
_GENDERS = {
    "female": "f female woman mujer femenino femenina feminino feminina mulher fem",
    "male": "m male man hombre varon masculino homem masc h",
    "other": "o other otro otra outro outra nonbinary x",
    "unknown": "u unknown desconocido desconhecido n a na nd",
}
_LANGUAGES = {
    "en": "en eng english ingles", "es": "es spa spanish espanol castellano espanhol",
    "pt": "pt por portuguese portugues",
    "fr": "fr fra french frances", "de": "de deu german aleman alemao", "it": "it ita italian italiano",
    "zh": "zh chinese chino chines", "ar": "ar arabic arabe", "ht": "ht haitian creole criollo",
}  # fmt: skip
GENDERS = {word: key for key, words in _GENDERS.items() for word in words.split()}
LANGUAGES = {word: key for key, words in _LANGUAGES.items() for word in words.split()}
HOME = (F.LINE, F.EXTRA_LINE, F.CITY, F.REGION, F.POSTAL_CODE, F.COUNTRY)


@dataclass(slots=True)
class Described:
    """A person as a file or another system describes them; `problems` are (field, sentence)."""

    mrn: str = ""
    fields: dict[str, object] = field(default_factory=dict)
    phones: list[tuple[str, str]] = field(default_factory=list)
    emails: list[str] = field(default_factory=list)
    identifiers: list[tuple[str, str]] = field(default_factory=list)
    homes: list[dict[str, str]] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)


def describe(cells: Sequence[str], columns: Sequence[str], settings: Mapping[str, str]) -> Described:
    """What this row says, with everything that cannot be understood as a problem of its column. Never raises."""
    row = {name: cell for name, cell in zip(columns, cells, strict=False) if name and cell}
    found = Described()
    for name, cell in list(row.items()):
        if problem := _unreadable(cell):
            found.problems.append((name, problem))
            del row[name]
    found.mrn = row.get(F.MRN, "")
    _names(found, row)
    for name in (F.PREFERRED_NAME, F.SITE_NAME):
        if name in row:
            found.fields[name] = row[name]
    _understood(found, row, F.BIRTH_DATE, lambda text: birth_date(text, settings.get("dates", DAY_FIRST)), date_words)
    _understood(found, row, F.GENDER, lambda text: GENDERS.get(fold(text)), gender_words)
    _understood(found, row, F.LANGUAGE, lambda text: LANGUAGES.get(fold(text).split(" ")[0]), language_words)
    found.phones = [(use, row[name]) for name, use in ((F.PHONE, "mobile"), (F.OTHER_PHONE, "home")) if name in row]
    found.emails = [row[F.EMAIL]] if F.EMAIL in row else []
    if F.IDENTIFIER in row:
        found.identifiers = [(settings.get("identifier_system") or "national", row[F.IDENTIFIER])]
    home = {str(name): row[name] for name in HOME if name in row}
    if set(home) - {F.REGION, F.COUNTRY}:
        found.homes = [home]
    return found


def date_words() -> str:
    return _("Write a date such as 1984-03-09 with a year of four digits.")


def gender_words() -> str:
    return _("Write female, male, other or unknown.")


def language_words() -> str:
    return _("Write a language such as Spanish or es.")


def _unreadable(cell: str) -> str:
    if cell.startswith(FORMULA):
        return _("This is a formula. Paste its value instead.")
    if cell.endswith(TOO_LONG):
        return _("This text is far too long.")
    if "\ufffd" in cell:
        return _("Some letters cannot be read. Save the file as UTF-8.")
    return ""


def _understood(
    found: Described,
    row: Mapping[str, str],
    name: str,
    read: Callable[[str], object | None],
    words: Callable[[], str],
) -> None:
    if name in row:
        value = read(row[name])
        if value is None:
            found.problems.append((name, words()))
        else:
            found.fields[name] = value


def _names(found: Described, row: Mapping[str, str]) -> None:
    given, family, whole = row.get(F.GIVEN_NAME, ""), row.get(F.FAMILY_NAME, ""), row.get(F.FULL_NAME, "")
    if whole and not (given or family):
        given, family = split_name(whole)
    if given:
        found.fields["given_name"] = given
    if family:
        found.fields["family_name"] = family


def split_name(whole: str) -> tuple[str, str]:
    """Given and family name: `Family, Given` as it stands, else the last word is the family name."""
    family, comma, given = whole.partition(",")
    if comma:
        return given.strip(), family.strip()
    first, _space, last = whole.strip().rpartition(" ")
    return (first.strip(), last) if first else (last, last)


def birth_date(text: str, order: str) -> date | None:
    """A date with its year in four digits, the year first or last; `order` says whether the day or the month leads."""
    match = _NUMBERS.match(text.strip())
    if match is None:
        if text.isdigit() and len(text) == 8:
            return _date(int(text[:4]), int(text[4:6]), int(text[6:]))
        return None
    one, two, three = (int(part) for part in match.groups())
    if len(match[1]) == 4:
        return _date(one, two, three)
    if len(match[3]) != 4:
        return None
    return _date(three, one, two) if order == MONTH_FIRST else _date(three, two, one)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def guess_order(samples: Sequence[str]) -> str:
    """Whether day or month leads, from dates in which one of them cannot be a month."""
    for text in samples:
        match = _NUMBERS.match(text.strip())
        if match and len(match[1]) < 3:
            if int(match[1]) > 12:
                return DAY_FIRST
            if int(match[2]) > 12:
                return MONTH_FIRST
    return DAY_FIRST
