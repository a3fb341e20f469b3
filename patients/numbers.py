"""Addresses in one spelling, so that one person is not taken for two. Pure: no database, no settings.

Three countries write one mobile number in two ways, depending on who dials from where: Brazil (ninth digit),
Argentina (9 after the country code, 15 at home) and Mexico (1 after the country code, 044 and 045 at home). A number
is stored as it came, because providers answer only to that spelling; `phone_variants` finds the same line under the
others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

UNKNOWN_REGION = "US"
_SCHEME = re.compile(r"^\s*(?:whatsapp|tel|sms|phone)\s*:\s*", re.IGNORECASE)
_ZERO_ZERO = re.compile(r"^\s*00\s*(?=[1-9])")
_MEXICAN_MOBILE_AT_HOME = re.compile(r"^\s*04[45]\s*(?=(?:\D*\d){10}\D*$)")
_BRAZIL = re.compile(r"^\+55(\d\d)(9?)([6-9]\d{7})$")
_ARGENTINA = re.compile(r"^\+54(9?)([1-8]\d{9})$")
_MEXICO = re.compile(r"^\+52(1?)([2-9]\d{9})$")
_EMAIL = re.compile(r"^[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+\.[^\s@<>,;:\"()\[\]\\.]+$")
MAX_EMAIL_LENGTH = 254
MAX_RAW_LENGTH = 250


@dataclass(frozen=True, slots=True)
class NormalisedPhone:
    """A number in E.164. `type` and `country` (ISO 3166, may be empty) come from the numbering plan."""

    e164: str
    is_valid: bool
    type: str
    country: str


def normalise_phone(raw: str, region: str | None = None) -> NormalisedPhone | None:
    """Read a number in any usual spelling, also with `whatsapp:` or `tel:` before it, or 00 for the plus.

    `region` (ISO 3166) is where a number without country code is at home; without it North America is taken as it
    stands. Returns None when `raw` holds no number; one that cannot exist has `is_valid` False. Never raises.
    """
    text = raw[:MAX_RAW_LENGTH].replace("\x00", "")
    if not text.lower().lstrip().startswith("tel:"):
        text = _SCHEME.sub("", text)
    found = _parse(text, region or UNKNOWN_REGION)
    if region and (found is None or not found.is_valid):
        for rewritten in _other_spellings(text, region):
            better = _parse(rewritten, region)
            if better is not None and better.is_valid:
                return better
    return found


def _other_spellings(text: str, region: str) -> list[str]:
    found = []
    if _ZERO_ZERO.match(text):
        found.append(_ZERO_ZERO.sub("+", text))
    if region == "MX" and _MEXICAN_MOBILE_AT_HOME.match(text):
        found.append(_MEXICAN_MOBILE_AT_HOME.sub("", text))
    return found


def _parse(text: str, region: str) -> NormalisedPhone | None:
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    variants = (phonenumbers.parse(variant) for variant in phone_variants(e164)[1:])
    known = next((one for one in (number, *variants) if phonenumbers.is_valid_number(one)), None)
    if known is None:
        return NormalisedPhone(e164, is_valid=False, type="unknown", country="")
    kind = PhoneNumberType.to_string(phonenumbers.number_type(known)).lower()
    return NormalisedPhone(e164, is_valid=True, type=kind, country=phonenumbers.region_code_for_number(known) or "")


@lru_cache(maxsize=4096)
def readable_address(address: str, home: str = "") -> str:
    """A number in groups as people read it: as it is dialled at home where it is at home in `home` (ISO 3166), else
    with its country. E-mail addresses and what is no number stay as they are. Never raises."""
    if not address.startswith("+"):
        return address
    try:
        number = phonenumbers.parse(address)
    except NumberParseException:
        return address
    is_home = phonenumbers.country_code_for_region(home) == number.country_code
    is_home = is_home and phonenumbers.region_code_for_number(number) in (home, None)
    form = PhoneNumberFormat.NATIONAL if is_home else PhoneNumberFormat.INTERNATIONAL
    return str(phonenumbers.format_number(number, form))


def phone_variants(e164: str) -> tuple[str, ...]:
    """Every E.164 spelling of the same line, the given one first. One element for nearly all countries."""
    other = ""
    if match := _BRAZIL.match(e164):
        area, ninth, line = match.groups()
        other = f"+55{area}{'' if ninth else '9'}{line}"
    elif match := _ARGENTINA.match(e164):
        other = f"+54{'' if match[1] else '9'}{match[2]}"
    elif match := _MEXICO.match(e164):
        other = f"+52{'' if match[1] else '1'}{match[2]}"
    return (e164, other) if other else (e164,)


def normalise_email(raw: str) -> str | None:
    """The address without `mailto:`, name and angle brackets, in lower case; None when it is not one. Never raises."""
    text = raw.strip()
    if text.endswith(">") and "<" in text:
        text = text[text.rindex("<") + 1 : -1].strip()
    text = text.removeprefix("mailto:").removeprefix("MAILTO:").lower()
    if len(text) > MAX_EMAIL_LENGTH or not text.isprintable() or not _EMAIL.match(text):
        return None
    return text
