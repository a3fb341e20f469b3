"""What an adapter is given to send: the words that leave, the files, and where answers come to."""

from typing import Any, cast

from inbox.adapters import events
from inbox.adapters.events import Address, OutboundFile, OutboundMessage
from inbox.enclosures import enclosed_with
from inbox.enums import ChannelKind
from inbox.models import Message
from inbox.selectors.uploads import files_of, public_address
from inbox.services import providers
from inbox.services.disclosure import subject_that_leaves, words_that_leave


def outbound_of(message: Message) -> OutboundMessage:
    """The message as adapters want it."""
    return OutboundMessage(
        our_id=str(message.public_id),
        channel_kind=cast("events.ChannelKind", message.channel_kind),
        sender=Address("email" if message.channel_kind == "email" else "phone", message.channel.address, ""),
        recipient=Address(message.address_scheme or "unknown", message.address, message.address),  # type: ignore[arg-type]
        text=words_that_leave(message),
        subject=subject_that_leaves(message) or None,
        html=(None if message.is_sensitive else message.html) or None,
        template_sid=message.template.external_id if message.template else None,
        template_variables=message.template_variables,
        in_reply_to=message.in_reply_to or None,
        references=tuple(message.references),
        cc=tuple(message.cc),
        **_files(message),
        is_automatic=message.author_id is None,
        headers=_mail_headers(message) if message.channel_kind == ChannelKind.EMAIL else {},
        idempotency_key=str(message.public_id),
    )


def _files(message: Message) -> dict[str, Any]:
    """Content for a mail, addresses to fetch it from for other providers. Raises FileNotFoundError."""
    if message.is_sensitive:
        return {}
    found = files_of(message)
    if message.channel_kind != ChannelKind.EMAIL:
        return {"media_urls": tuple(public_address(file) for file in found)}
    files = []
    for file in found:
        with file.file.open("rb") as content:
            files.append(OutboundFile(file.name, file.content_type, content.read()))
    return {"files": (*files, *enclosed_with(message.pk, message.payload))}


def _mail_headers(message: Message) -> dict[str, str]:
    """Answers come to an address that names the interaction, for mail programs that drop References."""
    return {"Reply-To": providers.reply_address(message.channel.address, message.interaction_id)}
