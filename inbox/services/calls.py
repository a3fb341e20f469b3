"""What becomes of a call: every word of the provider about it, in whatever order, makes the same record."""

from datetime import datetime, timedelta
from functools import partial

import structlog
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

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
    RecordingConsent,
    TimelineKind,
)
from inbox.models import Call, CallLeg, Channel, Interaction, TimelineEvent, VoiceLine
from inbox.selectors.dialling import why_not_dialled
from inbox.selectors.interactions import interactions_visible_to
from inbox.selectors.voice import Line, has_lost_agent, line_of
from inbox.services import clocks, queue_rules, recordings, supervision
from inbox.services.assignment import note_given
from inbox.services.call_losses import come_back, give_back_call, let_go, lose_agent, send_back
from inbox.services.call_rows import note, note_quote, show
from inbox.services.callbacks import ask_callback, follow_call, is_attempt, take_place_of_callback
from inbox.services.locks import hold_for_transaction
from inbox.services.text_back import write_text
from inbox.services.voicemail import keep_voicemail
from patients.selectors.people import match_patients

log = structlog.get_logger(__name__)
C, M, P = CallStatus, CallMomentKind, CallParty
NOT_REACHED = ("unanswered", "busy", "failed")
OF_RECORDINGS = ("recording_ready", "recording_absent", "spoken")
NOT_FIRST = ("joined", "left", "room_ended", "transcript", "other", *OF_RECORDINGS)
"""Told only of calls that are known."""
SHORT = timedelta(seconds=5)
"""Whoever hangs up sooner has dialled the wrong number."""
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
        _apply_step(call, interaction, item, at)
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


# ---- what the caller did ----
def _apply_step(call: Call, interaction: Interaction, item: CallEvent, at: datetime) -> None:
    step, line = item.payload.get("step", ""), line_of(call.channel.address)
    if item.payload.get("language"):
        call.language = interaction.language = item.payload["language"][:8]
    if step in ("language", "menu") and call.status == C.RINGING:
        call.enter_menu()
    if item.payload.get("quoted"):
        note_quote(call, item.payload["quoted"])
    if step == "menu" and line is not None:
        _note_choice(call, interaction, item, line, at)
    elif step == "wait":
        _enter_queue(call, interaction, item, at)
    elif step == "choice" and call.status == C.WAITING:  # also while somebody accepts: what was promised is kept
        _other_way(call, interaction, item.payload.get("key", ""), at)
    elif step == "recorded":
        _keep_voicemail(call, interaction, item, at)
    elif step == "after" and call.status in TALKING and not call.ended_by:
        note(call, M.LOST_AGENT, user=call.agent, at=at)
    elif step == "lost" and call.status in TALKING and not call.ended_by and has_lost_agent(call):
        give_back_call(call, interaction, at)
    elif step == "device":
        come_back(call, item, at)


def _note_choice(call: Call, interaction: Interaction, item: CallEvent, line: Line, at: datetime) -> None:
    option = line.chosen(item)
    if option is None:
        return
    if option.reason_id and interaction.reason_id is None:
        interaction.reason_id = option.reason_id
    note(call, M.CHOSEN, at=at, detail=option.labels.get("en", option.key))


def _enter_queue(call: Call, interaction: Interaction, item: CallEvent, at: datetime) -> None:
    if call.status not in (C.RINGING, C.IVR):
        if call.queued_at is None or (call.is_over and at < call.queued_at):
            call.queued_at = at
        return
    _place(call, interaction, item, at)
    if item.payload.get("consent") in RecordingConsent.values:
        call.recording_consent = item.payload["consent"]
        note(call, M.CONSENT, at=at, detail=call.recording_consent)
    call.wait(at)
    take_place_of_callback(call, interaction, at)
    interaction.waiting_since_at = interaction.waiting_since_at or call.queued_at
    note(call, M.QUEUED, at=at)


def _place(call: Call, interaction: Interaction, item: CallEvent, at: datetime) -> None:
    """The queue that menu and rules gave, as the address of the step says."""
    queue_id, rule_id = item.payload.get("queue", ""), item.payload.get("rule", "")
    if queue_id.isdecimal():
        call.queue_id = interaction.queue_id = int(queue_id)
    queue_rules.follow_caller(interaction, int(rule_id) if rule_id.isdecimal() else None, at)


def _other_way(call: Call, interaction: Interaction, key: str, at: datetime) -> None:
    """The caller does not want to wait: the interaction stays in the queue, at its place, with the same promises."""
    if key == "3":
        call.take_message()
        interaction.snippet = _("Voicemail")
        note(call, M.VOICEMAIL, at=at)
    elif key == "1" and interaction.contact_value and not why_not_dialled(interaction.contact_value):
        call.ask_callback()
        ask_callback(call, interaction, at)
        interaction.snippet = _("Wants to be called back")
        note(call, M.CALLBACK, at=at)
    elif key == "2" and interaction.contact_value:
        call.complete(at, P.PATIENT)
        interaction.snippet = _("Wants to go on by text message")
        note(call, M.TEXT, at=at)
        write_text(
            call, interaction, gettext_noop("You called us. Write here what it is about; a person will answer you.")
        )


def _keep_voicemail(call: Call, interaction: Interaction, item: CallEvent, at: datetime) -> None:
    if not item.payload.get("recording"):
        return
    if call.status in (C.RINGING, C.IVR, C.WAITING):
        call.take_message()
        note(call, M.VOICEMAIL, at=at)
    if not call.voicemail_url:
        if call.queued_at is None:
            _place(call, interaction, item, at)
        call.voicemail_url = item.payload["recording"][:500]
        call.voicemail_id = recording_id = item.payload.get("recording_id", "")[:64]
        keep_voicemail(call, interaction, url=call.voicemail_url, external_id=recording_id, at=at)
        interaction.snippet, interaction.unread_count = _("Voicemail"), interaction.unread_count + 1
        interaction.waiting_since_at = interaction.waiting_since_at or at
        if interaction.status == InteractionStatus.ABANDONED:  # the end of the call was told before the message
            interaction.come_back()
            TimelineEvent.objects.create(
                interaction=interaction, kind=TimelineKind.RETURNED, at=at, to_queue_id=interaction.queue_id
            )


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
    note(call, M.ENDED, at=at, detail=call.ended_by)
    recordings.end_live(call, at)
    call.legs.filter(left_at=None).update(left_at=at)
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
    has_waited = call.queued_at is not None and at - call.queued_at >= SHORT
    line = VoiceLine.objects.filter(channel=call.channel_id, texts_back=True).first()
    if has_waited and line is not None and interaction.contact_value:
        write_text(
            call,
            interaction,
            gettext_noop(
                "We are sorry that we could not take your call. Write here what it is about; a person will answer you."
            ),
        )


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
