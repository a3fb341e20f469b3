from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from inbox.adapters.base import AdapterError
from inbox.mail.imap import MailboxUnreachable
from inbox.models import Mailbox
from inbox.services.gaps import accept_record, listing_providers, reconcile
from inbox.services.mailboxes import compare_mailbox


class Command(BaseCommand):
    help = "Compares the ledger with the providers' lists for a time span and names each gap."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", help="ISO time; default 24 hours ago")
        parser.add_argument("--until", help="ISO time; default now")
        parser.add_argument("--provider", help="one adapter; default all that keep a list")
        parser.add_argument("--fill", action="store_true", help="put missing inbound messages into the ledger")

    def handle(self, *args: Any, **options: Any) -> None:
        until = self._time(options["until"]) or timezone.now()
        since = self._time(options["since"]) or until - timedelta(hours=24)
        providers = [options["provider"]] if options["provider"] else listing_providers()
        unaccounted = 0
        for provider in providers:
            try:
                result = reconcile(provider=provider, since=since, until=until)
            except AdapterError as error:
                raise CommandError(f"{provider} does not answer: {error.message}") from error
            for row in result.missing:
                filled = options["fill"] and accept_record(provider, row)
                self.stdout.write(
                    f"{provider} {row.external_id}: inbound, not in the ledger{', added' if filled else ''}"
                )
            for row in result.unknown:
                self.stdout.write(f"{provider} {row.external_id}: left without an outbox row")
            for message_id in result.unconfirmed:
                self.stdout.write(f"{provider} message {message_id}: sent by our books, not in the provider's list")
            unaccounted += result.unaccounted
            self.stdout.write(f"{provider}: {result.events} events, {result.unaccounted} unaccounted")
        if not options["provider"]:
            unaccounted += self._mailboxes()
        if unaccounted and not options["fill"]:
            raise CommandError(f"{unaccounted} unaccounted")

    def _mailboxes(self) -> int:
        """Mails that lie in a polled mailbox and not in the ledger."""
        missing = 0
        for mailbox in Mailbox.objects.filter(channel__is_active=True).select_related("channel"):
            try:
                found = compare_mailbox(mailbox=mailbox)
            except MailboxUnreachable as error:
                raise CommandError(f"mailbox {mailbox.pk} does not answer: {error}") from error
            self.stdout.write(f"mailbox {mailbox.pk}: {found.missing} unaccounted")
            missing += found.missing
        return missing

    @staticmethod
    def _time(text: str | None) -> datetime | None:
        if not text:
            return None
        found = parse_datetime(text)
        if found is None:
            raise CommandError(f"{text} is not a time like 2026-01-31T08:00")
        return found if timezone.is_aware(found) else timezone.make_aware(found)
