"""What is new in a reply: earlier mails and signatures folded away, line by line and in linear time.

Regular expressions over the whole text, as the usual libraries use them, take minutes on hostile input
and know few languages. Here every decision looks at one line, or at the few lines of one header.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MAX_LINE = 1000
_HEADER_SPAN_LINES = 5
_HEADER_BLOCK_LINES = 14

_ORIGINAL = (
    r"original message|original email|reply message|original appointment|ursprüngliche nachricht|"
    r"originalnachricht|original-nachricht|antwort nachricht|message d'origine|message original|message initial|"
    r"mensaje original|mensagem original|messaggio originale|missatge original|oorspronkelijk bericht|"
    r"oprindelig meddelelse|opprinnelig melding|ursprungligt meddelande|originalmeddelande|alkuperäinen viesti|"
    r"oryginalna wiadomość|wiadomość oryginalna|původní zpráva|pôvodná správa|eredeti üzenet|mesaj original|"
    r"исходное сообщение|исходно съобщение|оригінальне повідомлення|orijinal mesaj|thư gốc|izvorna poruka|"
    r"原始邮件|原始郵件|邮件原件|元のメッセージ|원본 메시지|الرسالة الأصلية|הודעה מקורית"
)
_FORWARDED = (
    r"forwarded message|begin forwarded message|weitergeleitete nachricht|anfang der weitergeleiteten nachricht|"
    r"message transféré|message transmis|début du message réexpédié|mensaje reenviado|inicio del mensaje reenviado|"
    r"mensagem encaminhada|início da mensagem encaminhada|messaggio inoltrato|doorgestuurd bericht|"
    r"videresendt meddelelse|vidarebefordrat meddelande|przekazana wiadomość|пересылаемое сообщение|missatge reenviat"
)
_ORIGINAL_LINE = re.compile(rf"^\W*[-_=*>]{{1,}}\s*(?:{_ORIGINAL})\b.{{0,40}}$", re.IGNORECASE)
_SOMEBODY_WROTE_LINE = re.compile(
    r"^\W*-{2,}\s*[^-\n].{0,100}?\b(?:wrote|escribió|escreveu|schrieb|a écrit)\s*-{2,}\s*$", re.IGNORECASE
)
_CLOCK = re.compile(r"\d{1,2}[:.h]\d{2}")
_FORWARDED_LINE = re.compile(rf"^\W*(?:{_FORWARDED})\b.{{0,40}}$", re.IGNORECASE)

_LEAD = re.compile(
    r"^[\s>*_-]*(?:on|am|le|el|em|il|op|w dniu|dnia|den|dne|dňa|på|vào|date:|quoting|в|ср|em:|a las|la|le|"
    r"man|tir|tor|ons|fre|lør|søn|kl|mon|tue|wed|thu|fri|sat|sun|lun|mar|mer|jeu|ven|sam|dim|mié|jue|vie|sáb|dom|"
    r"seg|ter|qua|qui|sex|mo|di|mi|do|fr|sa|so|dg|pe|e|po|út|st|čt|pá|пн|вт|чт|пт|сб|вс|\d{1,4})\b",
    re.IGNORECASE,
)
_WROTE = re.compile(
    r"\b(?:wrote|writes|sent|said|schrieb|schreef|geschreven|a écrit|à écrit|écrit|escribió|escribio|escribi|"
    r"escreveu|ha scritto|scrisse|scritto|skrev|skrifaði|napisał|napisała|napisał\(a\)|napsal|napsala|napsal\(a\)|"
    r"napísal|napísala|napisao|написал|написала|написал\(а\)|пише|пишет|написав|kirjoitti|írta|yazdı|đã viết|"
    r"a scris|va escriure|έγραψε|rašė|kirjutas|rakstīja)(?!\w)|写道|寫道|のメール|は書きました|작성|كتب|כתב",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
_DATE_AND_ADDRESS = re.compile(
    r"^[\s>]*(?:\w{2,12}[.,]?\s{1,3}){0,3}\d{1,4}[-/.年 ]\s?\w{1,10}[-/.月, ].{0,120}<[^<>\s]{1,80}@[^<>\s]{1,80}>\s*:?\s*$"
)
_LABELS = {
    "from": "from|von|de|da|van|fra|från|od|от|від|kimden|feladó|lähettäjä|expéditeur|remitente|remetente|mittente|"
    "afzender|absender|gönderen|từ|发件人|寄件者|差出人|보낸 사람|من|מאת",
    "sent": "sent|date|gesendet|datum|envoyé|envoyée|envoyé le|enviado|enviado el|enviada|enviada em|enviado em|data|"
    "fecha|inviato|inviata|verzonden|sendt|skickat|dato|wysłano|data wysłania|отправлено|дата|надіслано|gönderildi|"
    "tarih|elküldve|lähetetty|päiväys|odesláno|trimis|ngày|发送时间|日期|送信日時|日時|보낸 날짜|تاريخ|נשלח|received",
    "to": "to|an|à|a|para|aan|til|till|do|кому|kime|címzett|vastaanottaja|komu|către|destinataire|destinatario|"
    "destinatário|per|đến|收件人|宛先|받는 사람|إلى|אל",
    "cc": "cc|kopie|kopi|kopia|copie à|copie|cópia|copia|dw|копия|bilgi|másolat|bcc|抄送",
    "subject": "subject|betreff|objet|asunto|assunto|oggetto|onderwerp|emne|ämne|temat|тема|konu|tárgy|aihe|předmět|"
    "predmet|subiect|sujet|tiêu đề|chủ đề|主题|主旨|件名|제목|الموضوع|נושא",
    "other": "importance|priority|reply-to|wichtigkeit|priorität|organization|attachments|anlagen|message-id",
}
_LABEL_KIND = {label: kind for kind, labels in _LABELS.items() for label in labels.split("|")}
_LABELLED = re.compile(r"^[\s>*_|]{0,12}([^\W\d_][^:：<>@]{0,24}?)[\s*]{0,3}[:：][\s*]{0,3}(.*)$")
_RULE = re.compile(r"^[\s>]*[-_=*─—]{5,}\s*$")
_SIGNATURE_DELIMITER = re.compile(r"^(?:--|—|–|__)\s?$")
_LIST_FOOTER = re.compile(r"^_{20,}$")
_DEVICE = re.compile(
    r"^\W{0,4}(?:sent (?:wirelessly |securely |automatically )?(?:from|via|with|using|by)|get outlook for|"
    r"(?:von meinem \w+ |vom \w+ )?gesendet(?: von| mit| über| vom)?|diese nachricht wurde von|"
    r"envoyé (?:sans fil )?(?:de|depuis|par|avec|à partir)|télécharger outlook|"
    r"enviado (?:desde|de|do|da|con|a través|pelo|via)|enviada (?:desde|do|de)|obtener outlook|obter o outlook|"
    r"inviato (?:da|dal|con)|scarica outlook|verzonden (?:vanaf|met|via|vanuit)|verstuurd (?:vanaf|met)|"
    r"sendt (?:fra|med)|skickat från|hent outlook|wysłan[eoay] z|отправлено (?:с|из|от)|надіслано з|"
    r"lähetetty|odesláno z|odoslané z|enviat des|trimis de pe|gönderildi|iphone'umdan|sent on)\b(.{0,120})$",
    re.IGNORECASE,
)
_DISCLAIMER = re.compile(
    r"^\W{0,6}(?:confidentiality (?:notice|note)|confidential(?:ity)?\s*:|disclaimer|legal notice|"
    r"this (?:e-?mail|message|communication)\b.{0,80}\b(?:confidential|privileged|intended)|"
    r"the information (?:contained )?in this (?:e-?mail|message)|"
    r"aviso (?:legal|de confidencialidad)|este (?:correo|mensaje|e-?mail)\b.{0,80}\bconfidencia|"
    r"esta mensagem\b.{0,80}\bconfidencia|aviso de confidencialidade|ce (?:message|courriel)\b.{0,80}\bconfidentiel|"
    r"diese (?:e-?mail|nachricht)\b.{0,80}\bvertraulich|questo messaggio\b.{0,80}\briservat)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class FoldedText:
    """A mail text in three: `new_text` is what the sender wrote now, the rest is folded, never lost."""

    new_text: str
    quoted: str = ""
    signature: str = ""


def fold(text: str) -> FoldedText:
    """Split `text` into new text, quoted earlier mails and signature. Linear in its length; never raises.

    Answers written between quoted lines keep the quotation they answer. A forwarded mail is kept, since
    it is what the sender wants read. Should everything look quoted, everything counts as new.
    """
    lines = [line.rstrip() for line in text.split("\n")]
    marks = _mark_quoted(lines)
    new, quoted = _separate(lines, marks)
    if not "".join(new).strip():
        return FoldedText(text.strip())
    body, signature = _cut_signature(new)
    return FoldedText(_join(body), _join(quoted), _join(signature))


def _mark_quoted(lines: list[str]) -> list[bool]:
    """For each line whether it belongs to an earlier mail."""
    marks = [False] * len(lines)
    index, is_forward = 0, False
    while index < len(lines):
        line = lines[index][:_MAX_LINE]
        if not line:
            index += 1
            continue
        if line.lstrip().startswith(">") and not line.endswith("<<<"):
            marks[index] = not is_forward
            index += 1
            continue
        is_forward = is_forward or bool(_FORWARDED_LINE.match(line))
        span = 0 if is_forward else _attribution_span(lines, index)
        if span:
            after = _next_text(lines, index + span)
            if after < len(lines) and not lines[after].lstrip().startswith(">"):
                return marks[:index] + [True] * (len(lines) - index)
            marks[index : index + span] = [True] * span
            index += span
        elif not is_forward and _starts_original(lines, index):
            return marks[:index] + [True] * (len(lines) - index)
        else:
            index += 1
    return marks


def _attribution_span(lines: list[str], index: int) -> int:
    """Number of lines of an "On … wrote:" that starts here, or 0."""
    first = lines[index][:_MAX_LINE]
    if _DATE_AND_ADDRESS.match(first):
        return 1
    if not _LEAD.match(first):
        return 0
    if not _WROTE.search(" ".join(lines[index : index + _HEADER_SPAN_LINES])[:600]):
        return 0
    joined = ""
    has_verb = False
    for span in range(1, _HEADER_SPAN_LINES + 1):
        if index + span > len(lines) or not lines[index + span - 1].strip():
            return 0
        joined = f"{joined} {lines[index + span - 1]}".strip()
        if len(joined) > 600:
            return 0
        has_verb = has_verb or bool(_WROTE.search(lines[index + span - 1]))
        if not (has_verb and _DIGIT.search(joined)):
            continue
        end = joined.rstrip(" *_-")
        after = _next_text(lines, index + span)
        is_followed = after < len(lines) and lines[after].lstrip().startswith(">")
        if end.endswith((":", "：")) or joined.endswith("---") or is_followed:
            return span
    return 0


def _starts_original(lines: list[str], index: int) -> bool:
    line = lines[index]
    if len(line) <= 200 and (_ORIGINAL_LINE.match(line) or _SOMEBODY_WROTE_LINE.match(line)):
        return True
    start = index
    if _RULE.match(line):
        start = _next_text(lines, index + 1)
    return _is_header_block(lines, start)


def _is_header_block(lines: list[str], start: int) -> bool:
    """From, Sent, To, Subject of an earlier mail, in any language we know, unmarked by `>`."""
    kinds: list[str] = []
    has_proof = is_dated = is_addressed = False
    blank = 0
    for line in lines[start : start + _HEADER_BLOCK_LINES]:
        if not line.strip():
            blank += 1
            if blank > 1 or not kinds:
                break
            continue
        match = _LABELLED.match(line[:_MAX_LINE])
        kind = _LABEL_KIND.get(match.group(1).strip().lower()) if match else None
        if kind is None:
            if not kinds or (blank and len(set(kinds)) >= 3):
                break
            # A long recipient list runs over several lines.
            if line[:1] not in " \t" and "@" not in line:
                break
        else:
            blank = 0
            kinds.append(kind)
        value = match.group(2) if match and kind else line
        is_dated = is_dated or (kind == "sent" and bool(_CLOCK.search(value)))
        is_addressed = is_addressed or (kind == "to" and "@" in value)
        has_proof = has_proof or "@" in value or bool(_DIGIT.search(value))
    distinct = set(kinds)
    if not kinds or not has_proof:
        return False
    if kinds[0] == "from":
        return len(distinct & {"sent", "to", "subject"}) >= 1
    if kinds[0] not in ("sent", "to", "subject") or len(distinct) < 2:
        return False
    return ("from" in distinct and len(distinct) >= 3) or (is_dated and is_addressed)


def _next_text(lines: list[str], index: int) -> int:
    # Bounded, since a mail of empty lines would make each look-ahead as long as the mail.
    end = min(len(lines), index + 50)
    while index < end and not lines[index].strip():
        index += 1
    return index


def _separate(lines: list[str], marks: list[bool]) -> tuple[list[str], list[str]]:
    runs = _runs(lines, marks)
    texts = [position for position, (is_quoted, _) in enumerate(runs) if not is_quoted]
    if not texts:
        return [], lines
    last = texts[-1]
    # Text, quotation, text, quotation, text: answers between the lines are unreadable without them.
    is_interleaved = sum(1 for is_quoted, _ in runs[: last + 1] if is_quoted) >= 2
    new: list[str] = []
    quoted: list[str] = []
    for position, (is_quoted, block) in enumerate(runs):
        (quoted if is_quoted and not (is_interleaved and position < last) else new).extend(block)
    return new, quoted


def _runs(lines: list[str], marks: list[bool]) -> list[tuple[bool, list[str]]]:
    """Blocks of quoted and new lines; blank lines stick to the block before them."""
    runs: list[tuple[bool, list[str]]] = []
    for line, is_quoted in zip(lines, marks, strict=True):
        if runs and (not line.strip() or runs[-1][0] == is_quoted):
            runs[-1][1].append(line)
        else:
            runs.append((is_quoted if line.strip() else False, [line]))
    return [run for run in runs if "".join(run[1]).strip()]


def _cut_signature(lines: list[str]) -> tuple[list[str], list[str]]:
    """Cut from the delimiter on, or trailing device lines and disclaimers. Never cuts everything."""
    for index, line in enumerate(lines):
        if (_SIGNATURE_DELIMITER.match(line) or _is_list_footer(lines, index)) and _has_text(lines[:index]):
            return lines[:index], lines[index:]
    end = len(lines)
    for index in range(len(lines) - 1, max(-1, len(lines) - 40), -1):
        line = lines[index][:_MAX_LINE]
        if _DISCLAIMER.match(line) or (_is_device_line(line) and len(lines) - index <= 12):
            end = index
    if end < len(lines) and _has_text(lines[:end]):
        return lines[:end], lines[end:]
    return lines, []


def _is_list_footer(lines: list[str], index: int) -> bool:
    return bool(_LIST_FOOTER.match(lines[index])) and len(lines) - index <= 12


def _is_device_line(line: str) -> bool:
    match = _DEVICE.match(line)
    if match is None:
        return False
    rest = match.group(1)
    # "Sent from my desk, which is …" is a sentence of the letter.
    return "," not in rest and len(rest.split()) <= 12 and not re.search(r"[?!]$|\w\. \w", rest)


def _has_text(lines: list[str]) -> bool:
    return any(line.strip() for line in lines)


def _join(lines: list[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
