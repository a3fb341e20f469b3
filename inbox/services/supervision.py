"""Supervisors in calls: they listen, speak to the agent alone, or join; agents ask for help. All of it is on record.

A supervisor is a party of the call's conference: muted, coaching the agent's leg, or neither. The agent always sees
that somebody is there.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict, Refused
from inbox import realtime
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
from inbox.services.call_provider import do, steer
from inbox.services.call_rows import locked_call, note, own_call, show
from inbox.services.interactions import require
from inbox.services.notifications import notify

if TYPE_CHECKING:
    from inbox.adapters.twilio_voice import TwilioVoiceAdapter

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
    else:
        _require_free(actor)
        number, our_id = call.channel.address, str(call_id)
        leg = do(
            lambda voice: voice.supervise(call.room, actor.pk, number, our_id, is_heard=is_heard, agent_leg=coached)
        )
    why = _take_part(actor, call, leg, mode)
    if why:
        steer(lambda voice: voice.hang_up(leg))
        raise Conflict(why)
    return CallLeg.objects.get(call=call, external_id=leg)


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
    if Call.objects.filter(agent=actor).exclude(status__in=CALL_OVER).exists():
        raise Conflict(_("You are on another call."))
    if CallLeg.objects.filter(user=actor, party__in=[P.SUPERVISOR, P.CONSULTED], left_at=None).exists():
        raise Conflict(_("You are on another call already. Leave it first."))


def _take_part(actor: User, seen: Call, external_id: str, mode: Supervision) -> str:
    """Write down that they do; the sentence that says why it cannot be so, else an empty one."""
    with realtime.atomic():
        call = locked_call(seen.pk)
        if call.status not in TALKING:
            return _("This call has ended.")
        if call.agent_id != seen.agent_id:
            return _("Somebody else talks to the caller now. Look again before you listen.")
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
    """Leave a call one listens to; False when one had left already."""
    with realtime.atomic():
        call = locked_call(call_id)
        leg = call.legs.filter(party=P.SUPERVISOR, user=actor, left_at=None).last()
        if leg is None:
            return False
        leg.left_at = timezone.now()
        leg.save()
        note(call, M.LEFT, user=actor)
        _show(call, actor.pk)
    if not steer(lambda voice: voice.hang_up(leg.external_id)):
        raise Refused(_("The telephone service does not answer. Put your telephone down to be sure."))
    return True


def quieten(call: Call) -> None:
    """Before another agent takes the caller over: nobody may speak on who thinks that only the first one hears it."""
    for leg in call.legs.filter(party=P.SUPERVISOR, mode=S.WHISPER, left_at=None):
        do(partial(_mute, call.room, leg.external_id))
        with realtime.atomic():
            CallLeg.objects.filter(pk=leg.pk).update(mode=S.LISTEN)
            _show(locked_call(call.pk), leg.user_id)


def _mute(room: str, external_id: str, voice: TwilioVoiceAdapter) -> None:
    voice.let_speak(room, external_id, is_heard=False)


def left(call: Call, leg: CallLeg, at: datetime) -> None:
    """The provider says that a supervisor's device is gone; the call's row is locked."""
    note(call, M.LEFT, user=leg.user, at=at)
    _show(call, leg.user_id)


def _show(call: Call, *also: int | None) -> None:
    watching = call.legs.filter(party=P.SUPERVISOR, left_at=None).values_list("user_id", flat=True)
    show(call, call.interaction, *also, *watching)
    realtime.touch(realtime.TEAM_TOPIC)
