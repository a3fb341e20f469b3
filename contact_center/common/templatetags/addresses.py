"""`{% url %}` as Django's own, which works each address out anew: a conversation names eighty that differ from the last
ones in a number."""

from typing import Any

from django import template
from django.template import defaulttags
from django.template.base import Parser, Token

from contact_center.common.addresses import house_of, shape_of

register = template.Library()


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
        return shape_of(self.view_name.resolve(context), len(numbers), app, house_of(request)) % numbers


@register.tag
def url(parser: Parser, token: Token) -> AddressNode:
    """The address of a view."""
    node = defaulttags.url(parser, token)
    return AddressNode(node.view_name, node.args, node.kwargs, node.asvar)
