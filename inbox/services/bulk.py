"""One change to many interactions: each through its ordinary service, with the actor's own rights, one after another.

An order is plain data (ids and words), so that the same one can be carried out at once, as a job, or backwards.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import models
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contact_center.accounts.models import User
from contact_center.common.errors import Refused
from contact_center.jobs.models import Job
from contact_center.jobs.services import start
from inbox import realtime
from inbox.enums import InteractionStatus
from inbox.models import Disposition, Interaction, Queue, Reason, Tag
from inbox.selectors.interactions import get_interaction_for, interactions_visible_to
from inbox.selectors.notifications import person_name
from inbox.services import interactions as desk
from inbox.services import labels, snooze, transfers

AT_ONCE = 20
"""So many are done while the person waits; more become a job."""
KIND = "bulk"
ACTIONS: dict[str, str | Promise] = {
    "assign": gettext_lazy("Assign"),
    "release": gettext_lazy("Return to the queue"),
    "transfer": gettext_lazy("Move to a queue"),
    "tag": gettext_lazy("Tag"),
    "priority": gettext_lazy("Set the priority"),
    "snooze": gettext_lazy("Snooze"),
    "close": gettext_lazy("Close"),
    "read": gettext_lazy("Mark as read"),
}
Order = dict[str, Any]
Undo = dict[str, Any]


@dataclass(slots=True)
class Result:
    """What became of an order: ids done, ids refused with the sentence why, how to undo it, or the job that does it."""

    done: list[int] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)
    undo: list[Undo] = field(default_factory=list)
    job: Job | None = None


def carry_out(*, actor: User, order: Order, ids: Iterable[int]) -> Result:
    """Do `order` to each of `ids`; up to 20 at once, more as a job. Raises Refused for an unknown order or no ids.

    Each is its own transaction: one that is refused leaves the others alone.
    """
    wanted = list(dict.fromkeys(ids))
    if order.get("action") not in ACTIONS:
        raise Refused(_("Choose what to do."))
    if not wanted:
        raise Refused(_("Nothing is selected."))
    if len(wanted) > AT_ONCE:
        title = f"{ACTIONS[order['action']]} ({len(wanted)})"
        return Result(job=start(owner=actor, kind=KIND, title=title, items=wanted, parameters=order))
    result = Result()
    for pk in wanted:
        try:
            undo = do_one(actor, order, pk)
        except Refused as error:
            result.refused.append((pk, str(error)))
        else:
            result.done.append(pk)
            result.undo += [undo] if undo else []
    return result


def take_back(*, actor: User, steps: Iterable[Undo]) -> Result:
    """Undo an order, the last first, by the ordinary services; what has moved on meanwhile is refused in words."""
    result = Result()
    for step in reversed(list(steps)):
        try:
            _require_visible(actor, step["id"])
            UNDO[step["undo"]](actor, step)
        except Refused as error:
            result.refused.append((step["id"], str(error)))
        else:
            result.done.append(step["id"])
    return result


def do_one(actor: User, order: Order, pk: int) -> Undo | None:
    """Do an order to one interaction; what would undo it, None where nothing does. Raises Refused."""
    interaction = _require_visible(actor, pk)
    before = {"id": pk, "owner": interaction.owner_id, "queue": interaction.queue_id, "priority": interaction.priority}
    return DO[order["action"]](actor, interaction, order, before)


def do_item(job: Job, object_id: int) -> None:
    """One item of a bulk job, with its owner's rights of now. Raises Refused."""
    do_one(job.owner, job.parameters, object_id)


def describe(user: User, ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Names and addresses of these interactions, for those the person may see."""
    found = interactions_visible_to(user).filter(pk__in=list(ids)).select_related("patient")
    return {row.pk: (person_name(row), reverse("inbox:interaction", args=[row.pk])) for row in found}


def _require_visible(actor: User, pk: int) -> Interaction:
    try:
        return get_interaction_for(actor, pk)
    except Interaction.DoesNotExist:
        raise Refused(_("You may no longer see this one.")) from None


def _named(model: type[models.Model], pk: Any) -> Any:
    found = model._default_manager.filter(pk=pk).first() if isinstance(pk, int) else None
    if found is None:
        raise Refused(_("What was chosen is no longer there."))
    return found


def _assign(actor: User, interaction: Interaction, order: Order, before: Undo) -> Undo | None:
    if interaction.owner_id == order["assignee"]:
        return None
    desk.assign(actor=actor, interaction_id=interaction.pk, assignee=_named(User, order["assignee"]))
    return before | {"undo": "owner", "now": order["assignee"]}


def _release(actor: User, interaction: Interaction, order: Order, before: Undo) -> Undo | None:
    if interaction.owner_id is None:
        return None
    desk.return_to_queue(actor=actor, interaction_id=interaction.pk)
    return before | {"undo": "owner", "now": None}


def _transfer(actor: User, interaction: Interaction, order: Order, before: Undo) -> Undo | None:
    queue = _named(Queue, order["queue"])
    if interaction.queue_id == queue.pk:
        return None
    transfers.transfer(actor=actor, interaction_id=interaction.pk, queue=queue, why=order["why"])
    return before | {"undo": "queue", "now": queue.pk}


def _tag(actor: User, interaction: Interaction, order: Order, before: Undo) -> Undo | None:
    tag = _named(Tag, order["tag"])
    if interaction.tags.filter(pk=tag.pk).exists():
        return None
    labels.add_tags(actor=actor, interaction_id=interaction.pk, tags=[tag])
    return before | {"undo": "tag", "tag": tag.pk}


def _priority(actor: User, interaction: Interaction, order: Order, before: Undo) -> Undo | None:
    if interaction.priority == order["priority"]:
        return None
    labels.set_priority(actor=actor, interaction_id=interaction.pk, priority=order["priority"])
    return before | {"undo": "priority", "now": order["priority"]}


def _snooze(actor: User, interaction: Interaction, order: Order, before: Undo) -> Undo | None:
    until_at = parse_datetime(order["until_at"]) if order["until_at"] else None
    snooze.snooze(actor=actor, interaction_id=interaction.pk, until_at=until_at)
    return before | {"undo": "snooze"}


def _close(actor: User, interaction: Interaction, order: Order, before: Undo) -> Undo | None:
    asked_at, wrote_at = parse_datetime(order["asked_at"]), interaction.last_inbound_at
    if asked_at is not None and wrote_at is not None and wrote_at > asked_at:
        raise Refused(_("The patient wrote meanwhile. Read it before you close."))
    day, owner = order.get("next_step_date"), order.get("next_step_owner")
    with realtime.atomic():
        if interaction.owner_id is None:
            desk.take(actor=actor, interaction_id=interaction.pk)
        desk.close(
            actor=actor,
            interaction_id=interaction.pk,
            reason=_named(Reason, order["reason"] or interaction.reason_id),
            disposition=_named(Disposition, order["disposition"]),
            next_step=order.get("next_step", ""),
            next_step_owner=_named(User, owner) if owner else None,
            next_step_date=date.fromisoformat(day) if day else None,
        )
    return before | {"undo": "close"}


def _read(actor: User, interaction: Interaction, order: Order, before: Undo) -> Undo | None:
    if interaction.unread_count and interaction.owner_id != actor.pk:
        raise Refused(_("Only its owner marks it as read."))
    desk.mark_read(actor=actor, interaction_id=interaction.pk)
    return None


DO: dict[str, Callable[[User, Interaction, Order, Undo], Undo | None]] = {
    "assign": _assign,
    "release": _release,
    "transfer": _transfer,
    "tag": _tag,
    "priority": _priority,
    "snooze": _snooze,
    "close": _close,
    "read": _read,
}


def _require_unchanged(is_same: bool) -> None:
    if not is_same:
        raise Refused(_("Somebody has changed it since."))


def _owner_back(actor: User, step: Undo) -> None:
    _require_unchanged(get_interaction_for(actor, step["id"]).owner_id == step["now"])
    if step["owner"] is None:
        desk.return_to_queue(actor=actor, interaction_id=step["id"])
    else:
        desk.assign(actor=actor, interaction_id=step["id"], assignee=_named(User, step["owner"]))


def _queue_back(actor: User, step: Undo) -> None:
    _require_unchanged(get_interaction_for(actor, step["id"]).queue_id == step["now"])
    why = _("Taken back")
    queue, owner = _named(Queue, step["queue"]), _named(User, step["owner"]) if step["owner"] else None
    transfers.transfer(actor=actor, interaction_id=step["id"], queue=queue, assignee=owner, why=why)


def _tag_back(actor: User, step: Undo) -> None:
    labels.remove_tags(actor=actor, interaction_id=step["id"], tags=[_named(Tag, step["tag"])])


def _priority_back(actor: User, step: Undo) -> None:
    _require_unchanged(get_interaction_for(actor, step["id"]).priority == step["now"])
    labels.set_priority(actor=actor, interaction_id=step["id"], priority=step["priority"])


def _snooze_back(actor: User, step: Undo) -> None:
    _require_unchanged(get_interaction_for(actor, step["id"]).status == InteractionStatus.SNOOZED)
    snooze.wake(actor=actor, interaction_id=step["id"])
    if step["owner"] is None:
        desk.return_to_queue(actor=actor, interaction_id=step["id"])


def _close_back(actor: User, step: Undo) -> None:
    _require_unchanged(get_interaction_for(actor, step["id"]).status == InteractionStatus.CLOSED)
    desk.reopen(actor=actor, interaction_id=step["id"])
    if step["owner"] is None:
        desk.return_to_queue(actor=actor, interaction_id=step["id"])
    elif step["owner"] != actor.pk:
        desk.assign(actor=actor, interaction_id=step["id"], assignee=_named(User, step["owner"]))


UNDO: dict[str, Callable[[User, Undo], None]] = {
    "owner": _owner_back,
    "queue": _queue_back,
    "tag": _tag_back,
    "priority": _priority_back,
    "snooze": _snooze_back,
    "close": _close_back,
}
