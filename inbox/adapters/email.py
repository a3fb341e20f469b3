"""E-mail in and out: raw mails become messages and delivery reports; messages leave by Django's mail settings."""

from __future__ import annotations

import hashlib
import re
import smtplib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any, ClassVar

from anymail.exceptions import AnymailError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.utils.translation import gettext_noop as _

from inbox.adapters.base import Adapter, AdapterError, Capability, SignatureError, UnparseablePayload
from inbox.adapters.email_errors import failure_reason, send_error, sentence_of, smtp_error
from inbox.adapters.email_tracking import PROVIDER, our_id_of, tracked
from inbox.adapters.events import (
    Address,
    DeliveryReport,
    DeliveryStatus,
    Event,
    InboundFile,
    InboundMessage,
    OutboundMessage,
    SendResult,
)
from inbox.mail import flags, loopguard, tokens
from inbox.mail.bounce import Bounce
from inbox.mail.bounce_reasons import BounceReason
from inbox.mail.headers import MailAddress
from inbox.mail.limits import DEFAULT_LIMITS, MailLimits, MailTooLarge
from inbox.mail.model import ParsedMail
from inbox.mail.parse import parse_mail

MAX_REFERENCES = 30
_LINE_BREAK = re.compile(r"[\r\n\x00\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_ADDRESS = re.compile(r"[^\s<>@,;:\"()\[\]\\]{1,64}@[^\s<>@,;:\"()\[\]\\]{1,253}")
_HEADER_NAME = re.compile(r"[!-9;-~]{1,76}")
_OWN_HEADERS = {"from", "to", "cc", "bcc", "subject", "date", "message-id", "in-reply-to", "references", "content-type"}


@dataclass(frozen=True, slots=True)
class EmailConfig:
    """Where mail leaves and whose it is. `backend` is a Django or anymail backend; `reply_key` signs reply tokens.

    `message_id_domain` stands in our Message-IDs; `from_name` is shown beside our mailboxes.
    `limits` bound what is read of one inbound mail.
    """

    backend: str
    message_id_domain: str
    reply_key: bytes
    from_name: str = ""
    limits: MailLimits = DEFAULT_LIMITS

    @classmethod
    def from_settings(cls, settings: Any) -> EmailConfig:
        """The configuration of this installation. The reply key is derived from SECRET_KEY, never the key itself."""
        name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
        key = hashlib.sha256(b"continuo.reply-token." + settings.SECRET_KEY.encode()).digest()
        limits = MailLimits(max_bytes=settings.MAX_INBOUND_BYTES)
        return cls(settings.EMAIL_BACKEND, address.rpartition("@")[2] or "localhost", key, name, limits)


class EmailAdapter(Adapter):
    """Mail over SMTP, IMAP and provider webhooks. What arrives is always a raw mail; what leaves keeps one
    Message-ID for every attempt, so that a mail sent twice by a crash is one mail for the receiver."""

    key: ClassVar[str] = PROVIDER
    capabilities: ClassVar[frozenset[Capability]] = frozenset({"receive", "send", "media", "delivery_reports"})

    def __init__(self, config: EmailConfig) -> None:
        self.config = config

    def verify(self, request_url: str, headers: Mapping[str, str], body: bytes, params: Mapping[str, Any]) -> None:
        """Always raises SignatureError: signatures of mail webhooks are checked by anymail's own views."""
        raise SignatureError("Mail webhooks are verified by their provider's view.")

    def parse(self, payload: Mapping[str, Any]) -> list[Event]:
        """See Adapter.parse. `payload` has `raw`, a mail's source as bytes or text, or `tracking`.

        `tracking` is what `tracking_payload` made of a provider's event.
        """
        if isinstance(tracking := payload.get("tracking"), Mapping):
            return tracked(tracking)
        raw = payload.get("raw")
        if isinstance(raw, str):
            raw = raw.encode("utf-8", "replace")
        if not isinstance(raw, bytes | bytearray | memoryview):
            raise UnparseablePayload("There is no mail in it.")
        try:
            mail = parse_mail(bytes(raw), self.config.limits)
        except MailTooLarge as error:
            raise UnparseablePayload(str(error)) from error
        if "unreadable" in mail.defects:
            raise UnparseablePayload("The mail cannot be read.")
        if mail.is_bounce:
            return [self._bounced(bounce, mail) for bounce in mail.bounces]
        if mail.sender is None or "@" not in mail.sender.address:
            raise UnparseablePayload("The mail has no sender.")
        return [self._inbound(mail)]

    def _inbound(self, mail: ParsedMail) -> InboundMessage:
        sender = mail.sender
        if sender is None:
            raise UnparseablePayload("The mail has no sender.")
        reached = list(dict.fromkeys([*mail.delivered_to, *(found.key for found in (*mail.to, *mail.cc))]))
        recipients = list(dict.fromkeys(loopguard.plain_address(address) for address in reached))
        recipient = recipients[0] if recipients else ""
        payload: dict[str, Any] = {
            "recipients": recipients[:100],
            "cc": [found.key for found in mail.cc][:100],
            "quoted_text": "\n\n".join(text for text in (mail.signature, mail.quoted_text) if text),
        }
        if (interaction_id := tokens.find_interaction(reached, self.config.reply_key)) is not None:
            payload["interaction_id"] = interaction_id
        if mail.is_auto_reply or mail.is_auto_generated:
            payload["is_auto_reply"] = True
        if loopguard.refusal(mail, recipients) is loopguard.NoReplyReason.NONE:
            payload["may_answer_itself"] = True
        writer = _writer(mail, recipients)
        asked = [found.key for found in loopguard.reply_recipients(mail, recipients).to if found.key != writer.key]
        if asked:
            payload["reply_to"] = asked[:5]
        if mail.loop_markers and loopguard.plain_address(sender.key) in recipients:
            payload["loop"] = True
        return InboundMessage(
            provider=PROVIDER,
            external_id=mail.message_id,
            channel_kind="email",
            sender=Address("email", writer.key, writer.address),
            recipient=Address("email", recipient, recipient),
            kind="text",
            text=mail.new_text,
            subject=mail.subject or None,
            html=mail.html or None,
            files=tuple(InboundFile(file.name, file.content_type, file.content) for file in mail.attachments),
            payload=payload,
            in_reply_to=mail.in_reply_to,
            references=mail.references,
            sender_name=writer.name or None,
            occurred_at=mail.date,
            headers=_kept_headers(mail),
        )

    def _bounced(self, bounce: Bounce, mail: ParsedMail) -> DeliveryReport:
        original = bounce.original_message_id or mail.in_reply_to or ""
        status: DeliveryStatus = "sent" if bounce.is_delay else "failed"
        if bounce.reason is BounceReason.COMPLAINT:
            status = "delivered"
        is_failed = status == "failed"
        return DeliveryReport(
            provider=PROVIDER,
            external_id=original,
            status=status,
            error_code=(bounce.status or bounce.reply_code or None) if is_failed else None,
            error_text=sentence_of(bounce) if is_failed else None,
            reason=failure_reason(bounce) if is_failed else None,
            occurred_at=mail.date,
            our_id=our_id_of(original),
            recipient=Address("email", bounce.recipient, bounce.recipient) if bounce.recipient else None,
            raw={"reason": str(bounce.reason), "is_hard": bounce.is_hard, "diagnostic": bounce.diagnostic},
        )

    def message_id(self, our_id: str) -> str:
        """Message-ID (no angle brackets) of one message of ours, the same for every attempt."""
        return f"m-{re.sub(r'[^0-9A-Za-z-]', '', our_id)[:64]}@{self.config.message_id_domain}"

    def send(self, outbound: OutboundMessage) -> SendResult:
        """See Adapter.send. Refuses line breaks in subject and addresses for good, before anything leaves."""
        mail = self._composed(outbound)
        message_id = self.message_id(outbound.our_id)
        connection = self._connected()
        try:
            mail.connection = connection
            sent = mail.send()
        except Exception as error:
            raise send_error(error) from error
        finally:
            _close(connection)
        if not sent:
            raise AdapterError(_("The mail was not sent."), permanent=True, code="not_sent")
        status = getattr(mail, "anymail_status", None)
        provider_id = str(getattr(status, "message_id", "") or "")
        return SendResult(
            external_id=message_id, status="sent", raw={"provider_id": provider_id} if provider_id else {}
        )

    def _connected(self) -> Any:
        """An open connection. A failure here means that nothing has left."""
        try:
            connection = get_connection(self.config.backend)
            connection.open()
        except smtplib.SMTPResponseException as error:
            raise smtp_error(error.smtp_code, error.smtp_error) from error
        except AnymailError as error:
            raise AdapterError(_("The mail provider is not set up."), permanent=False, code="not_configured") from error
        except (OSError, smtplib.SMTPException) as error:
            raise AdapterError(_("The mail server does not answer."), permanent=False, code="unreachable") from error
        return connection

    def _composed(self, outbound: OutboundMessage) -> EmailMultiAlternatives:
        sender = _safe_address(outbound.sender.value, "our mailbox")
        to = _safe_address(outbound.recipient.raw or outbound.recipient.value, "the recipient")
        cc = [_safe_address(address, "a copy recipient") for address in outbound.cc]
        subject = _safe_line(outbound.subject or "", "the subject")
        mail = EmailMultiAlternatives(
            subject=subject,
            body=outbound.text,
            from_email=f'"{_display(self.config.from_name)}" <{sender}>' if self.config.from_name else sender,
            to=[to],
            cc=cc,
            headers=self._headers(outbound, sender),
        )
        if outbound.html:
            mail.attach_alternative(outbound.html, "text/html")
        for file in outbound.files:
            mail.attach(_safe_line(file.name, "a file name"), file.content, _mail_type(file.content_type))
        if "anymail" in self.config.backend:
            mail.metadata = {"our_id": outbound.our_id}  # type: ignore[attr-defined]
        return mail

    def _headers(self, outbound: OutboundMessage, sender: str) -> dict[str, str]:
        headers: dict[str, str] = {}
        for name, value in outbound.headers.items():
            if not _HEADER_NAME.fullmatch(name) or name.lower() in _OWN_HEADERS:
                raise AdapterError(f"The header {name[:40]!r} may not be set.", permanent=True, code="header_refused")
            headers[name] = _safe_line(value, "a header")
        headers["Message-ID"] = f"<{self.message_id(outbound.our_id)}>"
        if outbound.in_reply_to:
            headers["In-Reply-To"] = f"<{_safe_id(outbound.in_reply_to)}>"
        chain = list(dict.fromkeys([*outbound.references, *([outbound.in_reply_to] if outbound.in_reply_to else [])]))
        if chain:
            # The first mail of a thread and the newest ones are what other programs thread by.
            kept = chain if len(chain) <= MAX_REFERENCES else [chain[0], *chain[-MAX_REFERENCES + 1 :]]
            headers["References"] = " ".join(f"<{_safe_id(known)}>" for known in kept)
        if outbound.is_automatic:
            headers |= loopguard.automatic_headers(sender)
        else:
            headers.setdefault(flags.LOOP_HEADER, sender)
        return headers


def _writer(mail: ParsedMail, recipients: list[str]) -> MailAddress:
    """The person behind a mail: Reply-To where From is a machine or the mailbox itself, as in mail of a website's form.

    Anybody else's answers go to From: a Reply-To that differs is only told, since a forged one would lead them away.
    """
    sender = mail.sender
    assert sender is not None
    if flags.is_robot_address(sender.key) or loopguard.plain_address(sender.key) in recipients:
        return next(iter(loopguard.reply_recipients(mail, recipients).to), sender)
    return sender


def raw_of_anymail_inbound(message: Any) -> bytes:
    """The mail source of an anymail inbound message, to be stored in the ledger like any other mail."""
    return bytes(message.as_bytes())


def _kept_headers(mail: ParsedMail) -> dict[str, str]:
    kept = {
        "Reply-To": ", ".join(str(address) for address in mail.reply_to[:5]),
        "Precedence": mail.precedence,
        "X-Defects": ",".join(mail.defects[:10]),
        "X-Remote-Images": str(mail.remote_images or ""),
    }
    return {name: value for name, value in kept.items() if value}


def _safe_line(value: str, what: str) -> str:
    if _LINE_BREAK.search(value):
        raise AdapterError(f"There is a line break in {what}.", permanent=True, code="header_injection")
    return value


def _safe_address(value: str, what: str) -> str:
    value = _safe_line(value.strip(), what)
    if not _ADDRESS.fullmatch(value):
        raise AdapterError(f"The address of {what} is not valid.", permanent=True, code="invalid_address")
    return value


def _mail_type(content_type: str) -> str:
    """The type of an attachment; whole mails and texts travel as bytes, so that nothing in them is changed."""
    is_bytes = re.fullmatch(r"(?!text/|message/|multipart/)[a-z]+/[a-z0-9.+-]+", content_type)
    return content_type if is_bytes else "application/octet-stream"


def _safe_id(value: str) -> str:
    found = _safe_line(value, "a message id").strip("<> ")
    return re.sub(r"[<>\s]", "", found)[:250]


def _display(name: str) -> str:
    return _safe_line(name, "our name").replace("\\", "").replace('"', "")


def _close(connection: Any) -> None:
    # The mail was taken or refused already; a failing goodbye changes nothing.
    with suppress(OSError, smtplib.SMTPException, AnymailError):
        connection.close()
