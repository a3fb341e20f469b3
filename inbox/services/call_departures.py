"""Calls of somebody who is not there any more, or may not be."""

from django.db.models import Q
from django.utils import timezone

from contact_center.accounts.models import User
from inbox import realtime
from inbox.enums import TALKING, CallMomentKind, CallParty
from inbox.models import Call, CallLeg, Interaction
from inbox.services import clocks, supervision
from inbox.services.call_losses import let_go, lose_agent, send_back
from inbox.services.call_offers import withdraw_offer
from inbox.services.call_rows import locked_call, show


def withdraw_calls_from(user_id: int) -> int:
    """Let what rings at this person ring at somebody else; returns how many calls."""
    person = User.objects.get(pk=user_id)
    found = Call.objects.filter(offered_to=person).values_list("pk", flat=True)
    return sum(withdraw_offer(pk, CallMomentKind.NOT_CONNECTED, only_of=person) for pk in found)


def leave_calls(user_id: int) -> int:
    """Whoever a disabled person talks to waits again, at the old place; returns how many calls that were.

    They also leave the calls of others in which they listen or are asked."""
    if User.objects.filter(pk=user_id, is_active=True).exists():
        return 0
    withdraw_calls_from(user_id)
    for call_id in CallLeg.objects.filter(_as_guest(user_id)).values_list("call_id", flat=True):
        _leave_as_guest(call_id, user_id)
    found = Call.objects.filter(agent=user_id, status__in=TALKING).values_list("pk", flat=True)
    return sum(_leave(pk, user_id) for pk in found)


def _as_guest(user_id: int) -> Q:
    return Q(user=user_id, party__in=[CallParty.CONSULTED, CallParty.SUPERVISOR], left_at=None)


def _leave_as_guest(call_id: int, user_id: int) -> None:
    with realtime.atomic():
        call, now = locked_call(call_id), timezone.now()
        for leg in call.legs.filter(_as_guest(user_id)):
            let_go([leg.external_id])
            leg.left_at = now
            leg.save(update_fields=["left_at"])
            supervision.left(call, leg, now)


def _leave(call_id: int, user_id: int) -> bool:
    with realtime.atomic():
        call = locked_call(call_id)
        if call.agent_id != user_id or call.status not in TALKING:
            return False
        interaction = Interaction.objects.select_for_update(of=("self",)).get(pk=call.interaction_id)
        theirs = call.legs.filter(party=CallParty.AGENT, user=user_id, left_at=None)
        lose_agent(call, interaction, timezone.now())
        send_back(call)
        let_go(theirs.values_list("external_id", flat=True))
        call.save()
        clocks.settle(interaction)
        interaction.save()
        show(call, interaction, user_id)
        return True
