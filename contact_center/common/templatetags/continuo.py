"""Small helpers for templates."""

from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icon(name: str, css: str = "", label: str = "") -> SafeString:
    """An icon from the sprite, with extra classes; hidden from screen readers unless it has a `label`."""
    href = f"{static('icons.svg')}#i-{name}"
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


@register.filter
def get(mapping: dict[Any, Any], key: Any) -> Any:
    """Value of a key that is known only at render time; None when absent."""
    return mapping.get(key) if mapping else None
