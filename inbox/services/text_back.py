"""A text message to whoever could not be talked to."""

from datetime import timedelta

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from inbox.enums import ChannelKind, MessagePurpose
from inbox.models import Call, Channel, Interaction, VoiceLine
from inbox.selectors.callbacks import is_past
from inbox.services.outbox import enqueue

SHORT = timedelta(seconds=5)
"""Whoever hangs up sooner has dialled the wrong number."""


def write_text(call: Call, interaction: Interaction, text: str) -> None:
    """Leave this text, a msgid, in the outbox in the caller's language, once per call; without SMS channel nothing."""
    channel = Channel.objects.filter(kind=ChannelKind.SMS, is_active=True).order_by("pk").first()
    if channel is None:
        return
    with translation.override(call.language or "en"):
        enqueue(
            interaction=interaction,
            text=_(text),
            author=None,
            purpose=MessagePurpose.RECEIPT,
            channel=channel,
            idempotency_key=f"text-{call.pk}",
        )


def text_whoever_gave_up(call: Call, interaction: Interaction) -> None:
    """Offer to go on in writing to whoever has just hung up waiting, where the line does so and a number is known."""
    if call.queued_at is None or call.ended_at is None or call.ended_at - call.queued_at < SHORT:
        return
    does_so = interaction.contact_value and VoiceLine.objects.filter(channel=call.channel_id, texts_back=True).exists()
    if does_so and not is_past(interaction, call.ended_at):
        write_text(
            call,
            interaction,
            gettext_noop(
                "We are sorry that we could not take your call. Write here what it is about; a person will answer you."
            ),
        )
