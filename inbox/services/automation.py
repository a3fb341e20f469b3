"""What an app above has understood and answered needs no person."""

from collections.abc import Collection

from contact_center.audit.enums import AuditAction
from inbox import realtime
from inbox.enums import Direction, InteractionStatus, TimelineKind
from inbox.models import Interaction
from inbox.services.interactions import conclude, locked


def settle(*, interaction_id: int, message_ids: Collection[int]) -> bool:
    """Close an interaction that waits only because of these messages, which have been answered; True when it was.

    One that somebody owns, or in which the patient wrote anything else, stays where it is.
    """
    with realtime.atomic():
        interaction = locked(interaction_id)
        if (
            interaction.status != InteractionStatus.QUEUED
            or interaction.owner_id
            or _has_more(interaction, message_ids)
        ):
            return False
        interaction.settle()
        conclude(interaction, actor=None, kind=TimelineKind.CLOSED, action=AuditAction.CLOSED)
        return True


def _has_more(interaction: Interaction, message_ids: Collection[int]) -> bool:
    said = interaction.messages.filter(direction=Direction.INBOUND).exclude(pk__in=message_ids)
    return (said.filter(created_at__gte=interaction.reopened_at) if interaction.reopened_at else said).exists()
