"""The next piece of work for whoever is free."""

from django.db.models import F

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from inbox import realtime
from inbox.enums import InteractionStatus, TimelineKind
from inbox.models import Interaction
from inbox.selectors.interactions import interactions_visible_to
from inbox.services.interactions import conclude


def take_next(*, actor: User) -> Interaction | None:
    """Own the most urgent free interaction of one's queues: by priority, deadline and waiting time; None for none.

    Two people who ask at the same moment get two different ones: a row that is being taken is passed over.
    """
    with realtime.atomic():
        free = interactions_visible_to(actor, unowned=True).filter(owner=None, status=InteractionStatus.QUEUED)
        due = free.order_by(
            "priority", F("due_at").asc(nulls_last=True), F("waiting_since_at").asc(nulls_last=True), "opened_at", "pk"
        )
        interaction = due.select_for_update(of=("self",), skip_locked=True).first()
        if interaction is None:
            return None
        interaction.owner = actor
        interaction.take()
        conclude(interaction, actor=actor, kind=TimelineKind.TAKEN, action=AuditAction.ASSIGNED)
        return interaction
