"""`{% translate %}` as Django's own, which looks each text up and makes it safe anew: a conversation shows two hundred
that are always the same in one language. It takes the place of the library `i18n`."""

from typing import Any

from django.template import Library
from django.template.base import Parser, Token, Variable
from django.templatetags import i18n
from django.utils.translation import get_language

register = Library()
register.tags.update(i18n.register.tags)
register.filters.update(i18n.register.filters)


class TextNode(i18n.TranslateNode):
    """A literal text, kept as it is drawn in each language."""

    def __init__(self, node: i18n.TranslateNode) -> None:
        super().__init__(node.filter_expression, node.noop, node.asvar, node.message_context)
        self.drawn: dict[str | None, str] = {}

    def render(self, context: Any) -> str:
        language = get_language()
        text = self.drawn.get(language)
        if text is None:
            text = self.drawn[language] = super().render(context)
        return text


@register.tag("translate")
@register.tag("trans")
def translate(parser: Parser, token: Token) -> i18n.TranslateNode:
    """A text in the reader's language."""
    node: i18n.TranslateNode = i18n.do_translate(parser, token)
    text = node.filter_expression
    is_literal = isinstance(text.var, Variable) and text.var.lookups is None and not text.filters
    return node if not is_literal or node.asvar or node.message_context or node.noop else TextNode(node)
