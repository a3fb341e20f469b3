"""Who works on what: the supervisor's view of the desk, and what to say when there is too much of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Min, Q

from contact_center.accounts.enums import Action, PresenceState, Role
from contact_center.accounts.models import Presence, User
from contact_center.accounts.policies import can, roles_that_may
from inbox.enums import OPEN, InteractionStatus
from inbox.models import Queue
from inbox.selectors.interactions import interactions_visible_to, queue_ids_of, queues_of

S = InteractionStatus
ORDER = [PresenceState.ONLINE, PresenceState.BUSY, PresenceState.AWAY, PresenceState.OFFLINE]
FEW = 3


@dataclass(frozen=True, slots=True)
class Colleague:
    """One person at the desk: what they say they do and since when, and what they have open."""

    user: User
    presence: Presence
    teams: str
    open: int
    waiting: int
    snoozed: int
    wrap_up: int
    longest_since: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """One queue: what waits in it for nobody yet, since when, what is being worked on, and who is free for it."""

    queue: Queue
    waiting: int
    longest_since: datetime | None
    in_progress: int
    free: int


@dataclass(frozen=True, slots=True)
class Overload:
    """More waits than the desk can see through at a glance."""

    waiting: int
    longest_since: datetime | None
    helpers: list[User]
    more: int


def may_see_team(user: User) -> bool:
    """Supervisors and admins."""
    return can(user, Action.ASSIGN_OTHERS)


def colleagues_of(user: User) -> list[Colleague]:
    """Everybody who works here, the available first, with what they have open; nothing for those who may not see it.

    Three queries whatever the number.
    """
    if not may_see_team(user):
        return []
    people = User.objects.filter(is_active=True, is_service_account=False, role__in=roles_that_may(Action.WORK_INBOX))
    people = people.select_related("presence").prefetch_related("teams").order_by("first_name", "last_name", "pk")
    open_ones = interactions_visible_to(user).filter(status__in=OPEN).filter(owner__isnull=False).order_by()
    load = {
        row["owner_id"]: row
        for row in open_ones.values("owner_id").annotate(
            open=Count("pk"),
            waiting=Count("pk", filter=Q(waiting_since_at__isnull=False) & ~Q(status=S.SNOOZED)),
            snoozed=Count("pk", filter=Q(status=S.SNOOZED)),
            wrap_up=Count("pk", filter=Q(status=S.WRAP_UP)),
            longest=Min("waiting_since_at", filter=~Q(status=S.SNOOZED)),
        )
    }
    found = [_colleague(person, load.get(person.pk, {})) for person in people]
    return sorted(found, key=lambda one: (ORDER.index(PresenceState(one.presence.state)), -one.open))


def _colleague(person: User, row: Any) -> Colleague:
    presence = getattr(person, "presence", None) or Presence(user=person)
    numbers = {name: row.get(name, 0) for name in ("open", "waiting", "snoozed", "wrap_up")}
    teams = ", ".join(team.name for team in person.teams.all())
    return Colleague(person, presence, teams, longest_since=row.get("longest"), **numbers)


def lines_of(user: User) -> list[Line]:
    """The queues the person may see, with what waits in each and who is free; three queries."""
    open_ones = interactions_visible_to(user).filter(status__in=OPEN).order_by()
    is_waiting = Q(owner=None, status=S.QUEUED)
    found: dict[int, Any] = {
        row["queue_id"]: row
        for row in open_ones.values("queue_id").annotate(
            waiting=Count("pk", filter=is_waiting),
            longest=Min("waiting_since_at", filter=is_waiting),
            in_progress=Count("pk", filter=Q(owner__isnull=False)),
        )
    }
    queues = list(queues_of(user))
    rows = User.objects.filter(is_active=True, presence__state=PresenceState.ONLINE)
    free = dict(
        rows.filter(memberships__team__queues__in=[queue.pk for queue in queues])
        .order_by()
        .values_list("memberships__team__queues")
        .annotate(n=Count("pk", distinct=True))
    )
    none: Any = {"waiting": 0, "longest": None, "in_progress": 0}
    return [
        Line(queue, row["waiting"], row["longest"], row["in_progress"], free.get(queue.pk, 0))
        for queue in queues
        for row in [found.get(queue.pk, none)]
    ]


def leads_of(queue_id: int) -> list[User]:
    """Who is told when something goes wrong in a queue: leads of the teams that serve it, else every supervisor."""
    people = User.objects.filter(is_active=True, is_service_account=False)
    leads = people.filter(memberships__is_lead=True, memberships__team__queues=queue_id).distinct().order_by("pk")
    return list(leads) or list(people.filter(role=Role.SUPERVISOR).order_by("pk"))


def open_ids_of(user: User, person: User) -> list[int]:
    """Ids of everything unfinished that `person` owns and `user` may see, the longest wait first."""
    mine = interactions_visible_to(user).filter(status__in=OPEN).filter(owner=person)
    return list(mine.order_by(F("waiting_since_at").asc(nulls_last=True), "pk").values_list("pk", flat=True))


def overload_of(user: User, waiting: int) -> Overload | None:
    """What to tell when `waiting` free interactions of the person's queues are more than OVERLOAD_WAITING; else None.

    No query below the threshold, three above.
    """
    if waiting < settings.OVERLOAD_WAITING:
        return None
    free = interactions_visible_to(user, unowned=True).filter(owner=None, status=S.QUEUED)
    longest = free.aggregate(at=Min("waiting_since_at"))["at"]
    queues = queue_ids_of(user)
    people = User.objects.filter(is_active=True, presence__state=PresenceState.ONLINE).exclude(pk=user.pk)
    helpers = list(people.filter(memberships__team__queues__in=queues).distinct().order_by("first_name", "pk")[:50])
    return Overload(waiting, longest, helpers[:FEW], max(0, len(helpers) - FEW))
