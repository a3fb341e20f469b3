"""What a caller did, step by step: each asked us for the next words, and may be told late, twice or out of order."""

from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from inbox.adapters.events import CallEvent
from inbox.enums import (
    TALKING,
    CallMomentKind,
    CallParty,
    CallStatus,
    InteractionStatus,
    RecordingConsent,
    TimelineKind,
)
from inbox.models import Call, Interaction, TimelineEvent
from inbox.selectors.callbacks import is_past, live_callback
from inbox.selectors.dialling import why_not_dialled
from inbox.selectors.voice import has_lost_agent
from inbox.selectors.voice_lines import Line, line_of
from inbox.services import queue_rules
from inbox.services.call_losses import come_back, give_back_call, note_end
from inbox.services.call_rows import note, note_quote
from inbox.services.callbacks import ask_callback, take_place_of_callback
from inbox.services.text_back import text_whoever_gave_up, write_text
from inbox.services.voicemail import keep_voicemail

C, M, P = CallStatus, CallMomentKind, CallParty
GO_ON = gettext_noop("You called us. Write here what it is about; a person will answer you.")


def apply_step(call: Call, interaction: Interaction, item: CallEvent, at: datetime) -> None:
    """Note what the caller, or the agent's device, asked for; changes both locked rows, saves neither."""
    step, line = item.payload.get("step", ""), line_of(call.channel.address)
    call.started_at = min(call.started_at, at)
    if item.payload.get("language"):
        call.language = interaction.language = item.payload["language"][:8]
    if step in ("language", "menu") and call.status == C.RINGING:
        call.enter_menu()
    if item.payload.get("quoted"):
        note_quote(call, item.payload["quoted"])
    if step == "menu" and line is not None:
        _note_choice(call, interaction, item, line, at)
    elif step in ("wait", "choice"):
        _enter_queue(call, interaction, item, at)
        if step == "choice":
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
    """The caller waits, or did before what we were told already."""
    if item.payload.get("consent") in RecordingConsent.values and not call.recording_consent:
        call.recording_consent = item.payload["consent"]
        note(call, M.CONSENT, at=at, detail=call.recording_consent)
    is_first = call.queued_at is None
    if is_first:
        if not call.voicemail_url:  # whose queue is known from the message
            _place(call, interaction, item, at)
        note(call, M.QUEUED, at=at)
    if call.status in (C.RINGING, C.IVR):
        call.wait(at)
        take_place_of_callback(call, interaction, at)
        interaction.waiting_since_at = interaction.waiting_since_at or call.queued_at
    elif is_first or (call.queued_at and at < call.queued_at):
        call.queued_at = at
        _waited_before(call, interaction, at)


def _waited_before(call: Call, interaction: Interaction, at: datetime) -> None:
    """The first word of the wait comes after those that came later."""
    if interaction.waiting_since_at is not None:
        interaction.waiting_since_at = min(interaction.waiting_since_at, at)
    if call.status == C.ABANDONED:
        interaction.snippet = _("Hung up while waiting")
        text_whoever_gave_up(call, interaction)
    elif call.status == C.CALLBACK_REQUESTED:
        known = live_callback(interaction.contact_value)
        if known is not None and known.interaction_id == interaction.pk:
            ask_callback(call, interaction, at)


def _place(call: Call, interaction: Interaction, item: CallEvent, at: datetime) -> None:
    """The queue that menu and rules gave, as the address of the step says."""
    queue_id, rule_id = item.payload.get("queue", ""), item.payload.get("rule", "")
    if queue_id.isdecimal():
        call.queue_id = interaction.queue_id = int(queue_id)
    queue_rules.follow_caller(interaction, int(rule_id) if rule_id.isdecimal() else None, at)


def _other_way(call: Call, interaction: Interaction, key: str, at: datetime) -> None:
    """The caller does not want to wait: the interaction stays in the queue, at its place, with the same promises.

    Also while somebody accepts: what was promised is kept. What is told only when it is past is left to a person.
    """
    if call.status not in (C.WAITING, C.ABANDONED):
        return
    is_told_late = call.is_over
    is_left_to_person = is_told_late and is_past(interaction, at)
    if key == "3":
        call.take_message()
        interaction.snippet = _("Voicemail")
        note(call, M.VOICEMAIL, at=at)
    elif key == "1" and interaction.contact_value and not why_not_dialled(interaction.contact_value):
        call.ask_callback()
        if not is_left_to_person:
            ask_callback(call, interaction, at)
        interaction.snippet = _("Wants to be called back")
        note(call, M.CALLBACK, at=at)
    elif key == "2" and interaction.contact_value:
        call.complete(at, P.PATIENT)
        interaction.snippet = _("Wants to go on by text message")
        note(call, M.TEXT, at=at)
        if not is_told_late:
            note_end(call, at)
        if not is_left_to_person:
            write_text(call, interaction, GO_ON)
    else:
        return
    _still_waits(interaction, call.queued_at or at)


def _keep_voicemail(call: Call, interaction: Interaction, item: CallEvent, at: datetime) -> None:
    if not item.payload.get("recording"):
        return
    if call.status in (C.RINGING, C.IVR, C.WAITING, C.ABANDONED):
        call.take_message()
        note(call, M.VOICEMAIL, at=at)
    if not call.voicemail_url:
        if call.queued_at is None:
            _place(call, interaction, item, at)
        call.voicemail_url = item.payload["recording"][:500]
        call.voicemail_id = recording_id = item.payload.get("recording_id", "")[:64]
        keep_voicemail(call, interaction, url=call.voicemail_url, external_id=recording_id, at=at)
        interaction.snippet, interaction.unread_count = _("Voicemail"), interaction.unread_count + 1
        _still_waits(interaction, call.queued_at or at)


def _still_waits(interaction: Interaction, since: datetime) -> None:
    """Work although the call is over; it has come back when the end of the call was told first."""
    interaction.waiting_since_at = interaction.waiting_since_at or since
    if interaction.status == InteractionStatus.ABANDONED:
        interaction.come_back()
        given_up = interaction.timeline_events.filter(kind=TimelineKind.ABANDONED).order_by("at").last()
        TimelineEvent.objects.create(
            interaction=interaction,
            kind=TimelineKind.RETURNED,
            at=max(since, given_up.at) if given_up else since,
            to_queue_id=interaction.queue_id,
        )
