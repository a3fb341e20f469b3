"""HTML of strangers into HTML that may stand in our page, and into text."""

from __future__ import annotations

import html as entities
import re
from dataclasses import dataclass

import nh3

from inbox.mail.charsets import storable

_TAGS = {
    "a", "abbr", "address", "b", "bdi", "bdo", "big", "blockquote", "br", "caption", "center", "cite", "code", "col",
    "colgroup", "dd", "del", "div", "dl", "dt", "em", "figcaption", "figure", "font", "h1", "h2", "h3", "h4", "h5",
    "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strike",
    "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var",
}  # fmt: skip
_ATTRIBUTES = {
    "*": {"dir", "lang", "title", "align"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan", "valign"},
    "th": {"colspan", "rowspan", "valign", "scope"},
    "col": {"span"},
    "colgroup": {"span"},
    "ol": {"start", "type"},
    "li": {"value"},
}
_CONTENT_REMOVED = {
    "script", "style", "title", "head", "noscript", "iframe", "object", "embed", "applet", "svg", "math", "template",
    "textarea", "select", "button", "xml", "frameset", "noembed", "noframes", "video", "audio",
}  # fmt: skip
_IMG = re.compile(r'<img((?:\s+[a-z-]+="[^"]*")*)\s*/?>')
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')
_DIGITS = re.compile(r"[0-9]{1,4}%?")
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*){2,}")
_TAG = re.compile(r"<[/!?a-zA-Z][^<>]*>?")
_TAG_START = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_HIDDEN = re.compile(r"<(script|style|head|title)\b.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
# HTML5 tree building is quadratic in the depth and inscriptis recurses: 200,000 nested elements took minutes.
_MAX_DEPTH = 250
_NEVER_NESTED = {
    "area", "base", "br", "col", "dd", "dt", "hr", "img", "input", "li", "link", "meta", "option", "p", "source",
    "td", "th", "tr", "wbr",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SafeHtml:
    """Sanitised markup, and how many remote images were replaced by a placeholder."""

    html: str
    remote_images: int


def sanitise_html(html: str) -> SafeHtml:
    """Markup with no script, style, form, frame or class, that loads nothing from anywhere. Never raises.

    Images keep only a `cid:` source; every other image becomes a span that
    shows its alternative text. Links open in a new window and tell their target nothing.
    """
    clean = nh3.clean(
        _flattened(storable(html)),
        tags=_TAGS,
        clean_content_tags=_CONTENT_REMOVED,
        attributes=_ATTRIBUTES,
        attribute_filter=_keep_attribute,
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        strip_comments=True,
    )
    remote = 0

    def placeholder(match: re.Match[str]) -> str:
        nonlocal remote
        attributes = dict(_ATTRIBUTE.findall(match.group(1)))
        if attributes.get("src", "").startswith("cid:"):
            return match.group(0)
        remote += 1
        return _placeholder(attributes)

    return SafeHtml(_IMG.sub(placeholder, clean).strip(), remote)


def without_images(safe: str) -> str:
    """Sanitised markup with its own pictures (`cid:`) shown as their alternative text; they stand among the files."""
    return _IMG.sub(lambda match: _placeholder(dict(_ATTRIBUTE.findall(match.group(1)))), safe)


def _placeholder(attributes: dict[str, str]) -> str:
    return f"<span>[{attributes.get('alt', '').strip() or '…'}]</span>"


def html_to_text(html: str) -> str:
    """Readable text of markup; empty when nothing can be read. Links and images leave only their words."""
    from inscriptis import get_text  # with lxml 8 MB, which processes that see no HTML do without
    from inscriptis.model.config import ParserConfig

    flat = _flattened(storable(html))
    safe = nh3.clean(flat, tags=_TAGS - {"img"}, clean_content_tags=_CONTENT_REMOVED, attributes={})
    if not safe.strip():
        return ""
    try:
        text = get_text(f"<html><body>{safe}</body></html>", ParserConfig(display_links=False))
    except (ValueError, RecursionError, AssertionError):
        text = entities.unescape(_TAG.sub(" ", safe))
    lines = "\n".join(line.rstrip().replace("\xa0", " ") for line in storable(text).split("\n"))
    return _BLANK_LINES.sub("\n\n", lines).strip("\n")


def _keep_attribute(tag: str, name: str, value: str) -> str | None:
    if tag == "img" and name == "src":
        return value.strip() if value.strip().lower().startswith("cid:") else None
    if name in ("width", "height", "colspan", "rowspan", "span"):
        return value if _DIGITS.fullmatch(value.strip()) else None
    if tag == "a" and name == "href":
        # Fragments and relative addresses would lead into our own pages.
        return value if re.match(r"\s*(?:https?|mailto|tel):", value, re.IGNORECASE) else None
    return value


def _flattened(html: str) -> str:
    """The markup itself, or only its escaped text when it is nested too deep to be parsed cheaply."""
    if is_shallow(html):
        return html
    text = entities.unescape(_TAG.sub(" ", _HIDDEN.sub(" ", html)))
    return entities.escape(text).replace("\n", "<br>")


def is_shallow(html: str) -> bool:
    """Whether the markup is nested so little that a tree of it is cheap to build and to walk."""
    open_tags: dict[str, int] = {}
    depth = 0
    for match in _TAG_START.finditer(html):
        name = match.group(2).lower()
        if name in _NEVER_NESTED:
            continue
        if not match.group(1):
            open_tags[name] = open_tags.get(name, 0) + 1
            depth += 1
        elif open_tags.get(name):
            open_tags[name] -= 1
            depth -= 1
        if depth > _MAX_DEPTH:
            return False
    return True
