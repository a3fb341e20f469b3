"""A text message to whoever could not be talked to."""

from django.utils import translation
from django.utils.translation import gettext as _

from inbox.enums import ChannelKind, MessagePurpose
from inbox.models import Call, Channel, Interaction
from inbox.services.outbox import enqueue


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
