"""Registry of navigation entries: apps add theirs in `ready()`, the frame shows those the person may use."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """One place in the rail. `allowed(user)` decides; `position` sorts."""

    title: str | Promise
    icon: str
    url_name: str
    position: int
    allowed: Callable[[Any], bool]


_entries: list[NavigationEntry] = []


def register(entry: NavigationEntry) -> None:
    """Add an entry once; a second registration of the same address is ignored."""
    if all(known.url_name != entry.url_name for known in _entries):
        _entries.append(entry)
        _entries.sort(key=lambda item: item.position)


def entries_for(request: HttpRequest) -> list[dict[str, Any]]:
    """Entries for the signed-in person, each with its address and whether it is the present page."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    found = []
    for entry in _entries:
        if entry.allowed(user):
            url = reverse(entry.url_name)
            found.append(
                {"title": entry.title, "icon": entry.icon, "url": url, "is_current": request.path.startswith(url)}
            )
    return found
