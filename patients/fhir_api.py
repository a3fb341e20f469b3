"""FHIR R4 for machines: `$import`, read, search by POST (no patient data in addresses), everything of a patient."""

from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.parsers import FormParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from contact_center.audit.enums import AuditAction
from contact_center.common.api import ProblemSerializer, StrictJSONParser
from patients.fhir.reading import MRN_SYSTEM, Issue, outcome
from patients.models import Patient
from patients.selectors.fhir import bundle, everything, patient_resource
from patients.selectors.people import patients_visible_to
from patients.services.fhir import Taken, take_in
from patients.services.intake import normalise_identifier
from patients.services.records import open_patient_record
from patients.services.traces import note_shown

MEDIA = "application/fhir+json"
FOUND = 50
RELATED = ("contact_points", "identifiers", "postal_addresses")


class FhirRenderer(JSONRenderer):
    media_type = MEDIA
    format = "fhir"


class FhirParser(StrictJSONParser):
    media_type = MEDIA


class FhirSearchSerializer(serializers.Serializer):
    """What patients are looked for by; several conditions hold together."""

    identifier = serializers.CharField(max_length=200, required=False, help_text="system|value")
    family = serializers.CharField(max_length=120, required=False)
    given = serializers.CharField(max_length=120, required=False)
    birthdate = serializers.DateField(required=False)


class FhirResourceSerializer(serializers.Serializer):
    """A FHIR R4 resource."""

    resourceType = serializers.CharField()


def refused(issues: list[Issue], code: int) -> Response:
    """An OperationOutcome as an answer."""
    return Response(outcome(issues), status=code)


class FhirViewSet(viewsets.ViewSet):
    scope = "patients"
    reading_actions = ("search",)
    serializer_class = FhirResourceSerializer
    parser_classes = (FhirParser, StrictJSONParser, FormParser)
    renderer_classes = (FhirRenderer, JSONRenderer)

    @extend_schema(
        summary="Take in a bundle or a resource", request=FhirResourceSerializer,
        responses={201: FhirResourceSerializer, 422: FhirResourceSerializer, 403: ProblemSerializer},
    )  # fmt: skip
    def take_in(self, request: Request) -> Response:
        data = request.data
        taken = take_in(actor=request.user, data=data, source=request.headers.get("X-Source", "")[:80])  # type: ignore[arg-type]
        if not isinstance(data, dict) or data.get("resourceType") != "Bundle":
            return self._one(taken[0])
        entries = [{"response": self._response(one)} for one in taken]
        return Response({"resourceType": "Bundle", "type": "batch-response", "entry": entries})

    def _one(self, taken: Taken) -> Response:
        code = {"refused": 422, "created": 201}.get(taken.status, 200)
        return Response(taken.outcome, status=code, headers=self._location(taken))

    def _location(self, taken: Taken) -> dict[str, str]:
        return {"Location": f"Patient/{taken.patient_id}"} if taken.patient_id else {}

    def _response(self, taken: Taken) -> dict[str, Any]:
        code = {"refused": "422", "created": "201"}.get(taken.status, "200")
        found: dict[str, Any] = {"status": code, "outcome": taken.outcome}
        return found | ({"location": f"Patient/{taken.patient_id}"} if taken.patient_id else {})

    @extend_schema(summary="Read one patient", responses={200: FhirResourceSerializer, 404: FhirResourceSerializer})
    def retrieve(self, request: Request, pk: int) -> Response:
        patient = self._open(request, pk)
        return Response(patient_resource(patient)) if patient else self._absent()

    @extend_schema(
        summary="Everything of one patient", responses={200: FhirResourceSerializer, 404: FhirResourceSerializer}
    )
    def everything(self, request: Request, pk: int) -> Response:
        patient = self._open(request, pk, AuditAction.EXPORTED)
        if patient is None:
            return self._absent()
        return Response(bundle(everything(patient)))

    def _open(self, request: Request, pk: int, action: AuditAction = AuditAction.VIEWED) -> Patient | None:
        try:
            return open_patient_record(request.user, pk, "api", action)  # type: ignore[arg-type]
        except Patient.DoesNotExist:
            return None

    def _absent(self) -> Response:
        return refused([Issue("error", "not-found", "No such patient.", "Patient")], status.HTTP_404_NOT_FOUND)

    @extend_schema(summary="Search patients", request=FhirSearchSerializer, responses={200: FhirResourceSerializer})
    def search(self, request: Request) -> Response:
        form = FhirSearchSerializer(data=request.data)
        if not form.is_valid() or not form.validated_data:
            words = "; ".join(f"{name}: {' '.join(map(str, why))}" for name, why in form.errors.items())
            return refused([Issue("error", "invalid", words or "Say whom to look for.")], status.HTTP_400_BAD_REQUEST)
        rows = patients_visible_to(request.user).filter(**_conditions(form.validated_data))  # type: ignore[arg-type]
        found = list(rows.prefetch_related(*RELATED).order_by("pk").distinct()[:FOUND])
        note_shown(actor=request.user, patient_ids=[one.pk for one in found], what="fhir")  # type: ignore[arg-type]
        return Response(bundle([patient_resource(one) for one in found], "searchset"))


def _conditions(given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "identifier" in given:
        system, _bar, value = given["identifier"].rpartition("|")
        if system == MRN_SYSTEM:
            found["mrn"] = value
        else:
            found["identifiers__value"] = normalise_identifier(value)
            if system:
                found["identifiers__system"] = system
    names = {"family": "family_name__istartswith", "given": "given_name__istartswith", "birthdate": "birth_date"}
    return found | {field: given[name] for name, field in names.items() if name in given}


# FHIR writes operations with a dollar sign, which the description of the API drops: both spellings answer.
urlpatterns = [
    path("import/", FhirViewSet.as_view({"post": "take_in"}), name="fhir-import-plain"),
    path("Patient/<int:pk>/everything/", FhirViewSet.as_view({"get": "everything"}), name="fhir-everything-plain"),
    path("$import/", FhirViewSet.as_view({"post": "take_in"}), name="fhir-import"),
    path("Patient/_search/", FhirViewSet.as_view({"post": "search"}), name="fhir-search"),
    path("Patient/<int:pk>/", FhirViewSet.as_view({"get": "retrieve"}), name="fhir-patient"),
    path("Patient/<int:pk>/$everything/", FhirViewSet.as_view({"get": "everything"}), name="fhir-everything"),
]
