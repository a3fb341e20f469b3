"""Promises to call back: asked for, arranged, kept, given up. `services.call_turns` brings each to its turn.

Rows are locked in the order call, interaction, callback.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict, Refused
from contact_center.common.moments import moment_words
from inbox import realtime
from inbox.enums import (
    CALL_OVER,
    CALLBACK_LIVE,
    CallbackEnd,
    CallbackStatus,
    CallMomentKind,
    CallParty,
    CallStatus,
    InteractionStatus,
    TimelineKind,
)
from inbox.models import Call, Callback, Interaction, TimelineEvent, VoiceLine
from inbox.policies import can_work
from inbox.selectors.callbacks import live_callback, phone_number_of, voice_line_for, why_not_called
from inbox.selectors.interactions import interactions_visible_to
from inbox.services import clocks
from inbox.services.interactions import locked, require, tell
from inbox.services.locks import hold_for_transaction
from inbox.services.text_back import write_text

B, S = CallbackStatus, InteractionStatus
FARTHEST = timedelta(days=90)


def locked_callback(callback_id: int) -> Callback:
    """The promise with its row locked until the caller's transaction ends. Raises DoesNotExist."""
    return Callback.objects.select_for_update(of=("self",)).get(pk=callback_id)


# ---- promised ----
def ask_callback(call: Call, interaction: Interaction, at: datetime) -> Callback:
    """Keep this caller's place, in the transaction that holds both rows. One that is arranged already comes forward."""
    hold_for_transaction("callback", interaction.contact_value)
    place_at = call.queued_at or at
    known = live_callback(interaction.contact_value)
    if known is None:
        return Callback.objects.create(
            interaction=interaction,
            channel_id=call.channel_id,
            queue_id=call.queue_id,
            number=interaction.contact_value,
            place_at=place_at,
            due_at=at,
        )
    callback = locked_callback(known.pk)
    callback.place_at, callback.due_at = min(callback.place_at, place_at), min(callback.due_at, at)
    if not callback.calls.exclude(status__in=CALL_OVER).exists():
        callback.interaction, callback.queue_id = interaction, call.queue_id
    callback.save()
    return callback


def schedule_callback(
    *, actor: User, interaction_id: int, due_at: datetime, owner: User, fallback_owner: User | None, purpose: str
) -> Callback:
    """Promise to call the person of a conversation at a time; the owner is asked first, then the fallback owner, then
    everybody of the queue.

    Raises Refused without a reason, number or line, for a time that has passed or is over 90 days away, for somebody
    who does not serve the queue, and for a person or a number that must not be called; Conflict when a call back to
    this number is arranged already.
    """
    with realtime.atomic():
        interaction, now = locked(interaction_id), timezone.now()
        require(can_work(actor, interaction), _("You may not work on this interaction."))
        require(bool(purpose.strip()), _("Say why you are calling."))
        require(now < due_at <= now + FARTHEST, _("Choose a time within the next 90 days."))
        number = phone_number_of(actor, interaction)
        why_not = why_not_called(actor, interaction.patient, number)
        require(not why_not, why_not)
        require(bool(number), _("There is no phone number."))
        channel = voice_line_for(actor)
        if channel is None:
            raise Refused(_("There is no line to call from."))
        for person in filter(None, (owner, fallback_owner)):
            serves = interactions_visible_to(person, unowned=True, entrusted=True).filter(pk=interaction.pk).exists()
            require(serves, _("%(name)s does not serve this queue.") % {"name": person})
        hold_for_transaction("callback", number)
        if live_callback(number) is not None:
            raise Conflict(_("A call back to this number is arranged already."))
        callback = Callback.objects.create(
            interaction=interaction,
            channel=channel,
            queue_id=interaction.queue_id,
            number=number,
            place_at=due_at,
            due_at=due_at,
            purpose=purpose.strip()[:240],
            owner=owner,
            fallback_owner=None if fallback_owner == owner else fallback_owner,
            arranged_by=actor,
        )
        _note(callback, interaction, actor, AuditAction.CREATED)
        return callback


def cancel_callback(*, actor: User, interaction_id: int) -> bool:
    """Call nobody back for this conversation any more; False when nothing was arranged.

    Raises Refused for a conversation the actor may not work on, Conflict while the person is being called.
    """
    with realtime.atomic():
        require(can_work(actor, locked(interaction_id)), _("You may not work on this interaction."))
        found = Callback.objects.filter(interaction=interaction_id, status__in=CALLBACK_LIVE).first()
        if found is None:
            return False
        if not end_callback(found.pk, CallbackEnd.STAFF, actor=actor):
            raise Conflict(_("The person is being called at this moment."))
        return True


def _note(callback: Callback, interaction: Interaction, actor: User | None, action: AuditAction) -> None:
    record(
        actor=actor,
        action=action,
        object_type="callback",
        object_id=callback.pk,
        patient_id=interaction.patient_id,
    )
    tell(interaction)


# ---- not needed any more ----
def end_callback(callback_id: int, why: CallbackEnd, *, actor: User | None = None) -> bool:
    """Cancel a promise that is not being kept at this moment, and the attempt that waits; False when one is under way.

    The conversation stays where it is. To be called in a transaction.
    """
    waiting = Call.objects.select_for_update(of=("self",)).filter(callback=callback_id, status=CallStatus.WAITING)
    call = waiting.first()
    interaction = locked(call.interaction_id) if call else None
    callback = locked_callback(callback_id)
    if callback.status != B.DUE or (call is not None and call.claimed_at is not None):
        return False
    now = timezone.now()
    callback.cancel(why, now)
    callback.save()
    if call is not None:
        person = call.offered_to_id
        call.fail(now, CallParty.SYSTEM)
        call.save()
        realtime.touch(realtime.queue_topic(call.queue_id), *([realtime.agent_topic(person)] if person else []))
    _note(callback, interaction or callback.interaction, actor, AuditAction.CANCELLED)
    return True


def take_place_of_callback(call: Call, interaction: Interaction, at: datetime) -> None:
    """Somebody who is to be called back calls again: this call has the place, and the promise ends.

    What was arranged for a later time stays. In the transaction that holds both rows; changes them, saves neither.
    """
    known = live_callback(interaction.contact_value) if interaction.contact_value else None
    if known is None or (known.arranged_by_id and known.due_at > at) or known.interaction_id == interaction.pk:
        return
    if not end_callback(known.pk, CallbackEnd.CALLED_AGAIN):
        return
    if known.queue_id == call.queue_id:
        call.queued_at = min(call.queued_at or at, known.place_at)
    earlier = locked(known.interaction_id)
    if earlier.status == S.QUEUED:
        earlier.abandon()
        earlier.waiting_since_at, earlier.snippet = None, _("Called again")
        clocks.settle(earlier)
        earlier.save()
        TimelineEvent.objects.create(interaction=earlier, kind=TimelineKind.ABANDONED, at=at)
        tell(earlier)


# ---- kept or not ----
def is_attempt(call: Call) -> bool:
    """This call keeps a promise that is still open: when it fails there is no wrap-up, for it is tried again."""
    return call.callback_id is not None and Callback.objects.filter(pk=call.callback_id, status=B.ATTEMPTING).exists()


def follow_call(call: Call, interaction: Interaction, at: datetime, *, is_counted: bool = True) -> None:
    """Let the promise know what came of its attempt, in the transaction that holds both rows; saves neither.

    `is_counted` is False for what failed on our side. Told twice it is once; a late word of an earlier attempt is none.
    """
    if call.callback_id is None:
        return
    callback = locked_callback(call.callback_id)
    if callback.status != B.ATTEMPTING or callback.calls.filter(pk__gt=call.pk).exists():
        return
    is_machine = call.answered_at is not None and call.moments.filter(kind=CallMomentKind.MACHINE).exists()
    if call.answered_at is not None and not is_machine:
        callback.reach(at)
        callback.save()
    elif call.status == CallStatus.FAILED or (is_machine and call.is_over):
        _not_reached(callback, call, interaction, at, is_counted=is_counted)


def reopen_callback(call: Call) -> None:
    """A machine answered this call: the promise is open again, unless the person has been promised another call since.

    In the transaction that holds the call's row; `follow_call` does the rest when the call ends.
    """
    if call.callback_id is None:
        return
    callback = locked_callback(call.callback_id)
    hold_for_transaction("callback", callback.number)
    if callback.status == B.CONNECTED and live_callback(callback.number) is None:
        callback.reopen()
        callback.save()


def _not_reached(callback: Callback, call: Call, interaction: Interaction, at: datetime, *, is_counted: bool) -> None:
    if interaction.status in (S.ACTIVE, S.WRAP_UP, S.SNOOZED):
        interaction.return_to_queue()
        TimelineEvent.objects.create(
            interaction=interaction, kind=TimelineKind.RETURNED, at=at, to_queue_id=interaction.queue_id
        )
    interaction.waiting_since_at = interaction.waiting_since_at or callback.place_at
    line = VoiceLine.objects.filter(channel=callback.channel_id).first() or VoiceLine()
    if not is_counted:
        callback.retry(at, is_counted=False)
    elif callback.attempts < line.callback_attempts:
        callback.retry(at + timedelta(minutes=line.callback_gap_minutes))
        again = moment_words(callback.due_at, "time")
        interaction.snippet = _("Not reached; we call again at %(time)s") % {"time": again}
    else:
        callback.give_up(at)
        interaction.snippet = _("Not reached in %(count)d calls; decide what to do") % {"count": callback.attempts}
        with transaction.atomic():
            write_text(
                call,
                interaction,
                gettext_noop("We called you back and could not reach you. Write here; a person will answer you."),
            )
    callback.save()
