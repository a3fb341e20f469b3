"""Pieces of a patient's page. Apps register theirs in `ready()`; the page knows none of them.

The same pieces stand beside a conversation as panels, each loaded by its own request.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from contact_center.accounts.models import User
from patients import panels
from patients.models import Patient
from patients.selectors.access import may_open

HEAD, ACTS, WHO, NEXT, PANEL = "head", "acts", "who", "next", "panel"


@dataclass(frozen=True, slots=True)
class Piece:
    """One subject of the page. `context(user, patient)` gives what `template` shows; None leaves the piece out.

    `place` is HEAD (beside the name, without title), ACTS (a button in the head), WHO (who this is, how to reach them),
    NEXT (what is going on) or PANEL (only beside a conversation). An `is_open` one is loaded with the conversation.
    `context` asks the database a constant number of times, whatever it finds.
    """

    key: str
    title: str | Promise
    place: str
    position: int
    template: str
    context: Callable[[User, Patient], dict[str, Any] | None]
    is_panel: bool = True
    is_open: bool = False


_pieces: dict[str, Piece] = {}


def register(piece: Piece) -> None:
    """Add a piece; a second one with the same key takes its place."""
    _pieces[piece.key] = piece
    if piece.is_panel and piece.place not in (HEAD, ACTS):
        order = 100 * (piece.place == WHO) + piece.position
        args = (piece.key,)
        panels.register(panels.Panel(piece.key, piece.title, "patients:piece", order, may_open, args, piece.is_open))
    else:
        panels.withdraw(piece.key)


def withdraw(key: str) -> None:
    """Take a piece and its panel out again."""
    _pieces.pop(key, None)
    panels.withdraw(key)


def pieces_for(user: User, patient: Patient) -> dict[str, list[dict[str, Any]]]:
    """Per place the pieces that have something to show to this person, in order."""
    shown: dict[str, list[dict[str, Any]]] = {HEAD: [], ACTS: [], WHO: [], NEXT: []}
    for piece in sorted(_pieces.values(), key=lambda one: one.position):
        if piece.place != PANEL and (found := drawn(piece, user, patient)):
            shown[piece.place].append(found)
    return shown


def drawn(piece: Piece, user: User, patient: Patient) -> dict[str, Any] | None:
    """Key, title, template and context of one piece; None when it has nothing to show."""
    context = piece.context(user, patient)
    if context is None:
        return None
    return {"key": piece.key, "title": piece.title, "template": piece.template, "context": context}


def piece_of(key: str) -> Piece | None:
    """The piece of that key."""
    return _pieces.get(key)


# ---- marks on addresses that apps above know of, such as opt-outs ----

Marks = Callable[[Patient, list[str]], dict[str, list[str]]]
_marks: list[Marks] = []


def register_address_marks(marks: Marks) -> None:
    """Add a source of words about addresses: `marks(patient, values)` → value → sentences. One query at most."""
    if marks not in _marks:
        _marks.append(marks)


def marks_on(patient: Patient, values: list[str]) -> dict[str, list[str]]:
    """What apps say about each of these addresses."""
    found: dict[str, list[str]] = {value: [] for value in values}
    for source in _marks:
        for value, words in source(patient, values).items():
            found.setdefault(value, []).extend(words)
    return found
