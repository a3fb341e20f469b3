"""`manage.py hl7_intake`: takes HL7 v2 scheduling messages by MLLP."""

import asyncio
import signal
import ssl
from ipaddress import ip_network
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from contact_center.accounts.models import User
from scheduling.adapters.er7 import MOST_BYTES
from scheduling.adapters.mllp import Listener, Terms
from scheduling.policies import can_book
from scheduling.services.hl7 import acknowledge, receive, refuse


def sender() -> User:
    """For whom messages are done. Raises User.DoesNotExist when the account may not book any more."""
    user = User.objects.get(email__iexact=settings.HL7_ACCOUNT, is_active=True)
    if not can_book(user):
        raise User.DoesNotExist
    return user


def answer(raw: bytes) -> bytes:
    """The acknowledgement of one message, which is in the ledger by then. Raises whatever keeps it from being so."""
    return acknowledge(receive(actor=sender(), raw=raw))


def _answer_in_thread(raw: bytes) -> bytes:
    try:
        return answer(raw)
    finally:
        connection.close()  # messages come seldom: the threads hold no connection between them


def listener() -> Listener:
    """As the settings want it. Raises CommandError for what is not a network."""
    try:
        peers = [ip_network(one) for one in settings.HL7_PEERS]
    except ValueError as error:
        raise CommandError(f"HL7_PEERS: {error}.") from None
    return Listener(_answer_in_thread, refuse, Terms(peers, most_bytes=MOST_BYTES))


def tls() -> ssl.SSLContext | None:
    """TLS as the settings want it, with certificates of those who connect where HL7_TLS_CLIENTS names who signs them.

    Raises CommandError for files that are not there or do not fit.
    """
    if not settings.HL7_TLS_CERTIFICATE:
        if settings.HL7_TLS_CLIENTS:
            raise CommandError("HL7_TLS_CLIENTS needs HL7_TLS_CERTIFICATE as well.")
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.HL7_TLS_CERTIFICATE, settings.HL7_TLS_KEY or None)
        if settings.HL7_TLS_CLIENTS:
            context.load_verify_locations(settings.HL7_TLS_CLIENTS)
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as error:
        raise CommandError(f"The certificates of HL7_TLS_… cannot be used: {error}.") from None
    return context


class Command(BaseCommand):
    """Runs until SIGTERM or SIGINT."""

    help = "Take HL7 v2 scheduling messages (SIU) by MLLP on HL7_HOST:HL7_PORT."
    requires_system_checks = []  # they load every page; this process shows none

    def handle(self, *args: Any, **options: Any) -> None:
        """Listen until told to stop."""
        if not settings.HL7_PORT:
            raise CommandError("HL7_PORT is not set.")
        try:
            sender()
        except User.DoesNotExist:
            raise CommandError("HL7_ACCOUNT must be the e-mail of an active account that may book visits.") from None
        connection.close()
        asyncio.run(self._listen(listener(), tls()))

    async def _listen(self, server: Listener, context: ssl.SSLContext | None) -> None:
        stop = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        try:
            address = await server.start(settings.HL7_HOST, settings.HL7_PORT, context)
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {settings.HL7_HOST}:{settings.HL7_PORT}: {error.strerror}."
            ) from error
        self.stdout.write("HL7 intake listens on {}:{}{}".format(*address, " with TLS" if context else ""))
        self.stdout.flush()
        await stop.wait()
        await server.stop()
