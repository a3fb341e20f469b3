"""Pages of machine-readable lists."""

from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request


class NewestFirstCursorPagination(CursorPagination):
    """Cursor pages, newest first, stable while rows are added; `limit` up to 200."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Refuse a cursor that we did not make: a position is an id of ours."""
        cursor: Any = super().decode_cursor(request)
        position = cursor and cursor.position
        if position is not None and not (position.isascii() and position.isdecimal() and len(position) <= 18):
            raise NotFound(self.invalid_cursor_message)
        return cursor
