"""One shape for what a machine does to one row: a POST below it, described in the schema."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

Method = Callable[..., Response]


def verb(summary: str, *, takes: Any = None, answers: Any, path: str | None = None) -> Callable[[Method], Method]:
    """Make a method of a view set one POST on one row, at its own name or `path`, as the schema says it."""

    def decorate(method: Method) -> Method:
        posted = action(detail=True, methods=["post"], **({"url_path": path} if path else {}))(method)
        return extend_schema(summary=summary, request=takes, responses=answers)(posted)

    return decorate


def plain_verb(
    name: str, service: Callable[..., Any], summary: str, *, answers: Any, path: str | None = None
) -> Method:
    """A verb that takes nothing: `service(**self._acting(request, pk))`, answered by `self._done`."""

    def act(self: Any, request: Request, pk: str) -> Response:
        done: Response = self._done(service(**self._acting(request, pk)))
        return done

    act.__name__ = name
    return verb(summary, answers=answers, path=path)(act)
