"""Ids as a browser sends them: text of which nothing is certain."""

from typing import Any

MOST_DIGITS = 18


def numbers_in(data: Any, name: str, *, most: int | None = None) -> list[int]:
    """The numbers that a form sent under this name, at most so many; anything else is left out."""
    given = data.getlist(name) if hasattr(data, "getlist") else []
    return [int(one) for one in given if one.isascii() and one.isdecimal() and len(one) <= MOST_DIGITS][:most]
