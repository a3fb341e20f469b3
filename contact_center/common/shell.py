"""Registries of what the frame shows: navigation, pieces of the top bar, entries of the account menu.

Apps add theirs in `ready()`; the frame knows none of them and shows those the person may use.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise

from contact_center.common.addresses import place_of
from contact_center.common.request_memory import remembered


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """One place in the rail. `allowed(user)` decides; `position` sorts; `waiting(request)` counts what waits there."""

    title: str | Promise
    icon: str
    url_name: str
    position: int
    allowed: Callable[[Any], bool]
    waiting: Callable[[HttpRequest], int] | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the top bar: a template and what it shows; None from `context(request)` leaves it out.

    `place` is `mid` or `end`.
    """

    template: str
    position: int
    context: Callable[[HttpRequest], dict[str, Any] | None]
    place: str = "end"


SETUP = 90  # from this position on at the foot of the rail
_entries: list[NavigationEntry] = []
_menu: list[NavigationEntry] = []
_pieces: dict[str, Piece] = {}


def register(entry: NavigationEntry) -> None:
    """Add an entry once; a second registration of the same address is ignored."""
    if all(known.url_name != entry.url_name for known in _entries):
        _entries.append(entry)
        _entries.sort(key=lambda item: item.position)


def entries_for(request: HttpRequest) -> list[dict[str, Any]]:
    """Entries for the signed-in person, each with its address, whether it is the present page, and whether it stands
    at the foot of the rail. Looked up once per request."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    return remembered(("rail", user.pk, request.path), lambda: _entries_of(user, request))


def _entries_of(user: Any, request: HttpRequest) -> list[dict[str, Any]]:
    urls = {entry.url_name: place_of(entry.url_name) for entry in _entries if entry.allowed(user)}
    present = max((url for url in urls.values() if request.path.startswith(url)), key=len, default=None)
    return [
        {
            "title": str(entry.title),
            "icon": entry.icon,
            "url": urls[entry.url_name],
            "is_current": urls[entry.url_name] == present,
            "is_setup": entry.position >= SETUP,
            "badge": badge_id(entry.url_name) if entry.waiting else "",
            "waiting": entry.waiting(request) if entry.waiting else 0,
        }
        for entry in _entries
        if entry.url_name in urls
    ]


def badge_id(url_name: str) -> str:
    """The element that shows how much waits at a place of the rail."""
    return f"badge-{url_name.replace(':', '-')}"


def register_in_menu(entry: NavigationEntry) -> None:
    """Add an entry to the account menu once."""
    if all(known.url_name != entry.url_name for known in _menu):
        _menu.append(entry)
        _menu.sort(key=lambda item: item.position)


def menu_for(request: HttpRequest) -> list[NavigationEntry]:
    """Entries of the signed-in person's account menu."""
    return [entry for entry in _menu if entry.allowed(request.user)]


def register_piece(piece: Piece) -> None:
    """Add a part of the top bar; a second one with the same template replaces it."""
    _pieces[piece.template] = piece


def pieces_for(request: HttpRequest, place: str) -> list[tuple[str, dict[str, Any]]]:
    """Templates and contexts of the top bar's parts at one place, in order; none for strangers."""
    if not getattr(request, "user", None) or not request.user.is_authenticated:
        return []
    here = sorted((piece for piece in _pieces.values() if piece.place == place), key=lambda one: one.position)
    shown = [(piece.template, piece.context(request)) for piece in here]
    return [(template, context) for template, context in shown if context is not None]
