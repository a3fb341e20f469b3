"""Brings promised calls back to their turn: each becomes a call of ours that waits where the caller stood."""

from datetime import datetime
from uuid import uuid4

from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import realtime
from inbox.enums import (
    CALL_OVER,
    CallbackEnd,
    CallbackStatus,
    CallMomentKind,
    Direction,
    InteractionStatus,
    TimelineKind,
)
from inbox.models import Call, Callback, Interaction, TimelineEvent
from inbox.selectors.callbacks import must_not_be_called
from inbox.selectors.dialling import why_not_dialled
from inbox.selectors.hours import standing_of_queue
from inbox.services import clocks
from inbox.services.call_rows import note, show
from inbox.services.callbacks import end_callback, locked_callback
from inbox.services.calls import case_of_thread
from inbox.services.interactions import locked

MOST = 200


def bring_due(now: datetime | None = None) -> int:
    """Let every promise whose time has come and whose queue is served wait for somebody; returns how many began to."""
    now = now or timezone.now()
    live = Call.objects.filter(callback__isnull=False).exclude(status__in=CALL_OVER).values("callback_id")
    due = Callback.objects.filter(status=CallbackStatus.DUE, due_at__lte=now).exclude(pk__in=live)
    rows = due.order_by("place_at", "pk").values_list("pk", "interaction_id", "queue_id")[:MOST]
    return sum(_bring(pk, interaction, now) for pk, interaction, queue in rows if standing_of_queue(queue, now).is_open)


def _bring(callback_id: int, interaction_id: int, now: datetime) -> bool:
    with realtime.atomic():
        interaction = locked(interaction_id)
        callback = locked_callback(callback_id)
        has_live = callback.calls.exclude(status__in=CALL_OVER).exists()
        is_due = callback.status == CallbackStatus.DUE and callback.due_at <= now
        if has_live or not is_due or callback.interaction_id != interaction_id:
            return False
        is_arranged = callback.arranged_by_id is not None and callback.attempts == 0 and callback.calls.count() == 0
        is_asked_for = callback.arranged_by_id is None
        is_unwanted = must_not_be_called(interaction.patient, callback.number, is_asked_for=is_asked_for)
        if is_unwanted or why_not_dialled(callback.number):
            end_callback(callback_id, CallbackEnd.FORBIDDEN)
            return False
        if is_arranged:
            interaction = callback.interaction = _conversation(callback, interaction, now)
            callback.save()
        elif interaction.status not in (InteractionStatus.QUEUED, InteractionStatus.OFFERED):
            end_callback(callback_id, CallbackEnd.IN_HAND)
            return False
        call = Call(
            interaction=interaction,
            channel_id=callback.channel_id,
            queue_id=interaction.queue_id,
            direction=Direction.OUTBOUND,
            language=interaction.language,
            purpose=callback.purpose,
            callback=callback,
            started_at=now,
            queued_at=callback.place_at,
        )
        call.wait(now)
        call.save()
        note(call, CallMomentKind.QUEUED, at=now)
        show(call, interaction)
        return True


def _conversation(callback: Callback, about: Interaction, now: datetime) -> Interaction:
    """A call that was arranged is a conversation of its own, on the same case."""
    patient_id = about.patient_id
    interaction = Interaction.objects.create(
        channel_id=callback.channel_id,
        channel_kind=callback.channel.kind,
        direction=Direction.OUTBOUND,
        thread_key=f"call:{uuid4().hex}",
        contact_scheme="phone",
        contact_value=callback.number,
        patient_id=patient_id,
        case_id=about.case_id or (case_of_thread(patient_id) if patient_id else None),
        queue_id=callback.queue_id,
        reason_id=about.reason_id,
        priority=about.priority,
        subject=callback.purpose,
        snippet=_("Call back arranged for now"),
        language=about.language,
        opened_at=now,
        last_message_at=now,
        waiting_since_at=callback.due_at,
    )
    TimelineEvent.objects.create(
        interaction=interaction, kind=TimelineKind.OPENED, at=now, to_queue_id=interaction.queue_id
    )
    clocks.settle(interaction)
    interaction.save()
    return interaction
