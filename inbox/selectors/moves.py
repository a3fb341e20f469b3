"""Where an interaction came from: the last hand-over and what was moved to another record."""

from dataclasses import dataclass

from contact_center.accounts.models import User
from inbox.enums import TimelineKind
from inbox.models import Interaction, Queue, TimelineEvent
from patients.models import Patient


@dataclass(frozen=True, slots=True)
class WayBack:
    """The queue and the person that an interaction was handed over from."""

    queue: Queue
    person: User | None


def way_back(interaction: Interaction) -> WayBack | None:
    """Where the last transfer came from; None when it was never transferred or that queue is out of use."""
    transfers = TimelineEvent.objects.filter(interaction=interaction, kind=TimelineKind.TRANSFERRED)
    last = transfers.select_related("from_queue", "actor").order_by("-at", "-pk").first()
    if last is None or last.from_queue is None or not last.from_queue.is_active:
        return None
    is_here = last.actor is not None and last.actor.is_active and last.actor_id != interaction.owner_id
    return WayBack(last.from_queue, last.actor if is_here else None)


def moved_away_from(patient: Patient, *, limit: int = 10) -> list[TimelineEvent]:
    """That conversations were moved from this record to another one, newest first: who and when, nothing of them."""
    found = TimelineEvent.objects.filter(kind=TimelineKind.MOVED, detail=f"patient:{patient.pk}")
    return list(found.select_related("actor").only("at", "actor", "kind", "detail").order_by("-at")[:limit])
