"""Undo a merge: the source opens again, with what came on its own thread meanwhile and what the person gives it."""

from collections.abc import Iterable
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict
from inbox import realtime
from inbox.enums import TimelineKind
from inbox.models import Interaction, Mention, Message, Note, Task
from inbox.policies import can_take, can_work
from inbox.selectors.merging import Added, added_since, merged_before
from inbox.services import clocks
from inbox.services.interactions import conclude, require
from inbox.services.merging import hold_both, hold_messages, move_forms, recount

UNDO_WITHIN = timedelta(hours=24)


def unmerge(
    *,
    actor: User,
    interaction_id: int,
    message_ids: Iterable[int] = (),
    note_ids: Iterable[int] = (),
    task_ids: Iterable[int] = (),
) -> Interaction:
    """Undo a merge of the last 24 hours: the source opens again with its owner, or waits in its queue.

    What came and went on its own thread meanwhile goes back with it, and what had been merged into it before. Of what
    else was added to the target since (`selectors.merging.added_since`) only what is named goes along. Raises Refused
    when it was not merged, longer ago, or something else is named, and Conflict when its thread goes on in another
    live interaction already or a colleague works on the target.
    """
    with realtime.atomic():
        source, target = _both(actor, interaction_id)
        added = added_since(actor, source, target)
        chosen = _chosen(added, set(message_ids), set(note_ids), set(task_ids))
        for earlier in merged_before(source, target):
            earlier.merged_into = source
            earlier.save(update_fields=["merged_into", "updated_at"])
        merged_at = source.closed_at or timezone.now()
        source.unmerge()
        if source.owner is not None and source.owner.is_active:
            source.take()
        else:
            source.owner = None
        _give_back(source, target, chosen, actor)
        recount(source)
        if not target.is_done:
            recount(target)
        clocks.bring_back(source, ended_since=merged_at)
        _save_live(source)
        unmerged, changed = TimelineKind.UNMERGED, AuditAction.CHANGED
        conclude(source, actor=actor, kind=unmerged, action=changed, detail=f"from:{target.pk}")
        conclude(target, actor=actor, kind=unmerged, action=changed, detail=f"into:{source.pk}")
        return source


def _both(actor: User, interaction_id: int) -> tuple[Interaction, Interaction]:
    known = Interaction.objects.filter(pk=interaction_id).values_list("merged_into", "closed_at")
    target_id, merged_at = known.get()
    require(target_id is not None, _("This conversation is not merged."))
    hold_messages(Message.objects.filter(interaction=target_id, created_at__gte=merged_at))
    source, target = hold_both(interaction_id, target_id)
    require(source.merged_into_id == target.pk, _("This conversation is not merged."))
    is_recent = source.closed_at is not None and timezone.now() - source.closed_at < UNDO_WITHIN
    require(is_recent, _("A merge can be undone within a day. Split the messages instead."))
    require(can_work(actor, source), _("You may not work on this interaction."))
    if not target.is_done and not can_take(actor, target):
        raise Conflict(_("%(name)s has taken this interaction already.") % {"name": target.owner})
    return source, target


def _chosen(added: Added, message_ids: set[int], note_ids: set[int], task_ids: set[int]) -> Added:
    found = Added(
        added.returns,
        [message for message in added.messages if message.pk in message_ids],
        [note for note in added.notes if note.pk in note_ids],
        [task for task in added.tasks if task.pk in task_ids],
    )
    is_known = (len(found.messages), len(found.notes), len(found.tasks)) == tuple(
        len(ids) for ids in (message_ids - {message.pk for message in added.returns}, note_ids, task_ids)
    )
    require(is_known, _("Choose among what was added since the merge."))
    return found


def _give_back(source: Interaction, target: Interaction, chosen: Added, actor: User) -> None:
    messages = [*chosen.returns, *chosen.messages]
    move_forms(target, source, messages)
    ids = {
        "messages": [message.pk for message in messages],
        "notes": [note.pk for note in chosen.notes],
        "tasks": [task.pk for task in chosen.tasks],
    }
    Message.objects.filter(pk__in=ids["messages"]).update(interaction=source)
    Note.objects.filter(pk__in=ids["notes"]).update(interaction=source)
    Mention.objects.filter(note__in=ids["notes"]).update(interaction=source)
    Task.objects.filter(pk__in=ids["tasks"]).update(interaction=source)
    if any(ids.values()):
        record(
            actor=actor,
            action=AuditAction.CHANGED,
            object_type="interaction",
            object_id=source.pk,
            patient_id=source.patient_id,
            given_back_from=target.pk,
            **ids,
        )


def _save_live(interaction: Interaction) -> None:
    try:
        with transaction.atomic():
            interaction.save()
    except IntegrityError as error:
        raise Conflict(_("This person already has an open interaction on this channel.")) from error
