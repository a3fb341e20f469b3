"""Calls of somebody who is not there any more, or may not be."""

from django.utils import timezone

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from inbox import realtime
from inbox.enums import TALKING, CallMomentKind, CallParty
from inbox.models import Call, CallLeg, Interaction
from inbox.policies import can_supervise
from inbox.services import clocks, supervision
from inbox.services.call_consults import ASKING
from inbox.services.call_losses import let_go, lose_agent, send_back
from inbox.services.call_offers import withdraw_offer
from inbox.services.call_rows import locked_call, show

P = CallParty


def withdraw_calls_from(user_id: int) -> int:
    """Let what rings at this person ring at somebody else; returns how many calls."""
    person = User.objects.get(pk=user_id)
    found = Call.objects.filter(offered_to=person).values_list("pk", flat=True)
    return sum(withdraw_offer(pk, CallMomentKind.NOT_CONNECTED, only_of=person) for pk in found)


def leave_calls(user_id: int) -> int:
    """Whoever may not work here any more talks to nobody: their callers wait again, at the old place; returns how many.

    They leave the calls of others in which they are asked, and everybody those in which they may listen no more."""
    person = User.objects.get(pk=user_id)
    may_work = can(person, Action.WORK_INBOX)
    guests = CallLeg.objects.filter(user=person, party__in=[P.CONSULTED, P.SUPERVISOR], left_at=None)
    for leg in guests.select_related("call"):
        if not (can_supervise(person, leg.call) if leg.party == P.SUPERVISOR else may_work):
            _leave_as_guest(leg.call_id, leg.pk)
    if may_work:
        return 0
    withdraw_calls_from(user_id)
    found = Call.objects.filter(agent=user_id, status__in=TALKING).values_list("pk", flat=True)
    return sum(_leave(pk, user_id) for pk in found)


def _leave_as_guest(call_id: int, leg_id: int) -> None:
    with realtime.atomic():
        call, now = locked_call(call_id), timezone.now()
        leg = call.legs.select_related("user").filter(pk=leg_id, left_at=None).first()
        if leg is None:
            return
        leg.left_at = now
        leg.save(update_fields=["left_at"])
        if not leg.external_id.startswith(ASKING):  # whoever asks is told of it with the answer, and lets the leg go
            let_go([leg.external_id])
        supervision.left(call, leg, now)


def _leave(call_id: int, user_id: int) -> bool:
    with realtime.atomic():
        call = locked_call(call_id)
        if call.agent_id != user_id or call.status not in TALKING:
            return False
        interaction = Interaction.objects.select_for_update(of=("self",)).get(pk=call.interaction_id)
        theirs = call.legs.filter(party=P.AGENT, user=user_id, left_at=None)
        lose_agent(call, interaction, timezone.now())
        send_back(call)
        let_go(theirs.values_list("external_id", flat=True))
        call.save()
        clocks.settle(interaction)
        interaction.save()
        show(call, interaction, user_id)
        return True
