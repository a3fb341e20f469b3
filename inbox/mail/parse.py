"""Raw mail to ParsedMail. Any bytes give an answer; hostile ones give a short one."""

from __future__ import annotations

import hashlib
import mimetypes
import re

from inbox.mail import flags
from inbox.mail.bounce import read_bounces
from inbox.mail.charsets import decode_bytes, storable
from inbox.mail.headers import MailAddress, parse_addresses, parse_date, parse_message_ids
from inbox.mail.limits import DEFAULT_LIMITS, MailLimits, MailTooLarge
from inbox.mail.mime import Part, read_headers, read_tree, split_uuencoded
from inbox.mail.model import Attachment, ParsedMail
from inbox.mail.quotes import fold
from inbox.mail.sanitise import sanitise_html

_DERIVED_DOMAIN = "derived.continuo.invalid"
_UNSAFE_NAME = re.compile(r"[\x00-\x1f\x7f<>:\"/\\|?*\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([A-Za-z0-9_-]{2,40})", re.IGNORECASE)
_NAME_LENGTH = 120
# Laying out a table of a hundred thousand cells as text takes seconds.
_HTML_FOR_TEXT = 500_000
_SUBJECT_LENGTH = 2000
_EXTENSIONS = {"image/jpeg": ".jpg", "text/plain": ".txt", "text/html": ".html", "message/rfc822": ".eml"}


def parse_mail(raw: bytes, limits: MailLimits = DEFAULT_LIMITS) -> ParsedMail:
    """Read one raw mail. Raises MailTooLarge above `limits.max_bytes`, and nothing else for any bytes.

    A mail that cannot be understood at all still gives a ParsedMail with a derived message id and the
    defect `unreadable`; the caller keeps the raw source and shows it as a stub.
    """
    if len(raw) > limits.max_bytes:
        raise MailTooLarge(f"The mail has {len(raw)} bytes, more than {limits.max_bytes}.")
    try:
        return _parse(raw, limits)
    except Exception as error:
        # The promise to callers: one bad mail never stops a fetch. The raw source stays with them.
        return ParsedMail(
            message_id=_derived_id(raw),
            is_message_id_derived=True,
            size=len(raw),
            defects=("unreadable", type(error).__name__),
        )


def _text_of(html: str) -> str:
    from inbox.mail.html_quotes import quoted_html_to_text  # loads lxml, which only mails with HTML need

    return quoted_html_to_text(html[:_HTML_FOR_TEXT])


def _parse(raw: bytes, limits: MailLimits) -> ParsedMail:
    root, defects = read_tree(raw, limits)
    bodies = _Bodies(limits, defects)
    bodies.collect(root)
    text, html = bodies.text(), bodies.html()
    safe = sanitise_html(html) if html else None
    if not text.strip() and html:
        text = _text_of(html)
    text = _cut(storable(text).strip("\n"), limits.max_text_chars, "text_cut", defects)
    folded = fold(text)
    subject = root.text("subject")[:_SUBJECT_LENGTH]
    bounces = read_bounces(root, text)
    ids = parse_message_ids(root.first("message-id"))
    in_reply_to = parse_message_ids(root.first("in-reply-to"))
    return ParsedMail(
        message_id=ids[0] if ids else _derived_id(raw, root),
        is_message_id_derived=not ids,
        sender=_sender(root),
        reply_to=_addresses(root, "reply-to", limits),
        to=_addresses(root, "to", limits),
        cc=_addresses(root, "cc", limits),
        delivered_to=_delivered_to(root),
        return_path=_return_path(root),
        subject=subject,
        date=parse_date(root.first("date")),
        in_reply_to=in_reply_to[0] if in_reply_to else None,
        references=parse_message_ids(b" ".join(root.all("references")), limits.max_references),
        text=text,
        new_text=folded.new_text,
        quoted_text=folded.quoted,
        signature=folded.signature,
        html=safe.html if safe else "",
        remote_images=safe.remote_images if safe else 0,
        attachments=tuple(bodies.attachments),
        bounces=bounces,
        is_bounce=bool(bounces),
        is_auto_reply=not bounces and flags.is_auto_reply(root, subject),
        is_auto_generated=flags.is_auto_generated(root),
        is_bulk=flags.is_bulk(root),
        is_reply_unwanted=flags.is_reply_unwanted(root),
        precedence=flags.precedence(root),
        loop_markers=flags.loop_markers(root),
        size=len(raw),
        defects=tuple(defects),
    )


class _Bodies:
    """Sorts the leaves of a mail into text, HTML and attachments."""

    def __init__(self, limits: MailLimits, defects: list[str]) -> None:
        self.limits = limits
        self.defects = defects
        self.texts: list[str] = []
        self.htmls: list[str] = []
        self.attachments: list[Attachment] = []
        self.decoded = 0

    def collect(self, part: Part, in_alternative: bool = False) -> None:
        """Take one part and all below it. Depth is bounded by the reader."""
        if part.children:
            self._collect_children(part)
        elif _is_body(part):
            self._take_body(part, in_alternative)
        else:
            self._attach(part)

    def _collect_children(self, part: Part) -> None:
        if part.content_type != "multipart/alternative":
            for child in part.children:
                self.collect(child)
            return
        before = len(self.texts), len(self.htmls)
        for child in part.children:
            self.collect(child, in_alternative=True)
        # A second version of the same kind inside an alternative is the same letter again.
        for found, start in zip((self.texts, self.htmls), before, strict=True):
            if part.children and len(found) > start + 1 and not any(child.children for child in part.children):
                del found[start + 1 :]

    def _take_body(self, part: Part, in_alternative: bool) -> None:
        content = part.content()
        charset = part.params.get("charset")
        if part.content_type == "text/html":
            if not charset and (match := _META_CHARSET.search(content[:4096])):
                charset = match.group(1).decode("ascii")
            self.htmls.append(decode_bytes(content, charset))
            if not in_alternative and any(text.strip() for text in self.texts):
                self.texts.append(_text_of(self.htmls[-1]))
            return
        rest, files = split_uuencoded(content)
        for name, data in files:
            self._add(Attachment(clean_name(name), _guess_type(name), data))
        text = decode_bytes(rest, charset)
        self.texts.append(_unflow(text, part) if part.params.get("format", "").lower() == "flowed" else text)

    def _attach(self, part: Part) -> None:
        if part.content_type.startswith("multipart/") and not part.body.strip():
            return
        declared = part.disposition_params.get("filename") or part.params.get("name") or ""
        name = declared or _default_name(part, len(self.attachments) + 1)
        content_id = storable(part.text("content-id").strip().strip("<>"))[:250] or None
        content = part.content()
        is_inline = part.disposition == "inline" or (content_id is not None and part.disposition != "attachment")
        self._add(Attachment(clean_name(name), part.content_type[:127], content, is_inline, content_id))

    def _add(self, attachment: Attachment) -> None:
        self.decoded += attachment.size
        if self.decoded > self.limits.max_attachments_bytes:
            self.defects.append("attachments_cut")
            return
        self.attachments.append(attachment)

    def text(self) -> str:
        return "\n".join(text for text in self.texts if text.strip())

    def html(self) -> str:
        html = "\n".join(self.htmls)
        return _cut(html, self.limits.max_html_chars, "html_cut", self.defects)


def _is_body(part: Part) -> bool:
    if part.content_type not in ("text/plain", "text/html", "text", "text/enriched"):
        return False
    has_name = bool(part.disposition_params.get("filename") or part.params.get("name"))
    return part.disposition != "attachment" and not (has_name and part.disposition != "")


def _unflow(text: str, part: Part) -> str:
    """Join the soft line breaks of format=flowed (RFC 3676); quoted lines keep theirs."""
    is_delsp = part.params.get("delsp", "").lower() == "yes"
    lines: list[str] = []
    pending = ""
    for line in text.replace("\r\n", "\n").split("\n"):
        stripped = line[1:] if line.startswith(" ") else line
        if stripped.startswith(">") or stripped == "-- " or not stripped.endswith(" "):
            if stripped.startswith(">") and pending:
                lines.append(pending.rstrip())
                pending = ""
            lines.append(pending + stripped)
            pending = ""
        else:
            pending += stripped[:-1] if is_delsp else stripped
    if pending:
        lines.append(pending.rstrip())
    return "\n".join(lines)


def clean_name(name: str) -> str:
    """A file name to show and to download: no path, no control or direction-changing characters.

    At most 120 characters; the extension survives the cut. Never empty.
    """
    base = re.split(r"[/\\]", storable(name))[-1]
    base = re.sub(r"\s+", " ", _UNSAFE_NAME.sub("_", base)).strip(" .")
    if not base:
        return "attachment"
    if len(base) <= _NAME_LENGTH:
        return base
    stem, dot, extension = base.rpartition(".")
    if not dot or len(extension) > 10:
        return base[:_NAME_LENGTH]
    return stem[: _NAME_LENGTH - len(extension) - 1] + "." + extension


def _default_name(part: Part, number: int) -> str:
    if part.content_type == "message/rfc822":
        subject = read_headers(part.content()[:65536]).text("subject")
        return (subject[:100] or f"message-{number}") + ".eml"
    extension = _EXTENSIONS.get(part.content_type) or mimetypes.guess_extension(part.content_type) or ".bin"
    return f"attachment-{number}{extension}"


def _guess_type(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _cut(text: str, length: int, defect: str, defects: list[str]) -> str:
    if len(text) <= length:
        return text
    defects.append(defect)
    return text[:length]


def _addresses(root: Part, name: str, limits: MailLimits) -> tuple[MailAddress, ...]:
    return parse_addresses(b",".join(root.all(name)), limits.max_addresses)


def _sender(root: Part) -> MailAddress | None:
    """First mailbox of any From, else of Sender, Reply-To or the envelope."""
    found: list[MailAddress] = []
    for name in ("from", "sender", "x-original-from", "reply-to", "return-path"):
        for value in root.all(name)[:5]:
            found.extend(parse_addresses(value, 5))
        if proper := next((address for address in found if "@" in address.address), None):
            return proper
        if found and name == "from":
            break
    return found[0] if found else None


def _return_path(root: Part) -> str | None:
    values = root.all("return-path")
    if not values:
        return None
    addresses = parse_addresses(values[0], 1)
    return addresses[0].key if addresses else ""


def _delivered_to(root: Part) -> tuple[str, ...]:
    found: list[str] = []
    for name in ("x-original-to", "delivered-to", "envelope-to", "x-envelope-to", "x-forwarded-to"):
        for value in root.all(name)[:10]:
            found.extend(address.key for address in parse_addresses(value, 10))
    return tuple(dict.fromkeys(found))


def _derived_id(raw: bytes, root: Part | None = None) -> str:
    """The same for every copy of a mail: trace headers, which differ by route, are left out."""
    digest = hashlib.sha256()
    if root is None:
        digest.update(raw)
    else:
        for name in ("from", "to", "cc", "date", "subject"):
            digest.update(name.encode() + b"\0" + b"\0".join(root.all(name)) + b"\0")
        digest.update(root.body.replace(b"\r\n", b"\n").strip())
    return f"{digest.hexdigest()[:40]}@{_DERIVED_DOMAIN}"
