"""Numbered pages of short lists: nothing is counted, one row more than a page says whether there is another."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

PAGE_SIZE = 50
MOST_PAGES = 200


@dataclass(slots=True)
class NumberedPage:
    """Some rows and whether there are more."""

    object_list: list[Any]
    number: int
    has_next: bool

    @property
    def has_previous(self) -> bool:
        return self.number > 1

    @property
    def has_other_pages(self) -> bool:
        return self.has_next or self.has_previous

    @property
    def next_page_number(self) -> int:
        return self.number + 1

    @property
    def previous_page_number(self) -> int:
        return self.number - 1


def page_of(found: QuerySet[Any], number: str, size: int = PAGE_SIZE) -> NumberedPage:
    """The page of that number, as an address says it; the first one for what is none. One query."""
    asked = int(number) if number.isascii() and number.isdecimal() and len(number) < 6 else 1
    chosen = max(1, min(asked, MOST_PAGES))
    start = (chosen - 1) * size
    chunk = list(found[start : start + size + 1])
    return NumberedPage(chunk[:size], chosen, len(chunk) > size and chosen < MOST_PAGES)
