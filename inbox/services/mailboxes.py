"""Polling IMAP mailboxes: one poller a mailbox at a time, everything fetched goes to the ledger first."""

import os
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from inbox.enums import ChannelKind
from inbox.mail import imap
from inbox.models import Mailbox, WebhookEvent
from inbox.services.ledger import receive_raw_mail

log = structlog.get_logger(__name__)
LEASE = timedelta(minutes=5)
POLL_EVERY = timedelta(seconds=30)
SETTLED_LIMIT = 10_000


class LeaseLost(Exception):
    """Another poller holds this mailbox now; this one must stop at once."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A mailbox beside the ledger: how many mails lie there and how many of them we never stored."""

    mailbox_id: int
    missing: int


def lease_mailbox(*, owner: str) -> Mailbox | None:
    """Take one mailbox that is due and free for five minutes, the longest waiting first; None when there is none."""
    now = timezone.now()
    with transaction.atomic():
        mailbox = (
            Mailbox.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("channel")
            .filter(channel__is_active=True, channel__kind=ChannelKind.EMAIL)
            .filter(Q(leased_until_at=None) | Q(leased_until_at__lt=now))
            .filter(Q(last_polled_at=None) | Q(last_polled_at__lt=now - POLL_EVERY))
            .order_by(F("last_polled_at").asc(nulls_first=True), "pk")
            .first()
        )
        if mailbox is not None:
            mailbox.lease_owner, mailbox.leased_until_at = owner, now + LEASE
            mailbox.save(update_fields=["lease_owner", "leased_until_at", "updated_at"])
        return mailbox


def poll_due_mailboxes(*, owner: str) -> int:
    """Poll every mailbox that is due; returns how many mails were fetched. One broken mailbox stops no other."""
    fetched = 0
    while (mailbox := lease_mailbox(owner=owner)) is not None:
        fetched += poll_mailbox(mailbox=mailbox)
    return fetched


def poll_mailbox(*, mailbox: Mailbox) -> int:
    """Fetch what is new in a leased mailbox and give the lease back; returns how many mails were fetched.

    Each mail is committed to the ledger before the next is fetched; errors are noted at the mailbox.
    """
    error = ""
    fetched = 0
    try:
        fetched = _fetch(mailbox)
    except imap.MailboxUnreachable as failure:
        error = str(failure)
    except LeaseLost:
        log.warning("mailbox_lease_lost", mailbox_id=mailbox.pk)
        return fetched
    except Exception as failure:
        error = f"{type(failure).__name__} while fetching."
        log.error("mailbox_poll_failed", mailbox_id=mailbox.pk, error=type(failure).__name__)
    _release(mailbox, error)
    return fetched


def compare_mailbox(*, mailbox: Mailbox) -> Comparison:
    """Count the mails on the server that the ledger does not have. Raises imap.MailboxUnreachable."""
    box = imap.connect(_access(mailbox))
    try:
        missing = imap.missing_uids(box, mailbox.folder, _known_in(mailbox))
    finally:
        imap.disconnect(box)
    return Comparison(mailbox.pk, len(missing))


def _access(mailbox: Mailbox) -> imap.MailboxAccess:
    password = mailbox.password or os.environ.get(mailbox.credential_env, "")
    if not password:
        raise imap.MailboxUnreachable(f"The environment variable {mailbox.credential_env} is not set.")
    return imap.MailboxAccess(
        mailbox.host, mailbox.port, mailbox.username, password, mailbox.folder, use_tls=mailbox.use_tls
    )


def _fetch(mailbox: Mailbox) -> int:
    box = imap.connect(_access(mailbox))
    try:
        result = imap.fetch_new(
            box,
            mailbox.folder,
            imap.FetchState(mailbox.uid_validity, mailbox.last_uid),
            store=lambda raw, name: _store(mailbox, raw, name),
            known=_known_in(mailbox),
            advance=lambda state: _advance(mailbox, state),
            max_bytes=settings.MAX_INBOUND_BYTES,
        )
    finally:
        imap.disconnect(box)
    if result.fetched or result.is_rescan:
        log.info("mailbox_polled", mailbox_id=mailbox.pk, fetched=result.fetched, is_rescan=result.is_rescan)
    return result.fetched


def _store(mailbox: Mailbox, raw: bytes, name: str) -> None:
    """To the ledger, marked with the mailbox it lay in: its To may name an alias or a list."""
    address = mailbox.channel.address
    source = f"Delivered-To: {address}\r\n".encode() + raw
    stored = receive_raw_mail(
        raw=source, transport="imap", mailbox=address, external_id=_scoped(mailbox, name), envelope_to=address
    )
    if stored is None:
        # The same content under another UID: a rescan, or a mail moved out and back.
        if len(_SETTLED) >= SETTLED_LIMIT:
            _SETTLED.clear()
        _SETTLED.add(_scoped(mailbox, name))


# External ids whose content is stored under another one; only saves this process fetching them again and again.
_SETTLED: set[str] = set()


def _scoped(mailbox: Mailbox, name: str) -> str:
    return f"{mailbox.pk}:{name}"


def _known_in(mailbox: Mailbox) -> imap.Known:
    def known(names: Collection[str]) -> set[str]:
        scoped = {_scoped(mailbox, name): name for name in names}
        stored = WebhookEvent.objects.filter(provider="email", external_id__in=list(scoped))
        found = set(stored.values_list("external_id", flat=True)) | (_SETTLED & set(scoped))
        return {name for full, name in scoped.items() if full in found}

    return known


def _advance(mailbox: Mailbox, state: imap.FetchState) -> None:
    """Note how far we are and prolong the lease. Raises LeaseLost when it is not ours any more."""
    changed = Mailbox.objects.filter(pk=mailbox.pk, lease_owner=mailbox.lease_owner).update(
        uid_validity=state.uid_validity, last_uid=state.last_uid, leased_until_at=timezone.now() + LEASE
    )
    if not changed:
        raise LeaseLost


def _release(mailbox: Mailbox, error: str) -> None:
    Mailbox.objects.filter(pk=mailbox.pk, lease_owner=mailbox.lease_owner).update(
        lease_owner="", leased_until_at=None, last_polled_at=timezone.now(), last_error=error[:240]
    )
