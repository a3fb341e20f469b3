"""A small SMTP server for mail that another server hands to us on this machine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

# aiosmtpd writes addresses into its log lines.
logging.getLogger("mail.log").setLevel(logging.ERROR)

ACCEPTED = "250 2.0.0 Kept"
TRY_LATER = "451 4.3.0 Not kept, try again later"
MAX_RECIPIENTS = 50
_THREADS = 4
_STORE_SECONDS = 60.0

# store(raw, envelope_from, envelope_to); returns when the mail is safe, raises when it is not.
StoreMail = Callable[[bytes, str, str], None]


class IntakeHandler:
    """Answers 250 only after `store` has returned, for every recipient; 451 whatever went wrong."""

    def __init__(self, store: StoreMail) -> None:
        self.store = store
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="mail-intake")

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient; too many are refused for now, as RFC 5321 wants it."""
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        if any(ord(char) < 33 for char in address) or "@" not in address:
            return "501 5.1.3 Not an address"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep the mail once for each recipient; a repeated one is known by its content."""
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
        sender = envelope.mail_from or ""
        loop = asyncio.get_running_loop()
        for recipient in dict.fromkeys(envelope.rcpt_tos):
            source = delivered(raw, sender, recipient)
            work = loop.run_in_executor(self._threads, self.store, source, sender, recipient)
            try:
                await asyncio.wait_for(work, _STORE_SECONDS)
            except Exception:
                # Whatever it was, the sender still has the mail and must keep it.
                return TRY_LATER
        return ACCEPTED

    def close(self) -> None:
        """Let what is being stored finish."""
        self._threads.shutdown(wait=True)


def delivered(raw: bytes, sender: str | None, recipient: str) -> bytes:
    """The mail with the trace lines of a final delivery: the envelope is told by nothing else (RFC 5321, 4.4).

    `sender` is "" for the null sender and None where it is not known, which writes no Return-Path.
    """
    lines = "" if sender is None else f"Return-Path: <{_on_one_line(sender)}>\r\n"
    lines += f"Delivered-To: {_on_one_line(recipient)}\r\n"
    return lines.encode("utf-8", "surrogateescape") + raw


def _on_one_line(address: str) -> str:
    return address.translate({ord(char): None for char in "\r\n\0<>"})


class IntakeServer(Controller):
    """The listening server, in its own thread. `port` 0 takes a free one; see `address` after `start`."""

    def __init__(self, store: StoreMail, *, host: str, port: int, max_bytes: int) -> None:
        self.intake = IntakeHandler(store)
        self.max_bytes = max_bytes
        super().__init__(self.intake, hostname=host, port=port)

    def factory(self) -> SMTP:
        """One SMTP session; a mail over `max_bytes` gets 552 before it is read to the end."""
        return SMTP(
            self.handler,
            data_size_limit=self.max_bytes,
            enable_SMTPUTF8=True,
            decode_data=False,
            timeout=120,
            ident="Continuo mail intake",
            loop=self.loop,
        )

    @property
    def address(self) -> tuple[str, int]:
        """Host and port it really listens on."""
        server: Any = self.server
        host, port = server.sockets[0].getsockname()[:2]
        return str(host), int(port)

    def _trigger_server(self) -> None:
        # aiosmtpd proves the start by connecting to the port it was given, which may be 0.
        self.port = self.address[1]
        super()._trigger_server()

    def stop(self, no_assert: bool = False) -> None:
        """Stop listening, then let what is being stored finish."""
        super().stop(no_assert=no_assert)
        self.intake.close()
