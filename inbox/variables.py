"""Variables in texts that agents write: `{{ patient.given_name }}`. Pure."""

import re
from collections.abc import Mapping

_VARIABLE = re.compile(r"\{\{\s*([^{}\s][^{}]{0,79}?)\s*\}\}")


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with every variable replaced in one pass, so a value with braces is never read as a variable.

    One without a value stays visible as `{{ name }}`, for a person to fill in.
    """
    return _VARIABLE.sub(lambda found: values.get(found[1]) or written(found[1]), text)


def names_in(text: str) -> list[str]:
    """Names of the variables, in the order of the text, each once."""
    return list(dict.fromkeys(_VARIABLE.findall(text)))


def has_open(text: str) -> bool:
    """True while something in double braces is left."""
    return "{{" in text and "}}" in text


def written(name: str) -> str:
    """A variable as it stands in a text."""
    return "{{ " + name + " }}"
