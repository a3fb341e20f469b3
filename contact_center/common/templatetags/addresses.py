"""`{% url %}` as Django's own, which works each address out anew: a conversation names eighty that differ from the last
ones in a number."""

from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.template import defaulttags
from django.template.base import Parser, Token
from django.urls import get_script_prefix, get_urlconf, reverse
from django.utils.html import escape

register = template.Library()
FIRST_MARK = 918_273_645_000


class AddressNode(defaulttags.URLNode):
    """Keeps the shape of addresses whose arguments are all whole numbers; the rest is Django's."""

    def render(self, context: Any) -> str:
        if self.kwargs or self.asvar or not context.autoescape:
            return str(super().render(context))
        numbers = tuple(arg.resolve(context) for arg in self.args)
        if not all(type(number) is int and number >= 0 for number in numbers):
            return str(super().render(context))
        request = getattr(context, "request", None)
        match = getattr(request, "resolver_match", None)
        app = getattr(request, "current_app", match.namespace if match else None)
        return _shape(self.view_name.resolve(context), len(numbers), app, _house(request)) % numbers


def _house(request: Any) -> tuple[Any, str]:
    """Which addresses there are, and where they begin. A request knows; else what the thread was told, which costs
    more to find than all the rest of an address."""
    if request is None:
        return get_urlconf() or settings.ROOT_URLCONF, get_script_prefix()
    return getattr(request, "urlconf", None) or settings.ROOT_URLCONF, request.META.get("SCRIPT_NAME", "")


@lru_cache(maxsize=1024)
def _shape(name: Any, count: int, app: str | None, house: tuple[Any, str]) -> str:
    """The address, escaped, with a place for each number. Raises NoReverseMatch as `reverse` does."""
    marks = [FIRST_MARK + place for place in range(count)]
    shape = str(escape(reverse(name, args=marks, current_app=app))).replace("%", "%%")
    for mark in marks:
        shape = shape.replace(str(mark), "%d")
    return shape


@register.tag
def url(parser: Parser, token: Token) -> AddressNode:
    """The address of a view."""
    node = defaulttags.url(parser, token)
    return AddressNode(node.view_name, node.args, node.kwargs, node.asvar)
