"""A voicemail is a message of the caller: work with the same promises as the call, its sound a file of that message."""

from datetime import datetime

from django.utils.translation import gettext as _

from contact_center.common.wake import wake_on_commit
from inbox import signals
from inbox.enums import Direction, MessageKind, MessageStatus
from inbox.models import Attachment, Call, Interaction, Message
from inbox.services.attachments import FETCH_QUEUE, FETCH_TASK


def keep_voicemail(call: Call, interaction: Interaction, *, url: str, external_id: str, at: datetime) -> Message:
    """The message with its sound, which is fetched after commit; in the transaction of what tells of it."""
    message: Message = Message.objects.create(
        interaction=interaction,
        channel_id=call.channel_id,
        channel_kind=interaction.channel_kind,
        direction=Direction.INBOUND,
        kind=MessageKind.MEDIA,
        status=MessageStatus.RECEIVED,
        address_scheme=interaction.contact_scheme,
        address=interaction.contact_value,
        occurred_at=at,
        provider=call.provider,
        external_id=external_id[:254],
    )
    Attachment.objects.create(
        message=message, name=_("Voicemail"), content_type="audio/mpeg", source_url=f"{url}.mp3"[:500]
    )
    interaction.last_message_at = max(interaction.last_message_at, at)
    interaction.last_inbound_at = max(interaction.last_inbound_at or at, at)
    wake_on_commit(FETCH_TASK, FETCH_QUEUE)
    signals.announce(signals.message_received, message_id=message.pk, interaction_id=interaction.pk)
    return message
