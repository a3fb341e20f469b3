"""Calls as agents see them: the one that rings or is talked on, and the record of those that were."""

from dataclasses import dataclass

from django.db.models import Prefetch, Q, QuerySet

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.common.request_memory import remembered
from inbox import realtime
from inbox.enums import CALL_OVER, CallParty
from inbox.models import Call, CallLeg, CallMoment, Interaction
from inbox.selectors.distribution import own_state
from inbox.selectors.interactions import get_interaction_for, interactions_visible_to


@dataclass(slots=True)
class Phone:
    """What a person's telephone shows. `live` is their topic with its present sequence; `is_sealed` says that the
    conversation of the present call no longer opens for them, be it protected or moved since: the call stays theirs."""

    live: str
    ringing: Call | None = None
    current: Call | None = None
    colleague: User | None = None
    is_consulted: bool = False
    is_sealed: bool = False


def phone_of(user: User) -> Phone | None:
    """The call that rings at this person and the one they are on; None for people who do not work in the inbox."""
    if not can(user, Action.WORK_INBOX):
        return None
    topic = realtime.agent_topic(user.pk)
    own = remembered(("own", topic), lambda: own_state(user.pk, topic))
    phone = Phone(live=f"{topic}:{own.sequence}")
    asked = Q(legs__user=user, legs__party=CallParty.CONSULTED, legs__left_at=None)
    mine = Call.objects.filter(Q(agent=user) | Q(offered_to=user) | asked).exclude(status__in=CALL_OVER)
    found = mine.select_related("interaction__patient", "interaction__reason", "queue").order_by("pk").distinct()
    for call in found:
        if call.offered_to_id == user.pk:
            phone.ringing = call
        else:
            phone.current, phone.is_consulted = call, call.agent_id != user.pk
    if phone.current is not None:
        phone.colleague = colleague_on(phone.current)
        phone.is_sealed = is_sealed(user, phone.current)
    return phone


def is_sealed(user: User, call: Call) -> bool:
    """The conversation of a call that this person holds does not open for them."""
    return not interactions_visible_to(user).filter(pk=call.interaction_id).exists()


def colleague_on(call: Call) -> User | None:
    """Who was asked to join and is still on the line."""
    legs = CallLeg.objects.filter(call=call, party=CallParty.CONSULTED, left_at=None).select_related("user")
    leg = legs.last()
    return leg.user if leg else None


def get_call_for(user: User, pk: int) -> Call:
    """A call of a conversation this person may see, or one that rings at them or that they are on.

    Raises Call.DoesNotExist for all others alike.
    """
    if not can(user, Action.WORK_INBOX):
        raise Call.DoesNotExist
    call: Call = Call.objects.select_related("interaction", "queue", "agent", "offered_to").get(pk=pk)
    if user.pk in (call.agent_id, call.offered_to_id):
        return call
    try:
        get_interaction_for(user, call.interaction_id)
    except Interaction.DoesNotExist:
        raise Call.DoesNotExist from None
    return call


def calls_of(interaction: Interaction) -> QuerySet[Call]:
    """The calls of a conversation with their moments, oldest first. Two questions."""
    moments = CallMoment.objects.select_related("user")
    found = Call.objects.filter(interaction=interaction).select_related("agent", "queue")
    return found.prefetch_related(Prefetch("moments", queryset=moments)).order_by("pk")
