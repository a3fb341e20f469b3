"""How much of one mail we are willing to read."""

from __future__ import annotations

from dataclasses import dataclass


class MailTooLarge(ValueError):
    """The raw mail is over `MailLimits.max_bytes`; nothing of it was read."""


@dataclass(frozen=True, slots=True)
class MailLimits:
    """Bounds that keep a hostile mail cheap. Sizes in bytes, text in characters.

    Beyond a bound the rest is left undecoded and `ParsedMail.defects` says so; only `max_bytes` refuses
    the whole mail. The raw source is kept by the caller in every case.
    """

    max_bytes: int = 36 * 1024 * 1024
    max_parts: int = 200
    max_depth: int = 12
    max_headers: int = 1000
    max_header_bytes: int = 64 * 1024
    max_attachments_bytes: int = 64 * 1024 * 1024
    max_text_chars: int = 1_000_000
    max_html_chars: int = 1_000_000
    max_addresses: int = 500
    max_references: int = 200


DEFAULT_LIMITS = MailLimits()
