"""Supervisors in calls: they listen, speak to the agent alone, or join; agents ask for help. All of it is on record.

A supervisor is a party of the call's conference: muted, coaching the agent's leg, or neither. The agent always sees
that somebody is there.
"""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict, Refused
from inbox import realtime
from inbox.adapters.base import AdapterError
from inbox.enums import (
    CALL_OVER,
    TALKING,
    CallMomentKind,
    CallParty,
    NotificationKind,
    Supervision,
)
from inbox.models import Call, CallLeg
from inbox.policies import can_supervise
from inbox.selectors.interactions import interactions_visible_to
from inbox.selectors.team import leads_of
from inbox.services.call_consults import ASKING, is_consulted
from inbox.services.call_losses import let_go
from inbox.services.call_provider import ask, do, steer
from inbox.services.call_rows import locked_call, note, own_call, show
from inbox.services.interactions import require
from inbox.services.notifications import notify

M, P, S = CallMomentKind, CallParty, Supervision
SAID = {S.LISTEN: M.LISTENS, S.WHISPER: M.WHISPERS, S.BARGE: M.BARGES}


def ask_for_help(*, actor: User, call_id: int, is_wanted: bool = True) -> Call:
    """Tell the leads of the queue that the agent of this call needs help, or that they need none any more.

    Raises Conflict for another's call and one that has ended.
    """
    own_call(actor, call_id)
    with realtime.atomic():
        call = locked_call(call_id)
        if call.status not in TALKING or call.agent_id != actor.pk:
            raise Conflict(_("This call has ended."))
        if bool(call.help_asked_at) == is_wanted:
            return call
        call.help_asked_at = timezone.now() if is_wanted else None
        call.save()
        note(call, M.HELP if is_wanted else M.HELP_OVER, user=actor)
        if is_wanted:
            for lead in leads_of(call.queue_id):
                _tell_lead(lead, call, actor)
        _show(call)
        return call


def _tell_lead(lead: User, call: Call, actor: User) -> None:
    if interactions_visible_to(lead).filter(pk=call.interaction_id).exists():
        key = f"help:{call.pk}:{call.help_asked_at:%H%M%S}" if call.help_asked_at else ""
        notify(
            user=lead, kind=NotificationKind.HELP_ASKED, interaction=call.interaction, actor=actor, dedupe_key=key
        )  # fmt: skip


def supervise(*, actor: User, call_id: int, mode: Supervision) -> CallLeg:
    """Take part in a call in this way, or change the way; the first time one's own telephone answers by itself.

    Raises Refused for one who may not or when the provider does not answer, Conflict when the call has ended, the agent
    changed meanwhile, or one is on another call.
    """
    call = _supervised(actor, call_id)
    agent_leg = _agent_leg(call)
    mine = call.legs.filter(party=P.SUPERVISOR, user=actor, left_at=None).last()
    is_heard, coached = mode != S.LISTEN, agent_leg if mode == S.WHISPER else ""
    if mine is not None:
        leg = mine.external_id
        do(lambda voice: voice.let_speak(call.room, leg, is_heard=is_heard, agent_leg=coached))
        if why := _take_part(actor, call, leg, mode):
            steer(lambda voice: voice.hang_up(leg))
            raise Conflict(why)
        return CallLeg.objects.get(call=call, external_id=leg)
    return _join(actor, call, mode, is_heard=is_heard, agent_leg=coached)


def _join(actor: User, call: Call, mode: Supervision, *, is_heard: bool, agent_leg: str) -> CallLeg:
    """On record before the telephone rings: nobody listens unseen because an answer of the provider was lost."""
    asking = f"{ASKING}{uuid4().hex}"
    if why := _take_part(actor, call, asking, mode):
        raise Conflict(why)
    claim, number = CallLeg.objects.get(call=call, external_id=asking), call.channel.address
    try:
        leg = ask(
            lambda voice: voice.supervise(
                call.room, actor.pk, number, str(call.pk), is_heard=is_heard, agent_leg=agent_leg
            )
        )
    except AdapterError as error:
        if not error.doubtful:
            _drop(claim)
        raise Refused(_("The telephone service does not answer. Try again in a moment.")) from error
    if why := _keep(call, claim, leg):
        if steer(lambda voice: voice.hang_up(leg)):
            _drop(claim)
        raise Conflict(why)
    return CallLeg.objects.get(call=call, external_id=leg)


def _keep(seen: Call, claim: CallLeg, external_id: str) -> str:
    """The supervisor is rung under this id; the sentence that says why they may not stay, else an empty one."""
    with realtime.atomic():
        call = locked_call(seen.pk)
        known = call.legs.filter(external_id=external_id).first()
        is_kept = known is None and call.legs.filter(pk=claim.pk, left_at=None).update(external_id=external_id) == 1
        if why := _changed(call, seen):
            return why
        if known is None:
            return "" if is_kept else _("You do not take part in this call any more.")
        return _("Your telephone does not answer.") if known.left_at is not None else ""


def _changed(call: Call, seen: Call) -> str:
    """The sentence that says why a supervisor of the call that was seen has no place in it now, else an empty one."""
    if call.status not in TALKING:
        return _("This call has ended.")
    if call.agent_id != seen.agent_id:
        return _("Somebody else talks to the caller now. Look again before you listen.")
    return ""


def _drop(claim: CallLeg) -> None:
    """Nobody is on the line: the record says that they wanted to, and left."""
    with realtime.atomic():
        call = locked_call(claim.call_id)
        mine = call.legs.filter(pk=claim.pk)
        is_said = mine.exclude(left_at=None).exists()
        mine.delete()
        if not is_said:
            left(call, claim, timezone.now())


def answered(call: Call, external_id: str, user_id: int | None) -> None:
    """The provider says that a supervisor's device answered; the call's row is locked. Where the provider's own answer
    was lost, this is whom we asked; one whom nobody asked is let go."""
    if call.legs.filter(external_id=external_id).exists():
        return
    asked = call.legs.filter(party=P.SUPERVISOR, left_at=None, external_id__startswith=ASKING)
    claim = asked.filter(user=user_id).first() if user_id else asked.first()
    if claim is None or call.status not in TALKING:
        let_go([external_id])
        return
    claim.external_id = external_id
    claim.save(update_fields=["external_id"])
    _show(call, claim.user_id)


def _supervised(actor: User, call_id: int) -> Call:
    call: Call = Call.objects.select_related("channel", "interaction").get(pk=call_id)
    require(can_supervise(actor, call), _("You may not listen to calls."))
    require(interactions_visible_to(actor).filter(pk=call.interaction_id).exists(), _("You may not listen to calls."))
    if call.status not in TALKING:
        raise Conflict(_("This call has ended."))
    return call


def _agent_leg(call: Call) -> str:
    legs = call.legs.filter(party=P.AGENT, user=call.agent_id, left_at=None)
    found = legs.values_list("external_id", flat=True).last()
    if not found:
        raise Conflict(_("The agent is not on the line at the moment."))
    return str(found)


def _require_free(actor: User) -> None:
    """Holds them until the transaction ends, so that nothing is offered to them meanwhile."""
    if is_consulted(actor):
        raise Conflict(_("You are on another call already. Leave it first."))
    if Call.objects.filter(Q(agent=actor) | Q(offered_to=actor)).exclude(status__in=CALL_OVER).exists():
        raise Conflict(_("You are on another call."))


def _take_part(actor: User, seen: Call, external_id: str, mode: Supervision) -> str:
    """Write down that they do; the sentence that says why it cannot be so, else an empty one."""
    with realtime.atomic():
        call = locked_call(seen.pk)
        if why := _changed(call, seen):
            return why
        if not call.legs.filter(external_id=external_id).exists():
            _require_free(actor)
        try:
            with transaction.atomic():
                leg, is_new = CallLeg.objects.get_or_create(
                    call=call, external_id=external_id, defaults={"party": P.SUPERVISOR, "user": actor, "mode": mode}
                )
        except IntegrityError:
            return _("You are on another call already. Leave it first.")
        if leg.left_at is not None:
            return _("Your telephone does not answer.")
        if not is_new and leg.mode == mode:
            return ""
        leg.mode = mode
        leg.save()
        call.help_asked_at = None
        call.save()
        note(call, SAID[mode], user=actor)
        record(
            actor=actor, action=AuditAction.LISTENED, object_type="call", object_id=call.pk,
            patient_id=call.interaction.patient_id, mode=mode.value, agent=call.agent_id,
        )  # fmt: skip
        _show(call, actor.pk)
    return ""


def leave(*, actor: User, call_id: int) -> bool:
    """Leave a call one listens to; False when one had left already.

    Raises Refused when the provider does not answer: one is on the line still, everybody sees it, and may try again.
    """
    leg = CallLeg.objects.filter(call=call_id, party=P.SUPERVISOR, user=actor, left_at=None).last()
    if leg is None:
        return False
    if not steer(lambda voice: voice.hang_up(leg.external_id)):
        raise Refused(_("The telephone service does not answer. Put your telephone down to be sure."))
    with realtime.atomic():
        call = locked_call(call_id)
        if call.legs.filter(pk=leg.pk, left_at=None).update(left_at=timezone.now()):
            left(call, leg, timezone.now())
    return True


def quieten(call: Call) -> None:
    """Before another agent takes the caller over: nobody may speak on who thinks that only the first one hears it."""
    for leg in call.legs.filter(party=P.SUPERVISOR, mode=S.WHISPER, left_at=None):
        if leg.external_id.startswith(ASKING):
            raise Conflict(_("A supervisor is joining at this moment. Try again in a few seconds."))
        _silence(call, leg)


def _silence(call: Call, leg: CallLeg) -> None:
    is_there = do(lambda voice: voice.silence(call.room, leg.external_id))
    with realtime.atomic():
        locked, now = locked_call(call.pk), timezone.now()
        if is_there:
            CallLeg.objects.filter(pk=leg.pk).update(mode=S.LISTEN)
            _show(locked, leg.user_id)
        elif locked.legs.filter(pk=leg.pk, left_at=None).update(left_at=now):
            left(locked, leg, now)


def left(call: Call, leg: CallLeg, at: datetime) -> None:
    """The provider says that a supervisor's device is gone; the call's row is locked."""
    note(call, M.LEFT, user=leg.user, at=at)
    _show(call, leg.user_id)


def _show(call: Call, *also: int | None) -> None:
    watching = call.legs.filter(party=P.SUPERVISOR, left_at=None).values_list("user_id", flat=True)
    show(call, call.interaction, *also, *watching)
    realtime.touch(realtime.TEAM_TOPIC)
