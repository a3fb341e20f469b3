"""What becomes of a call: every word of the provider about it, in whatever order, makes the same record."""

from datetime import datetime, timedelta
from functools import partial

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from inbox import realtime, signals
from inbox.adapters.base import UnparseablePayload
from inbox.adapters.events import CallEvent
from inbox.enums import (
    OPEN,
    TALKING,
    CallMomentKind,
    CallParty,
    CallStatus,
    ChannelKind,
    Direction,
    InteractionStatus,
    TimelineKind,
)
from inbox.models import Call, CallLeg, Channel, Interaction, TimelineEvent, VoiceLine
from inbox.selectors.interactions import interactions_visible_to
from inbox.services import clocks, recordings, supervision
from inbox.services.assignment import note_given
from inbox.services.call_losses import let_go, lose_agent, note_end, send_back
from inbox.services.call_rows import note, show
from inbox.services.call_steps import apply_step
from inbox.services.callbacks import follow_call, is_attempt
from inbox.services.locks import hold_for_transaction
from inbox.services.text_back import text_whoever_gave_up
from patients.selectors.people import match_patients

log = structlog.get_logger(__name__)
C, M, P = CallStatus, CallMomentKind, CallParty
NOT_REACHED = ("unanswered", "busy", "failed")
OF_RECORDINGS = ("recording_ready", "recording_absent", "spoken")
NOT_FIRST = ("joined", "left", "room_ended", "transcript", "other", *OF_RECORDINGS)
"""Told only of calls that are known."""
DEFAULT_WRAP_UP = 60


def apply_call_event(item: CallEvent, *, received_at: datetime) -> bool:
    """Make what the provider tells of a call part of its record, in this transaction; False for strangers' legs.

    Told twice, late or out of order, the same events make the same record. Raises UnparseablePayload when an inbound
    call came to no line of ours.
    """
    hold_for_transaction("call", item.payload.get("call") or item.external_id)
    at = min(item.occurred_at or received_at, received_at)  # by our clock
    call = _known(item) or _opened(item, at)
    if call is None:
        return False
    interaction = Interaction.objects.select_for_update(of=("self",)).get(pk=call.interaction_id)
    before = (call.status, call.agent_id, call.offered_to_id)
    if item.event == "step":
        apply_step(call, interaction, item, at)
    elif item.event == "transcript":
        call.transcript = item.payload.get("transcript", "")[:20_000]
    elif item.event in OF_RECORDINGS:
        recordings.apply_recording_event(call, item, at)
    elif _party_of(call, item) == P.PATIENT:
        _apply_status(call, interaction, item, at)
    else:
        _apply_other_leg(call, interaction, item, at)
    follow_call(call, interaction, at)
    call.save()
    clocks.settle(interaction)
    interaction.save()
    show(call, interaction, before[1], before[2])
    return True


def _known(item: CallEvent) -> Call | None:
    found = Call.objects.select_for_update(of=("self",)).select_related("channel", "queue")
    number = item.payload.get("call", "")
    if number.isdecimal() and len(number) < 18:
        return found.filter(pk=int(number)).first()
    by_leg = CallLeg.objects.filter(external_id=item.external_id).values("call_id")
    return (
        found.filter(provider=item.provider, external_id=item.external_id).first()
        or found.filter(pk__in=by_leg).first()
    )


def _party_of(call: Call, item: CallEvent) -> str:
    """Whose connection this is about; of one that a device made itself only our own record says so."""
    said = item.payload.get("party", "")
    if said or item.external_id == call.external_id:
        return said or P.PATIENT
    return call.legs.filter(external_id=item.external_id).values_list("party", flat=True).first() or P.PATIENT


# ---- a call begins ----
def _opened(item: CallEvent, at: datetime) -> Call | None:
    is_inbound = item.payload.get("direction", "inbound") == "inbound"
    if not is_inbound or item.event in NOT_FIRST:
        return None
    channels = Channel.objects.select_related("queue").filter(kind=ChannelKind.VOICE, address=item.recipient.value)
    channel = channels.first()
    if channel is None:
        raise UnparseablePayload("No line of ours has this number.")
    interaction = _interaction_of(item, channel, at)
    call = Call.objects.create(
        interaction=interaction,
        channel=channel,
        queue=channel.queue,
        provider=item.provider,
        external_id=item.external_id,
        started_at=at,
        language=interaction.language,
    )
    CallLeg.objects.create(call=call, party=P.PATIENT, external_id=item.external_id, joined_at=at)
    note(call, M.STARTED, at=at)
    signals.announce(signals.interaction_opened, interaction_id=interaction.pk)
    return call


def _interaction_of(item: CallEvent, channel: Channel, at: datetime) -> Interaction:
    is_known = item.sender.scheme == "phone"
    matches = match_patients("phone", item.sender.value) if is_known else []
    patient = matches[0] if len(matches) == 1 else None
    interaction = Interaction.objects.create(
        channel=channel,
        channel_kind=channel.kind,
        thread_key=f"call:{item.external_id}",
        contact_scheme="phone" if is_known else "",
        contact_value=item.sender.value if is_known else "",
        patient=patient,
        is_contact_shared=len(matches) > 1,
        case_id=case_of_thread(patient.pk) if patient else None,
        queue=channel.queue,
        language=patient.language if patient else "",
        snippet=_("Call"),
        opened_at=at,
        last_message_at=at,
        last_inbound_at=at,
    )
    TimelineEvent.objects.create(interaction=interaction, kind=TimelineKind.OPENED, at=at, to_queue=channel.queue)
    return interaction


def case_of_thread(patient_id: int) -> int | None:
    """The case of the patient's latest open conversation: a call about it goes on in the same thread."""
    open_now = Interaction.objects.filter(patient=patient_id, status__in=OPEN, case__isnull=False)
    return open_now.order_by("-last_message_at").values_list("case_id", flat=True).first()


# ---- the caller's own leg ----
def _apply_status(call: Call, interaction: Interaction, item: CallEvent, at: datetime) -> None:
    if item.event == "answered" and call.direction == Direction.OUTBOUND and call.status == C.RINGING:
        call.connect(at)
        note(call, M.ANSWERED, user=call.agent, at=at)
        transaction.on_commit(partial(recordings.begin, call.pk))
    elif item.event in NOT_REACHED:
        if call.direction == Direction.OUTBOUND and call.status == C.RINGING:
            call.fail(at, call.ended_by or P.SYSTEM)
            end_work(call, interaction, at, str(_("Not reached")))
            let_go(call.legs.filter(party=P.AGENT, left_at=None).values_list("external_id", flat=True))
        elif not call.is_over:
            end_call(call, interaction, at)
    elif item.event == "ended":
        end_call(call, interaction, at)


def end_call(call: Call, interaction: Interaction, at: datetime) -> None:
    """Nobody is on the line any more; both rows are locked and saved by whoever calls this."""
    if call.direction == Direction.OUTBOUND and call.status == C.RINGING:
        call.connect(at)
    agent_id = call.agent_id
    if call.status in TALKING:
        call.complete(at, call.ended_by or P.PATIENT)
        end_work(call, interaction, at, _spoken(call))
    elif not call.is_over:
        call.abandon(at)
        _abandon(call, interaction, at)
    elif call.ended_at is None:
        call.ended_at, call.ended_by = at, call.ended_by or P.PATIENT
    else:
        return
    note_end(call, at)
    if agent_id and agent_id != call.agent_id:
        realtime.touch(realtime.agent_topic(agent_id))


def _spoken(call: Call) -> str:
    seconds = call.talk_seconds or 0
    return _("Call, %(minutes)d min %(seconds)d s") % {"minutes": seconds // 60, "seconds": seconds % 60}


def end_work(call: Call, interaction: Interaction, at: datetime, words: str) -> None:
    """The agent writes down what came of it; the time for that is the server's. None for a promise tried again.

    What the agent cannot open any more, the patient being protected since, waits in its queue for somebody who can.
    """
    interaction.snippet, interaction.last_message_at = words[:160], max(interaction.last_message_at, at)
    if call.status == C.FAILED and is_attempt(call):
        return
    line = VoiceLine.objects.filter(channel=call.channel_id).first()
    call.wrap_up_ends_at = at + timedelta(seconds=line.wrap_up_seconds if line else DEFAULT_WRAP_UP)
    if call.agent_id:
        note_given(call.agent_id, at)
    if interaction.status == InteractionStatus.ACTIVE and interaction.owner_id == call.agent_id:
        kind, step = TimelineKind.WRAP_UP_STARTED, interaction.start_wrap_up
        if call.agent and not interactions_visible_to(call.agent).filter(pk=interaction.pk).exists():
            kind, step = TimelineKind.RETURNED, interaction.return_to_queue
        step()
        TimelineEvent.objects.create(interaction=interaction, kind=kind, actor=call.agent, at=at)


def _abandon(call: Call, interaction: Interaction, at: datetime) -> None:
    interaction.waiting_since_at = None
    interaction.snippet = _("Hung up while waiting") if call.queued_at else _("Hung up")
    if interaction.status == InteractionStatus.QUEUED:
        interaction.abandon()
        TimelineEvent.objects.create(interaction=interaction, kind=TimelineKind.ABANDONED, at=at)
    text_whoever_gave_up(call, interaction)


# ---- everybody else's legs ----
def _apply_other_leg(call: Call, interaction: Interaction, item: CallEvent, at: datetime) -> None:
    if item.event == "answered" and item.payload.get("party") == P.SUPERVISOR:
        supervision.answered(call, item.external_id, item.payload.get("user"))
        return
    if item.event not in (*NOT_REACHED, "ended", "left"):
        return
    leg = call.legs.select_for_update().filter(external_id=item.external_id).first()
    if leg is None:  # a device that is off says so before whoever rang it has written down that it rings
        party = item.payload["party"]
        if party in P.values:
            CallLeg.objects.create(call=call, party=party, external_id=item.external_id, joined_at=at, left_at=at)
        return
    is_first = leg.left_at is None
    leg.left_at = leg.left_at or at
    leg.save(update_fields=["left_at"])
    if is_first and leg.party == P.SUPERVISOR:
        supervision.left(call, leg, at)
    is_theirs = call.status in TALKING and leg.party == P.AGENT and leg.user_id == call.agent_id and not call.ended_by
    # When a device that had answered is gone, the room ends and the caller's next step says so: after a caller who hung
    # up the same word comes, and often first.
    if is_first and is_theirs and item.event in NOT_REACHED:
        lose_agent(call, interaction, at)
        send_back(call)
    elif is_first and is_theirs is False and call.status == C.RINGING and leg.party == P.AGENT:
        call.fail(at, P.AGENT)
        note(call, M.MISSED, user=call.agent, at=at)
        end_work(call, interaction, at, _("Not reached"))
        follow_call(call, interaction, at, is_counted=False)
        let_go([call.external_id])
