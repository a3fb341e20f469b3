"""What agents do with calls. Each verb asks the database first, then the telephone service, then writes what happened.

Nothing leaves inside a transaction: a claim says that somebody is being connected, and one that outlives its process is
released by `watch_calls`.
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
from contact_center.common.errors import Conflict, Refused
from contact_center.common.wake import wake_on_commit
from inbox import realtime
from inbox.adapters.base import AdapterError
from inbox.adapters.twilio_words import GONE
from inbox.enums import (
    TALKING,
    CallMomentKind,
    CallParty,
    CallStatus,
    Direction,
    InteractionStatus,
    RecordingMode,
    TimelineKind,
)
from inbox.models import Call, Interaction, Queue
from inbox.policies import can_work, may_be_machine
from inbox.selectors.interactions import queues_that_bring
from inbox.selectors.voice import address_of
from inbox.services import callbacks, recordings, supervision
from inbox.services import interactions as desk
from inbox.services.assignment import note_given
from inbox.services.call_consults import claim_colleague, drop_claims, is_consulted, keep_claim
from inbox.services.call_losses import let_go, send_back
from inbox.services.call_offers import WATCH_QUEUE, WATCH_TASK, withdraw_offer
from inbox.services.call_placing import call_back, keep_leg
from inbox.services.call_provider import ask, do, steer
from inbox.services.call_rows import locked_call, note, own_call, show
from inbox.services.calls import end_call, end_work
from inbox.services.interactions import require
from inbox.services.transfers import transfer as transfer_work

if TYPE_CHECKING:
    from inbox.adapters.twilio_voice import TwilioVoiceAdapter

C, M, P = CallStatus, CallMomentKind, CallParty


def accept_call(*, actor: User, call_id: int) -> Call:
    """Talk to a waiting caller, or call back who was promised it, and own the conversation.

    Raises Conflict when somebody else was faster or the caller hung up, and Refused when the telephone service does
    not answer: then the caller keeps waiting at the same place.
    """
    call = _claim(actor, call_id)
    if call.callback_id is not None:
        return call_back(actor=actor, call_id=call_id)
    external_id, our_id = call.external_id, str(call.pk)
    turn = call.moments.filter(kind=M.ANSWERED).count() + 1  # a second loss is told apart from the first
    join = address_of("join", call=call.pk, lang=call.language, queue=call.queue_id, n=turn)
    leg = ""
    try:
        leg = ask(lambda voice: voice.call_agent(call.room, actor.pk, call.channel.address, our_id))
        ask(lambda voice: voice.send_to(external_id, join))
    except AdapterError as error:
        is_over = _unclaim(call_id, actor, is_gone=bool(leg) and error.code in GONE)
        if leg:
            steer(lambda voice: voice.hang_up(leg))
        if is_over:
            raise Conflict(_("The caller has hung up.")) from error
        raise Refused(_("The telephone service does not answer. The caller keeps waiting; try again.")) from error
    answered = _answered(actor, call_id, leg)
    recordings.begin(call_id)
    return answered


def _claim(actor: User, call_id: int) -> Call:
    with realtime.atomic():
        call = locked_call(call_id)
        interaction = Interaction.objects.get(pk=call.interaction_id)
        require(can_work(actor, interaction), _("You may not work on this interaction."))
        if call.status != C.WAITING:
            if call.callback_id is not None and call.is_over:
                raise Conflict(_("This call back is not needed any more."))
            gone = _("The caller has hung up.") if call.is_over else _("Somebody else has taken this call.")
            raise Conflict(gone)
        if call.claimed_at is not None or call.offered_to_id not in (None, actor.pk):
            raise Conflict(_("Somebody else has taken this call."))
        if is_consulted(actor):
            raise Conflict(_("You are on another call."))
        call.agent, call.claimed_at = actor, timezone.now()
        call.offered_to = call.offer_ends_at = None
        try:
            with transaction.atomic():
                call.save()
        except IntegrityError as error:
            raise Conflict(_("You are on another call.")) from error
        show(call, interaction)
        return call


def _unclaim(call_id: int, actor: User, *, is_gone: bool = False) -> bool:
    """Let the caller wait on, or end the call when the provider says that there is no caller; True when it is over."""
    with realtime.atomic():
        call = locked_call(call_id)
        if call.status == C.WAITING and call.agent_id == actor.pk:
            call.agent = call.claimed_at = None
            interaction = desk.locked(call.interaction_id)
            note(call, M.NOT_CONNECTED, user=actor)
            if is_gone:
                end_call(call, interaction, timezone.now())
                desk.clocks.settle(interaction)
                interaction.save()
            call.save()
            show(call, interaction, actor.pk)
        return call.is_over


def _answered(actor: User, call_id: int, leg: str) -> Call:
    why = ""
    with realtime.atomic():
        call = locked_call(call_id)
        if call.status != C.WAITING or call.agent_id != actor.pk:
            let_go([leg])
            _see_off(call)
            why = _("The caller has hung up.")
        elif keep_leg(call, P.AGENT, actor, leg).left_at is not None:
            call.agent = call.claimed_at = None
            call.save()
            note(call, M.NOT_CONNECTED, user=actor)
            show(call, Interaction.objects.get(pk=call.interaction_id), actor.pk)
            send_back(call)
            why = _("Your telephone does not answer. The caller keeps waiting.")
        else:
            now = timezone.now()
            call.connect(now)
            call.save()
            note(call, M.ANSWERED, user=actor, at=now)
            _own(actor, call, now)
    if why:
        raise Conflict(why)
    return call


def _see_off(call: Call) -> None:
    """Whoever chose another way while somebody accepted must not be left alone in the room."""
    external_id = call.external_id
    if call.status == C.VOICEMAIL:
        address = address_of("voicemail", lang=call.language, queue=call.queue_id)
        transaction.on_commit(lambda: steer(lambda voice: voice.send_to(external_id, address)))
    elif call.is_over:
        let_go([external_id])


def _own(actor: User, call: Call, now: datetime) -> None:
    interaction = desk.locked(call.interaction_id)
    if interaction.status == InteractionStatus.WRAP_UP:
        interaction.resume()
    interaction.owner = actor
    interaction.take()
    note_given(actor.pk, now)
    interaction.waiting_since_at, interaction.first_reply_at = None, interaction.first_reply_at or now
    desk.conclude(interaction, actor=actor, kind=TimelineKind.TAKEN, action=AuditAction.ASSIGNED)
    show(call, interaction)


def decline_call(*, actor: User, call_id: int) -> bool:
    """Let somebody else be asked; the caller notices nothing. False when it did not ring here any more."""
    is_mine = withdraw_offer(call_id, M.DECLINED, only_of=actor)
    with realtime.atomic():
        wake_on_commit(WATCH_TASK, WATCH_QUEUE)
    return is_mine


def hold_call(*, actor: User, call_id: int, is_held: bool = True) -> Call:
    """Let the caller hear music, or talk again. Raises Conflict for another's call, Refused without the provider."""
    call = own_call(actor, call_id)
    if (call.status == C.HELD) == is_held:
        return call
    do(lambda voice: voice.hold(call.room, call.external_id, is_held))
    with realtime.atomic():
        call, now = locked_call(call_id), timezone.now()
        if call.status not in TALKING or (call.status == C.HELD) == is_held:
            return call
        call.hold(now) if is_held else call.resume(now)
        call.save()
        note(call, M.HELD if is_held else M.RESUMED, user=actor, at=now)
        show(call, Interaction.objects.get(pk=call.interaction_id))
    recordings.follow_hold(call_id, is_held)
    return call


def hang_up(*, actor: User, call_id: int) -> Call:
    """End the call for everybody; wrap-up begins. One that has ended meanwhile is no error."""
    with realtime.atomic():
        call = locked_call(call_id)
        if call.is_over:
            return call
        require(call.agent_id == actor.pk, _("This is not your call."))
        call.ended_by = P.AGENT
        call.save()
        ids = [call.external_id, *call.legs.filter(left_at=None).values_list("external_id", flat=True)]
    for external_id in dict.fromkeys(filter(None, ids)):
        do(partial(_end_leg, external_id))
    with realtime.atomic():
        call = locked_call(call_id)
        interaction = desk.locked(call.interaction_id)
        if not call.is_over:
            if call.direction == Direction.OUTBOUND and call.status == C.RINGING:
                call.fail(timezone.now(), P.AGENT)
                end_work(call, interaction, timezone.now(), _("Not reached"))
            else:
                end_call(call, interaction, timezone.now())
            _keep_end(actor, call, interaction)
        wake_on_commit(WATCH_TASK, WATCH_QUEUE)
        return call


def leave_machine(*, actor: User, call_id: int) -> Call:
    """End a call of ours that a machine answered: nobody was reached, and a promised call is tried again after its gap.

    In the wrap-up too, for the machine may hang up first. Raises Conflict for another's call and one that is wrapped
    up, Refused for a caller's and when the telephone service does not answer.
    """
    with realtime.atomic():
        call = locked_call(call_id)
        interaction = desk.locked(call.interaction_id)
        require(call.direction == Direction.OUTBOUND, _("This person called us."))
        if not may_be_machine(actor, call, interaction):
            raise Conflict(_("This is not your call, or it has ended."))
        if not call.moments.filter(kind=M.MACHINE).exists():
            note(call, M.MACHINE, user=actor)
            callbacks.reopen_callback(call)
            if call.is_over:
                _keep_end(actor, call, interaction)
                wake_on_commit(WATCH_TASK, WATCH_QUEUE)
    return hang_up(actor=actor, call_id=call_id)


def _keep_end(actor: User, call: Call, interaction: Interaction) -> None:
    """What came of a call that is over, in the transaction that holds both rows."""
    callbacks.follow_call(call, interaction, timezone.now())
    call.save()
    desk.clocks.settle(interaction)
    interaction.save()
    show(call, interaction, actor.pk)


def transfer_call(*, actor: User, call_id: int, queue: Queue, why: str, summary: str = "") -> Call:
    """Hand the caller to another queue, where they wait at their old place; reason and summary travel with it.

    Raises Refused without reason or for the queue it is in already, Conflict when it is no call of the actor's.
    """
    call = own_call(actor, call_id)
    require(bool(why.strip()), _("Say why you are transferring it."))
    with realtime.atomic():
        call = locked_call(call_id)
        if call.status not in TALKING or call.agent_id != actor.pk:
            raise Conflict(_("This call has ended."))
        legs = list(call.legs.filter(left_at=None).exclude(party=P.PATIENT).values_list("external_id", flat=True))
        recordings.end_live(call, timezone.now())
        call.requeue(timezone.now())
        call.queue = queue
        call.save()
        note(call, M.TRANSFERRED, user=actor, detail=why.strip())
        transfer_work(actor=actor, interaction_id=call.interaction_id, why=why, queue=queue, note=summary)
        interaction = desk.locked(call.interaction_id)
        interaction.waiting_since_at = timezone.now()
        desk.clocks.settle(interaction)
        interaction.save()
        show(call, interaction, actor.pk)
        wake_on_commit(WATCH_TASK, WATCH_QUEUE)
    address = address_of("wait", lang=call.language, queue=call.queue_id, n=2)
    steer(lambda voice: voice.send_to(call.external_id, address))
    for leg in legs:
        steer(partial(_end_leg, leg))
    return call


def consult(*, actor: User, call_id: int, colleague: User) -> Call:
    """Ask a colleague, of this queue or another, while the caller hears music; what they read does not change.

    Raises Refused for one who could be given such a conversation in no queue of theirs, and Conflict for one who is on,
    or asked into, another call, or in a call in which somebody is asked already.
    """
    call = own_call(actor, call_id)
    require(colleague.pk != actor.pk, _("You are on this call already."))
    could_have_it = queues_that_bring(colleague, call.interaction_id).exists()
    require(could_have_it, _("%(name)s does not serve this queue.") % {"name": colleague})
    claim = claim_colleague(actor=actor, call_id=call_id, colleague=colleague)
    try:
        hold_call(actor=actor, call_id=call_id)
        leg = do(lambda voice: voice.consult(call.room, colleague.pk, call.channel.address, str(call.pk)))
    except Refused:
        drop_claims([claim.pk])
        raise
    return keep_claim(claim, leg)


def hand_over(*, actor: User, call_id: int, why: str, summary: str = "", queue: Queue | None = None) -> Call:
    """Leave the call to the colleague who was consulted: they own the conversation, the caller talks to them.

    `queue` is one of theirs, to which it goes when they do not serve the present one. Raises Refused without a
    colleague on the line or a reason, and for a queue in which they could not have it.
    """
    call = own_call(actor, call_id)
    require(bool(why.strip()), _("Say why you are transferring it."))
    other = call.legs.filter(party=P.CONSULTED, left_at=None).select_related("user").last()
    if other is None or other.user is None:
        raise Refused(_("Ask a colleague first."))
    mine = call.legs.filter(party=P.AGENT, user=actor, left_at=None).last()
    colleague = other.user
    places = queues_that_bring(colleague, call.interaction_id)
    goes_to = queue or call.interaction.queue
    require(places.filter(pk=goes_to.pk).exists(), _("%(name)s does not serve this queue.") % {"name": colleague})
    supervision.quieten(call)
    do(lambda voice: voice.make_last(call.room, other.external_id, True))
    if mine is not None:
        do(lambda voice: voice.make_last(call.room, mine.external_id, False))
    with realtime.atomic():
        call, now = locked_call(call_id), timezone.now()
        if call.status not in TALKING or call.agent_id != actor.pk:
            raise Conflict(_("This call has ended."))
        call.agent, call.queue = colleague, queue or call.queue
        if call.status == C.HELD:
            call.resume(now)
        try:
            with transaction.atomic():
                call.save()
        except IntegrityError as error:
            raise Conflict(_("%(name)s is on another call.") % {"name": colleague}) from error
        if recordings.mode_of(call) == RecordingMode.OFF:
            recordings.end_live(call, now)
        call.legs.filter(pk=other.pk).update(party=P.AGENT)
        transfer_work(
            actor=actor, interaction_id=call.interaction_id, why=why, queue=queue, assignee=colleague, note=summary
        )
        note(call, M.TRANSFERRED, user=colleague, detail=why.strip())
        show(call, Interaction.objects.get(pk=call.interaction_id), actor.pk)
    steer(lambda voice: voice.hold(call.room, call.external_id, False))
    recordings.follow_hold(call_id, is_held=False)
    if mine is not None:
        steer(lambda voice: voice.hang_up(mine.external_id))
    return call


def _end_leg(external_id: str, voice: TwilioVoiceAdapter) -> None:
    voice.hang_up(external_id)
