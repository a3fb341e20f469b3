"""Reads of the desk: only what the person may see, with everything a row needs in a constant number of queries."""

from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from contact_center.accounts.asker import Asker, asker
from contact_center.accounts.enums import Action
from contact_center.accounts.models import TeamMembership, User
from contact_center.accounts.policies import can
from contact_center.common.prepared import Given, planned
from contact_center.common.request_memory import remembered
from inbox.enums import OPEN
from inbox.models import Case, Disposition, Interaction, Mention, Queue, Reason
from patients.selectors.access import hidden_patient_ids

ROW_FIELDS = (
    *("status", "channel_kind", "contact_name", "contact_value", "is_contact_shared", "language", "priority"),
    *("snippet", "reference", "unread_count", "last_message_at", "waiting_since_at", "snoozed_until_at", "next_step"),
    *("patient__given_name", "patient__family_name", "queue__name", "reason__name"),
    *("owner__first_name", "owner__last_name"),
)
# Eight joins cost more to plan than to run; what is often absent, or the same for many rows, is fetched apart.
JOINED = ("patient", "queue", "channel")
APART: dict[str, type[Any]] = {
    "owner": User,
    "reason": Reason,
    "disposition": Disposition,
    "case": Case,
    "next_step_owner": User,
}


def queues_of(user: User) -> QuerySet[Queue]:
    """Queues the person serves: every queue for those who may see all, else those of their teams."""
    if not can(user, Action.WORK_INBOX):
        return Queue.objects.none()
    return _served(None if can(user, Action.VIEW_ALL_QUEUES) else user.pk)


def _served(user_id: int | Given | None) -> QuerySet[Queue]:
    queues = Queue.objects.filter(is_active=True)
    if user_id is None:
        return queues
    mine = TeamMembership.objects.filter(user=user_id, team__queues=OuterRef("pk"))
    return queues.filter(Exists(mine))


def interactions_visible_to(user: User, *, unowned: bool = False, entrusted: bool = False) -> QuerySet[Interaction]:
    """Interactions of the person's queues and those they own, without sensitive ones unless their role allows, and
    without those of protected patients unless they serve such, own it, or broke the glass.

    With `unowned` ownership gives no access, only queues do: who could take it by their own right. With `entrusted`
    also those of protected patients that somebody could make them the owner of.
    """
    if not can(user, Action.WORK_INBOX):
        return Interaction.objects.none()
    found = Interaction.objects.all()
    if not can(user, Action.VIEW_ALL_QUEUES):
        found = found.filter(_scope_of(user, unowned=unowned))
    return _without_sensitive(user, found, entrusted=entrusted)


def queues_that_bring(user: User, interaction_id: int) -> QuerySet[Queue]:
    """The person's queues in which they could be given this interaction; none when it is not for them in any."""
    served = queues_of(user)
    is_for_them = _without_sensitive(user, Interaction.objects.filter(pk=interaction_id), entrusted=True).exists()
    return served if is_for_them else served.none()


def queue_ids_of(user: User) -> list[int]:
    """Ids of the queues the person serves, looked up once per request."""
    if isinstance(user, Asker):
        return user.queue_ids  # type: ignore[unreachable]
    return [queue.pk for queue in served_queues(user)]


def served_queues(user: User) -> list[Queue]:
    """`queues_of` the person, looked up once per request."""
    if not can(user, Action.WORK_INBOX):
        return []
    question = _queues(can(user, Action.VIEW_ALL_QUEUES))
    return remembered(("queues", user.pk), lambda: question.ask(user.pk))


@planned
def _queues(is_all: bool) -> QuerySet[Queue]:
    """Of the person 0."""
    return _served(None if is_all else Given(0))


def _scope_of(user: User, *, unowned: bool = False) -> Q:
    scope = Q(queue__any_of=queue_ids_of(user))
    return scope if unowned else scope | Q(owner=user)


def _without_sensitive(user: User, found: QuerySet[Interaction], *, entrusted: bool = False) -> QuerySet[Interaction]:
    if not can(user, Action.VIEW_SENSITIVE):
        for concerned in ("reason", "case__reason"):
            found = found.exclude(**{f"{concerned}__is_sensitive": True})
    if can(user, Action.SERVE_PROTECTED) or (entrusted and can(user, Action.BREAK_GLASS)):
        return found
    return found.filter(not_protected_from(user))


def asked_by(user: User) -> tuple[int, list[int], datetime]:
    """The first values of a question that was prepared with an `asker`."""
    ids = [] if can(user, Action.VIEW_ALL_QUEUES) else queue_ids_of(user)
    return user.pk, ids, timezone.now()


def not_protected_from(user: User) -> Q:
    """Rows with `patient` and `owner` whose patient is not hidden from this person, and those entrusted to them.

    Whoever has no right to break the glass is entrusted with none.
    """
    seen = Q(patient=None) | ~Q(patient_id__in=hidden_patient_ids(user))
    return seen | Q(owner=user) if can(user, Action.BREAK_GLASS) else seen


def readable_by(user: User) -> QuerySet[Interaction]:
    """What the person may open by its id: all they see in lists, and what a colleague has mentioned them in.

    Never for lists or counts: those keep to `interactions_visible_to`, whose scope is cheap at any size.
    """
    if not can(user, Action.WORK_INBOX) or can(user, Action.VIEW_ALL_QUEUES):
        return interactions_visible_to(user)
    named = Q(pk__in=Mention.objects.filter(user=user).values("interaction_id"))
    return _without_sensitive(user, Interaction.objects.filter(_scope_of(user) | named))


def get_interaction_for(user: User, pk: int) -> Interaction:
    """One visible interaction with what its page needs. Raises Interaction.DoesNotExist for all others alike."""
    if not can(user, Action.WORK_INBOX):
        raise Interaction.DoesNotExist
    interaction = _visible_one(user.role).one(*asked_by(user), pk)
    _read_apart(interaction, user)
    return interaction


@planned
def _visible_one(role: str) -> QuerySet[Interaction]:
    """The one with the id that comes after the asker."""
    return interactions_visible_to(asker(role)).filter(pk=Given(Asker.NEXT)).select_related(*JOINED)


def _read_apart(interaction: Interaction, user: User) -> None:
    """Owner, reason, disposition, case and who takes the next step: one short question for each that is there."""
    for name, model in APART.items():
        pk = getattr(interaction, f"{name}_id")
        if pk is not None:
            setattr(interaction, name, user if model is User and pk == user.pk else _one(model).one(pk))
    if interaction.case and interaction.case.reason_id:
        interaction.case.reason = _one(Reason).one(interaction.case.reason_id)


@planned
def _one(model: type[Any]) -> QuerySet[Any]:
    """The row 0."""
    found: QuerySet[Any] = model._default_manager.filter(pk=Given(0)).order_by()
    return found


def get_readable_for(user: User, pk: int) -> Interaction:
    """As `get_interaction_for`, also for one that the person may only read because a note mentions them.

    `is_guest` on it says so: a guest reads and adds notes, nothing else. Raises Interaction.DoesNotExist.
    """
    try:
        interaction = get_interaction_for(user, pk)
        interaction.is_guest = False
    except Interaction.DoesNotExist:
        interaction = readable_by(user).select_related(*JOINED).get(pk=pk)
        _read_apart(interaction, user)
        interaction.is_guest = True
    return interaction


def rows(found: QuerySet[Interaction]) -> QuerySet[Interaction]:
    """What a list row shows, and no more: half the price of a page of rows were columns that nobody looks at."""
    return found.select_related("patient", "queue", "owner", "reason").only(*ROW_FIELDS)


def mentioning(user: User) -> QuerySet[Interaction]:
    """Interactions in whose notes a colleague names this person, also of queues they do not serve; sensitive ones only
    where their role allows."""
    if not can(user, Action.WORK_INBOX):
        return Interaction.objects.none()
    found = Interaction.objects.filter(pk__in=Mention.objects.filter(user=user).values("interaction_id"))
    return _without_sensitive(user, found)


def related_interactions(user: User, interaction: Interaction, *, limit: int = 100) -> list[int]:
    """Ids of the interactions shown in one timeline: the patient's, else those of the same unknown address.

    Never another patient's: an address that several people share joins only interactions without a patient.
    """
    if not can(user, Action.WORK_INBOX) or not (interaction.patient_id or interaction.contact_value):
        return [interaction.pk]
    same: list[Any] = [interaction.patient_id]
    if not interaction.patient_id:
        same = [interaction.contact_scheme, interaction.contact_value]
    found = _of_one_person(user.role, bool(interaction.patient_id), limit).tuples(*asked_by(user), *same)
    return list({interaction.pk, *(pk for (pk,) in found)})


@planned
def _of_one_person(role: str, is_known: bool, limit: int) -> QuerySet[Interaction]:
    """Of the patient, or of the contact's scheme and value, that come after the asker."""
    first, second = Given(Asker.NEXT), Given(Asker.NEXT + 1)
    same = Q(patient=first) if is_known else Q(patient=None, contact_scheme=first, contact_value=second)
    found = interactions_visible_to(asker(role)).filter(same).order_by("-last_message_at")
    return found.values_list("pk")[:limit]  # type: ignore[return-value]


def patients_of_partner(user: User) -> Q:
    """Patients whom a partner agent's visible, unfinished interactions concern."""
    ids = interactions_visible_to(user).filter(status__in=OPEN).filter(patient__isnull=False).values("patient_id")
    return Q(pk__in=ids)


def serves_patient(user: User, patient_id: int) -> bool:
    """Whether a conversation that this person may see is about that patient."""
    return interactions_visible_to(user).filter(patient_id=patient_id).exists()
