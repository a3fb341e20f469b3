"""Phone numbers and e-mail addresses as people read them."""

from django import template
from django.conf import settings
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from patients.numbers import readable_address

register = template.Library()
PLACES = str.maketrans({"@": "<wbr>@", ".": "<wbr>.", "_": "_<wbr>", "-": "-<wbr>"})


@register.filter
def readable(address: str | None) -> SafeString:
    """An address to be read: a number in groups, an e-mail address with the places where it may break. For text only;
    what is dialled, searched or sent is the address itself."""
    words = readable_address(address or "", settings.DEFAULT_PHONE_REGION)
    if "@" not in words:
        return format_html('<span class="nowrap">{}</span>', words) if words else escape("")
    return mark_safe(str(escape(words)).translate(PLACES))  # noqa: S308 - escaped before
