"""The values conditions can have, and their names for this person."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from contact_center.accounts.enums import Action, Role
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from inbox.enums import OPEN, ChannelKind, Priority
from inbox.models import Interaction, Queue, Reason, Tag
from inbox.selectors.conditions import CLOCK_STATES, FIELDS, ME, NO, NOBODY, YES, Conditions, Rule
from inbox.selectors.interactions import queue_ids_of, queues_of
from inbox.selectors.setup import reasons_visible_to

OWNERS = [Role.AGENT, Role.CLINICAL_AGENT, Role.PARTNER_AGENT, Role.SUPERVISOR, Role.ADMIN]


class Choice(NamedTuple):
    """One value of a field and its name."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Chip:
    """One value that a filter or saved view asks for, in words; `trouble` says what is wrong with it."""

    field: str
    value: str
    label: str
    trouble: str = ""


def colleagues_of(user: User) -> QuerySet[User]:
    """People who can own work of this person's queues, by name."""
    found = User.objects.filter(is_active=True, is_service_account=False, role__in=OWNERS)
    if not can(user, Action.VIEW_ALL_QUEUES):
        found = found.filter(memberships__team__queues__in=queues_of(user).values("pk")).distinct()
    return found.order_by("first_name", "last_name", "pk")


def language_name(code: str) -> str:
    """A language's name in the language of the page; the code where it is not known."""
    try:
        return _(get_language_info(code.split("-", maxsplit=1)[0])["name"])
    except KeyError:
        return code


def choices_for(user: User) -> dict[str, list[Choice]]:
    """Every value this person may choose, by field. Five queries."""
    languages = Interaction.objects.filter(status__in=OPEN).exclude(language="").order_by()
    spoken = {code[:2] for code in languages.values_list("language", flat=True).distinct()}
    spoken |= {code for code, _name in settings.LANGUAGES}
    return {
        "channel": [Choice(kind.value, str(kind.label)) for kind in ChannelKind],
        "language": sorted((Choice(code, language_name(code)) for code in spoken), key=lambda one: one.label),
        "priority": [Choice(str(one.value), str(one.label)) for one in Priority],
        "owner": [
            Choice(ME, _("Me")),
            Choice(NOBODY, _("Nobody yet")),
            *(Choice(str(one.pk), str(one)) for one in colleagues_of(user) if one.pk != user.pk),
        ],
        "queue": [Choice(str(one.pk), one.name) for one in queues_of(user)],
        "reason": _tree(list(reasons_visible_to(user))),
        "clock": [Choice(key, str(label)) for key, label in CLOCK_STATES.items()],
        "tag": [Choice(str(one.pk), one.name) for one in Tag.objects.filter(is_active=True)],
    } | {key: [Choice(YES, _("Yes")), Choice(NO, _("No"))] for key, one in FIELDS.items() if one.kind == "yes"}


def _tree(reasons: list[Reason]) -> list[Choice]:
    """Parents before their children, which are indented."""
    known = {reason.pk for reason in reasons}
    below: dict[int | None, list[Reason]] = {}
    for reason in reasons:
        below.setdefault(reason.parent_id if reason.parent_id in known else None, []).append(reason)

    def walk(parent: int | None, depth: int) -> Iterable[Choice]:
        for reason in below.get(parent, ()):
            yield Choice(str(reason.pk), "\u2003" * depth + reason.name)
            yield from walk(reason.pk, depth + 1)

    return list(walk(None, 0))


def chips_of(conditions: Conditions, user: User) -> list[Chip]:
    """What is asked for, value by value, in words; names of what was removed, or may not be seen, are not told.

    One query for each of queue, reason, tag and owner that is asked for.
    """
    return [chip for rule in conditions.rules for chip in _chips(rule, user)]


def _chips(rule: Rule, user: User) -> list[Chip]:
    found = _NAMES[rule.field](rule.values, user) if rule.field in _NAMES else _plain(rule)
    no = _("not ") if rule.is_negated else ""
    label = FIELDS[rule.field].label
    return [Chip(rule.field, value, f"{label}: {no}{name}", trouble) for value, name, trouble in found]


Named = list[tuple[str, str, str]]


def _plain(rule: Rule) -> Named:
    names = {YES: _("yes"), NO: _("no")}
    if rule.field == "channel":
        names = {kind.value: str(kind.label) for kind in ChannelKind}
    elif rule.field == "clock":
        names = {key: str(label) for key, label in CLOCK_STATES.items()}
    elif rule.field == "priority":
        names = {str(one.value): str(one.label) for one in Priority}
    elif rule.field == "language":
        names = {value: language_name(value) for value in rule.values}
    return [(value, names.get(value, value), "") for value in rule.values]


def _queues(values: tuple[str, ...], user: User) -> Named:
    served = set(queue_ids_of(user))
    known = Queue.objects.in_bulk([int(value) for value in values])
    found = []
    for value in values:
        queue = known.get(int(value))
        if queue is None:
            found.append((value, _("removed"), _("A queue of this view was removed.")))
        elif not queue.is_active and can(user, Action.VIEW_ALL_QUEUES):
            found.append((value, queue.name, _("The queue %(name)s is no longer used.") % {"name": queue.name}))
        elif not queue.is_active:
            found.append((value, _("no longer used"), _("A queue of this view is no longer used.")))
        elif queue.pk not in served:
            found.append((value, _("one you do not serve"), _("A queue of this view is one you do not serve.")))
        else:
            found.append((value, queue.name, ""))
    return found


def _reasons(values: tuple[str, ...], user: User) -> Named:
    known = Reason.objects.in_bulk([int(value) for value in values])
    may = can(user, Action.VIEW_SENSITIVE)
    found = []
    for value in values:
        reason = known.get(int(value))
        if reason is None:
            found.append((value, _("removed"), _("A reason of this view was removed.")))
        elif reason.is_sensitive and not may:
            found.append((value, _("hidden from you"), _("A reason of this view is hidden from you.")))
        elif not reason.is_active:
            found.append((value, reason.name, _("The reason %(name)s is no longer used.") % {"name": reason.name}))
        else:
            found.append((value, reason.name, ""))
    return found


def _tags(values: tuple[str, ...], user: User) -> Named:
    known = Tag.objects.in_bulk([int(value) for value in values])
    found = []
    for value in values:
        tag = known.get(int(value))
        if tag is None:
            found.append((value, _("removed"), _("A tag of this view was removed.")))
        else:
            why = "" if tag.is_active else _("The tag %(name)s is no longer used.") % {"name": tag.name}
            found.append((value, tag.name, why))
    return found


def _owners(values: tuple[str, ...], user: User) -> Named:
    known = User.objects.in_bulk([int(value) for value in values if value not in (ME, NOBODY)])
    found = []
    for value in values:
        if value in (ME, NOBODY):
            found.append((value, _("me") if value == ME else _("nobody yet"), ""))
        elif int(value) not in known:
            found.append((value, _("removed"), _("A person of this view was removed.")))
        else:
            person = known[int(value)]
            why = "" if person.is_active else _("%(name)s no longer works here.") % {"name": person}
            found.append((value, str(person), why))
    return found


_NAMES = {"queue": _queues, "reason": _reasons, "tag": _tags, "owner": _owners}
