"""Marking what was searched for in a text. Pure; everything that is shown is escaped."""

import re
import unicodedata

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

_WORD = re.compile(r"[^\W_]+")
_APART = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "œ": "oe", "ı": "i"})
SHOWN = 150
LEAD = 40


def plain(text: str) -> str:
    """In lower case and without accents, as names and messages are searched."""
    apart = unicodedata.normalize("NFKD", text.lower())
    return "".join(char for char in apart if not unicodedata.combining(char)).translate(_APART)


def words_of(text: str) -> list[str]:
    """The words of a question, plain."""
    return [plain(word) for word in _WORD.findall(text)]


def marked(text: str, question: str, *, shown: int = SHOWN) -> SafeString:
    """About `shown` characters of the text around the first hit, escaped, with every word that begins as one of the
    question's in `<mark>`. The beginning of the text where nothing hits."""
    wanted = tuple(dict.fromkeys(words_of(question)))
    text = " ".join(text[:20_000].split())
    hits = [hit.span() for hit in _WORD.finditer(text) if wanted and plain(hit[0]).startswith(wanted)]
    start = _start(text, hits[0][0]) if hits and hits[0][0] > shown - LEAD else 0
    end = len(text) if len(text) <= start + shown else max(text.rfind(" ", start, start + shown), start + shown // 2)
    parts, place = ["…"] if start else [], start
    for left, right in hits:
        if left >= place and right <= end:
            parts += [conditional_escape(text[place:left]), "<mark>", conditional_escape(text[left:right]), "</mark>"]
            place = right
    parts.append(conditional_escape(text[place:end]))
    if end < len(text):
        parts.append("…")
    return mark_safe("".join(parts))  # noqa: S308 - every part is escaped above


def _start(text: str, hit: int) -> int:
    return text.rfind(" ", 0, max(hit - LEAD, 1)) + 1
