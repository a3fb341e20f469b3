"""Which earlier mail this one answers. Ids only: whose conversation it is, is decided by the caller."""

from __future__ import annotations

import re
import unicodedata

from inbox.mail.model import ParsedMail

_PREFIX = re.compile(
    r"^\s*(?:(?:re|aw|antw|antwort|sv|vs|res|rv|rif|ri|r|odp|ynt|yml|ref|tr|wg|fw|fwd|fs|i|enc|doorst|vl|pd|bls|"
    r"ответ|на|пересл|отв|hf|ad|"
    r"automatic reply|auto(?:matische antwort)?|respuesta automática|resposta automática|réponse automatique|回复|回覆|轉寄|转发|答复|返信|返|转)"
    r"(?:\[\d{1,3}\]|\(\d{1,3}\)|\^\d{1,3}|\s\d{1,2})?\s*[:：]|\[(?:external|extern|ext|externo|externe|spam|sec)\]|\(no subject\))\s*",
    re.IGNORECASE,
)
_REFERENCE_TAG = re.compile(
    r"\[[^\[\]]{0,20}[#:]\s?[\w-]{2,30}\]|\((?:ref|case|caso)[.:#\s][^()]{1,30}\)", re.IGNORECASE
)
_MAX_PREFIXES = 20


def thread_candidates(mail: ParsedMail) -> list[str]:
    """Message ids that this mail may answer, the likeliest first, each once, without angle brackets.

    In-Reply-To, then the whole References chain from the newest to the oldest: some programs keep only
    one of them, and the newest mails of the chain may never have reached us.
    """
    chain = [mail.in_reply_to] if mail.in_reply_to else []
    chain += reversed(mail.references)
    return [found for found in dict.fromkeys(chain) if found != mail.message_id]


def normalise_subject(subject: str) -> str:
    """The topic alone: no reply or forward prefixes in any language we know, no reference tags, folded case."""
    text = unicodedata.normalize("NFKC", subject[:2000])
    text = _REFERENCE_TAG.sub(" ", text)
    for _ in range(_MAX_PREFIXES):
        shorter = _PREFIX.sub("", text, count=1)
        if shorter == text:
            break
        text = shorter
    return " ".join(text.split()).strip(" .!-").casefold()


def is_new_topic(subject: str, thread_subject: str) -> bool:
    """Whether a mail on an old thread has a subject of its own, so that splitting should be offered.

    An empty subject is no topic. Additions around the old subject keep the topic.
    """
    new, old = normalise_subject(subject), normalise_subject(thread_subject)
    if not new or not old or new == old:
        return False
    shorter, longer = sorted((new, old), key=len)
    return not (len(shorter) >= 8 and shorter in longer)
