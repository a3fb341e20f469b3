"""Who works where."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from contact_center.accounts.enums import Action
from contact_center.accounts.models import TeamMembership, User
from contact_center.accounts.policies import ROLE_ACTIONS
from inbox.models import Queue


def people_serving(queue: Queue) -> QuerySet[User]:
    """Active people whose teams serve the queue, and those whose role sees every queue."""
    everywhere = [role for role, actions in ROLE_ACTIONS.items() if Action.VIEW_ALL_QUEUES in actions]
    member = TeamMembership.objects.filter(user=OuterRef("pk"), team__queues=queue)
    found = User.objects.filter(is_active=True, is_service_account=False)
    return found.filter(Q(role__in=everywhere) | Exists(member)).order_by("first_name", "last_name")
