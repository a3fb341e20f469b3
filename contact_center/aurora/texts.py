"""What people at Aurora write to each other: scripts per reason and language, filled in by chance."""

from __future__ import annotations

import random
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from contact_center.aurora.clinic import PRACTITIONERS, SERVICES, SITES
from contact_center.aurora.names import MEDICINES, PHARMACIES

LANGUAGES = ("en", "es", "pt")
_HEADING = re.compile(r"^== (\S+) / (\S+) / (.+)$")

GREETINGS = {
    "en": ("Hi", "Hello", "Good morning", "Hello there", "Good afternoon"),
    "es": ("Hola", "Buenos días", "Buenas tardes", "Hola, buenas", "Disculpe"),
    "pt": ("Oi", "Olá", "Bom dia", "Boa tarde", "Oi, tudo bem"),
}
THANKS = {
    "en": ("thanks", "thank you", "many thanks", "thank you very much", "thanks a lot"),
    "es": ("gracias", "muchas gracias", "muy amable", "se lo agradezco", "gracias por todo"),
    "pt": ("obrigada", "muito obrigada", "valeu", "agradeço muito", "obrigada pela atenção"),
}
DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"),
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado"),
    "pt": ("segunda", "terça", "quarta", "quinta", "sexta", "sábado"),
}
TIMES = ("8:20", "9:00", "9:40", "10:15", "11:00", "11:30", "13:30", "14:10", "15:00", "15:45", "16:20", "17:00")
SIGN_OFF = {
    "en": "Kind regards\n{agent}\nAurora Health {site}",
    "es": "Un saludo cordial\n{agent}\nAurora Health {site}",
    "pt": "Atenciosamente\n{agent}\nAurora Health {site}",
}


class Turn(NamedTuple):
    is_patient: bool
    text: str


class Script(NamedTuple):
    """One believable contact from the first word to its outcome. `next_step` is empty where all was settled."""

    reason: str
    disposition: str
    subject: str
    turns: tuple[Turn, ...]
    note: str
    outcome: str
    next_step: str


@cache
def scripts(language: str) -> dict[str, tuple[Script, ...]]:
    """Scripts of a language by reason code. Raises ValueError for a line that is none of ours."""
    found: dict[str, list[Script]] = {}
    for block in _blocks((Path(__file__).parent / "scripts" / f"{language}.txt").read_text("utf-8")):
        script = _script(block)
        found.setdefault(script.reason, []).append(script)
    return {reason: tuple(items) for reason, items in found.items()}


def _blocks(source: str) -> list[list[str]]:
    blocks: list[list[str]] = []
    for line in source.splitlines():
        if line.startswith("=="):
            blocks.append([line])
        elif line and not line.startswith("#"):
            blocks[-1].append(line)
    return blocks


def _script(block: list[str]) -> Script:
    heading = _HEADING.match(block[0])
    if heading is None or any(line[:2] not in ("P ", "A ", "N ", "O ", "S ") for line in block[1:]):
        raise ValueError(f"not a script: {block[0]}")
    turns = tuple(Turn(line[0] == "P", line[2:]) for line in block[1:] if line[0] in "PA")
    rest = {line[0]: line[2:] for line in block[1:] if line[0] in "NOS"}
    reason, disposition, subject = heading.groups()
    return Script(reason, disposition, subject, turns, rest.get("N", ""), rest.get("O", ""), rest.get("S", ""))


def circumstances(
    rng: random.Random, language: str, *, first: str, site: str, agent: str, is_male: bool = False
) -> dict[str, str]:
    """Values for the braces of a script: one visit of one patient."""
    practitioner = rng.choice([one for one in PRACTITIONERS if one.site == site] or PRACTITIONERS)
    service = next(one for one in SERVICES if one.code == practitioner.service)
    day, day2 = rng.sample(DAYS[language], 2)
    time, time2 = rng.sample(TIMES, 2)
    thanks = rng.choice(THANKS[language])
    return {
        "hi": rng.choice(GREETINGS[language]),
        "thanks": thanks.replace("obrigada", "obrigado") if is_male else thanks,
        "first": first,
        "agent": agent,
        "practitioner": practitioner.name,
        "site": site,
        "address": next(one.address for one in SITES if one.name == site),
        "service": service.names[language],
        "minutes": str(service.minutes),
        "preparation": service.preparation[language],
        "medicine": rng.choice(MEDICINES),
        "pharmacy": rng.choice(PHARMACIES),
        "day": day,
        "day2": day2,
        "time": time,
        "time2": time2,
    }


def form_of(script: Script) -> str:
    """Slug of the web form that people use for this reason."""
    return {"complaint": "complaint", "prescription": "refill"}.get(script.reason, "contact")


def filled(text: str, values: dict[str, str]) -> str:
    """A line of a script with its braces filled in, starting with a capital letter."""
    text = text.format_map(values)
    return text[:1].upper() + text[1:]
