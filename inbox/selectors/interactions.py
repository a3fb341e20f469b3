"""Reads of the desk: only what the person may see, with everything a row needs in a constant number of queries."""

from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from contact_center.accounts.enums import Action
from contact_center.accounts.models import TeamMembership, User
from contact_center.accounts.policies import can
from inbox.enums import DONE
from inbox.models import Interaction, Queue


def queues_of(user: User) -> QuerySet[Queue]:
    """Queues the person serves: every queue for those who may see all, else those of their teams."""
    if not can(user, Action.WORK_INBOX):
        return Queue.objects.none()
    queues = Queue.objects.filter(is_active=True)
    if can(user, Action.VIEW_ALL_QUEUES):
        return queues
    mine = TeamMembership.objects.filter(user=user, team__queues=OuterRef("pk"))
    return queues.filter(Exists(mine))


def interactions_visible_to(user: User, *, unowned: bool = False) -> QuerySet[Interaction]:
    """Interactions of the person's queues and those they own, without sensitive ones unless their role allows.

    With `unowned` ownership gives no access, only queues do: who could take it by their own right.
    """
    if not can(user, Action.WORK_INBOX):
        return Interaction.objects.none()
    found = Interaction.objects.all()
    if not can(user, Action.VIEW_ALL_QUEUES):
        mine = list(queues_of(user).values_list("pk", flat=True))
        scope = Q(queue_id__in=mine)
        if not unowned:
            scope |= Q(owner=user)
        found = found.filter(scope)
    if not can(user, Action.VIEW_SENSITIVE):
        for concerned in ("reason", "case__reason", "patient"):
            found = found.exclude(**{f"{concerned}__is_sensitive": True})
    return found


def get_interaction_for(user: User, pk: int) -> Interaction:
    """One visible interaction with what its page needs. Raises Interaction.DoesNotExist for all others alike."""
    return (
        interactions_visible_to(user)
        .select_related("patient", "queue", "owner", "channel", "reason", "disposition", "case", "next_step_owner")
        .get(pk=pk)
    )


def rows(found: QuerySet[Interaction]) -> QuerySet[Interaction]:
    """The related objects a list row shows."""
    return found.select_related("patient", "queue", "owner", "reason")


def view_counts(user: User) -> dict[str, Any]:
    """Live counts: `mine`, `unassigned`, `all`, and per queue id under `queues`. Three queries at most."""
    open_ones = interactions_visible_to(user).exclude(status__in=DONE)
    totals = open_ones.aggregate(
        mine=Count("pk", filter=Q(owner=user)), unassigned=Count("pk", filter=Q(owner=None)), all=Count("pk")
    )
    per_queue = dict(open_ones.order_by().values_list("queue_id").annotate(n=Count("pk")))
    return {**totals, "queues": per_queue}


def related_interactions(user: User, interaction: Interaction, *, limit: int = 100) -> list[int]:
    """Ids of the interactions shown in one timeline: the patient's, else those of the same unknown address.

    Never another patient's: an address that several people share joins only interactions without a patient.
    """
    if interaction.patient_id:
        same = Q(patient_id=interaction.patient_id)
    elif interaction.contact_value:
        same = Q(patient=None, contact_scheme=interaction.contact_scheme, contact_value=interaction.contact_value)
    else:
        same = Q(pk=interaction.pk)
    found = interactions_visible_to(user).filter(same).order_by("-last_message_at").values_list("pk", flat=True)
    return list({interaction.pk, *found[:limit]})


def patients_of_partner(user: User) -> Q:
    """Patients whom a partner agent's visible, unfinished interactions concern."""
    ids = interactions_visible_to(user).exclude(status__in=DONE).filter(patient__isnull=False).values("patient_id")
    return Q(pk__in=ids)
