"""Addresses that differ in numbers only: `reverse` costs as much as drawing a row, so the shape of each is kept."""

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.urls import get_script_prefix, get_urlconf, reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

FIRST_MARK = 918_273_645_000


def address_of(name: str, pk: int, *more: str) -> SafeString:
    """`reverse(name, args=[pk, *more])`, as it stands in a page. Raises NoReverseMatch as it does."""
    return mark_safe(shape_of(name, 1, None, house_of(None), *more) % pk)  # noqa: S308


def place_of(name: str) -> SafeString:
    """`reverse(name)` of a page of which there is one, as it stands in a page. Raises NoReverseMatch as it does."""
    return mark_safe(shape_of(name, 0, None, house_of(None)) % ())  # noqa: S308


def house_of(request: Any) -> tuple[Any, str]:
    """Which addresses there are, and where they begin. A request knows; else what the thread was told, which costs
    more to find than all the rest of an address."""
    if request is None:
        return get_urlconf() or settings.ROOT_URLCONF, get_script_prefix()
    return getattr(request, "urlconf", None) or settings.ROOT_URLCONF, request.META.get("SCRIPT_NAME", "")


@lru_cache(maxsize=1024)
def shape_of(name: Any, count: int, app: str | None, house: tuple[Any, str], *more: str) -> str:
    """The address, escaped, with a place for each number, before `more`. Raises NoReverseMatch as `reverse` does."""
    marks = [FIRST_MARK + place for place in range(count)]
    shape = str(escape(reverse(name, args=[*marks, *more], current_app=app))).replace("%", "%%")
    for mark in marks:
        shape = shape.replace(str(mark), "%d")
    return shape
