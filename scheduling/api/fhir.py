"""FHIR R4 of the agenda: read and search, Appointments created and updated. Every refusal is an OperationOutcome."""

import json
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db import transaction
from django.http import Http404
from django.urls import re_path, reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions, viewsets
from rest_framework.parsers import FormParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.api import StrictJSONParser
from contact_center.common.errors import Conflict, Refused
from contact_center.common.throttles import PerKeyThrottle
from patients.fhir.reading import Issue, invalid, outcome
from patients.fhir_api import FhirParser, FhirRenderer, FhirResourceSerializer
from scheduling.foreign import LARGEST_ID, Misunderstood, slot_id
from scheduling.models import Appointment
from scheduling.selectors.fhir import KINDS, found_rows, row_of, version
from scheduling.selectors.fhir_slots import SLOT_PARAMS, free_slots_of, read_words, slot_now, slot_resource
from scheduling.services import fhir as services
from scheduling.services.booking import SlotTaken

MOST, USUAL = 100, 50
CONTROLS = ("_count", "_after", "_skip", "_format")
KIND_WORDS = "|".join([*KINDS, "Slot"])
CODES = {401: "login", 403: "forbidden", 404: "not-found", 405: "not-supported", 409: "conflict", 412: "conflict",
         415: "not-supported", 422: "business-rule", 429: "throttled"}  # fmt: skip
KIND = OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=[*KINDS, "Slot"])
ANSWER = {200: FhirResourceSerializer, 400: FhirResourceSerializer, 404: FhirResourceSerializer}
WRITTEN = ANSWER | {201: FhirResourceSerializer, 409: FhirResourceSerializer, 412: FhirResourceSerializer,
                    422: FhirResourceSerializer}  # fmt: skip


def _status_of(error: Exception) -> int | None:
    if isinstance(error, exceptions.APIException):
        return error.status_code
    known: tuple[tuple[Any, int], ...] = (
        (services.VersionPassed, 412), (Conflict, 409), (Refused, 422), (Misunderstood, 400),
        ((ObjectDoesNotExist, Http404), 404), (PermissionDenied, 403),
    )  # fmt: skip
    return next((status for kind, status in known if isinstance(error, kind)), None)


def _words_of(error: Exception, status: int) -> str:
    if status == 404:
        return "No such resource."
    words = str(getattr(error, "detail", error)) or "Not allowed."
    if isinstance(error, SlotTaken):
        words = " ".join([words, *(slot.starts_at.isoformat() for slot in error.alternatives)])
    return words


class AgendaFhirViewSet(viewsets.ViewSet):
    scope = "visits"
    reading_actions = ("search", "search_by_form")
    serializer_class = FhirResourceSerializer
    parser_classes = (FhirParser, StrictJSONParser, FormParser)
    renderer_classes = (FhirRenderer, JSONRenderer)
    throttle_classes = (PerKeyThrottle,)
    requests_per_minute = 600

    def handle_exception(self, exc: Exception) -> Response:
        """Every refusal in the standard's own shape, with the headers that the library adds."""
        status = _status_of(exc)
        if status is None:
            return super().handle_exception(exc)
        issue = Issue("error", CODES.get(status, "invalid"), _words_of(exc, status))
        given = super().handle_exception(exc) if isinstance(exc, exceptions.APIException) else None
        answer = Response(outcome([issue]), status=given.status_code if given else status)
        for name in ("WWW-Authenticate", "Retry-After"):
            if given is not None and name in given:
                answer[name] = given[name]
        answer.exception = True
        return answer

    @extend_schema(
        operation_id="fhir_metadata",
        summary="What can be read, searched and written",
        responses={200: FhirResourceSerializer},
    )
    def metadata(self, request: Request) -> Response:
        return Response(capability_statement())

    @extend_schema(operation_id="fhir_read", summary="Read one resource", parameters=[KIND], responses=ANSWER)
    def retrieve(self, request: Request, kind: str, pk: str) -> Response:
        if kind == "Slot":
            return Response(slot_now(slot_id(pk)))
        row = row_of(request.user, kind, _id(pk))  # type: ignore[arg-type]
        if isinstance(row, Appointment):
            _note(request, [row], is_search=False)
        return _written(kind, row)

    @extend_schema(
        operation_id="fhir_search",
        summary="Search by ids, codes and dates",
        parameters=[KIND, OpenApiParameter("_count", int)],
        responses=ANSWER,
    )
    def search(self, request: Request, kind: str) -> Response:
        return self._found(request, kind, _pairs(request.query_params))

    @extend_schema(
        operation_id="fhir_search_form",
        summary="Search, with the words in the body",
        parameters=[KIND],
        request=OpenApiTypes.OBJECT,
        responses=ANSWER,
    )
    def search_by_form(self, request: Request, kind: str) -> Response:
        return self._found(request, kind, _pairs(request.data) + _pairs(request.query_params))

    @extend_schema(
        operation_id="fhir_create",
        summary="Book a visit: the patient with practitioner, site and service, or with a Slot", parameters=[KIND],
        request=FhirResourceSerializer, responses=WRITTEN,
    )  # fmt: skip
    def create(self, request: Request, kind: str) -> Response:
        visit, is_new = services.create(actor=request.user, resource=_checked(request, kind))  # type: ignore[arg-type]
        return _written(kind, row_of(request.user, kind, visit.pk), status=201 if is_new else 200)  # type: ignore[arg-type]

    @extend_schema(
        operation_id="fhir_update", summary="Change a visit. Another time moves it, and the answer is the new one",
        parameters=[KIND, OpenApiParameter("If-Match", str, OpenApiParameter.HEADER)],
        request=FhirResourceSerializer, responses=WRITTEN,
    )  # fmt: skip
    def update(self, request: Request, kind: str, pk: str) -> Response:
        resource, seen = _checked(request, kind), request.headers.get("If-Match", "")
        if str(resource.get("id") or pk) != pk:
            raise Misunderstood("The id of the resource is not the one in the address.")
        actor: Any = request.user
        row_of(actor, kind, _id(pk))
        visit = services.update(
            actor=actor, appointment_id=_id(pk), resource=resource, seen=seen.strip().removeprefix("W/").strip('"')
        )
        return _written(kind, row_of(actor, kind, visit.pk))

    def _found(self, request: Request, kind: str, given: list[tuple[str, str]]) -> Response:
        words = [pair for pair in given if pair[0] not in CONTROLS]
        if any("\0" in text for _name, text in given):
            raise Misunderstood("A word holds a sign that is none.")
        controls = {name: text for name, text in given if name in CONTROLS}
        count = min(_number(controls.get("_count"), USUAL), MOST)
        if kind == "Slot":
            return Response(_slots(words, _number(controls.get("_skip"), 0), count))
        rows = found_rows(
            request.user, kind, words, after=_number(controls.get("_after"), 0), limit=count + 1  # type: ignore[arg-type]
        )  # fmt: skip
        shown, links = rows[:count], [("self", given)]
        if len(rows) > count:
            following = [("_after", str(shown[-1].pk))] if shown else []
            links.append(("next", [*words, *following, ("_count", str(count))]))
        if kind == "Appointment":
            _note(request, shown, is_search=True)
        return Response(_bundle(kind, [KINDS[kind].written(row) for row in shown], links))


def _slots(words: list[tuple[str, str]], skipped: int, count: int) -> dict[str, Any]:
    asked = read_words(words)
    found = free_slots_of(asked, skipped=skipped, limit=count + 1)
    code = asked.service.code if asked.service else ""
    links = [("self", [*words, ("_skip", str(skipped))])]
    if len(found) > count > 0:
        links.append(("next", [*words, ("_skip", str(skipped + count)), ("_count", str(count))]))
    return _bundle(
        "Slot", [slot_resource(one, slot.ends_at, code, places=slot.places) for one, slot in found[:count]], links
    )


def _bundle(
    kind: str, resources: list[dict[str, Any]], links: list[tuple[str, list[tuple[str, str]]]]
) -> dict[str, Any]:
    base = settings.PUBLIC_BASE_URL + reverse("api:fhir-agenda-search", args=[kind])
    entries = [
        {"fullUrl": f"{base.rstrip('/')}/{one['id']}", "resource": one, "search": {"mode": "match"}}
        for one in resources
    ]
    found: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": [{"relation": name, "url": f"{base}?{urlencode(pairs)}" if pairs else base} for name, pairs in links],
    }
    return found | ({"entry": entries} if entries else {})


def _written(kind: str, row: Any, *, status: int = 200) -> Response:
    address = settings.PUBLIC_BASE_URL + reverse("api:fhir-agenda-one", args=[kind, row.pk])
    headers = {"ETag": f'W/"{version(row)}"'} | (
        {"Location": address} if status == 201 else {"Content-Location": address}
    )
    return Response(KINDS[kind].written(row), status=status, headers=headers)


def _checked(request: Request, kind: str) -> dict[str, Any]:
    """The resource of a request, as the standard says an Appointment is. Raises Misunderstood, MethodNotAllowed."""
    if kind != "Appointment":
        raise exceptions.MethodNotAllowed(str(request.method), detail=f"{kind} is only read here.")
    resource = request.data
    if not isinstance(resource, dict) or resource.get("resourceType") != kind:
        raise Misunderstood("A FHIR Appointment is expected.")
    if "\\u0000" in json.dumps(resource):
        raise Misunderstood("A text holds a sign that is none.")
    problems = invalid(kind, resource)
    if problems:
        raise Misunderstood("; ".join(f"{one.where}: {one.words}" for one in problems))
    return dict(resource)


def _note(request: Request, visits: list[Appointment], *, is_search: bool) -> None:
    detail: dict[str, Any] = {
        "found": [row.pk for row in visits],
        "patients": sorted({row.patient_id for row in visits}),
    }
    if not is_search:
        detail = {"object_id": visits[0].pk, "patient_id": visits[0].patient_id, "reason": "api"}
    action = AuditAction.SEARCHED if is_search else AuditAction.VIEWED
    with transaction.atomic():
        record(actor=request.user, action=action, object_type="appointment", **detail)  # type: ignore[arg-type]


def _pairs(given: Any) -> list[tuple[str, str]]:
    if hasattr(given, "lists"):
        return [(name, text) for name, texts in given.lists() for text in texts]
    return [(str(name), str(value)) for name, value in given.items()]


def _number(text: str | None, usual: int) -> int:
    if not text:
        return usual
    if not (text.isascii() and text.isdecimal() and int(text) <= LARGEST_ID):
        raise Misunderstood("A whole number is expected.")
    return int(text)


def _id(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= LARGEST_ID):
        raise Http404
    return int(text)


def capability_statement() -> dict[str, Any]:
    """FHIR CapabilityStatement of this server."""
    reads = {kind: {name: word for name, (word, _narrow) in known.params.items()} for kind, known in KINDS.items()}
    reads["Slot"] = SLOT_PARAMS
    resources = []
    for kind, params in sorted(reads.items()):
        verbs = ["read", "search-type"] + (["create", "update"] if kind == "Appointment" else [])
        one: dict[str, Any] = {"type": kind, "interaction": [{"code": code} for code in verbs]}
        one["versioning"] = "no-version" if kind == "Slot" else "versioned-update" if len(verbs) > 2 else "versioned"
        one["searchParam"] = [{"name": name, "type": word} for name, word in params.items()]
        if kind == "Appointment":
            one["documentation"] = (
                "An update to another time books a new visit, which the answer is, and ends this one."
            )
        resources.append(one)
    resources.append({"type": "Patient", "interaction": [{"code": "read"}, {"code": "search-type"}],
                      "documentation": "Searched by POST to _search only."})  # fmt: skip
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-22",
        "kind": "instance",
        "implementation": {"description": settings.ORGANISATION_NAME},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{"mode": "server", "resource": resources,
                  "security": {"description": "Authorization: Token <key> with the scope visits."}}],
    }  # fmt: skip


view = AgendaFhirViewSet.as_view
# FHIR writes addresses without a slash at their end, the rest of the API with one: both answer.
urlpatterns = [
    re_path(r"^metadata/?$", view({"get": "metadata"}), name="fhir-metadata"),
    re_path(rf"^(?P<kind>{KIND_WORDS})/?$", view({"get": "search", "post": "create"}), name="fhir-agenda-search"),
    re_path(rf"^(?P<kind>{KIND_WORDS})/_search/?$", view({"post": "search_by_form"}), name="fhir-agenda-form"),
    re_path(
        rf"^(?P<kind>{KIND_WORDS})/(?P<pk>[A-Za-z0-9.-]{{1,64}})/?$", view({"get": "retrieve", "put": "update"}),
        name="fhir-agenda-one",
    ),
]  # fmt: skip
