"""Reading the words of Twilio's webhooks into ours."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from inbox.adapters.base import UnparseablePayload
from inbox.adapters.events import Address, ChannelKind, MediaRef, MessageKind

MAX_MEDIA = 10
VOICE_PATH = "/webhooks/twilio/voice"
VOICE_STATUS_PATH = "/webhooks/twilio/voice-status"
GONE = frozenset({"20404", "21220"})  # what was asked about, or the call itself, has ended
# What Twilio writes for people who hide their number: ANONYMOUS, BLOCKED, UNKNOWN, RESTRICTED,
# UNAVAILABLE and PRIVATE as typed on a keypad, or the word itself.
WITHHELD = frozenset(
    {"+266696687", "+2562533", "+8656696", "+7378742833", "+86282452253", "+7748283"}
    | {"anonymous", "blocked", "unknown", "restricted", "unavailable", "private"}
)
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_BUSINESS_SCOPED_ID = re.compile(r"[A-Z]{2}\.[A-Za-z0-9.]{1,160}")
_CONTACT_CARDS = frozenset({"text/vcard", "text/x-vcard", "text/directory"})
_READABLE_TYPES = frozenset({"", "text", "image", "audio", "voice", "video", "document", "sticker", "interactive"})


def read_address(written: str) -> Address:
    """What Twilio writes as From or To, without its channel prefix."""
    value = written.strip().removeprefix("whatsapp:").strip()
    if not value or value.lower() in WITHHELD:
        return Address("withheld", "", written)
    if _E164.fullmatch(value):
        return Address("phone", value, written)
    if written.startswith("whatsapp:") and _BUSINESS_SCOPED_ID.fullmatch(value):
        return Address("whatsapp_user_id", value, written)
    return Address("unknown", value[:255], written[:300])


def read_channel(sender: str, recipient: str) -> ChannelKind:
    """SMS or WhatsApp, by the prefixes Twilio writes. Raises UnparseablePayload for any other channel."""
    prefixes = {written.partition(":")[0] if ":" in written else "" for written in (sender, recipient)}
    foreign = prefixes - {"", "whatsapp"}
    if foreign:
        raise UnparseablePayload(f"The channel {min(foreign)[:40]!r} is not known.")
    return "whatsapp" if "whatsapp" in prefixes else "sms"


def read_kind(words: dict[str, str]) -> tuple[MessageKind, dict[str, Any]]:
    """What sort of message this is, and what it carries beside text (see InboundMessage.payload)."""
    extras: dict[str, Any] = {}
    if words.get("ExternalUserId"):
        extras["whatsapp_user_id"] = words["ExternalUserId"].removeprefix("whatsapp:")
    kind = _kind(words, extras)
    return kind, extras


def _kind(words: dict[str, str], extras: dict[str, Any]) -> MessageKind:
    sent_as = words.get("MessageType", "").lower()
    if sent_as in ("reaction", "deleted", "revoked", "revoke"):
        extras["target_external_id"] = words.get("OriginalRepliedMessageSid", "")
        if sent_as == "reaction":
            extras["emoji"] = words.get("ReactionEmoji") or words.get("Body", "")
        return "reaction" if sent_as == "reaction" else "deleted"
    if words.get("Latitude") or words.get("Longitude"):
        return _place(words, extras)
    if words.get("ListId") or words.get("ListTitle"):
        title = words.get("ListTitle") or words.get("Body", "")
        extras.update(id=words.get("ListId", ""), title=title, description=words.get("ListDescription", ""))
        return "list_reply"
    if words.get("ButtonText") or words.get("ButtonPayload"):
        extras.update(id=words.get("ButtonPayload", ""), title=words.get("ButtonText") or words.get("Body", ""))
        return "button"
    media = read_media(words)
    if media:
        return "contacts" if all(item.content_type in _CONTACT_CARDS for item in media) else "media"
    if sent_as in _READABLE_TYPES:
        return "text"
    extras["provider_type"] = sent_as[:60]
    return "unsupported"


def _place(words: dict[str, str], extras: dict[str, Any]) -> MessageKind:
    try:
        latitude, longitude = float(words["Latitude"]), float(words["Longitude"])
    except (KeyError, ValueError):
        latitude = longitude = math.nan
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        extras["provider_type"] = "location"
        return "unsupported"
    label, address = words.get("Label", ""), words.get("Address", "")
    extras.update(latitude=latitude, longitude=longitude, label=label, address=address)
    return "location"


def read_media(words: dict[str, str]) -> tuple[MediaRef, ...]:
    """The attachments. Raises UnparseablePayload when their number or an address is missing or senseless."""
    number = words.get("NumMedia") or "0"
    if not (number.isascii() and number.isdigit() and len(number) <= 2):
        raise UnparseablePayload("The number of attachments cannot be read.")
    found = []
    for index in range(min(int(number), MAX_MEDIA)):
        url = words.get(f"MediaUrl{index}")
        if not url:
            raise UnparseablePayload(f"Attachment {index + 1} of {number} has no address.")
        found.append(MediaRef(url, (words.get(f"MediaContentType{index}") or "").lower() or None))
    return tuple(found)


def clean(value: object) -> str:
    """Text that every later step can store: no NUL, no half characters."""
    if isinstance(value, (list, tuple)):
        value = value[-1] if value else ""
    text = "" if value is None else str(value)
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def read_mail_time(written: str | None) -> datetime | None:
    """A moment written as in mail headers, or None."""
    try:
        moment = parsedate_to_datetime(written or "")
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_network_time(written: str | None) -> datetime | None:
    """The network's own time of delivery: two digits each of year, month, day, hour, minute, in UTC."""
    try:
        return datetime.strptime(written or "", "%y%m%d%H%M").replace(tzinfo=UTC)
    except ValueError:
        return None
