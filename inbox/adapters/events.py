"""What adapters hand to the rest of the house, and what they are handed, in our words only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

AddressScheme = Literal["phone", "whatsapp_user_id", "email", "withheld", "unknown"]
ChannelKind = Literal["sms", "whatsapp", "email", "form", "webchat", "voice"]
DeliveryStatus = Literal["queued", "sending", "sent", "delivered", "read", "failed"]
FailureReason = Literal[
    "opted_out",
    "window_closed",
    "bad_address",
    "unreachable",
    "not_mobile",
    "blocked",
    "content_refused",
    "bad_template",
    "rate_limited",
    "provider_down",
    "not_authorised",
    "expired",
    "unknown",
]
Direction = Literal["inbound", "outbound"]
MessageKind = Literal[
    "text",
    "media",
    "location",
    "contacts",
    "button",
    "list_reply",
    "reaction",
    "deleted",
    "unsupported",
]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message comes from or goes to.

    `value` is normalised within its scheme: E.164 for `phone`, lower-case for `email`, as given for
    `whatsapp_user_id`. `withheld` says that the sender hid the address (`value` is empty); `unknown` is
    an address that names nobody we could match, such as a short code or an alphanumeric sender.
    `raw` is what the provider wrote and is what a reply must be sent to.
    """

    scheme: AddressScheme
    value: str
    raw: str


@dataclass(frozen=True, slots=True)
class MediaRef:
    """An attachment that is still with the provider. `size` is in bytes where the provider says it."""

    url: str
    content_type: str | None = None
    name: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class InboundFile:
    """An attachment that came inside the payload. `name` is what the sender called it; never a path of ours."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One message from a person. `external_id` is the provider's, unique within `provider`.

    `payload` holds what the kind carries beside text, in these keys only: `latitude`, `longitude`,
    `label`, `address` (location); `id`, `title`, `description` (button, list_reply); `emoji`,
    `target_external_id` (reaction, deleted); `contacts` (contacts); `provider_type` (unsupported).
    Mail adds `recipients` (every address of ours or others it was sent to), `cc`, `reply_to` (where else the
    sender asks for answers, to be shown), `quoted_text` (the folded
    rest of the text), `interaction_id` (from a verified reply token), `is_auto_reply`, and `loop` (true for
    mail that we must neither answer nor file, such as our own coming back).
    `files` are attachments that came with the payload itself; `media` still lie with the provider.
    `whatsapp_user_id` is kept there too when the sender's phone number is known as well.
    `raw` is the provider's own payload, kept for quarantine and audit; no code outside reads it.
    """

    provider: str
    external_id: str
    channel_kind: ChannelKind
    sender: Address
    recipient: Address
    kind: MessageKind
    text: str = ""
    subject: str | None = None
    html: str | None = None
    media: tuple[MediaRef, ...] = ()
    files: tuple[InboundFile, ...] = ()
    payload: dict[str, Any] = field(default_factory=dict)
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    sender_name: str | None = None
    occurred_at: datetime | None = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What became of a message we sent. Reports come late, twice and in any order.

    `our_id` is the id of our message when the report carries it; `error_text` is a sentence for staff and
    `reason` what code may branch on (None unless the status is failed).
    """

    provider: str
    external_id: str
    status: DeliveryStatus
    error_code: str | None = None
    error_text: str | None = None
    reason: FailureReason | None = None
    occurred_at: datetime | None = None
    our_id: str | None = None
    recipient: Address | None = None
    raw: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallEvent:
    """One step in the life of a phone call."""

    provider: str
    external_id: str
    event: str
    sender: Address
    recipient: Address
    occurred_at: datetime | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    raw: dict[str, Any] = field(default_factory=dict)


Event = InboundMessage | DeliveryReport | CallEvent


@dataclass(frozen=True, slots=True)
class OutboundFile:
    """A file that leaves with a mail."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """One message to send. `our_id` identifies it for good; a second attempt carries the same id.

    With `template_sid` the provider renders the approved template and `text` is our own rendering of it,
    kept for the record and for finding the message again. `validity_seconds` is how long the provider may
    try before giving up. `media_urls` are addresses where the provider
    fetches files (SMS, WhatsApp), `files` their content (e-mail). `headers` are extra mail headers, `cc` more
    recipients (e-mail only). `is_automatic` marks what no person wrote.
    """

    our_id: str
    channel_kind: ChannelKind
    sender: Address
    recipient: Address
    text: str = ""
    subject: str | None = None
    html: str | None = None
    media_urls: tuple[str, ...] = ()
    files: tuple[OutboundFile, ...] = ()
    template_sid: str | None = None
    template_variables: dict[str, str] = field(default_factory=dict)
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    status_callback_url: str | None = None
    idempotency_key: str | None = None
    validity_seconds: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cc: tuple[str, ...] = ()
    is_automatic: bool = False


@dataclass(frozen=True, slots=True)
class SendResult:
    """The provider has taken the message and knows it as `external_id`."""

    external_id: str
    status: DeliveryStatus
    raw: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProviderRecord:
    """One row of the provider's own list, for reconciliation.

    For an inbound row `payload` is in the shape of the provider's webhook, so that a message that never
    reached us can go through `Adapter.parse` like any other; for an outbound row it is None. Reading it may ask the
    provider once more (AdapterError), so read it only where it is needed.
    """

    external_id: str
    direction: Direction
    channel_kind: ChannelKind
    sender: Address
    recipient: Address
    status: str
    occurred_at: datetime | None
    error_code: str | None = None
    payload: Mapping[str, Any] | None = None
    raw: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TemplateRecord:
    """A message template as the provider holds it.

    `variables` maps each placeholder of `body` to its sample value. `is_approved` says that it may be sent
    outside the 24-hour window; `status` is the provider's word for it, shown to staff only.
    """

    external_id: str
    name: str
    language: str
    body: str
    variables: dict[str, str]
    buttons: tuple[str, ...]
    is_approved: bool
    status: str
    category: str | None = None
