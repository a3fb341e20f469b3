"""When a machine of ours may answer by itself, and whom a person's answer goes to (RFC 3834)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from inbox.mail.flags import LOOP_HEADER, is_robot_address
from inbox.mail.headers import MailAddress
from inbox.mail.model import ParsedMail

AUTO_REPLY_INTERVAL = timedelta(days=1)
"""One writer gets one automatic answer in this time."""
MOST_PER_HOUR = 200
"""Automatic answers to all writers together, so that a flood from changing addresses is stopped as well."""


class NoReplyReason(StrEnum):
    """Why no automatic answer is sent. NONE says that one may be sent."""

    NONE = ""
    NO_SENDER = "no_sender"
    BOUNCE = "bounce"
    NULL_SENDER = "null_sender"
    AUTO_REPLY = "auto_reply"
    AUTO_GENERATED = "auto_generated"
    BULK = "bulk"
    UNWANTED = "unwanted"
    ROBOT_ADDRESS = "robot_address"
    OUR_OWN_ADDRESS = "our_own_address"
    LOOP = "loop"
    UNREADABLE = "unreadable"


def refusal(mail: ParsedMail, our_addresses: Collection[str] = ()) -> NoReplyReason:
    """Why no machine of ours may answer this mail; NONE when one may. `our_addresses` are mailboxes that we read."""
    ours = {address.lower() for address in our_addresses}
    checks = (
        ("unreadable" in mail.defects, NoReplyReason.UNREADABLE),
        (mail.sender is None or "@" not in mail.sender.address, NoReplyReason.NO_SENDER),
        (mail.is_bounce, NoReplyReason.BOUNCE),
        (bool(mail.loop_markers), NoReplyReason.LOOP),
        (mail.return_path == "", NoReplyReason.NULL_SENDER),
        (mail.is_auto_reply, NoReplyReason.AUTO_REPLY),
        (mail.is_auto_generated, NoReplyReason.AUTO_GENERATED),
        (mail.is_bulk, NoReplyReason.BULK),
        (mail.is_reply_unwanted, NoReplyReason.UNWANTED),
    )
    for is_refused, reason in checks:
        if is_refused:
            return reason
    senders = {address.key for address in (mail.sender, *mail.reply_to) if address is not None}
    if mail.return_path:
        senders.add(mail.return_path)
    if any(plain_address(sender) in ours or sender in ours for sender in senders):
        return NoReplyReason.OUR_OWN_ADDRESS
    if any(is_robot_address(sender) for sender in senders):
        return NoReplyReason.ROBOT_ADDRESS
    return NoReplyReason.NONE


def automatic_headers(mailbox: str) -> dict[str, str]:
    """Headers that every automatic mail of ours carries, so that other machines leave it alone."""
    return {
        "Auto-Submitted": "auto-replied",
        "X-Auto-Response-Suppress": "All",
        "Precedence": "auto_reply",
        LOOP_HEADER: mailbox,
    }


def plain_address(address: str) -> str:
    """Lower-case address without its plus part, for comparing."""
    local, at, domain = address.lower().rstrip(".").partition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who an answer goes to, to be shown before it is sent."""

    to: tuple[MailAddress, ...]
    cc: tuple[MailAddress, ...]


def reply_recipients(mail: ParsedMail, our_addresses: Collection[str], *, with_cc: bool = False) -> Recipients:
    """Recipients of an answer to this one mail, never carried over from another mail of the thread.

    Reply-To, else the sender; with `with_cc` the other people of this mail as well. Our own mailboxes
    are left out everywhere.
    """
    ours = {plain_address(address) for address in our_addresses}
    main = [address for address in mail.reply_to or (mail.sender,) if address is not None and "@" in address.address]
    to = _others(main, ours)
    if not with_cc:
        return Recipients(to, ())
    taken = ours | {plain_address(address.address) for address in to}
    return Recipients(to, _others([*mail.to, *mail.cc], taken))


def _others(addresses: Iterable[MailAddress], left_out: set[str]) -> tuple[MailAddress, ...]:
    found: dict[str, MailAddress] = {}
    for address in addresses:
        if "@" in address.address and plain_address(address.address) not in left_out:
            found.setdefault(address.key, address)
    return tuple(found.values())
