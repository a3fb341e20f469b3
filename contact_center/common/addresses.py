"""Addresses of rows' pages, which differ in a number only: `reverse` costs as much as drawing a row."""

from functools import cache, lru_cache

from django.urls import reverse

MARK = 918_273_645_000


def address_of(name: str, pk: int, *more: str) -> str:
    """`reverse(name, args=[pk, *more])`. Raises NoReverseMatch as it does."""
    return _shape(name, more).replace(str(MARK), str(pk))


@cache
def place_of(name: str) -> str:
    """`reverse(name)` of a page of which there is one. Raises NoReverseMatch as it does."""
    return reverse(name)


@lru_cache(maxsize=512)
def _shape(name: str, more: tuple[str, ...]) -> str:
    return reverse(name, args=[MARK, *more])
