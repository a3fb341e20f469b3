"""Small helpers for templates."""

from functools import cache, lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.template.base import Parser, Token
from django.template.library import SimpleNode
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.crypto import get_random_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from contact_center.common import shell
from contact_center.common.moments import Moment, written

register = template.Library()


@register.simple_tag
def icon(name: str, css: str = "", label: str = "") -> SafeString:
    """An icon from the sprite, with extra classes; hidden from screen readers unless it has a `label`."""
    return _drawn(static("icons.svg") if settings.DEBUG else _sprite(), str(name), str(css), str(label))


class IconNode(SimpleNode):
    """An icon whose name and classes stand in the template, which is nearly every one: drawn once."""

    drawn: str | None = None

    def render(self, context: Any) -> str:
        if self.drawn is None:
            self.drawn = super().render(context)
        return self.drawn


_simple_icon = register.tags["icon"]


@register.tag("icon")
def icon_node(parser: Parser, token: Token) -> SimpleNode:
    """`{% icon %}` as Django makes it of the function."""
    node: SimpleNode = _simple_icon(parser, token)
    said = [*node.args, *node.kwargs.values()]
    if node.target_var is None and all(isinstance(one.var, str) and not one.filters for one in said):
        return IconNode(node.func, node.takes_context, node.args, node.kwargs, None)
    return node


@cache
def _sprite() -> str:
    """The sprite's address; the files of a release do not change while it runs."""
    return static("icons.svg")


@lru_cache(maxsize=2048)
def _drawn(sprite: str, name: str, css: str, label: str) -> SafeString:
    href = f"{sprite}#i-{name}"
    classes = f"icon {css}".strip()
    if label:
        return format_html(
            '<svg class="{}" width="16" height="16" role="img" aria-label="{}"><use href="{}"/></svg>',
            classes,
            label,
            href,
        )
    return format_html(
        '<svg class="{}" width="16" height="16" aria-hidden="true"><use href="{}"/></svg>', classes, href
    )


@register.simple_tag(takes_context=True)
def topbar(context: dict[str, Any], place: str = "end") -> SafeString:
    """The parts of the top bar that apps have registered for this person at this place."""
    request = context.get("request")
    if request is None:
        return mark_safe("")
    parts = [render_to_string(name, values, request) for name, values in shell.pieces_for(request, place)]
    return mark_safe("".join(parts))  # noqa: S308 - rendered by our own templates


@register.simple_tag(takes_context=True)
def account_menu(context: dict[str, Any]) -> list[shell.NavigationEntry]:
    """Entries that apps have registered for the account menu."""
    return shell.menu_for(context["request"])


@register.simple_tag
def form_key() -> SafeString:
    """What every form has that makes something: drawn once, so that sent twice it makes one (`accounts.sent_forms`)."""
    return format_html('<input type="hidden" name="form_key" value="{}">', get_random_string(22))


@register.filter(expects_localtime=True)
def when(at: Moment | None, shape: str = "moment") -> str:
    """When something is, in the reader's language and on the clock that is set; shapes as in `common.moments`."""
    return written(at, shape)


@register.filter
def get(mapping: dict[Any, Any], key: Any) -> Any:
    """Value of a key that is known only at render time; None when absent."""
    return mapping.get(key) if mapping else None
