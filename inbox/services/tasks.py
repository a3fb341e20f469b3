"""Things to do in an interaction, and the checklists they come from."""

from datetime import date
from typing import TypedDict, Unpack

from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Refused
from contact_center.common.versions import refuse_unseen
from inbox import realtime
from inbox.enums import TimelineKind
from inbox.models import Checklist, Interaction, Reason, Task
from inbox.policies import can_work
from inbox.services.interactions import conclude, locked, require, tell

MOST_TASKS = 100
MOST_LETTERS = 200


class TaskFields(TypedDict, total=False):
    """What a task may have besides its title; what is left out is nobody, no day, and not blocking."""

    owner: User | None
    due_date: date | None
    is_blocking: bool


def add_task(*, actor: User, interaction_id: int, title: str, **fields: Unpack[TaskFields]) -> Task:
    """Add one thing to do. Raises Refused without words, for a past date and for a closed interaction."""
    with realtime.atomic():
        interaction = _open_one(actor, interaction_id)
        _require_room(interaction, 1)
        task = Task(interaction=interaction, position=interaction.tasks.count())
        _fill(task, title, **fields)
        _store(task, actor, AuditAction.CREATED)
        return task


def change_task(
    *, actor: User, task_id: int, title: str, seen_version: str | None = None, **fields: Unpack[TaskFields]
) -> Task:
    """Write it anew. Raises what `add_task` raises, a date that has passed already may stay; and Unseen when it is not
    the version that was seen (`common.versions`)."""
    with realtime.atomic():
        task = _locked_task(actor, task_id)
        refuse_unseen(task, seen_version)
        _fill(task, title, **fields)
        _store(task, actor, AuditAction.CHANGED)
        return task


def set_task_done(*, actor: User, task_id: int, is_done: bool) -> Task:
    """Tick it, or take the tick back; doing it twice changes nothing."""
    with realtime.atomic():
        task = _locked_task(actor, task_id)
        if (task.done_at is not None) == is_done:
            return task
        task.done_at, task.done_by = (timezone.now(), actor) if is_done else (None, None)
        _store(task, actor, AuditAction.CHANGED)
        if is_done:
            kind = TimelineKind.TASK_DONE
            conclude(task.interaction, actor=actor, kind=kind, action=AuditAction.CHANGED, detail=task.title)
        return task


def remove_task(*, actor: User, task_id: int) -> None:
    """Take it off the list; the audit trail keeps who did so."""
    with realtime.atomic():
        task = _locked_task(actor, task_id)
        owner_id, task_pk = task.owner_id, task.pk
        task.delete()
        _record(task.interaction, task_pk, actor, AuditAction.DELETED)
        tell(task.interaction, *([realtime.agent_topic(owner_id)] if owner_id else []))


def put_in_checklist(*, actor: User, interaction_id: int, checklist: Checklist) -> list[Task]:
    """Add the tasks of a checklist, without those of it that are there already; returns the new ones.

    Raises Refused when it is out of use, when there is no room, and for a closed interaction.
    """
    with realtime.atomic():
        interaction = _open_one(actor, interaction_id)
        require(checklist.is_active, _("This checklist is not in use any more."))
        return _put_in(interaction, actor, [checklist])


def put_in_for_reason(interaction: Interaction, *, actor: User, reason: Reason) -> list[Task]:
    """Add the checklists of a reason, in the transaction of the caller who holds the row."""
    return _put_in(interaction, actor, list(Checklist.objects.filter(reasons=reason, is_active=True)))


def _put_in(interaction: Interaction, actor: User, checklists: list[Checklist]) -> list[Task]:
    if not checklists:
        return []
    present = set(interaction.tasks.values_list("checklist_id", "title"))
    position = interaction.tasks.count()
    new = [
        Task(
            interaction=interaction,
            checklist=checklist,
            title=str(item["title"])[:MOST_LETTERS],
            is_blocking=bool(item.get("is_blocking")),
            owner=interaction.owner,
        )
        for checklist in checklists
        for item in checklist.items
        if (checklist.pk, str(item["title"])[:MOST_LETTERS]) not in present
    ]
    _require_room(interaction, len(new))
    for number, task in enumerate(new, start=position):
        task.position = number
    Task.objects.bulk_create(new)
    for task in new:
        _record(interaction, task.pk, actor, AuditAction.CREATED)
    tell(interaction)
    return new


def _open_one(actor: User, interaction_id: int) -> Interaction:
    interaction = locked(interaction_id)
    require(can_work(actor, interaction), _("You may not work on this interaction."))
    require(not interaction.is_done, _("This interaction is closed. Reopen it first."))
    return interaction


def _require_room(interaction: Interaction, wanted: int) -> None:
    is_room = interaction.tasks.count() + wanted <= MOST_TASKS
    require(is_room, _("There are %(limit)s tasks at most.") % {"limit": MOST_TASKS})


def _locked_task(actor: User, task_id: int) -> Task:
    """The task with its interaction locked before it. Raises Refused when somebody removed it meanwhile."""
    found = Task.objects.filter(pk=task_id).values_list("interaction_id", flat=True).first()
    if found is None:
        raise Refused(_("This task was removed meanwhile."))
    interaction = locked(found)
    require(can_work(actor, interaction), _("You may not work on this interaction."))
    task = Task.objects.select_for_update(of=("self",)).select_related("owner").filter(pk=task_id).first()
    if task is None:
        raise Refused(_("This task was removed meanwhile."))
    task.interaction = interaction
    return task


def _fill(task: Task, title: str, **fields: Unpack[TaskFields]) -> None:
    owner, due_date, is_blocking = fields.get("owner"), fields.get("due_date"), fields.get("is_blocking", False)
    words = " ".join(title.replace("\x00", "").split())
    require(bool(words), _("Say what is to be done."))
    require(len(words) <= MOST_LETTERS, _("This is too long: %(limit)s letters at most.") % {"limit": MOST_LETTERS})
    is_past = due_date is not None and due_date < timezone.localdate() and due_date != task.due_date
    require(not is_past, _("This date has passed. Choose a later one."))
    is_able = owner is None or owner.pk == task.owner_id or can_work(owner, task.interaction)
    require(is_able, _("%(name)s does not work in the inbox.") % {"name": owner})
    task.title, task.owner, task.due_date, task.is_blocking = words, owner, due_date, is_blocking


def _store(task: Task, actor: User, action: AuditAction) -> None:
    task.save()
    _record(task.interaction, task.pk, actor, action)
    tell(task.interaction, *([realtime.agent_topic(task.owner_id)] if task.owner_id else []))


def _record(interaction: Interaction, task_id: int, actor: User, action: AuditAction) -> None:
    record(
        actor=actor,
        action=action,
        object_type="task",
        object_id=task_id,
        patient_id=interaction.patient_id,
        interaction=interaction.pk,
    )
