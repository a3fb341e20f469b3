"""Asking a colleague during a call: who is asked is theirs alone from before their telephone rings.

The question is a leg whose id is ours until the telephone service has given it one.
"""

from datetime import datetime
from uuid import uuid4

from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.common.errors import Conflict
from inbox import realtime
from inbox.enums import CALL_OVER, TALKING, CallMomentKind, CallParty
from inbox.models import AgentState, Call, CallLeg, Interaction
from inbox.services.call_losses import let_go
from inbox.services.call_rows import locked_call, note, show

ASKING = "asking-"
P = CallParty


def is_consulted(user: User) -> bool:
    """Whether this person is asked, or on the line, as somebody's colleague or supervisor. Holds them until the
    transaction ends, so that nobody asks them meanwhile."""
    AgentState.objects.get_or_create(user=user)
    AgentState.objects.select_for_update().get(user=user)
    legs = CallLeg.objects.filter(user=user, party__in=[P.CONSULTED, P.SUPERVISOR], left_at=None)
    return legs.exclude(call__status__in=CALL_OVER).exists()


def claim_colleague(*, actor: User, call_id: int, colleague: User) -> CallLeg:
    """Keep a colleague for this call before they are rung. Raises Conflict when the call is over or not the actor's,
    when somebody is asked in it already, and when the colleague is on, or asked into, another call."""
    with realtime.atomic():
        call = locked_call(call_id)
        if call.status not in TALKING or call.agent_id != actor.pk:
            raise Conflict(_("This is not your call, or it has ended."))
        if call.legs.filter(party=P.CONSULTED, left_at=None).exists():
            raise Conflict(_("Somebody is asked in this call already."))
        is_busy = is_consulted(colleague) or Call.objects.filter(agent=colleague).exclude(status__in=CALL_OVER).exists()
        if is_busy:
            raise Conflict(_("%(name)s is on another call.") % {"name": colleague})
        return CallLeg.objects.create(
            call=call, party=P.CONSULTED, user=colleague, external_id=f"{ASKING}{uuid4().hex}"
        )


def keep_claim(claim: CallLeg, external_id: str) -> Call:
    """The colleague is rung under this id. Raises Conflict when they refused, may not work any more, or the call ended,
    meanwhile."""
    is_refused = is_over = False
    with realtime.atomic():
        call = locked_call(claim.call_id)
        earlier = call.legs.filter(external_id=external_id).first()
        if earlier is not None and earlier.left_at is not None:
            is_refused = True
            claim.delete()
        elif earlier is None:
            is_over = not call.legs.filter(pk=claim.pk, left_at=None).update(external_id=external_id)
        if is_over or call.status not in TALKING:
            is_refused = True
            let_go([external_id])
        note(call, CallMomentKind.CONSULTED, user=claim.user)
        show(call, Interaction.objects.get(pk=call.interaction_id), claim.user_id)
    if is_refused:
        raise Conflict(_("%(name)s does not answer.") % {"name": claim.user})
    return call


def drop_claims(claims: list[int]) -> None:
    """What was claimed and never rung is free again."""
    CallLeg.objects.filter(pk__in=claims, external_id__startswith=ASKING).delete()


def release_claims(before: datetime) -> int:
    """Free colleagues whom a process that died had claimed before this moment; returns how many."""
    stale = CallLeg.objects.filter(external_id__startswith=ASKING, left_at=None, joined_at__lt=before)
    return stale.update(left_at=timezone.now())
