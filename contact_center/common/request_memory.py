"""What was looked up once in a request need not be looked up again in it; nothing outlives the request."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse

Found = TypeVar("Found")
_memory: ContextVar[dict[Any, Any] | None] = ContextVar("request_memory", default=None)


def remembered(key: tuple[Any, ...], look: Callable[[], Found]) -> Found:
    """What `look` gives, asked once per request and key; outside of requests (tasks, sockets) asked each time."""
    memory = _memory.get()
    if memory is None:
        return look()
    if key not in memory:
        memory[key] = look()
    found: Found = memory[key]
    return found


class RequestMemoryMiddleware:
    """Gives each request a memory of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _memory.set({})
        try:
            return self.get_response(request)
        finally:
            _memory.reset(token)
