"""Small helpers for templates."""

from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icon(name: str, size: int = 16, label: str = "") -> SafeString:
    """An icon from the sprite; hidden from screen readers unless it carries a `label`."""
    href = f"{static('icons.svg')}#{name}"
    if label:
        return format_html(
            '<svg class="icon" width="{0}" height="{0}" role="img" aria-label="{2}"><use href="{1}"/></svg>',
            size,
            href,
            label,
        )
    return format_html(
        '<svg class="icon" width="{0}" height="{0}" aria-hidden="true"><use href="{1}"/></svg>', size, href
    )


@register.filter
def get(mapping: dict[Any, Any], key: Any) -> Any:
    """Value of a key that is known only at render time; None when absent."""
    return mapping.get(key) if mapping else None
