"""Tasks and checklists, as far as the person may see them."""

from django.db.models import Q, QuerySet

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.common.prepared import Given, planned
from inbox.models import Checklist, Interaction, Task
from inbox.selectors.interactions import interactions_visible_to


def tasks_of(interaction: Interaction | Given) -> QuerySet[Task]:
    """What is to do in an interaction and in those merged into it, in order, with owners."""
    here = Q(interaction=interaction) | Q(interaction__merged_into=interaction)
    return Task.objects.filter(here).select_related("owner", "done_by")


def tasks_beside(interaction: Interaction) -> list[Task]:
    """Those of `tasks_of`, by a prepared question."""
    return _tasks().ask(interaction.pk)


@planned
def _tasks() -> QuerySet[Task]:
    """Of the interaction 0."""
    return tasks_of(Given(0))


def get_task_for(user: User, pk: int) -> Task:
    """One task of a visible interaction. Raises Task.DoesNotExist for all others alike."""
    visible = interactions_visible_to(user).values("pk")
    return Task.objects.select_related("interaction", "owner").get(pk=pk, interaction__in=visible)


def checklists_for(user: User) -> QuerySet[Checklist]:
    """Checklists in use; those of sensitive reasons only for people who may see such."""
    if not can(user, Action.WORK_INBOX):
        return Checklist.objects.none()
    found = Checklist.objects.filter(is_active=True)
    return found if can(user, Action.VIEW_SENSITIVE) else found.exclude(reasons__is_sensitive=True)
