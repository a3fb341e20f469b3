"""`{% static %}` as Django's own, which works out anew what a file of this release is called: a page names sixty. It
takes the place of the library `static`."""

from typing import Any

from django.conf import settings
from django.template import Library
from django.template.base import Parser, Token
from django.templatetags import static as files

register = Library()
register.tags.update(files.register.tags)


class FileNode(files.StaticNode):
    """A file whose name stands in the template, whose address is kept. While one develops, files come and go."""

    address: str | None = None

    def render(self, context: Any) -> str:
        if self.address is None or settings.DEBUG:
            self.address = str(super().render(context))
        return self.address


@register.tag
def static(parser: Parser, token: Token) -> files.StaticNode:
    """The address of a file of ours."""
    node = files.StaticNode.handle_token(parser, token)
    is_literal = node.varname is None and isinstance(node.path.var, str) and not node.path.filters
    return FileNode(path=node.path) if is_literal else node
