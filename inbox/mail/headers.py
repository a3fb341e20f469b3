"""Mail header fields as they really come: RFC 2047 and 2231 done right, done wrong, or not at all."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz
from urllib.parse import unquote_to_bytes

from inbox.mail.charsets import codec_name, decode_bytes, storable

_MAX_DECODED_BYTES = 64 * 1024
_ENCODED_WORD = re.compile(rb"=\?([A-Za-z0-9_.:+*()-]{1,60})\?([bBqQ])\?((?:[^?\r\n]|\?(?!=)){0,4000})\?=", re.DOTALL)
_MESSAGE_ID = re.compile(r"<([^<>\s]{1,250})>")
_BARE_MESSAGE_ID = re.compile(r"[^\s<>@,;\"']{1,120}@[^\s<>,;\"']{1,120}")
_ADDRESS = re.compile(r"[^\s<>@,;:\"()\[\]]{1,64}@(?:\[[^\]\s]{1,60}\]|[^\s<>@,;:\"()\[\]]{1,253})")
_PARAMETER = re.compile(rb";\s*([^\s=;]{1,60})\s*=\s*(\"(?:[^\"\\]|\\.){0,4000}\"?|[^;]{0,4000})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class MailAddress:
    """A mailbox of a header. `address` as written, `name` decoded; `key` is what addresses are compared by."""

    address: str
    name: str = ""

    @property
    def key(self) -> str:
        """Lower case, without the root dot of the domain."""
        return self.address.lower().rstrip(".")

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else self.address


def decode_header(value: bytes, charset: str | None = None) -> str:
    """Unstructured header text on one line: encoded words undone, raw 8-bit guessed. Never raises.

    Neighbouring words of one charset are joined before decoding, since many senders cut characters in two.
    """
    value = value[:_MAX_DECODED_BYTES]
    pieces: list[str] = []
    run: list[tuple[str, bytes]] = []
    position = 0
    for match in _ENCODED_WORD.finditer(value):
        between = value[position : match.start()]
        if between.strip() or (between and not run):
            pieces.append(_flush(run))
            pieces.append(decode_bytes(between, charset))
        run.append(_word(match))
        position = match.end()
    pieces.append(_flush(run))
    pieces.append(decode_bytes(value[position:], charset))
    return " ".join(
        storable("".join(pieces).replace("\t", " ").replace("\r", " ").replace("\n", " ")).split(" ")
    ).strip()


def _word(match: re.Match[bytes]) -> tuple[str, bytes]:
    charset = match.group(1).decode("ascii")
    data = match.group(3)
    if match.group(2) in b"qQ":
        text = data.replace(b"_", b" ")
        return charset, re.sub(rb"=([0-9A-Fa-f]{2})", lambda hexa: bytes.fromhex(hexa.group(1).decode()), text)
    compact = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
    compact = compact[: len(compact) - 1] if len(compact) % 4 == 1 else compact
    try:
        return charset, base64.b64decode(compact + b"=" * (-len(compact) % 4))
    except (binascii.Error, ValueError):
        return charset, data


def _flush(run: list[tuple[str, bytes]]) -> str:
    text: list[str] = []
    while run:
        charset = run[0][0]
        same: list[bytes] = []
        while run and run[0][0].lower() == charset.lower():
            same.append(run.pop(0)[1])
        text.append(decode_bytes(b"".join(same), charset))
    return "".join(text)


def parse_parameters(value: bytes, default: str) -> tuple[str, dict[str, str]]:
    """A structured value and its parameters, names in lower case; RFC 2231 pieces joined and decoded."""
    value = value[:_MAX_DECODED_BYTES]
    head, separator, _ = value.partition(b";")
    main = storable(decode_bytes(head)).strip().strip("\"'").lower().replace(" ", "") or default
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[bool, bytes]]] = {}
    for match in _PARAMETER.finditer(value if separator else b""):
        name = match.group(1).decode("ascii", "ignore").lower()
        content = _unquote(match.group(2).strip())
        base, star, rest = name.partition("*")
        if not star:
            plain.setdefault(name, decode_header(content))
            continue
        number, _, _ = rest.partition("*")
        index = int(number) if number.isascii() and number.isdigit() and len(number) < 4 else 0
        pieces.setdefault(base, {})[index] = (name.endswith("*"), content)
    for base, parts in pieces.items():
        plain[base] = _join_2231(parts)
    return main, plain


def _unquote(value: bytes) -> bytes:
    if value.startswith(b'"'):
        return re.sub(rb"\\([\"\\])", rb"\1", value[1:].removesuffix(b'"'))
    return value.strip(b"'") if value[:1] == b"'" == value[-1:] and value.count(b"'") == 2 else value


def _join_2231(parts: dict[int, tuple[bool, bytes]]) -> str:
    charset: str | None = None
    joined = b""
    for position, index in enumerate(sorted(parts)):
        is_encoded, content = parts[index]
        if position == 0 and is_encoded and content.count(b"'") >= 2:
            declared, _, content = content.split(b"'", 2)
            charset = declared.decode("ascii", "ignore")
        joined += unquote_to_bytes(content) if is_encoded else content
    return decode_header(joined, charset) if codec_name(charset) else decode_header(joined)


def parse_addresses(value: bytes, limit: int = 500) -> tuple[MailAddress, ...]:
    """Mailboxes of an address header in order, groups flattened. Text that is no mailbox is dropped."""
    found: list[MailAddress] = []
    for token in _split_list(value):
        address = _mailbox(token)
        if address is not None:
            found.append(address)
            if len(found) >= limit:
                break
    return tuple(found)


def _split_list(value: bytes) -> list[bytes]:
    """Pieces between commas (or Outlook's semicolons) outside quotes, comments and angle brackets."""
    pieces: list[bytes] = []
    start, is_quoted, is_escaped, depth, in_angle = 0, False, False, 0, False
    for index, char in enumerate(value):
        if is_escaped:
            is_escaped = False
        elif char == 0x5C:
            is_escaped = True
        elif char == 0x22 and not depth:
            is_quoted = not is_quoted
        elif is_quoted:
            continue
        elif char == 0x28:
            depth += 1
        elif char == 0x29:
            depth = max(0, depth - 1)
        elif char == 0x3C:
            in_angle = True
        elif char == 0x3E:
            in_angle = False
        elif char in b",;" and not depth and not in_angle:
            pieces.append(value[start:index])
            start = index + 1
    pieces.append(value[start:])
    if is_quoted and len(pieces) == 1 and value.count(b'"') % 2:
        # One quote too many would swallow every mailbox after it.
        return value.replace(b'"', b"").split(b",")
    return [piece.strip() for piece in pieces if piece.strip()]


def _mailbox(token: bytes) -> MailAddress | None:
    raw = decode_bytes(token[:4096])
    before, angle, after = raw.rpartition("<")
    if angle:
        address = after.partition(">")[0].strip().removeprefix("mailto:")
        name = _display_name(before.encode("utf-8"))
        address = _spec(address) or _spec(decode_header(address.encode("utf-8")))
        if not address and (inner := _ADDRESS.search(name)):
            address = inner.group()
        return MailAddress(address, name) if address else None
    # A group such as "undisclosed-recipients:" names nobody.
    raw = raw.rpartition(":")[2] if "@" not in raw.rpartition(":")[0] else raw
    comment = re.search(r"\(([^()]{0,500})\)", raw)
    name = _display_name(comment.group(1).encode("utf-8")) if comment else ""
    bare = re.sub(r"\([^()]{0,500}\)", "", raw).strip()
    address = _spec(bare) or _spec(decode_header(bare.encode("utf-8")))
    return MailAddress(address, name) if address else None


def _spec(text: str) -> str:
    """The address in `text`, or `text` itself if it is one word such as MAILER-DAEMON, else empty."""
    if match := _ADDRESS.search(text):
        return storable(match.group()).strip(".'`")[:254] + ("." if match.group().endswith(".") else "")
    word = storable(text).strip("\"' ")
    return word[:254] if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]{1,63}", word) else ""


def _display_name(value: bytes) -> str:
    text = decode_header(value).strip()
    if len(text) >= 2 and text[0] == '"' == text[-1]:
        text = text[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return text.strip().strip('"').strip()[:200]


def parse_message_ids(value: bytes, limit: int = 200) -> tuple[str, ...]:
    """Message ids without their angle brackets, in order, each once. Bare ones are accepted."""
    text = decode_bytes(value)
    found = _MESSAGE_ID.findall(text) or _BARE_MESSAGE_ID.findall(text)
    unique = list(dict.fromkeys(storable(found_id) for found_id in found))
    return tuple(unique[-limit:])


def parse_date(value: bytes) -> datetime | None:
    """An aware UTC datetime, or None when the header is missing, damaged or outside 1970 to 2100."""
    try:
        parts = parsedate_tz(decode_header(value))
        if parts is None:
            return None
        moment = datetime(*parts[:6], tzinfo=UTC) - timedelta(seconds=parts[9] or 0)  # type: ignore[misc]
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return moment if 1970 <= moment.year <= 2100 else None
