"""Panels that apps put beside a conversation and on the patient's page. Each is loaded by its own request.

Apps register theirs in `ready()`; the page knows none of them and shows those the person may see.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise

from contact_center.accounts.models import User
from contact_center.common.addresses import address_of
from patients.models import Patient


@dataclass(frozen=True, slots=True)
class Panel:
    """`url_name` takes the patient's id and `args`, answers a fragment; `allowed(user, patient)` decides; `position`
    sorts. `is_open` ones are loaded with the page, the others when they are opened."""

    key: str
    title: str | Promise
    url_name: str
    position: int
    allowed: Callable[[User, Patient], bool]
    args: tuple[str, ...] = ()
    is_open: bool = False


_panels: dict[str, Panel] = {}


def register(panel: Panel) -> None:
    """Add a panel; a second one with the same key takes its place."""
    _panels[panel.key] = panel


def withdraw(key: str) -> None:
    """Take a panel out again; one that is not there is none the less gone."""
    _panels.pop(key, None)


def panels_for(user: User, patient: Patient) -> list[dict[str, object]]:
    """Key, title, address and `is_open` of each panel this person may see of this patient, in order."""
    shown = sorted(_panels.values(), key=lambda panel: panel.position)
    return [
        {
            "key": panel.key,
            "title": panel.title,
            "url": address_of(panel.url_name, patient.pk, *panel.args),
            "is_open": panel.is_open,
        }
        for panel in shown
        if panel.allowed(user, patient)
    ]
