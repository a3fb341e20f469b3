"""Delivery failures that come back as mail: RFC 3464 reports, abuse reports, and all the home-made ones."""

from __future__ import annotations

import re
from dataclasses import dataclass

from inbox.mail.bounce_reasons import HARD_REASONS, BounceReason, classify
from inbox.mail.charsets import decode_bytes, storable
from inbox.mail.headers import parse_message_ids
from inbox.mail.mime import Part, read_headers

_MAX_TEXT = 20_000
_MAX_RECIPIENTS = 100
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,253}[A-Za-z0-9]")
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)")
_REPLY_CODE = re.compile(r"(?<![\d.\-/:#])([45][0-5]\d)(?=[ \-:,;.)\]]|$)(?!\.\d)")
# qmail ends every letter with it, whatever the cause was.
_BOILERPLATE = re.compile(r"I'm not going to try again; this message has been in the queue too long\.")
_NOT_RECIPIENTS = re.compile(
    r"^[ \t>]*(?:message-?id|(?:envelope-)?from|sender(?: address)?|reply-to|return-path|references)\s*:[^\n]*",
    re.I | re.M,
)
_REPLY_WITH_STATUS = re.compile(r"(?<![\d.\-/:#])([45][0-5]\d)[ \-]#?[245]\.\d{1,3}\.\d")
_RESPONSE_START = re.compile(r"(?<![\d.\-/:#])[45][0-5]\d[ \-](?!\d)|(?<![\d.])[45]\.\d{1,3}\.\d{1,3}(?!\.?\d)")
_PASSING = {
    BounceReason.UNKNOWN,
    BounceReason.ON_HOLD,
    BounceReason.NETWORK,
    BounceReason.SYSTEM,
    BounceReason.DOMAIN_UNKNOWN,
}
_SUBJECT = re.compile(
    r"undeliver|deliver(?:y|ed)? (?:status|fail|notif|problem|error|incomplete|report|delay|has)|non[- ]?deliver|"
    r"(?:mail|message|email) (?:delivery|system|was not|could not be|not|has not|is not|failure|error|returned)|"
    r"return(?:ed|ing) (?:mail|message|to sender)|failure notice|fail(?:ed|ure)\b.{0,30}(?:deliver|mail|notice|recipient)|"
    r"not (?:be )?delivered|could not be delivered|couldn't be delivered|mail failure|bounce|"
    r"delivery$|undelivered|unzustellbar|nicht zugestellt|zustell\w*fehl|nicht zustellbar|non remis|échec de (?:la )?(?:remise|distribution)|"
    r"no se (?:puede|pudo|ha podido) entregar|no entregad|no se ha entregado|fallo? (?:en|de) la entrega|error de entrega|"
    r"não (?:foi )?entregue|falha (?:na|de) entrega|mancato recapito|non recapitabil|consegna non riuscita|onbestelbaar|"
    r"kan ikke leveres|oleveran|недостав|не доставлен|не удалось доставить|配信|送信でき|エラー|投递|退信|returned to sender|postmaster notify",
    re.IGNORECASE,
)
_BODY = re.compile(
    r"(?:could|can|cannot|was|has|were|is|did)(?:n't| ?not)(?: been| be| yet been)? (?:able to )?(?:deliver|sent|reach)|"
    r"unable to deliver|undeliverable|undelivered|deliver\w* (?:to .{0,80} )?(?:has |was |is |have )?(?:been )?(?:fail|delayed|impossible|error)|failed (?:to deliver|permanently|addresses|recipient|after|for)|"
    r"not delivered|permanent (?:fatal )?error|(?:fatal|delivery|transient) error|delivery problems|error (?:while|occurred|delivering|was encountered)|returned (?:mail|to you|to sender|undelivered)|"
    r"following (?:address|recipient|error|destination)|smtp error|remote (?:host|server) said|user unknown|mailbox (?:full|unavailable)|did not (?:reach|like)|transcript of session|"
    r"addresses? (?:failed|had)|message (?:could|was|has) not|bounced|not be sent|incorrectly constructed|unknown user|does not exist|rejected|n'a pas pu être|no se pudo entregar|não pôde ser entregue|konnte nicht zugestellt|"
    r"не может быть доставлено|送信できません|配信できません|送信に失敗|エラーのため",
    re.IGNORECASE,
)
_DAEMON = re.compile(
    r"^(?:mailer[-_.]?daemon|mail[-_.]?daemon|mdaemon|postmaster|mailerdaemon|postfix|mail[-_.]?(?:delivery|system|admin)|"
    r"bounces?|delivery|maildelivery|.*-admin|symantec.*|noreply|no-reply|microsoftexchange.*)$",
    re.IGNORECASE,
)
_ORIGINAL_MARK = re.compile(
    r"^[ \t>]*(?:[-=*_ ]{2,}\s*(?:this is a copy|below this line|original message|message header|returned message|the header|"
    r"unsent message|undelivered|copy of|header of|the body of|included is a copy|message (?:follows|text)|original mail|headers? follow|ursprüng|message d'origine)|"
    r"below is a copy of the original|included is a copy|message headers? follow|the original message (?:follows|headers)|original message (?:follows|headers)|"
    r"(?:[^\n]{0,40})?(?:original|returned) (?:message|mail)(?: headers| as follows| follows| text)?\s*:|en-têtes de message|return-path:|received: (?:from|by|\(qmail)|the following (?:is|are) the|"
    r"a copy of (?:the|your)|-+ ?original)",
    re.IGNORECASE | re.MULTILINE,
)
_RECIPIENT_FIELDS = ("final-recipient", "original-recipient", "x-actual-recipient")
_FIELD_BLOCK = re.compile(r"^(?:final|original)-recipient\s*:", re.IGNORECASE | re.MULTILINE)
_STRONG = (
    re.compile(r"^\s*(?:>>> ?)?[<\[(]?" + _ADDRESS.pattern + r"[>\])]?\s*(?:[:;(,]|$|\.\.\.)", re.MULTILINE),
    re.compile(r"rcpt to:?\s*<?" + _ADDRESS.pattern, re.IGNORECASE),
    re.compile(
        r"^[^\n]{0,60}?(?:recipient|address(?:ed|ee)?|deliver\w*|sent|failed|mail|message|to|for)[^\n@:]{0,40}[:\s]\s*[<\"'(]?"
        + _ADDRESS.pattern,
        re.IGNORECASE | re.MULTILINE,
    ),
    re.compile(r"^\s*[45]\d\d[ -](?:[245]\.\d+\.\d+ )?<?" + _ADDRESS.pattern + r">?", re.MULTILINE),
)


@dataclass(frozen=True, slots=True)
class Bounce:
    """What became of one recipient of a mail of ours.

    `status` is the enhanced code (`5.1.1`) or empty, `reply_code` the SMTP one (`550`) or empty.
    `is_hard`: the address is dead, do not use it again. `is_delay`: the server still tries.
    `original_message_id` has no angle brackets. `feedback_type` only for COMPLAINT (`abuse`, …).
    `diagnostic` is at most 500 characters of the server's words.
    """

    recipient: str
    reason: BounceReason
    is_hard: bool
    is_delay: bool = False
    status: str = ""
    reply_code: str = ""
    diagnostic: str = ""
    original_message_id: str | None = None
    feedback_type: str = ""


def read_bounces(root: Part, text: str) -> tuple[Bounce, ...]:
    """Failed recipients that this mail reports, or an empty tuple when it is no bounce. Never raises for any tree.

    `text` is the mail's readable text. Reports of success are no bounces.
    """
    parts = root.walk()
    original = _original(parts, text)
    if feedback := next((part for part in parts if part.content_type == "message/feedback-report"), None):
        return (_complaint(feedback, original),)
    words = _words(parts, text)
    groups = _report_groups(parts, words)
    if groups:
        failed = [group for group in groups if _action(group) not in ("delivered", "relayed", "expanded")]
        bounces = [_from_group(group, words, original, len(failed)) for group in failed[:_MAX_RECIPIENTS]]
        return tuple(_unique(bounces))
    if not _looks_like_bounce(root, parts, words):
        return ()
    return tuple(_unique(_from_words(root, words, original)))


def bounce_of_response(recipient: str, words: str) -> Bounce:
    """What a mail server's or provider's answer to one recipient means, e.g. `550 5.1.1 User unknown`."""
    return _bounce(recipient.lower(), words[:4000], "", [], None, is_delay=False)


def _complaint(feedback: Part, original: Part | None) -> Bounce:
    fields = read_headers(feedback.content())
    recipient = _address(fields.text("original-rcpt-to") or fields.text("removal-recipient"))
    if not recipient and original is not None:
        recipient = _address(original.text("to"))
    return Bounce(
        recipient=recipient,
        reason=BounceReason.COMPLAINT,
        is_hard=False,
        original_message_id=_original_id(original),
        feedback_type=fields.text("feedback-type").lower()[:40],
        diagnostic=storable(decode_bytes(feedback.content()[:2000]))[:500],
    )


def _original(parts: list[Part], text: str) -> Part | None:
    """Headers of the mail that failed, wherever the report carries them."""
    for part in parts:
        if part.content_type in (
            "message/rfc822",
            "text/rfc822-headers",
            "message/partial",
            "message/rfc822-headers",
            "message/global",
        ):
            return read_headers(part.content()[: 64 * 1024])
    if match := _ORIGINAL_MARK.search(text[: 4 * _MAX_TEXT]):
        tail = text[match.start() : match.start() + 16 * 1024]
        start = re.search(
            r"^[ \t>]*(?:return-path|received|message-id|from|to|subject|date|x-[\w-]+)\s*:",
            tail,
            re.IGNORECASE | re.MULTILINE,
        )
        if start:
            block = re.sub(r"^ {1,4}(?=\S+:)", "", tail[start.start() :], flags=re.MULTILINE)
            return read_headers(block.encode("utf-8"))
    return None


def _original_id(original: Part | None) -> str | None:
    ids = parse_message_ids(original.first("message-id")) if original is not None else ()
    return ids[0] if ids else None


def _words(parts: list[Part], text: str) -> str:
    """What the reporting server says in its own words, without the copy of our mail."""
    start = _BOILERPLATE.sub("", text[:_MAX_TEXT])
    match = _ORIGINAL_MARK.search(start)
    if match and match.start() > 0:
        start = start[: match.start()]
    return start


def _report_groups(parts: list[Part], words: str) -> list[dict[str, str]]:
    groups: list[dict[str, str]] = []
    for part in parts:
        if part.content_type in (
            "message/delivery-status",
            "message/global-delivery-status",
            "message/delivery-report",
        ):
            groups += _field_groups(storable(decode_bytes(part.content()[:_MAX_TEXT])))
    if not groups and _FIELD_BLOCK.search(words):
        groups = _field_groups(words)
    return groups


def _field_groups(text: str) -> list[dict[str, str]]:
    """Per-recipient fields. Blocks should be split by blank lines; those that are not are split by recipient."""
    groups: list[dict[str, str]] = []
    pending: dict[str, str] = {}
    name = ""
    for line in text.split("\n") + [""]:
        if not line.strip():
            name = ""
            if any(field in pending for field in _RECIPIENT_FIELDS):
                groups.append(pending)
                pending = {}
            elif groups and not {"reporting-mta", "arrival-date"} & set(pending):
                for key, value in pending.items():
                    groups[-1].setdefault(key, value)
                pending = {}
            else:
                pending = {
                    key: value for key, value in pending.items() if key in ("action", "status", "diagnostic-code")
                }
            continue
        match = re.match(r"([A-Za-z][A-Za-z0-9-]{1,40})\s*:\s*(.*)", line)
        if line[:1] in " \t" and name:
            pending[name] = f"{pending[name]} {line.strip()}"[:4000]
        elif match:
            name = match.group(1).lower()
            if name == "final-recipient" and name in pending:
                groups.append(pending)
                pending = {}
            pending.setdefault(name, match.group(2).strip())
        elif name:
            pending[name] = f"{pending[name]} {line.strip()}"[:4000]
    return groups[:_MAX_RECIPIENTS]


def _action(group: dict[str, str]) -> str:
    return group.get("action", "").lower().replace("(", " ").split(" ")[0]


def _address(value: str) -> str:
    match = _ADDRESS.search(value.rpartition(";")[2] or value)
    return match.group().strip(".'").lower() if match else ""


def _from_group(group: dict[str, str], words: str, original: Part | None, failed: int) -> Bounce:
    recipient = next((address for name in _RECIPIENT_FIELDS if (address := _address(group.get(name, "")))), "")
    field = group.get("diagnostic-code", "")
    diagnostic = re.sub(r"^\s*(?:smtp|x-(?!unix)\w[\w-]*|x400|unknown|dns)\s*;\s*", "", field, flags=re.IGNORECASE)
    status_field = group.get("status", "")
    status_comment = _STATUS.sub("", status_field).strip(" ()")
    snippet = _snippet(words, recipient, failed)
    said = " ".join(piece for piece in (diagnostic, status_comment) if piece)
    return _bounce(recipient, said, snippet, _STATUS.findall(status_field), original, _action(group) == "delayed")


def _snippet(words: str, recipient: str, failed: int) -> str:
    """The lines of the free text that speak of this recipient; all of it when there is only one."""
    if failed == 1 or not recipient:
        return words[-4000:] if len(words) > 4000 else words
    lines = words.split("\n")
    found: list[str] = []
    is_open = False
    for line in lines:
        mentions = [address.lower() for address in _ADDRESS.findall(line)]
        if recipient in mentions:
            is_open = True
        elif not line.strip() or mentions:
            is_open = False
        if is_open:
            found.append(line)
    return "\n".join(found)[:4000]


def _bounce(
    recipient: str, said: str, snippet: str, declared: list[str], original: Part | None, is_delay: bool
) -> Bounce:
    status = _best_status(_STATUS.findall(said), declared) or _best_status(_STATUS.findall(snippet), [])
    if status.endswith(".0.0"):
        status = _best_status(_STATUS.findall(snippet), [status])
    code = _reply_code(said) or _reply_code(snippet)
    if not said.strip():
        said = _response(snippet)
    reason = classify(_with_stage(said, snippet), status) if said.strip() else BounceReason.UNKNOWN
    if reason in (BounceReason.UNKNOWN, BounceReason.ON_HOLD):
        by_words = classify(snippet, status)
        reason = by_words if by_words not in (BounceReason.UNKNOWN, BounceReason.ON_HOLD) else reason
    if reason is BounceReason.ON_HOLD and not status:
        reason = BounceReason.UNKNOWN
    if is_delay and reason in _PASSING:
        reason = BounceReason.EXPIRED
    is_temporary = status.startswith("4") or (not status and code.startswith("4"))
    return Bounce(
        recipient=recipient,
        reason=reason,
        is_hard=reason in HARD_REASONS and not is_delay and not is_temporary,
        is_delay=is_delay,
        status=status,
        reply_code=code,
        diagnostic=" ".join(storable(said or snippet).split())[:500],
        original_message_id=_original_id(original),
    )


def _reply_code(words: str) -> str:
    """The last SMTP code that an enhanced code follows, else the last one at all."""
    codes = _REPLY_WITH_STATUS.findall(words) or _REPLY_CODE.findall(words)
    return codes[-1] if codes else ""


def _response(snippet: str) -> str:
    """The server's answer inside a letter for people: from its first code to the end of the paragraph."""
    match = _RESPONSE_START.search(snippet)
    if match is None:
        return ""
    answer = snippet[match.start() :]
    end = re.search(r"\n[ \t]*\n", answer)
    return answer[: end.start() if end else 2000]


def _with_stage(said: str, snippet: str) -> str:
    """The server's words, and at which SMTP command they were said when only the transcript tells."""
    if re.search(r"in reply to|after (?:rcpt|mail|end of)", said, re.IGNORECASE):
        return said
    stages = re.findall(
        r"in reply to (?:the )?(?:end of )?[a-z ]{4,9} command|>>> (?:DATA|MAIL FROM|RCPT TO)\b|\bafter (?:end of data|mail from|rcpt to)",
        snippet,
        re.IGNORECASE,
    )
    return f"{said} {stages[-1]}" if stages else said


def _best_status(found: list[str], declared: list[str]) -> str:
    """The most specific code; x.0.0 says nothing and 4.4.7 only that the queue gave up."""
    best, best_weight = "", -1
    for status in [*declared, *found]:
        weight = 3
        if status.endswith(".0.0"):
            weight = 0
        elif status.endswith(".0"):
            weight = 1
        elif status in ("4.4.7", "5.4.7", "5.4.1", "4.4.1"):
            weight = 2
        if not status.startswith("2") and weight >= best_weight:
            best, best_weight = status, weight
    return best


def _looks_like_bounce(root: Part, parts: list[Part], words: str) -> bool:
    score = 0
    if root.first("x-failed-recipients").strip():
        score += 3
    sender = root.text("from").lower()
    local = (_ADDRESS.search(sender).group() if _ADDRESS.search(sender) else sender.strip(' <>"')).partition("@")[0]  # type: ignore[union-attr]
    if root.all("from") and not sender.strip(" <>\"'"):
        score += 2
    if _DAEMON.match(local) or re.search(r"mailer-?daemon|mail delivery|postmaster|delivery s(?:ubs)?ystem", sender):
        score += 2
    return_path = root.first("return-path").strip().lower()
    if (return_path in (b"<>", b"") and root.all("return-path")) or b"mailer-daemon" in return_path:
        score += 1
    subject = root.text("subject")
    if _SUBJECT.search(subject):
        score += 2
    if root.content_type == "multipart/report" and "disposition" not in root.params.get("report-type", ""):
        score += 2
    has_evidence = bool(_BODY.search(words)) or bool(_REPLY_CODE.search(words))
    if any(part.content_type in ("message/rfc822", "text/rfc822-headers") for part in parts[1:]):
        score += 1
    return score >= 3 and (has_evidence or score >= 5)


def _from_words(root: Part, words: str, original: Part | None) -> list[Bounce]:
    recipients = _named_recipients(root, words, original)
    is_delay = bool(re.search(r"delay|warning", root.text("subject"), re.IGNORECASE)) or bool(
        re.search(
            r"warning message only|will (?:be retried|keep trying|continue)|do not need to resend", words, re.IGNORECASE
        )
    )
    if not recipients:
        recipients = [_address(original.text("to")) if original is not None else ""]
    return [
        _bounce(recipient, "", _snippet(words, recipient, len(recipients)) or words, [], original, is_delay)
        for recipient in recipients[:_MAX_RECIPIENTS]
    ]


def _named_recipients(root: Part, words: str, original: Part | None) -> list[str]:
    if failed := [address.lower() for address in _ADDRESS.findall(root.text("x-failed-recipients"))]:
        return list(dict.fromkeys(failed))
    ours = {address.lower() for name in ("to", "delivered-to", "from") for address in _ADDRESS.findall(root.text(name))}
    intended: set[str] = set()
    if original is not None:
        ours |= {address.lower() for address in _ADDRESS.findall(original.text("from"))}
        intended = {address.lower() for address in _ADDRESS.findall(original.text("to"))}
    words = _NOT_RECIPIENTS.sub("", words)
    places = sorted((match.start(), match.group()) for pattern in _STRONG for match in pattern.finditer(words))
    strong = [_ADDRESS.findall(found)[-1].strip(".").lower() for _, found in places]
    others = list(dict.fromkeys(address for address in strong if address not in ours - intended))
    if others:
        return others
    loose = [address.lower() for address in _ADDRESS.findall(words) if address.lower() not in ours]
    return list(dict.fromkeys(loose)) or list(dict.fromkeys(strong)) or sorted(intended)


def _unique(bounces: list[Bounce]) -> list[Bounce]:
    kept: dict[str, Bounce] = {}
    for bounce in bounces:
        kept.setdefault(bounce.recipient, bounce)
    return list(kept.values())
