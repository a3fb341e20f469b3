"""Pages that begin after a row instead of at a number: the same price at any depth, and no row twice or left out when
others come in between."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.expressions import ExpressionWrapper
from django.db.models.fields import BooleanField

PAGE_SIZE = 50
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NOTHING = Q(pk__in=[])


@dataclass(frozen=True, slots=True)
class Part:
    """One column of an order. `is_null_last` for one that may be empty; `is_absence` orders by whether it is empty."""

    name: str
    is_descending: bool = False
    is_null_last: bool = False
    is_absence: bool = False

    def expression(self) -> Any:
        """For `order_by`."""
        if self.is_absence:
            return ExpressionWrapper(Q(**{self.name: None}), output_field=BooleanField()).asc()
        if self.is_null_last:
            return F(self.name).asc(nulls_last=True)
        return F(self.name).desc() if self.is_descending else F(self.name).asc()

    def same(self, value: Any) -> Q:
        """Rows that have this value."""
        return Q(**{f"{self.name}__isnull": value is None}) if self.is_absence else Q(**{self.name: value})

    def later(self, value: Any) -> Q:
        """Rows that stand behind this value."""
        if self.is_absence:
            return Q(**{self.name: None}) if value is not None else _NOTHING
        if value is None:
            return _NOTHING
        behind = Q(**{f"{self.name}__{'lt' if self.is_descending else 'gt'}": value})
        return behind | Q(**{self.name: None}) if self.is_null_last else behind


Order = tuple[Part, ...]


def ordered(found: QuerySet[Any], order: Order) -> QuerySet[Any]:
    """The rows in this order."""
    return found.order_by(*(part.expression() for part in order))


def after(found: QuerySet[Any], order: Order, place: list[Any]) -> QuerySet[Any]:
    """The rows behind a place of this order."""
    behind, same = _NOTHING, Q()
    for part, value in zip(order, place, strict=True):
        behind |= same & part.later(value)
        same &= part.same(value)
    return found.filter(behind)


def place_of(row: Any, order: Order) -> str:
    """The place of a row, for an address: times and ids of ours only."""
    return "_".join(_written(getattr(row, "pk" if part.name == "id" else part.name)) for part in order)


def read_place(text: str, order: Order) -> list[Any] | None:
    """The place that `place_of` wrote for this order; None for anything else."""
    words = text.split("_")
    if len(words) != len(order):
        return None
    found = [_read(word) for word in words]
    return None if any(value is ... for value in found) else found


def _written(value: Any) -> str:
    if value is None:
        return "n"
    return f"t{(value - _EPOCH) // _MICROSECOND}" if isinstance(value, datetime) else str(int(value))


def _read(word: str) -> Any:
    if word == "n":
        return None
    if re.fullmatch(r"t\d{1,17}", word, re.ASCII):
        return _EPOCH + int(word[1:]) * _MICROSECOND
    return int(word) if re.fullmatch(r"\d{1,18}", word, re.ASCII) else ...


@dataclass(slots=True)
class Page:
    """Some rows and where the next ones begin, if there are more; nothing is counted."""

    object_list: list[Any]
    has_next: bool = False
    next_place: str = ""
    is_first: bool = True


def page_after(
    found: QuerySet[Any],
    order: Order,
    place: list[Any] | None,
    *,
    read: Callable[[QuerySet[Any]], QuerySet[Any, Any]],
) -> Page:
    """The first rows, or those behind a place. `found` is in this order already; `read` says what is made of rows."""
    rows = list(read(after(found, order, place) if place else found)[: PAGE_SIZE + 1])
    return page_of(rows, order, is_first=place is None)


def page_of(rows: list[Any], order: Order, *, is_first: bool) -> Page:
    """The first PAGE_SIZE of these rows; there are more if they are."""
    has_next = len(rows) > PAGE_SIZE
    return Page(rows[:PAGE_SIZE], has_next, place_of(rows[PAGE_SIZE - 1], order) if has_next else "", is_first)
