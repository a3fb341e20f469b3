"""A reply that did not arrive is no answer: the patient waits again, and somebody sees it."""

from django.db.models import Q
from django.utils import timezone

from inbox import realtime
from inbox.enums import DONE, InteractionStatus, MessagePurpose, MessageStatus, TimelineKind
from inbox.models import Interaction, Message, TimelineEvent
from inbox.services.alerts import tell_of_setback
from inbox.services.departures import held_where_it_goes_on


def note_setback(message: Message) -> None:
    """After a reply failed or was suppressed: the clock runs again, and a closed interaction is queued again.

    One that was merged goes on in its target, so it is the target's clock, and the target that opens. Call it with
    the message's row locked, in its transaction; any other message is left alone.
    """
    is_reply = message.purpose == MessagePurpose.REPLY
    if not is_reply or message.status not in (MessageStatus.FAILED, MessageStatus.SUPPRESSED):
        return
    interaction = held_where_it_goes_on(message.interaction_id)
    tell_of_setback(message, interaction)
    if interaction.status == InteractionStatus.ABANDONED:
        return
    interaction.waiting_since_at = interaction.waiting_since_at or interaction.last_inbound_at or timezone.now()
    if interaction.status == InteractionStatus.CLOSED and not _goes_on(interaction):
        interaction.reopen()
        TimelineEvent.objects.create(
            interaction=interaction, kind=TimelineKind.REOPENED, to_queue_id=interaction.queue_id
        )
    interaction.save()
    owner = [realtime.agent_topic(interaction.owner_id)] if interaction.owner_id else []
    realtime.touch(realtime.interaction_topic(interaction.pk), realtime.queue_topic(interaction.queue_id), *owner)


def _goes_on(interaction: Interaction) -> bool:
    same = Interaction.objects.filter(channel_id=interaction.channel_id, thread_key=interaction.thread_key)
    return same.filter(Q(pk__gt=interaction.pk) | ~Q(status__in=DONE)).exclude(pk=interaction.pk).exists()
