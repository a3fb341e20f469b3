"""What agents do with calls. Each verb asks the database first, then the telephone service, then writes what happened.

Nothing leaves inside a transaction: a claim says that somebody is being connected, and one that outlives its process is
released by `watch_calls`.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict, Refused
from contact_center.common.wake import wake_on_commit
from inbox import realtime
from inbox.adapters.base import AdapterError
from inbox.adapters.twilio_voice import GONE, TwilioVoiceAdapter
from inbox.enums import (
    TALKING,
    CallMomentKind,
    CallParty,
    CallStatus,
    ChannelKind,
    Direction,
    InteractionStatus,
    TimelineKind,
)
from inbox.models import Call, CallLeg, Channel, Interaction, Queue, TimelineEvent
from inbox.policies import can_work
from inbox.selectors.interactions import interactions_visible_to
from inbox.selectors.voice import address_of
from inbox.services import interactions as desk
from inbox.services.assignment import note_given
from inbox.services.call_offers import WATCH_QUEUE, WATCH_TASK, withdraw_offer
from inbox.services.call_provider import Answer, ask, steer
from inbox.services.calls import case_of_thread, end_call, end_work, let_go, locked_call, note, send_back, show
from inbox.services.interactions import require
from inbox.services.transfers import transfer as transfer_work
from patients.models import Patient
from patients.selectors.people import match_patients, patients_visible_to

C, M, P = CallStatus, CallMomentKind, CallParty


def accept_call(*, actor: User, call_id: int) -> Call:
    """Talk to a waiting caller and own the conversation.

    Raises Conflict when somebody else was faster or the caller hung up, and Refused when the telephone service does
    not answer: then the caller keeps waiting at the same place.
    """
    call = _claim(actor, call_id)
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
    return _answered(actor, call_id, leg)


def _claim(actor: User, call_id: int) -> Call:
    with realtime.atomic():
        call = locked_call(call_id)
        interaction = Interaction.objects.get(pk=call.interaction_id)
        require(can_work(actor, interaction), _("You may not work on this interaction."))
        if call.status != C.WAITING:
            gone = _("The caller has hung up.") if call.is_over else _("Somebody else has taken this call.")
            raise Conflict(gone)
        if call.claimed_at is not None or call.offered_to_id not in (None, actor.pk):
            raise Conflict(_("Somebody else has taken this call."))
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
        elif _keep_leg(call, P.AGENT, actor, leg).left_at is not None:
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


def _keep_leg(call: Call, party: CallParty, user: User | None, external_id: str) -> CallLeg:
    """Write down a connection, which may have ended before we could."""
    leg, _is_new = CallLeg.objects.get_or_create(
        call=call, external_id=external_id, defaults={"party": party, "user": user}
    )
    return leg


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
    call = _mine(actor, call_id)
    if (call.status == C.HELD) == is_held:
        return call
    _do(lambda voice: voice.hold(call.room, call.external_id, is_held))
    with realtime.atomic():
        call, now = locked_call(call_id), timezone.now()
        if call.status not in TALKING or (call.status == C.HELD) == is_held:
            return call
        call.hold(now) if is_held else call.resume(now)
        call.save()
        note(call, M.HELD if is_held else M.RESUMED, user=actor, at=now)
        show(call, Interaction.objects.get(pk=call.interaction_id))
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
        _do(partial(_end_leg, external_id))
    with realtime.atomic():
        call = locked_call(call_id)
        interaction = desk.locked(call.interaction_id)
        if not call.is_over:
            if call.direction == Direction.OUTBOUND and call.status == C.RINGING:
                call.fail(timezone.now(), P.AGENT)
                end_work(call, interaction, timezone.now(), _("Not reached"))
            else:
                end_call(call, interaction, timezone.now())
            call.save()
            desk.clocks.settle(interaction)
            interaction.save()
            show(call, interaction, actor.pk)
        wake_on_commit(WATCH_TASK, WATCH_QUEUE)
        return call


def transfer_call(*, actor: User, call_id: int, queue: Queue, why: str, summary: str = "") -> Call:
    """Hand the caller to another queue, where they wait at their old place; reason and summary travel with it.

    Raises Refused without reason or for the queue it is in already, Conflict when it is no call of the actor's.
    """
    call = _mine(actor, call_id)
    require(bool(why.strip()), _("Say why you are transferring it."))
    with realtime.atomic():
        call = locked_call(call_id)
        if call.status not in TALKING or call.agent_id != actor.pk:
            raise Conflict(_("This call has ended."))
        legs = list(call.legs.filter(left_at=None).exclude(party=P.PATIENT).values_list("external_id", flat=True))
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
    """Ask a colleague while the caller hears music. Raises Refused for one who does not serve such conversations."""
    call = _mine(actor, call_id)
    serves = interactions_visible_to(colleague, unowned=True, entrusted=True)
    require(colleague.pk != actor.pk, _("You are on this call already."))
    require(
        serves.filter(pk=call.interaction_id).exists(), _("%(name)s does not serve this queue.") % {"name": colleague}
    )
    is_busy = Call.objects.filter(agent=colleague, status__in=TALKING).exists()
    if is_busy:
        raise Conflict(_("%(name)s is on another call.") % {"name": colleague})
    hold_call(actor=actor, call_id=call_id)
    leg = _do(lambda voice: voice.consult(call.room, colleague.pk, call.channel.address, str(call.pk)))
    with realtime.atomic():
        call = locked_call(call_id)
        _keep_leg(call, P.CONSULTED, colleague, leg)
        note(call, M.CONSULTED, user=colleague)
        show(call, Interaction.objects.get(pk=call.interaction_id), colleague.pk)
        return call


def hand_over(*, actor: User, call_id: int, why: str, summary: str = "") -> Call:
    """Leave the call to the colleague who was consulted: they own the conversation, the caller talks to them.

    Raises Refused without a colleague on the line or a reason.
    """
    call = _mine(actor, call_id)
    require(bool(why.strip()), _("Say why you are transferring it."))
    other = call.legs.filter(party=P.CONSULTED, left_at=None).select_related("user").last()
    if other is None or other.user is None:
        raise Refused(_("Ask a colleague first."))
    mine = call.legs.filter(party=P.AGENT, user=actor, left_at=None).last()
    colleague = other.user
    _do(lambda voice: voice.make_last(call.room, other.external_id, True))
    if mine is not None:
        _do(lambda voice: voice.make_last(call.room, mine.external_id, False))
    with realtime.atomic():
        call, now = locked_call(call_id), timezone.now()
        if call.status not in TALKING or call.agent_id != actor.pk:
            raise Conflict(_("This call has ended."))
        call.agent = colleague
        if call.status == C.HELD:
            call.resume(now)
        try:
            with transaction.atomic():
                call.save()
        except IntegrityError as error:
            raise Conflict(_("%(name)s is on another call.") % {"name": colleague}) from error
        call.legs.filter(pk=other.pk).update(party=P.AGENT)
        transfer_work(actor=actor, interaction_id=call.interaction_id, why=why, assignee=colleague, note=summary)
        note(call, M.TRANSFERRED, user=colleague, detail=why.strip())
        show(call, Interaction.objects.get(pk=call.interaction_id), actor.pk)
    steer(lambda voice: voice.hold(call.room, call.external_id, False))
    if mine is not None:
        steer(lambda voice: voice.hang_up(mine.external_id))
    return call


def place_call(*, actor: User, purpose: str, patient: Patient | None = None, number: str = "") -> Call:
    """Call a patient, or a number in E.164, in a conversation that the actor owns; first their own device answers.

    Raises Refused without a reason or a number, for a patient who must not be contacted or has died, when there is no
    line, and when the telephone service does not answer; Conflict while the actor is on another call.
    """
    require(can(actor, Action.WORK_INBOX), _("You may not work on this interaction."))
    require(bool(purpose.strip()), _("Say why you are calling."))
    if patient is not None:
        number = number or _first_phone(actor, patient)
    called = match_patients("phone", number) if patient is None and number else [patient]
    if len(called) == 1 and called[0] is not None:
        is_off = called[0].is_do_not_contact or called[0].deceased_date is not None
        require(not is_off, _("This patient must not be contacted."))
    require(bool(number), _("There is no phone number."))
    channel = line_for(actor)
    if channel is None:
        raise Refused(_("There is no line to call from."))
    call = _begin(actor, channel, patient, number, purpose.strip())
    our_id, external_id, leg = str(call.pk), "", ""
    try:
        leg = ask(lambda voice: voice.call_agent(call.room, actor.pk, channel.address, our_id))
        external_id = ask(lambda voice: voice.call_number(call.room, number, channel.address, our_id))
    except AdapterError as error:
        if leg:
            steer(lambda voice: voice.hang_up(leg))
        _not_made(call.pk)
        raise Refused(_("The telephone service does not answer. Try again in a moment.")) from error
    with realtime.atomic():
        call = locked_call(call.pk)
        call.external_id = call.external_id or external_id
        call.save()
        _keep_leg(call, P.PATIENT, None, external_id)
        if _keep_leg(call, P.AGENT, actor, leg).left_at is not None and call.status == C.RINGING:
            _end_unmade(call)
            let_go([external_id])
    return call


def _begin(actor: User, channel: Channel, patient: Patient | None, number: str, purpose: str) -> Call:
    with realtime.atomic():
        now = timezone.now()
        interaction = Interaction(
            channel=channel,
            channel_kind=channel.kind,
            direction=Direction.OUTBOUND,
            thread_key=f"call:{uuid4().hex}",
            contact_scheme="phone",
            contact_value=number,
            patient=patient,
            case_id=case_of_thread(patient.pk) if patient else None,
            queue=channel.queue,
            owner=actor,
            subject=purpose[:240],
            snippet=_("Our call"),
            language=patient.language if patient else "",
            opened_at=now,
            last_message_at=now,
        )
        interaction.save()
        TimelineEvent.objects.create(interaction=interaction, kind=TimelineKind.OPENED, actor=actor, at=now)
        interaction.take()
        interaction.save()
        call = Call(
            interaction=interaction,
            channel=channel,
            queue=channel.queue,
            direction=Direction.OUTBOUND,
            agent=actor,
            started_at=now,
            language=interaction.language,
            purpose=purpose[:240],
        )
        try:
            with transaction.atomic():
                call.save()
        except IntegrityError as error:
            raise Conflict(_("You are on another call.")) from error
        note(call, M.STARTED, user=actor, at=now, detail=purpose)
        record(
            actor=actor,
            action=AuditAction.CREATED,
            object_type="call",
            object_id=call.pk,
            patient_id=interaction.patient_id,
        )
        show(call, interaction)
        return call


def _not_made(call_id: int) -> None:
    with realtime.atomic():
        _end_unmade(locked_call(call_id))


def _end_unmade(call: Call) -> None:
    interaction, agent_id = desk.locked(call.interaction_id), call.agent_id
    call.fail(timezone.now(), P.SYSTEM)
    call.save()
    interaction.snippet = _("Not reached")
    interaction.save()
    note(call, M.NOT_CONNECTED)
    show(call, interaction, agent_id)


def line_for(actor: User) -> Channel | None:
    """The voice channel whose number calls of this person show: their team's line, else the first one."""
    lines = Channel.objects.select_related("queue").filter(kind=ChannelKind.VOICE, is_active=True).order_by("pk")
    return lines.filter(line__teams__members=actor).first() or lines.first()


def _first_phone(actor: User, patient: Patient) -> str:
    """Of the record, where the actor may look into it."""
    if not patients_visible_to(actor).filter(pk=patient.pk).exists():
        return ""
    found = patient.contact_points.filter(scheme="phone").order_by("rank", "pk").values_list("value", flat=True).first()
    return str(found or "")


def _mine(actor: User, call_id: int) -> Call:
    call: Call = Call.objects.select_related("channel").get(pk=call_id)
    if call.status not in TALKING or call.agent_id != actor.pk:
        raise Conflict(_("This is not your call, or it has ended."))
    return call


def _end_leg(external_id: str, voice: TwilioVoiceAdapter) -> None:
    voice.hang_up(external_id)


def _do(question: Callable[[TwilioVoiceAdapter], Answer]) -> Answer:
    try:
        return ask(question)
    except AdapterError as error:
        raise Refused(_("The telephone service does not answer. Try again in a moment.")) from error
