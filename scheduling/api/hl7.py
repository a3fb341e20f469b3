"""HL7 v2 over HTTP: one message in, its acknowledgement out."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from contact_center.common.throttles import PerKeyThrottle
from scheduling.adapters.er7 import MOST_BYTES
from scheduling.services.hl7 import acknowledge, receive

MEDIA = "application/hl7-v2"
TYPES = (MEDIA, "x-application/hl7-v2+er7", "application/hl7-v2+er7", "text/plain", "application/octet-stream")


class Er7Parser(BaseParser):
    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return bytes(stream.read(MOST_BYTES + 1))


class Er7Renderer(BaseRenderer):
    media_type, format, charset = MEDIA, "er7", None
    render_style = "binary"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return data if isinstance(data, bytes) else JSONRenderer().render(data)


class AlwaysEr7(BaseContentNegotiation):
    """Whatever the sender says: engines name the format in many ways."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], MEDIA


class Hl7ViewSet(viewsets.ViewSet):
    scope = "visits"
    parser_classes = (Er7Parser,)
    renderer_classes = (Er7Renderer,)
    content_negotiation_class = AlwaysEr7
    throttle_classes = (PerKeyThrottle,)
    requests_per_minute = 1200

    @extend_schema(
        summary="Take in one SIU message (S12 to S26); AA, AE or AR stands in the acknowledgement",
        request={"text/plain": OpenApiTypes.STR}, responses={(200, MEDIA): OpenApiTypes.STR},
    )  # fmt: skip
    def receive(self, request: Request) -> Response:
        raw = request.data if isinstance(request.data, bytes) else b""  # no body at all is not parsed
        return Response(acknowledge(receive(actor=request.user, raw=raw)))  # type: ignore[arg-type]
