"""Calls of ours: placed from a conversation, or promised and now accepted. The agent's device rings first.

A row that says `claimed_at` is being dialled; one that outlives its process is ended by `end_undialled`.
"""

from datetime import datetime
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
from inbox import realtime
from inbox.adapters.base import AdapterError
from inbox.enums import CallbackEnd, CallMomentKind, CallParty, CallStatus, Direction, TimelineKind
from inbox.models import Call, CallLeg, Channel, Interaction, TimelineEvent
from inbox.policies import can_start
from inbox.selectors.callbacks import first_phone, known_at, phone_number_of, phones_of, voice_line_for, why_not_called
from inbox.services import interactions as desk
from inbox.services.assignment import note_given
from inbox.services.call_consults import is_consulted
from inbox.services.call_losses import let_go
from inbox.services.call_provider import ask, steer
from inbox.services.call_rows import locked_call, note, show
from inbox.services.callbacks import follow_call, locked_callback
from inbox.services.calls import case_of_thread
from inbox.services.interactions import require
from patients.models import Patient

C, M, P = CallStatus, CallMomentKind, CallParty


def place_call(
    *, actor: User, purpose: str, patient: Patient | None = None, number: str = "", about: Interaction | None = None
) -> Call:
    """Call a patient, or a number in E.164, in a conversation that the actor owns; first their own device answers.

    A number that one patient has, whose record the actor may open, is that patient's call. Partner agents call numbers
    of a patient whose record they may open, and the number of the conversation that it is `about`.

    Raises Refused without a reason or a number, for a number that the actor or anybody may not call, for a patient who
    must not be contacted or has died, when there is no line, and when the telephone service does not answer; Conflict
    while the actor is on another call.
    """
    require(can(actor, Action.WORK_INBOX), _("You may not work on this interaction."))
    require(bool(purpose.strip()), _("Say why you are calling."))
    if patient is not None:
        number = number or first_phone(actor, patient)
    require(bool(number), _("There is no phone number."))
    require(_may_dial(actor, patient, number, about), _("You may not call this number."))
    why_not = why_not_called(actor, patient, number)
    require(not why_not, why_not)
    channel = voice_line_for(actor)
    if channel is None:
        raise Refused(_("There is no line to call from."))
    call = _begin(actor, channel, patient or known_at(actor, number), number, purpose.strip())
    return _ring_both(actor, call, number)


def _may_dial(actor: User, patient: Patient | None, number: str, about: Interaction | None) -> bool:
    if can_start(actor, None) or (about is not None and number == phone_number_of(actor, about)):
        return True
    return patient is not None and number in phones_of(actor, patient)


def call_back(*, actor: User, call_id: int) -> Call:
    """Call the person to whom it was promised, after the actor's claim; the conversation becomes the actor's.

    Raises Conflict when the promise ended meanwhile, Refused for a person or a number that must not be called and when
    the telephone service does not answer: then it waits again at its place, and no attempt is counted.
    """
    with realtime.atomic():
        call = locked_call(call_id)
        if call.status != C.WAITING or call.agent_id != actor.pk or call.callback_id is None:
            raise Conflict(_("This call back is not needed any more."))
        interaction = desk.locked(call.interaction_id)
        callback = locked_callback(call.callback_id)
        is_asked_for = callback.arranged_by_id is None
        why_not = why_not_called(actor, interaction.patient, callback.number, is_asked_for=is_asked_for)
        if why_not:
            now = timezone.now()
            callback.cancel(CallbackEnd.FORBIDDEN, now)
            call.fail(now, P.SYSTEM)
            show(call, interaction, actor.pk)
        else:
            call.dial()
            callback.attempt()
            _own(actor, call, interaction)
        callback.save()
        call.save()
    require(not why_not, why_not)
    return _ring_both(actor, call, callback.number)


def _own(actor: User, call: Call, interaction: Interaction) -> None:
    interaction.owner = actor
    interaction.take()
    note_given(actor.pk, timezone.now())
    desk.conclude(interaction, actor=actor, kind=TimelineKind.TAKEN, action=AuditAction.ASSIGNED)
    note(call, M.STARTED, user=actor)
    show(call, interaction)


def _ring_both(actor: User, call: Call, number: str) -> Call:
    our_id, external_id, leg = str(call.pk), "", ""
    try:
        leg = ask(lambda voice: voice.call_agent(call.room, actor.pk, call.channel.address, our_id))
        external_id = ask(lambda voice: voice.call_number(call.room, number, call.channel.address, our_id))
    except AdapterError as error:
        if leg:
            steer(lambda voice: voice.hang_up(leg))
        _not_made(call.pk)
        raise Refused(_("The telephone service does not answer. Try again in a moment.")) from error
    with realtime.atomic():
        call = locked_call(call.pk)
        call.external_id, call.claimed_at = call.external_id or external_id, None
        call.save()
        keep_leg(call, P.PATIENT, None, external_id)
        if keep_leg(call, P.AGENT, actor, leg).left_at is not None and call.status == C.RINGING:
            _end_unmade(call)
            let_go([external_id])
    return call


def _begin(actor: User, channel: Channel, patient: Patient | None, number: str, purpose: str) -> Call:
    with realtime.atomic():
        if is_consulted(actor):
            raise Conflict(_("You are on another call."))
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
            claimed_at=now,
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
    follow_call(call, interaction, timezone.now(), is_counted=False)
    desk.clocks.settle(interaction)
    interaction.save()
    note(call, M.NOT_CONNECTED)
    show(call, interaction, agent_id)


def keep_leg(call: Call, party: CallParty, user: User | None, external_id: str) -> CallLeg:
    """Write down a connection, which may have ended before we could."""
    leg, _is_new = CallLeg.objects.get_or_create(
        call=call, external_id=external_id, defaults={"party": party, "user": user}
    )
    return leg


def end_undialled(before: datetime) -> int:
    """End calls of ours whose process died while dialling, claimed before this moment; returns how many."""
    found = Call.objects.filter(status=C.RINGING, direction=Direction.OUTBOUND, claimed_at__lt=before)
    return sum(_end_undialled(pk, before) for pk in found.values_list("pk", flat=True))


def _end_undialled(call_id: int, before: datetime) -> bool:
    with realtime.atomic():
        call = locked_call(call_id)
        if call.status != C.RINGING or call.claimed_at is None or call.claimed_at >= before:
            return False
        let_go([call.external_id, *call.legs.filter(left_at=None).values_list("external_id", flat=True)])
        _end_unmade(call)
        return True
