"""Work whose owner left goes back to its queue, so that nobody waits for somebody who is gone."""

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from inbox import realtime
from inbox.enums import DONE, TimelineKind
from inbox.models import Interaction, TimelineEvent
from inbox.services import clocks
from inbox.services.interactions import locked, tell


def return_work_of(user_id: int) -> int:
    """Give every unfinished interaction of a disabled person back to its queue; returns how many.

    Each in a transaction of its own; one that was taken over meanwhile stays where it is.
    """
    if User.objects.filter(pk=user_id, is_active=True).exists():
        return 0
    owned = Interaction.objects.filter(owner_id=user_id).exclude(status__in=DONE).order_by("pk")
    return sum(give_back(pk, user_id) for pk in owned.values_list("pk", flat=True))


def give_back(interaction_id: int, user_id: int) -> bool:
    """Return one interaction of this person to its queue; False where it is theirs no more."""
    with realtime.atomic():
        interaction = locked(interaction_id)
        if interaction.owner_id != user_id or interaction.is_done:
            return False
        interaction.return_to_queue()
        clocks.settle(interaction)
        interaction.save()
        TimelineEvent.objects.create(
            interaction=interaction, kind=TimelineKind.RETURNED, from_queue_id=interaction.queue_id,
            to_queue_id=interaction.queue_id,
        )  # fmt: skip
        record(
            actor=None,
            action=AuditAction.ASSIGNED,
            object_type="interaction",
            object_id=interaction.pk,
            patient_id=interaction.patient_id,
            to=str(TimelineKind.RETURNED),
            owner_left=user_id,
        )
        tell(interaction, realtime.agent_topic(user_id))
        return True
