"""The patients' mail provider: takes what the product sends, and sends what patients write."""

from __future__ import annotations

import asyncio
import logging
import smtplib
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from contact_center.simulator.config import Config
from contact_center.simulator.store import Store

MAX_MAIL_BYTES = 33_554_432
SEND_SECONDS = 15
# aiosmtpd writes every sender and recipient into its log.
logging.getLogger("mail.log").setLevel(logging.ERROR)


class MailRefused(Exception):
    """The clinic's mail server did not take the mail; the text says why."""


@dataclass(frozen=True)
class Draft:
    """A mail as a patient writes it. `replied_to` is the number of the mail it answers, if any."""

    sender: str
    name: str
    subject: str
    body: str
    replied_to: int | None = None
    attachment: tuple[str, str, bytes] | None = None


class MailRoom:
    """An SMTP server for everybody who is not the clinic, and the way back to the clinic's own."""

    def __init__(self, config: Config, store: Store) -> None:
        self.config = config
        self.store = store
        self.port: int | None = None
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Bind the SMTP port. Raises OSError when it is taken."""
        if self.config.smtp_port is None:
            return
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, enable_SMTPUTF8=True, data_size_limit=MAX_MAIL_BYTES, loop=loop),
            self.config.host,
            self.config.smtp_port,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening."""
        if self._server:
            self._server.close()
            await self._server.wait_closed()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Keep a mail from the product in the box of each recipient."""
        source = envelope.original_content or b""
        message = read(source)
        for recipient in envelope.rcpt_tos:
            self.store.add_mail(
                "to_patient", recipient, _one_line(message.get("Message-ID")), _one_line(message.get("Subject")), source
            )
        return "250 Message accepted for delivery"

    async def send(self, draft: Draft) -> int:
        """Send a patient's mail to the clinic; returns its number. Raises MailRefused."""
        message = self._composed(draft)
        await asyncio.get_running_loop().run_in_executor(None, self._submit, draft.sender, message)
        return self.store.add_mail(
            "from_patient", draft.sender, str(message["Message-ID"]), draft.subject, message.as_bytes()
        )

    def _composed(self, draft: Draft) -> EmailMessage:
        message = EmailMessage(policy=policy.SMTP)
        try:
            message["From"] = Address(draft.name, addr_spec=draft.sender)
            message["Subject"] = _one_line(draft.subject)
        except (ValueError, IndexError) as error:
            raise MailRefused("This is not an e-mail address.") from error
        recipient = self.config.mailbox
        replied = self.store.mail(draft.replied_to) if draft.replied_to else None
        if replied is not None:
            original = read(replied["source"])
            answered_id = _one_line(original.get("Message-ID"))
            recipient = parseaddr(str(original.get("Reply-To") or original.get("From") or ""))[1] or recipient
            if answered_id:
                message["In-Reply-To"] = answered_id
                message["References"] = f"{_one_line(original.get('References'))} {answered_id}".strip()
        message["To"] = recipient
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = make_msgid(domain=draft.sender.rpartition("@")[2] or "patient.example")
        message.set_content(draft.body)
        if draft.attachment:
            name, content_type, content = draft.attachment
            main, _, sub = (content_type or "application/octet-stream").partition("/")
            message.add_attachment(content, maintype=main, subtype=sub or "octet-stream", filename=name)
        return message

    def _submit(self, sender: str, message: EmailMessage) -> None:
        try:
            with smtplib.SMTP(self.config.host, self.config.smtp_intake_port or 0, timeout=SEND_SECONDS) as server:
                server.send_message(message, from_addr=sender, to_addrs=[str(message["To"])])
        except smtplib.SMTPResponseException as error:
            raise MailRefused(f"The clinic's mail server refused it: {error.smtp_code}.") from error
        except (OSError, smtplib.SMTPException) as error:
            raise MailRefused("The clinic's mail server does not answer.") from error


def read(source: bytes) -> EmailMessage:
    """A mail's source as a message."""
    return message_from_bytes(source, policy=policy.default)


def thread_key(message: EmailMessage) -> str:
    """The id of the first mail of the thread this one belongs to."""
    for header in ("References", "In-Reply-To", "Message-ID"):
        ids = _one_line(message.get(header)).split()
        if ids:
            return ids[0]
    return ""


def shown_text(message: EmailMessage) -> str:
    """The readable text: the plain part, or the text of the HTML part."""
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    try:
        content = str(part.get_content())
    except (LookupError, UnicodeError, KeyError):
        return "(unreadable)"
    if part.get_content_type() == "text/html":
        from inscriptis import get_text  # with lxml 8 MB, for mails with HTML alone only

        return str(get_text(content)).strip()
    return content.strip()


def attachment_names(message: EmailMessage) -> list[str]:
    """The names of the files in a mail."""
    return [part.get_filename() or part.get_content_type() for part in message.iter_attachments()]


def _one_line(value: Any) -> str:
    return " ".join(str(value or "").split())
