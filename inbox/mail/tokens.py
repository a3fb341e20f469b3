"""A short signed token that ties a reply to its conversation when the mail headers were lost.

It stands in the reply address (`care+r-<token>@…`).
It proves only that we wrote to somebody about this conversation: the caller must still check that the
sender is the same person, since mails are forwarded.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

_SIGNATURE_BYTES = 10
_TOKEN = re.compile(r"^([0-9a-z]{1,13})-([a-z2-7]{16})$")
_IN_ADDRESS = re.compile(r"^[^@]{1,200}?\+r-([0-9a-z]{1,13}-[a-z2-7]{16})@", re.IGNORECASE)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def sign(interaction_id: int, key: bytes) -> str:
    """Token for one interaction: at most 30 characters of `0-9a-z-`, so that it survives in any address.

    `key` is a secret of at least 16 bytes. Raises ValueError for a shorter key or a negative id.
    """
    if interaction_id < 0:
        raise ValueError("An interaction id is not negative.")
    number = _base36(interaction_id)
    return f"{number}-{_signature(number, key)}"


def verify(token: str, key: bytes) -> int | None:
    """The interaction id of a token signed with `key`, or None. Compares in constant time."""
    match = _TOKEN.match(token.strip().lower())
    if match is None:
        return None
    number, signature = match.groups()
    if not hmac.compare_digest(signature, _signature(number, key)):
        return None
    return int(number, 36)


def reply_address(mailbox: str, interaction_id: int, key: bytes) -> str:
    """`care@clinic.example` → `care+r-<token>@clinic.example`. Raises ValueError without an `@`."""
    local, at, domain = mailbox.partition("@")
    if not at or not local or not domain:
        raise ValueError("The mailbox is not an address.")
    return f"{local.partition('+')[0]}+r-{sign(interaction_id, key)}@{domain}"


def find_interaction(addresses: list[str], key: bytes) -> int | None:
    """First interaction that a recipient address proves, or None."""
    found = [match.group(1) for address in addresses[:100] if (match := _IN_ADDRESS.match(address))]
    for token in found:
        if (interaction_id := verify(token, key)) is not None:
            return interaction_id
    return None


def _signature(number: str, key: bytes) -> str:
    if len(key) < 16:
        raise ValueError("The key is too short.")
    digest = hmac.new(key, b"continuo.reply." + number.encode("ascii"), hashlib.sha256).digest()
    return base64.b32encode(digest[:_SIGNATURE_BYTES]).decode("ascii").lower()


def _base36(number: int) -> str:
    digits = ""
    while True:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
        if not number:
            return digits
