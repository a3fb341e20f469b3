"""SMS and WhatsApp through Twilio."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cached_property, partial
from typing import Any, ClassVar
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from twilio.request_validator import RequestValidator, get_signature_algorithm

from inbox.adapters import media_fetch
from inbox.adapters.base import Adapter, Capability, FetchedMedia, SignatureError, UnparseablePayload
from inbox.adapters.events import (
    Address,
    DeliveryReport,
    DeliveryStatus,
    Event,
    InboundMessage,
    MediaRef,
    OutboundMessage,
    ProviderRecord,
    SendResult,
    TemplateRecord,
)
from inbox.adapters.twilio_errors import explain
from inbox.adapters.twilio_http import CONNECT_TIMEOUT_SECONDS, TwilioConfig, build_client, failures_explained
from inbox.adapters.twilio_words import (
    MAX_MEDIA,
    clean,
    read_address,
    read_channel,
    read_kind,
    read_mail_time,
    read_media,
    read_network_time,
)

STATUS_PATH = "/webhooks/twilio/message-status"
OUR_ID_PARAMETER = "message"
MAX_VALIDITY_SECONDS = 36_000
SEARCH_LIMIT = 400
_SID = re.compile(r"[A-Za-z0-9]{2,64}")
# Our clock and Twilio's differ; a message may seem to be made before we asked for it.
CLOCK_SLACK = timedelta(minutes=2)

STATUSES: dict[str, DeliveryStatus] = {
    "accepted": "queued",
    "scheduled": "queued",
    "queued": "queued",
    "sending": "sending",
    "sent": "sent",
    "partially_delivered": "sent",
    "delivered": "delivered",
    "read": "read",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}


class TwilioMessagingAdapter(Adapter):
    """Twilio Programmable Messaging: SMS, MMS and WhatsApp on one account."""

    key: ClassVar[str] = "twilio_messaging"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {"receive", "send", "media", "templates", "delivery_reports", "list_messages"}
    )

    def __init__(self, config: TwilioConfig) -> None:
        self.config = config
        self._validator = RequestValidator(config.auth_token)
        self._api = urlsplit(config.api_base_url)

    @cached_property
    def _connection(self) -> Any:
        return build_client(self.config)

    def verify(self, request_url: str, headers: Mapping[str, str], body: bytes, params: Mapping[str, Any]) -> None:
        """See Adapter.verify. The account named in the parameters must be ours as well."""
        lowered = {name.lower(): value for name, value in headers.items()}
        signature = lowered.get("x-twilio-signature", "")
        algorithm = get_signature_algorithm(lowered.get("x-twilio-webhooks-signature-settings", ""))
        url = self._signed_url(request_url)
        signed = params if params or "bodySHA256" not in url else body.decode("utf-8", "replace")
        if not signature or not self._validator.validate(url, signed, signature, algorithm):
            raise SignatureError("The signature does not match.")
        if params.get("AccountSid") != self.config.account_sid:
            raise SignatureError("The request names another account.")

    def _signed_url(self, request_url: str) -> str:
        public, asked = urlsplit(self.config.public_base_url), urlsplit(request_url)
        return urlunsplit((public.scheme, public.netloc, asked.path, asked.query, ""))

    def parse(self, payload: Mapping[str, Any]) -> list[Event]:
        """See Adapter.parse. `payload` is the form of the request with its query parameters beside it."""
        words = {clean(name): clean(value) for name, value in payload.items()}
        external_id = words.get("MessageSid") or words.get("SmsSid") or words.get("SmsMessageSid") or ""
        if not _SID.fullmatch(external_id):
            raise UnparseablePayload("There is no message id.")
        if words.get("MessageStatus"):
            return [self._report(external_id, words)]
        status = words.get("SmsStatus", "received")
        if status in ("received", "receiving"):
            return [self._inbound(external_id, words)]
        if status in STATUSES:
            return [self._report(external_id, {**words, "MessageStatus": status})]
        raise UnparseablePayload(f"The event {status[:40]!r} is not known.")

    def _report(self, external_id: str, words: dict[str, str]) -> DeliveryReport:
        status = STATUSES.get(words["MessageStatus"])
        if status is None:
            raise UnparseablePayload(f"The status {words['MessageStatus'][:40]!r} is not known.")
        code = words.get("ErrorCode") or None
        explanation = explain(code, words.get("ErrorMessage") or None) if status == "failed" else None
        return DeliveryReport(
            provider=self.key,
            external_id=external_id,
            status=status,
            error_code=code,
            error_text=explanation.sentence if explanation else None,
            reason=explanation.reason if explanation else None,
            occurred_at=read_network_time(words.get("RawDlrDoneDate")),
            our_id=words.get(OUR_ID_PARAMETER) or None,
            recipient=read_address(words.get("To", "")),
            raw=words,
        )

    def _inbound(self, external_id: str, words: dict[str, str]) -> InboundMessage:
        kind, extras = read_kind(words)
        text = words.get("Body", "")
        if kind in ("button", "list_reply"):
            text = text or extras["title"]
        return InboundMessage(
            provider=self.key,
            external_id=external_id,
            channel_kind=read_channel(words.get("From", ""), words.get("To", "")),
            sender=read_address(words.get("From", "")),
            recipient=read_address(words.get("To", "")),
            kind=kind,
            text=text,
            media=read_media(words),
            payload=extras,
            in_reply_to=words.get("OriginalRepliedMessageSid") or None,
            sender_name=words.get("ProfileName") or words.get("ProfileUsername") or None,
            occurred_at=read_mail_time(words.get("DateSent")),
            raw=words,
        )

    def send(self, outbound: OutboundMessage) -> SendResult:
        """See Adapter.send."""
        client, http = self._connection
        with failures_explained(http):
            message = client.messages.create(**self._request(outbound))
            if not message.sid:
                raise ValueError("An accepted message has an id")
            return SendResult(message.sid, STATUSES.get(str(message.status), "queued"), _facts(message))

    def _request(self, outbound: OutboundMessage) -> dict[str, Any]:
        callback = outbound.status_callback_url or (
            f"{self.config.public_base_url.rstrip('/')}{STATUS_PATH}?{OUR_ID_PARAMETER}={quote(outbound.our_id)}"
        )
        request: dict[str, Any] = {"to": _written(outbound, outbound.recipient), "status_callback": callback}
        if outbound.sender.value.startswith("MG"):
            request["messaging_service_sid"] = outbound.sender.value
        else:
            request["from_"] = _written(outbound, outbound.sender)
        if outbound.template_sid:
            request["content_sid"] = outbound.template_sid
            if outbound.template_variables:
                request["content_variables"] = json.dumps(outbound.template_variables, ensure_ascii=False)
        else:
            request["body"] = outbound.text
        if outbound.media_urls:
            request["media_url"] = list(outbound.media_urls)
        if outbound.validity_seconds is not None:
            request["validity_period"] = max(1, min(outbound.validity_seconds, MAX_VALIDITY_SECONDS))
        return request

    def list_messages(self, since: datetime, until: datetime) -> Iterator[ProviderRecord]:
        """See Adapter.list_messages. Reads page by page; the list may grow meanwhile without a gap."""
        client, http = self._connection
        with failures_explained(http):
            found = client.messages.stream(
                date_sent_after=since.astimezone(UTC), date_sent_before=until.astimezone(UTC), page_size=200
            )
            for message in found:
                yield self._record(message)

    def _record(self, message: Any) -> ProviderRecord:
        is_inbound = message.direction == "inbound"
        sender, recipient = message.from_ or "", message.to or ""
        return ProviderRecord(
            external_id=message.sid,
            direction="inbound" if is_inbound else "outbound",
            channel_kind=read_channel(sender, recipient),
            sender=read_address(sender),
            recipient=read_address(recipient),
            status="received" if is_inbound else STATUSES.get(str(message.status), "queued"),
            occurred_at=message.date_sent or message.date_created,
            error_code=None if message.error_code is None else str(message.error_code),
            payload=_Webhook(partial(self._as_webhook, message)) if is_inbound else None,
            raw=_facts(message),
        )

    def _as_webhook(self, message: Any) -> dict[str, str]:
        number = int(message.num_media or 0)
        words = {
            "MessageSid": message.sid,
            "AccountSid": message.account_sid,
            "From": message.from_ or "",
            "To": message.to or "",
            "Body": message.body or "",
            "NumMedia": str(number),
            "SmsStatus": "received",
        }
        if message.date_sent:
            words["DateSent"] = format_datetime(message.date_sent)
        for index, item in enumerate(self._media_of(message) if number else []):
            words[f"MediaUrl{index}"] = f"https://api.twilio.com{item.uri.removesuffix('.json')}"
            words[f"MediaContentType{index}"] = item.content_type or ""
        return words

    def _media_of(self, message: Any) -> list[Any]:
        _client, http = self._connection
        with failures_explained(http):
            return list(message.media.list(limit=MAX_MEDIA))

    def find_sent(
        self, outbound: OutboundMessage, since: datetime, exclude_ids: Collection[str] = ()
    ) -> SendResult | None:
        """See Adapter.find_sent.

        Twilio's list does not show our id, so a message is ours when recipient, sender, text and time fit
        and no other message of ours has its id. The list is not filtered by time because a message that is
        still queued at Twilio has no sending time yet.
        """
        client, http = self._connection
        wanted: dict[str, Any] = {"to": _written(outbound, outbound.recipient), "limit": SEARCH_LIMIT, "page_size": 50}
        if not outbound.sender.value.startswith("MG"):
            wanted["from_"] = _written(outbound, outbound.sender)
        earliest = since.astimezone(UTC) - CLOCK_SLACK
        oldest: Any = None
        with failures_explained(http):
            for message in client.messages.stream(**wanted):
                if message.date_created and message.date_created < earliest:
                    break
                if message.sid not in exclude_ids and message.direction != "inbound" and _same_text(outbound, message):
                    oldest = message
        if oldest is None:
            return None
        return SendResult(oldest.sid, STATUSES.get(str(oldest.status), "queued"), _facts(oldest))

    def list_templates(self) -> Iterator[TemplateRecord]:
        """See Adapter.list_templates."""
        client, http = self._connection
        with failures_explained(http):
            for content in client.content.v1.content_and_approvals.stream(page_size=100):
                yield _template(content)

    def fetch_media(self, ref: MediaRef, max_bytes: int) -> FetchedMedia:
        """See Adapter.fetch_media. Only Twilio's hosts and the configured one are asked."""
        return media_fetch.fetch(
            self._media_url(ref.url),
            max_bytes=max_bytes,
            is_allowed=lambda url: self._is_api(url) or _is_twilio_media(url),
            is_trusted=self._is_api,
            auth=(self.config.account_sid, self.config.auth_token),
            timeout=(CONNECT_TIMEOUT_SECONDS, self.config.timeout_seconds),
        )

    def _media_url(self, url: str) -> str:
        """The address under the configured base, where one other than Twilio's own is configured."""
        try:
            parts = urlsplit(url)
        except ValueError:
            return url
        if parts.hostname != "api.twilio.com" or (self._api.hostname or "").endswith("twilio.com"):
            return url
        return urlunsplit((self._api.scheme, self._api.netloc, parts.path, parts.query, ""))

    def _is_api(self, url: SplitResult) -> bool:
        return (url.scheme, url.netloc) == (self._api.scheme, self._api.netloc)


class _Webhook(Mapping[str, str]):
    """The words a listed message would have come with; its files cost a request, which waits until they are read."""

    def __init__(self, read: Callable[[], dict[str, str]]) -> None:
        self._read = read

    @cached_property
    def _words(self) -> dict[str, str]:
        return self._read()

    def __getitem__(self, name: str) -> str:
        return self._words[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __len__(self) -> int:
        return len(self._words)


def _written(outbound: OutboundMessage, address: Address) -> str:
    return f"whatsapp:{address.value}" if outbound.channel_kind == "whatsapp" else address.value


def _is_twilio_media(url: SplitResult) -> bool:
    host = url.hostname or ""
    return (host == "api.twilio.com" or host.endswith(".twiliocdn.com")) and url.port in (None, 443)


def _same_text(outbound: OutboundMessage, message: Any) -> bool:
    """Whether it is our text. Twilio's smart encoding rewrites quotes, dashes, dots and spaces, never letters."""
    ours, theirs = outbound.text, message.body or ""
    if outbound.media_urls and (int(message.num_media or 0) != len(outbound.media_urls) or bool(ours) != bool(theirs)):
        return False
    return not ours or theirs.split() == ours.split() or "" != _letters(ours) == _letters(theirs)


def _letters(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", text).casefold() if char.isalnum())


def _facts(message: Any) -> dict[str, Any]:
    return {
        "sid": message.sid,
        "status": str(message.status),
        "error_code": message.error_code,
        "num_segments": message.num_segments,
        "date_created": message.date_created.isoformat() if message.date_created else None,
    }


def _template(content: Any) -> TemplateRecord:
    types: dict[str, Any] = content.types or {}
    first = next((shape for shape in types.values() if isinstance(shape, dict) and shape.get("body")), {})
    approval = content.approval_requests or {}
    return TemplateRecord(
        external_id=content.sid,
        name=approval.get("name") or content.friendly_name or content.sid,
        language=content.language or "",
        body=str(first.get("body", "")),
        variables={str(name): str(sample) for name, sample in (content.variables or {}).items()},
        buttons=tuple(str(action.get("title", "")) for action in first.get("actions", [])),
        is_approved=approval.get("status") == "approved",
        status=approval.get("status") or "unsubmitted",
        category=approval.get("category") or None,
    )
