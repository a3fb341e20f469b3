"""Ids as a browser sends them: text of which nothing is certain."""

from typing import Any

MOST_DIGITS = 18


def number_of(text: str) -> int | None:
    """The whole number that a text is; None for anything else, also for one that no row can have."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else None


def numbers_in(data: Any, name: str, *, most: int | None = None) -> list[int]:
    """The numbers that a form sent under this name, at most so many; anything else is left out."""
    given = data.getlist(name) if hasattr(data, "getlist") else []
    return [found for one in given if (found := number_of(one)) is not None][:most]
