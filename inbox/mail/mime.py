"""A bounded MIME reader: raw bytes into a tree of parts, in one pass a level, whatever the bytes are.

The standard library's parser recurses once for each nested multipart and puts no bound on parts or
headers, so a mail of a few kilobytes can exhaust the stack. This one counts.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field

from inbox.mail import headers as hdr
from inbox.mail.limits import DEFAULT_LIMITS, MailLimits

_HEADER = re.compile(rb"([!-9;-~]{1,76})[ \t]*:(.*)", re.DOTALL)
_PLAIN_HEADER = re.compile(rb"[A-Z][A-Za-z0-9-]{1,60}:[ \t]")
_STRAY_LINES = 30
_MBOX_FROM = re.compile(rb">?From \S+.*")
_BASE64_JUNK = re.compile(rb"[^A-Za-z0-9+/]")
_HEX_ESCAPE = re.compile(rb"=([0-9A-Fa-f]{2})")
_SOFT_BREAK = re.compile(rb"=[ \t]*\r?\n")


@dataclass(slots=True)
class Part:
    """One MIME entity. `body` is its undecoded content; `children` only for a multipart that was read."""

    headers: list[tuple[str, bytes]]
    body: bytes
    content_type: str = "text/plain"
    params: dict[str, str] = field(default_factory=dict)
    disposition: str = ""
    disposition_params: dict[str, str] = field(default_factory=dict)
    children: list[Part] = field(default_factory=list)

    def first(self, name: str) -> bytes:
        """Raw value of the first header called `name`, empty when there is none."""
        name = name.lower()
        return next((value for key, value in self.headers if key == name), b"")

    def all(self, name: str) -> list[bytes]:
        """Raw values of every header called `name`, in order."""
        name = name.lower()
        return [value for key, value in self.headers if key == name]

    def text(self, name: str) -> str:
        """Decoded value of the first header called `name`, on one line."""
        return hdr.decode_header(self.first(name))

    def walk(self) -> list[Part]:
        """This part and all below it, depth first in mail order."""
        found, stack = [], [self]
        while stack:
            part = stack.pop()
            found.append(part)
            stack.extend(reversed(part.children))
        return found

    def content(self) -> bytes:
        """Body with the transfer encoding undone. Damaged encodings give what can be saved."""
        return decode_transfer(self.body, self.text("content-transfer-encoding"))


@dataclass(slots=True)
class _Budget:
    limits: MailLimits
    parts: int = 0
    defects: list[str] = field(default_factory=list)

    def note(self, defect: str) -> None:
        if defect not in self.defects:
            self.defects.append(defect)


def read_tree(raw: bytes, limits: MailLimits = DEFAULT_LIMITS) -> tuple[Part, list[str]]:
    """The mail as a tree of parts, and what was wrong with it. Never raises."""
    budget = _Budget(limits)
    root = _read_part(_normal_line_ends(raw).lstrip(b"\r\n"), budget, 0)
    return root, budget.defects


def read_headers(block: bytes, limits: MailLimits = DEFAULT_LIMITS) -> Part:
    """Headers of an embedded message (message/rfc822, text/rfc822-headers); its body is left unread."""
    headers, body = _split_headers(_normal_line_ends(block.lstrip()), _Budget(limits))
    return Part(headers, body)


def decode_transfer(body: bytes, encoding: str) -> bytes:
    """Undo a Content-Transfer-Encoding; an unknown one leaves the bytes as they are. Never raises."""
    words = encoding.lower().split()
    match words[0].strip("\"';") if words else "":
        case "base64":
            return _decode_base64(body)
        case "quoted-printable":
            return _decode_quoted_printable(body)
        case "x-uuencode" | "uuencode" | "x-uue":
            blocks = split_uuencoded(body)[1]
            return blocks[0][1] if blocks else body
    return body


def split_uuencoded(body: bytes) -> tuple[bytes, list[tuple[str, bytes]]]:
    """The body without its uuencoded blocks, and the blocks as (file name, content)."""
    if b"begin " not in body:
        return body, []
    kept: list[bytes] = []
    blocks: list[tuple[str, bytes]] = []
    lines = body.split(b"\n")
    index = 0
    while index < len(lines):
        match = re.fullmatch(rb"begin [0-7]{3,4} (\S.{0,200}?)\s*", lines[index])
        end = _uu_end(lines, index + 1) if match else None
        if match is None or end is None:
            kept.append(lines[index])
            index += 1
            continue
        content = b"".join(_uu_line(line) for line in lines[index + 1 : end])
        blocks.append((hdr.decode_header(match.group(1)), content))
        index = end + 1
    return b"\n".join(kept), blocks


def _uu_end(lines: list[bytes], start: int) -> int | None:
    for index in range(start, len(lines)):
        line = lines[index].rstrip(b"\r")
        if line == b"end":
            return index
        if line and not (0x20 <= line[0] <= 0x60 and len(line) <= 90):
            return None
    return None


def _uu_line(line: bytes) -> bytes:
    line = line.rstrip(b"\r")
    try:
        return binascii.a2b_uu(line)
    except (binascii.Error, ValueError):
        if not line:
            return b""
        # Some encoders leave trailing garbage after the counted bytes.
        length = (((line[0] - 32) & 63) * 4 + 5) // 3
        try:
            return binascii.a2b_uu(line[:length])
        except (binascii.Error, ValueError):
            return b""


def _normal_line_ends(raw: bytes) -> bytes:
    if b"\n" not in raw and b"\r" in raw:
        return raw.replace(b"\r", b"\n")
    return raw


def _read_part(raw: bytes, budget: _Budget, depth: int) -> Part:
    headers, body = _split_headers(raw, budget)
    part = Part(headers, body)
    part.content_type, part.params = hdr.parse_parameters(part.first("content-type"), "text/plain")
    if part.content_type.count("/") != 1:
        part.content_type = "text/plain" if part.content_type in ("", "text") else "application/octet-stream"
    part.disposition, part.disposition_params = hdr.parse_parameters(part.first("content-disposition"), "")
    boundary = part.params.get("boundary", "")
    if not part.content_type.startswith("multipart/"):
        return part
    if depth >= budget.limits.max_depth:
        budget.note("nested_too_deep")
        part.content_type = "application/octet-stream"
        return part
    sections = _split_multipart(body, boundary.encode("latin-1", "ignore")) if boundary else []
    if not sections:
        budget.note("multipart_without_parts")
        part.content_type = "text/plain"
        return part
    for section in sections:
        if budget.parts >= budget.limits.max_parts:
            budget.note("too_many_parts")
            break
        budget.parts += 1
        part.children.append(_read_part(section, budget, depth + 1))
    return part


def _split_multipart(body: bytes, boundary: bytes) -> list[bytes]:
    """Sections between boundary lines; a missing end is the end of the body."""
    marker = re.compile(rb"^[ \t]?--" + re.escape(boundary) + rb"(--)?[ \t]*\r?$\n?", re.MULTILINE)
    sections: list[bytes] = []
    start: int | None = None
    for match in marker.finditer(body):
        if start is not None:
            sections.append(_without_last_line_end(body[start : match.start()]))
        start = match.end()
        if match.group(1):
            start = None
            break
    if start is not None and body[start:].strip():
        sections.append(body[start:])
    return sections


def _without_last_line_end(section: bytes) -> bytes:
    if section.endswith(b"\r\n"):
        return section[:-2]
    return section[:-1] if section.endswith(b"\n") else section


def _split_headers(raw: bytes, budget: _Budget) -> tuple[list[tuple[str, bytes]], bytes]:
    """Unfolded header fields (names in lower case) and the rest. Tolerates mbox lines and stray text."""
    fields: list[list[bytes]] = []
    names: list[str] = []
    position = 0
    while position < len(raw):
        end = raw.find(b"\n", position)
        end = len(raw) if end < 0 else end
        line = raw[position:end].rstrip(b"\r")
        following = min(end + 1, len(raw))
        if not line.strip(b"\x00"):
            position = following
            break
        if line[:1] in b" \t" and fields:
            _append(fields[-1], line, budget)
        elif match := _HEADER.fullmatch(line):
            if len(fields) < budget.limits.max_headers:
                names.append(match.group(1).decode("ascii").lower())
                fields.append([match.group(2).strip()])
            else:
                budget.note("too_many_headers")
        elif not _MBOX_FROM.fullmatch(line):
            if not _header_follows(raw, following):
                break
            budget.note("malformed_header")
            if fields:
                # Folding that lost its white space, by far the most usual damage.
                _append(fields[-1], line, budget)
        position = following
    return [(name, b" ".join(value)) for name, value in zip(names, fields, strict=True)], raw[position:]


def _append(value: list[bytes], line: bytes, budget: _Budget) -> None:
    # Only the number of lines is bounded here: each is at most what is left of a bounded mail.
    if len(value) < budget.limits.max_header_bytes // 64:
        value.append(line.strip())
    else:
        budget.note("header_too_long")


def _header_follows(raw: bytes, position: int) -> bool:
    """Whether a header comes before the next blank line, so that this line only stands among headers."""
    for _ in range(_STRAY_LINES):
        end = raw.find(b"\n", position)
        line = raw[position : len(raw) if end < 0 else end].rstrip(b"\r")
        if not line.strip():
            return False
        if _PLAIN_HEADER.match(line):
            return True
        if end < 0:
            return False
        position = end + 1
    return False


def _decode_base64(body: bytes) -> bytes:
    compact = _BASE64_JUNK.sub(b"", body.split(b"\n--", 1)[0])
    compact = compact[: len(compact) - 1] if len(compact) % 4 == 1 else compact
    try:
        return base64.b64decode(compact + b"=" * (-len(compact) % 4))
    except (binascii.Error, ValueError):
        return body


def _decode_quoted_printable(body: bytes) -> bytes:
    joined = _SOFT_BREAK.sub(b"", body)
    return _HEX_ESCAPE.sub(lambda match: bytes.fromhex(match.group(1).decode("ascii")), joined)
