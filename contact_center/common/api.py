"""Errors of the API, in one shape: `{"detail": sentence}` or `{field: [sentences]}`."""

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from contact_center.common.errors import Conflict, Refused


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Map our service errors to 409 and 422 and Django's validation errors to 400; the rest is DRF's."""
    if isinstance(exc, Conflict):
        return Response({"detail": str(exc)}, status=409)
    if isinstance(exc, Refused):
        return Response({"detail": str(exc)}, status=422)
    if isinstance(exc, DjangoValidationError):
        detail: Any = exc.message_dict if hasattr(exc, "error_dict") else exc.messages
        exc = exceptions.ValidationError(detail)
    return drf_exception_handler(exc, context)
