"""Quotations that HTML mail programs mark by element, class or style, made visible to the text folder."""

from __future__ import annotations

import re

import lxml.html
from lxml import etree

from inbox.mail.sanitise import html_to_text, is_shallow

_OPEN, _CLOSE = "\ue0f0", "\ue0f1"
_SEPARATOR = "-----Original Message-----"
_WRAPPED = (
    "//blockquote | //*[contains(concat(' ', @class, ' '), ' gmail_quote ')]"
    " | //*[contains(concat(' ', @class, ' '), ' gmail_quote_container ')]"
    " | //*[contains(@class, 'yahoo_quoted') or contains(@class, 'protonmail_quote')"
    " or contains(@class, 'zmail_extra') or contains(@class, 'tutanota_quote') or contains(@class, 'gmail_extra')]"
)
_FROM_HERE = (
    "//*[@id='divRplyFwdMsg' or @id='appendonsend' or @id='OLK_SRC_BODY_SECTION' or @id='zwchr'"
    " or @id='mail-editor-reference-message-container' or contains(@class, 'OutlookMessageHeader')"
    " or contains(@class, 'moz-email-headers-table') or @name='messageReplySection'"
    " or contains(@name, '_MailOriginal')]"
)
_FORWARD = re.compile(
    r"forward(?:ed)?[ -]message|weitergeleitet|reenviado|encaminhada|inoltrato|transféré", re.IGNORECASE
)


def quoted_html_to_text(html: str) -> str:
    """Text of `html` in which what the mail program marked as quoted starts with `> `. Never raises.

    Only for folding and reading: the markup itself is sanitised apart.
    """
    if not is_shallow(html):
        return html_to_text(html)
    try:
        root = lxml.html.document_fromstring(html.encode("utf-8"), parser=lxml.html.HTMLParser(encoding="utf-8"))
    except (etree.LxmlError, ValueError, AssertionError):
        return html_to_text(html)
    _mark(root)
    return _prefix(html_to_text(etree.tostring(root, encoding="unicode", method="html")))


def _mark(root: etree._Element) -> None:
    for element in root.xpath(_FROM_HERE)[:1]:
        if not _FORWARD.search("".join(element.itertext())[:200]):
            _insert_before(element, _SEPARATOR)
    for element in root.xpath(_WRAPPED)[:200]:
        if _FORWARD.search("".join(element.itertext())[:200].strip()[:80]):
            continue
        _insert_before(element, _OPEN)
        closing = etree.Element("p")
        closing.text = _CLOSE
        closing.tail, element.tail = element.tail, None
        element.addnext(closing)


def _insert_before(element: etree._Element, text: str) -> None:
    parent = element.getparent()
    if parent is None:
        return
    marker = etree.Element("p")
    marker.text = text
    parent.insert(parent.index(element), marker)


def _prefix(text: str) -> str:
    depth = 0
    lines: list[str] = []
    for line in text.split("\n"):
        opened, closed = line.count(_OPEN), line.count(_CLOSE)
        content = line.replace(_OPEN, "").replace(_CLOSE, "")
        if opened or closed:
            if content.strip():
                lines.append("> " * max(depth, 1) + content.strip() if depth else content)
            depth = max(0, depth + opened - closed)
            continue
        lines.append(("> " * depth + content).rstrip() if depth else content)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
