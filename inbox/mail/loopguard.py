"""When a machine of ours may answer by itself, and whom a person's answer goes to (RFC 3834)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from inbox.mail.flags import LOOP_HEADER, is_robot_address
from inbox.mail.headers import MailAddress
from inbox.mail.model import ParsedMail

AUTO_REPLY_INTERVAL = timedelta(days=1)
_MAX_REPLIES_TO_ALL_PER_HOUR = 200


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
    RECENT_REPLY = "recent_reply"
    FLOOD = "flood"


@dataclass(frozen=True, slots=True)
class AutoReply:
    """An automatic answer that we sent: to which address (lower case) and when (aware)."""

    address: str
    sent_at: datetime


def may_auto_reply(
    mail: ParsedMail,
    recent_auto_replies: Iterable[AutoReply] = (),
    *,
    now: datetime,
    our_addresses: Collection[str] = (),
) -> tuple[bool, NoReplyReason]:
    """Whether a machine may answer `mail`, and the reason when not.

    `recent_auto_replies` are those of the last day, to anybody: one sender gets one a day, and a flood
    from changing addresses is stopped as well. `our_addresses` are all mailboxes that we read.
    """
    reason = _refusal(mail, {address.lower() for address in our_addresses})
    if reason is NoReplyReason.NONE and mail.sender is not None:
        reason = _too_many(mail.sender.key, list(recent_auto_replies), now)
    return reason is NoReplyReason.NONE, reason


def _refusal(mail: ParsedMail, ours: set[str]) -> NoReplyReason:
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


def _too_many(sender: str, recent: list[AutoReply], now: datetime) -> NoReplyReason:
    since = now - AUTO_REPLY_INTERVAL
    if any(plain_address(reply.address) == plain_address(sender) and reply.sent_at > since for reply in recent):
        return NoReplyReason.RECENT_REPLY
    if sum(1 for reply in recent if reply.sent_at > now - timedelta(hours=1)) >= _MAX_REPLIES_TO_ALL_PER_HOUR:
        return NoReplyReason.FLOOD
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
