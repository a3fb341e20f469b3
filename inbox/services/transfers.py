"""Hand an interaction to another queue or person, with the reason and what the next one should know."""

from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.common.errors import Conflict
from inbox import realtime
from inbox.enums import InteractionStatus, NotificationKind, TimelineKind
from inbox.models import Interaction, Queue
from inbox.policies import can_take, can_work
from inbox.selectors.interactions import interactions_visible_to
from inbox.services.interactions import add_note, conclude, locked, require
from inbox.services.notifications import notify

S = InteractionStatus


def transfer(
    *,
    actor: User,
    interaction_id: int,
    why: str,
    queue: Queue | None = None,
    assignee: User | None = None,
    note: str = "",
) -> Interaction:
    """Hand it to a queue, where it waits, or to a person of its queue or of the chosen one; `note` goes with it.

    Raises Refused without reason or destination, for the place where it is already, for a queue out of use, for a
    person who does not serve that queue and for a closed interaction, and Conflict when somebody else owns it.
    """
    with realtime.atomic():
        interaction = locked(interaction_id)
        _require_allowed(actor, interaction)
        require(bool(why.strip()), _("Say why you are transferring it."))
        require(queue is not None or assignee is not None, _("Choose a queue or a person."))
        if note.strip():
            add_note(actor=actor, interaction_id=interaction_id, body=note)
        from_queue, previous = interaction.queue, interaction.owner_id
        _require_elsewhere(interaction, queue, assignee)
        _hand_over(interaction, queue, assignee)
        also = [realtime.queue_topic(from_queue.pk)] + ([realtime.agent_topic(previous)] if previous else [])
        conclude(
            interaction,
            actor=actor,
            kind=TimelineKind.TRANSFERRED,
            action=AuditAction.ASSIGNED,
            also=tuple(also),
            from_queue=from_queue,
            to_user=assignee,
            detail=why.strip(),
        )
        if assignee is not None:
            serves = interactions_visible_to(assignee, unowned=True, entrusted=True).filter(pk=interaction.pk).exists()
            require(serves, _("%(name)s does not serve this queue.") % {"name": assignee})
        if assignee is not None:
            key = f"assigned:{interaction.pk}:{timezone.now().timestamp():.6f}"
            notify(user=assignee, kind=NotificationKind.ASSIGNED, interaction=interaction, actor=actor, dedupe_key=key)
        return interaction


def _require_allowed(actor: User, interaction: Interaction) -> None:
    require(can_work(actor, interaction), _("You may not work on this interaction."))
    require(not interaction.is_done, _("This interaction is closed. Reopen it first."))
    if not can_take(actor, interaction):
        raise Conflict(_("%(name)s has taken this interaction already.") % {"name": interaction.owner})


def _require_elsewhere(interaction: Interaction, queue: Queue | None, assignee: User | None) -> None:
    is_same_queue = queue is None or queue.pk == interaction.queue_id
    if assignee is None:
        require(not is_same_queue, _("It is in this queue already."))
        return
    is_same_person = assignee.pk == interaction.owner_id
    require(not (is_same_queue and is_same_person), _("%(name)s has it already.") % {"name": assignee})
    require(can_work(assignee, interaction), _("%(name)s does not serve this queue.") % {"name": assignee})


def _hand_over(interaction: Interaction, queue: Queue | None, assignee: User | None) -> None:
    if queue is not None:
        require(queue.is_active, _("This queue is not in use any more."))
        interaction.queue = queue
    if interaction.status not in (S.QUEUED, S.BOT):
        interaction.return_to_queue()
    if assignee is not None:
        interaction.owner = assignee
        interaction.take()
