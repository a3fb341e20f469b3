"""Macros as a person may use them, and their steps in words."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from inbox.enums import Priority
from inbox.models import CannedReply, Disposition, Interaction, Macro, Queue, Tag
from inbox.selectors.canned import texts_usable_by, texts_visible_to
from inbox.selectors.interactions import queues_of

KEYS = {
    "reply": "canned",
    "tag": "tag",
    "priority": "priority",
    "assign": "queue",
    "snooze": "hours",
    "close": "disposition",
}
"""What a step does, and which of its keys holds the id or number. An `assign` to queue 0 is to oneself."""
HOURS = (1, 4, 24, 72, 168)
Groups = list[tuple[str, list[tuple[str, str]]]]


def step_choices(user: User) -> Groups:
    """Every step this person may put into a macro, grouped: (title, [(value, words)])."""
    canned = CannedReply.objects.filter(texts_visible_to(user), is_active=True).order_by("title")
    queues = Queue.objects.filter(pk__in=queues_of(user).values("pk"))
    ended = Disposition.objects.filter(is_active=True, is_resolved=True)
    hours = [(f"snooze:{count}", _("Snooze for %(count)s h") % {"count": count}) for count in HOURS]
    return [
        (_("Reply"), [(f"reply:{row.pk}", _("Reply “%(name)s”") % {"name": row.title}) for row in canned]),
        (_("Tag"), [(f"tag:{t.pk}", _("Tag “%(name)s”") % {"name": t}) for t in Tag.objects.filter(is_active=True)]),
        (_("Priority"), [(f"priority:{p.value}", _("Priority %(name)s") % {"name": p.label}) for p in Priority]),
        (
            _("Assign"),
            [("assign:0", _("Assign to me"))]
            + [(f"assign:{queue.pk}", _("Move to %(name)s") % {"name": queue}) for queue in queues],
        ),
        (_("Snooze"), hours),
        (_("Close"), [(f"close:{row.pk}", _("Close as “%(name)s”") % {"name": row}) for row in ended]),
    ]


def value_of(step: dict[str, Any]) -> str:
    """A step as a choice: `tag:3`."""
    do = str(step.get("do", ""))
    return f"{do}:{step.get(KEYS.get(do, ''), '')}"


def step_of(value: str) -> dict[str, Any]:
    """The step that a choice stands for."""
    do, _sign, number = value.partition(":")
    return {"do": do, KEYS[do]: int(number)}


def words_of(macro: Macro, groups: Groups) -> list[str]:
    """The steps of a macro in words; one whose object is gone says so."""
    words = {value: text for _title, choices in groups for value, text in choices}
    return [words.get(value_of(step), _("A step that does not work any more")) for step in macro.steps]


def macros_for(user: User, interaction: Interaction) -> QuerySet[Macro]:
    """Active macros this person may run here: shared ones, their own, those of their teams."""
    return Macro.objects.filter(texts_usable_by(user, interaction)).distinct().order_by("position", "name")
