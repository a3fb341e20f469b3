"""Rows of the desk's setup that are asked one after another: their places, and which are in use."""

from typing import TypeVar

from inbox.models import RoutingRule, SlaPolicy

Row = TypeVar("Row", RoutingRule, SlaPolicy)


def last_place(kind: type[Row]) -> int:
    """The place of a row that comes after all there are."""
    return max(kind._default_manager.values_list("position", flat=True), default=-1) + 1


def locked_row(kind: type[Row], pk: int) -> Row:
    """The row, locked until the caller's transaction ends. Raises DoesNotExist."""
    return kind._default_manager.select_for_update().get(pk=pk)


def switch(kind: type[Row], pk: int, *, is_active: bool) -> Row:
    """Use a row, or no longer; it keeps its place. In the caller's transaction. Raises DoesNotExist."""
    row = locked_row(kind, pk)
    row.is_active = is_active
    row.save(update_fields=["is_active", "updated_at"])
    return row


def move(kind: type[Row], pk: int, *, is_up: bool) -> Row | None:
    """Exchange a row with its neighbour before or after it, and give it back; None for the first and the last, which
    stay. All rows are locked, in their order, in the caller's transaction. Raises DoesNotExist."""
    order = list(kind._default_manager.select_for_update().order_by("position", "pk"))
    place = next((place for place, row in enumerate(order) if row.pk == pk), None)
    if place is None:
        raise kind.DoesNotExist
    other = place - 1 if is_up else place + 1
    if not 0 <= other < len(order):
        return None
    order[place], order[other] = order[other], order[place]
    for position, row in enumerate(order):
        row.position = position
    kind._default_manager.bulk_update(order, ["position"])
    return order[other]
