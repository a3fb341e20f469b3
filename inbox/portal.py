"""What stands on the patient's own page. Apps above add their sections in `ready()`; the page knows none of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from patients.models import Patient


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the page. `context(about, viewer)` gives what `template` shows of one patient to another or the same
    one, None leaves it out; `scope` is what a proxy needs to see it, empty where `context` asks; `position` sorts."""

    key: str
    title: str | Promise
    template: str
    position: int
    scope: str
    context: Callable[[Patient, Patient], dict[str, Any] | None]


_sections: dict[str, Section] = {}


def register(section: Section) -> None:
    """Add a section; a second one with the same key takes its place."""
    _sections[section.key] = section


def withdraw(key: str) -> None:
    """Take a section out again; one that is not there is none the less gone."""
    _sections.pop(key, None)


def sections() -> list[Section]:
    """All sections in their order."""
    return sorted(_sections.values(), key=lambda section: section.position)
