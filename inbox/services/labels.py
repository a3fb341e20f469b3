"""What an interaction is about and how urgent it is: priority, tags, reason."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from inbox import realtime
from inbox.enums import Priority, TimelineKind
from inbox.models import Interaction, Reason, Tag
from inbox.policies import can_use_reason, can_work
from inbox.services.interactions import conclude, locked, require
from inbox.services.tasks import put_in_for_reason


def set_priority(*, actor: User, interaction_id: int, priority: int) -> Interaction:
    """Say how urgent it is. Raises Refused for an unknown priority and for a closed interaction."""
    with realtime.atomic():
        interaction = _open_one(actor, interaction_id)
        require(priority in Priority.values, _("Choose a priority."))
        if interaction.priority != priority:
            interaction.priority = Priority(priority)
            kind = TimelineKind.PRIORITY_CHANGED
            conclude(interaction, actor=actor, kind=kind, action=AuditAction.CHANGED, detail=str(int(priority)))
        return interaction


def add_tags(*, actor: User, interaction_id: int, tags: Iterable[Tag]) -> Interaction:
    """Put these tags on it, closed or not. Raises Refused for a tag that is out of use."""
    return change_tags(actor=actor, interaction_id=interaction_id, added=list(tags))


def remove_tags(*, actor: User, interaction_id: int, tags: Iterable[Tag]) -> Interaction:
    """Take these tags off it, those out of use too; one it does not have is none the less gone."""
    return change_tags(actor=actor, interaction_id=interaction_id, removed=list(tags))


def set_tags(*, actor: User, interaction_id: int, tags: Iterable[Tag]) -> Interaction:
    """Make these its tags and no others. Raises Refused for a new tag that is out of use."""
    with realtime.atomic():
        interaction = locked(interaction_id)
        present, wanted = list(interaction.tags.all()), list(tags)
        added = [tag for tag in wanted if tag not in present]
        removed = [tag for tag in present if tag not in wanted]
        return change_tags(actor=actor, interaction_id=interaction_id, added=added, removed=removed)


def change_tags(
    *, actor: User, interaction_id: int, added: Iterable[Tag] = (), removed: Iterable[Tag] = ()
) -> Interaction:
    """Put some tags on it and take others off; its other tags stay. Raises Refused for a tag that is out of use."""
    with realtime.atomic():
        interaction = locked(interaction_id)
        require(can_work(actor, interaction), _("You may not work on this interaction."))
        present = set(interaction.tags.values_list("pk", flat=True))
        new = [tag for tag in added if tag.pk not in present]
        gone = [tag for tag in removed if tag.pk in present]
        for tag in new:
            require(tag.is_active, _("The tag “%(name)s” is not in use any more.") % {"name": tag})
        if new or gone:
            interaction.tags.add(*new)
            interaction.tags.remove(*gone)
            detail = ", ".join([f"+{tag}" for tag in new] + [f"−{tag}" for tag in gone])
            conclude(interaction, actor=actor, kind=TimelineKind.TAGGED, action=AuditAction.CHANGED, detail=detail)
        return interaction


def set_reason(*, actor: User, interaction_id: int, reason: Reason) -> Interaction:
    """Say why the patient contacts us; a reason more urgent than the interaction raises its priority.

    The checklists of the reason are put in. Raises Refused for a reason that is out of use or that the actor may not
    see, and for a closed interaction.
    """
    with realtime.atomic():
        interaction = _open_one(actor, interaction_id)
        require(can_use_reason(actor, reason), _("Choose a reason from the list."))
        if interaction.reason_id != reason.pk:
            interaction.reason = reason
            interaction.priority = Priority(min(interaction.priority, reason.priority))
            put_in_for_reason(interaction, actor=actor, reason=reason)
            kind = TimelineKind.REASON_CHANGED
            told = "" if reason.is_sensitive else reason.name  # the line outlives the reason
            conclude(interaction, actor=actor, kind=kind, action=AuditAction.CHANGED, detail=told)
        return interaction


def _open_one(actor: User, interaction_id: int) -> Interaction:
    interaction = locked(interaction_id)
    require(can_work(actor, interaction), _("You may not work on this interaction."))
    require(not interaction.is_done, _("This interaction is closed. Reopen it first."))
    return interaction
