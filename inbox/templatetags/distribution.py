"""What pages show of escalations, of work that lies and of offers."""

from typing import Any

from django import template
from django.db.models import QuerySet

from contact_center.accounts.models import User
from contact_center.common.prepared import Given, planned
from inbox.models import Escalation, Interaction
from inbox.selectors.backlog import lying_work_of, offers_of_today
from inbox.selectors.team import may_see_team

register = template.Library()


@register.simple_tag
def escalation_of(interaction: Interaction) -> Escalation | None:
    """The escalation by which it is in this queue; no question for what is in its channel's own queue."""
    if interaction.is_done or interaction.queue_id == interaction.channel.queue_id:
        return None
    found = _escalations().ask(interaction.pk, interaction.queue_id)
    return found[0] if found else None


@planned
def _escalations() -> QuerySet[Escalation]:
    """Of the interaction 0 to the queue 1, the last."""
    found = Escalation.objects.filter(interaction=Given(0), returned_at=None, to_queue=Given(1))
    return found.select_related("from_queue", "asked_by").order_by("-pk")[:1]


@register.simple_tag(takes_context=True)
def lying_work(context: dict[str, Any]) -> list[Interaction]:
    """What the reader may see of the work that lies too long."""
    return lying_work_of(context["request"].user)


@register.simple_tag
def todays_offers() -> dict[int, dict[str, int]]:
    """Accepted, declined and missed offers of the last day by person."""
    return offers_of_today()


@register.filter
def leads_people(user: User) -> bool:
    """Whether they look after others' work."""
    return may_see_team(user)


@register.filter
def of_person(counts: dict[int, dict[str, int]], user_id: int) -> dict[str, int]:
    """One person's, zeros for whoever was asked for nothing."""
    return counts.get(user_id, {"accepted": 0, "declined": 0, "missed": 0})
