"""`manage.py mail_intake`: takes mail by SMTP on this machine and polls the IMAP mailboxes."""

import os
import signal
import socket
import threading
from argparse import ArgumentParser
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections, connection

from inbox.mail.smtp_intake import IntakeServer
from inbox.services.ledger import receive_raw_mail
from inbox.services.mailboxes import poll_due_mailboxes

log = structlog.get_logger(__name__)
SLEEP_SECONDS = 5.0


def store_mail(raw: bytes, envelope_from: str, envelope_to: str) -> None:
    """Commit one mail to the ledger. Raises a database error when it is not safe."""
    try:
        receive_raw_mail(raw=raw, transport="smtp", mailbox=envelope_to, envelope_to=envelope_to)
    finally:
        # Mails come seldom: the threads of the intake hold no connection between them.
        connection.close()


class Command(BaseCommand):
    """Runs until SIGTERM or SIGINT."""

    help = "Take mail by SMTP on 127.0.0.1 and poll the IMAP mailboxes."
    requires_system_checks = []  # they load every page; this process shows none

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Options beside the settings."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=settings.SMTP_INTAKE_PORT)
        parser.add_argument("--once", action="store_true", help="poll the mailboxes once and end, without SMTP")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve and poll until told to stop."""
        owner = f"{socket.gethostname()}:{os.getpid()}"[:80]
        if options["once"]:
            self.stdout.write(f"{poll_due_mailboxes(owner=owner)} mails fetched")
            return
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        server = IntakeServer(
            store_mail, host=options["host"], port=options["port"], max_bytes=settings.MAX_INBOUND_BYTES
        )
        try:
            server.start()
        except OSError as error:
            raise CommandError(f"Cannot listen on {options['host']}:{options['port']}: {error.strerror}.") from error
        self.stdout.write("Mail intake listens on {}:{}".format(*server.address))
        self.stdout.flush()
        try:
            self._poll_until(stop, owner)
        finally:
            server.stop()

    def _poll_until(self, stop: threading.Event, owner: str) -> None:
        while not stop.is_set():
            close_old_connections()
            try:
                poll_due_mailboxes(owner=owner)
            except Exception as error:
                # The database may be restarting; the SMTP side answers 451 meanwhile.
                log.error("mailboxes_not_polled", error=type(error).__name__)
            stop.wait(SLEEP_SECONDS)
