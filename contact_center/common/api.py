"""What every address of the API shares. Errors have one shape: `{"detail": sentence}` or `{field: [sentences]}`."""

import json
from datetime import UTC, datetime
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ObjectDoesNotExist
from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import exceptions, serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from contact_center.common.errors import Conflict, Refused

LARGEST_ID = 2**63 - 1
EARLIEST_YEAR, LATEST_YEAR = 1900, 2200


class StrictJSONParser(JSONParser):
    """JSON that can be stored and answered: half characters and endless nesting are refused as malformed (400)."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            data = super().parse(stream, media_type, parser_context)
            json.dumps(data, ensure_ascii=False).encode()
        except (UnicodeEncodeError, RecursionError):
            raise exceptions.ParseError("JSON parse error - not plain Unicode text, or nested too deeply") from None
        if not isinstance(data, dict):
            raise exceptions.ParseError("JSON parse error - an object is expected")
        return data


def checked(
    serializer_class: type[serializers.Serializer], request: Request, *, partial: bool = False
) -> dict[str, Any]:
    """The request's fields as the serializer reads them; raises ValidationError (400) with sentences by field."""
    serializer = serializer_class(data=request.data, partial=partial)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


class ProblemSerializer(serializers.Serializer):
    """Why a request was refused, in a sentence."""

    detail = serializers.CharField()


class IdField(serializers.IntegerField):
    """The id of a row."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 1, "max_value": LARGEST_ID} | kwargs)


class IdFilter(django_filters.Filter):
    """Exactly this id; anything that cannot be one is answered with 400."""

    field_class = forms.IntegerField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"min_value": 1, "max_value": LARGEST_ID} | kwargs)


class _MomentField(forms.DateTimeField):
    def to_python(self, value: Any) -> datetime | None:
        try:
            moment = super().to_python(value)
            moment = moment and moment.astimezone(UTC)  # PostgreSQL refuses offsets of 16 hours and more
        except (OverflowError, ValueError):
            raise forms.ValidationError(self.error_messages["invalid"]) from None
        if moment is not None and not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
            raise forms.ValidationError(self.error_messages["invalid"])
        return moment


class MomentFilter(django_filters.DateTimeFilter):
    """A date and time in ISO 8601."""

    field_class = _MomentField


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Service errors are 409 and 422, Django's validation errors 400, a missing row 404; the rest is DRF's."""
    if isinstance(exc, Conflict):
        return Response({"detail": str(exc)}, status=409)
    if isinstance(exc, Refused):
        return Response({"detail": str(exc)}, status=422)
    if isinstance(exc, ObjectDoesNotExist):
        exc = exceptions.NotFound()
    if isinstance(exc, DjangoValidationError):
        detail: Any = exc.message_dict if hasattr(exc, "error_dict") else exc.messages
        exc = exceptions.ValidationError(detail)
    return drf_exception_handler(exc, context)
