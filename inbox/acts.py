"""What apps above let people do from a conversation's menu; registered in `ready()`, the page knows none of it."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise

from contact_center.accounts.models import User
from inbox.models import Interaction


@dataclass(frozen=True, slots=True)
class Act:
    """One entry of the menu: `address(interaction)` leads to its page, `allowed(user)` decides without a query,
    `key` is the single key that opens it."""

    title: str | Promise
    icon: str
    address: Callable[[Interaction], str]
    allowed: Callable[[User], bool]
    key: str = ""


_acts: dict[str, Act] = {}


def register(name: str, act: Act) -> None:
    """Add an entry; a second one of the same name takes its place."""
    _acts[name] = act


def acts_for(user: User, interaction: Interaction) -> list[dict[str, object]]:
    """Title, icon, address and key of each entry this person may use, in the order of registration."""
    return [
        {"title": act.title, "icon": act.icon, "key": act.key, "url": act.address(interaction)}
        for act in _acts.values()
        if act.allowed(user)
    ]
