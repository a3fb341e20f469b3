"""What the live board draws."""

from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.enums import away_words

register = template.Library()
HELPERS = 3
GROUPS = {
    "free": ("ok", lambda: _("Free")),
    "call": ("danger", lambda: _("On a call")),
    "writing": ("viz", lambda: _("Writing")),
    "wrap_up": ("warn", lambda: _("Wrap-up")),
    "busy": ("quiet", lambda: _("Busy")),
    "away": ("quiet", lambda: _("Away")),
}
RESULTS = {
    "on_time": lambda: _("On time"),
    "late": lambda: _("Late"),
    "short": lambda: _("Hung up at once"),
    "abandoned": lambda: _("Hung up"),
    "call": lambda: _("Call"),
    "written": lambda: _("Written"),
    "queued": lambda: _("Waiting"),
    "offered": lambda: _("Offered"),
    "waiting": lambda: _("Waiting"),
    "voicemail": lambda: _("Voicemail"),
    "callback_requested": lambda: _("Wants to be called back"),
    "completed": lambda: _("Went on by text"),
}


@register.filter
def clock(seconds: float | None) -> str:
    """A time as clocks show it: `6:12`, `2h 05m`, `3d`; the page's clock keeps it true where it goes on."""
    if seconds is None:
        return "–"
    whole = max(0, int(seconds))
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d}"
    hours, days = whole // 3600, whole // 86_400
    return f"{days}d" if days else f"{hours}h {whole // 60 % 60:02d}m"


@register.filter
def elapsed(since: datetime | None) -> str:
    """How long ago, as `clock` writes it."""
    return clock((timezone.now() - since).total_seconds()) if since else "–"


@register.filter
def group_name(key: str) -> str:
    """A group of people in words."""
    return str(GROUPS[key][1]())


@register.filter
def group_dot(key: str) -> str:
    """The colour of a group's dot."""
    return str(GROUPS[key][0])


@register.filter
def result_words(key: str) -> str:
    """What became of a counted row."""
    return str(RESULTS[key]()) if key in RESULTS else key


@register.filter
def state_words(state: str) -> str:
    """A state for those who do not see its colour."""
    return {"late": _("over the limit"), "soon": _("near the limit")}.get(state, "")


@register.filter
def first_of(people: list[Any], most: int) -> list[Any]:
    """Those that are shown at once."""
    return people[:most]


@register.filter
def names_of(people: list[Any]) -> str:
    """Who could help, by name; the first few."""
    shown = [one.short_name for one in people[:HELPERS]]
    more = len(people) - len(shown)
    return ", ".join(shown) + (f" + {more}" if more else "")


@register.filter
def away_reason(reason: str) -> str:
    """Why somebody is away, in words."""
    return away_words(reason)


@register.filter
def rest_of(people: list[Any], most: int) -> list[Any]:
    """Those behind "more"."""
    return people[most:]
