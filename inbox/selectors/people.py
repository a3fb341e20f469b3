"""Who works where, and what each can do and carry."""

from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from contact_center.accounts.enums import Action
from contact_center.accounts.models import TeamMembership, User, UserSkill
from contact_center.accounts.policies import ROLE_ACTIONS, roles_that_may
from inbox.distribution import USUAL_MOST
from inbox.enums import ChannelKind
from inbox.models import AgentCapacity, AgentState, Queue


def people_serving(queue: Queue) -> QuerySet[User]:
    """Active people whose teams serve the queue, and those whose role sees every queue."""
    everywhere = [role for role, actions in ROLE_ACTIONS.items() if Action.VIEW_ALL_QUEUES in actions]
    member = TeamMembership.objects.filter(user=OuterRef("pk"), team__queues=queue)
    found = User.objects.filter(is_active=True, is_service_account=False)
    return found.filter(Q(role__in=everywhere) | Exists(member)).order_by("first_name", "last_name")


@dataclass(frozen=True, slots=True)
class Abilities:
    """One person's line: skills with levels, numbers that are not usual, conversations at once in all."""

    user: User
    teams: str
    skills: list[UserSkill]
    limits: list[tuple[str, int]]
    most_open: int


def workers() -> QuerySet[User]:
    """Everybody to whom work may be offered, by name."""
    found = User.objects.filter(is_active=True, is_service_account=False, role__in=roles_that_may(Action.WORK_INBOX))
    return found.order_by("first_name", "last_name", "pk")


def ability_lines() -> list[Abilities]:
    """Everybody with skills and capacity. Five queries whatever the number."""
    skills: dict[int, list[UserSkill]] = defaultdict(list)
    for one in UserSkill.objects.select_related("skill").order_by("skill__kind", "skill__name"):
        skills[one.user_id].append(one)
    limits: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for row in AgentCapacity.objects.order_by("channel_kind"):
        limits[row.user_id].append((str(ChannelKind(row.channel_kind).label), row.most))
    most = dict(AgentState.objects.values_list("user_id", "most_open"))
    return [
        Abilities(
            person, ", ".join(team.name for team in person.teams.all()), skills[person.pk], limits[person.pk],
            most.get(person.pk, USUAL_MOST),
        )
        for person in workers().prefetch_related("teams")
    ]  # fmt: skip


def abilities_of(person: User) -> tuple[dict[int, int], dict[str, int]]:
    """Levels by skill, and the numbers by kind of channel that are not the usual ones."""
    levels = dict(UserSkill.objects.filter(user=person).values_list("skill_id", "level"))
    return levels, dict(AgentCapacity.objects.filter(user=person).values_list("channel_kind", "most"))
