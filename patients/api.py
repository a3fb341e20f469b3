"""Patients and their addresses for machines. Same selectors, services and policies as the pages."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contact_center.audit.api import AuditedReadViewSet
from contact_center.common.api import IdField, IdFilter, MomentFilter, ProblemSerializer, checked
from contact_center.common.api_verbs import verb
from patients.enums import (
    AccessNeed,
    CommunicationStyle,
    ConsentPurpose,
    ConsentStatus,
    ContactChannel,
    ContactScheme,
    ContactUse,
    Gender,
)
from patients.models import Consent, ConsentText, ContactPoint, Patient
from patients.selectors.consents import consents_visible_to, latest_of_each
from patients.selectors.people import contact_points_visible_to, patients_visible_to
from patients.services import addresses, consents, records

REFUSALS = {403: ProblemSerializer, 404: ProblemSerializer}


PREFERENCES = (
    "preferred_channel", "contact_from", "contact_until", "interpreter_language", "communication_style", "access_needs",
    "access_note",
)  # fmt: skip
"""How a patient wants to be reached and spoken with; read and changed with the patient."""


class ContactPointSerializer(serializers.ModelSerializer):
    class Meta:
        model = ContactPoint
        fields = [
            "id",
            "patient",
            "scheme",
            "value",
            "raw",
            "use",
            "rank",
            "verified_at",
            "bounced_at",
            "bounce_reason",
        ]
        read_only_fields = fields


class NewAddressSerializer(serializers.Serializer):
    """An address in any usual spelling; it is stored normalised."""

    scheme = serializers.ChoiceField(ContactScheme.choices)
    value = serializers.CharField(max_length=254)
    use = serializers.ChoiceField(ContactUse.choices, default=ContactUse.MOBILE)


class NewContactPointSerializer(NewAddressSerializer):
    patient = IdField()


class PatientSerializer(serializers.ModelSerializer):
    contact_points = ContactPointSerializer(many=True, read_only=True)

    class Meta:
        model = Patient
        fields = [
            "id",
            "mrn",
            "given_name",
            "family_name",
            "preferred_name",
            "birth_date",
            "gender",
            "language",
            "time_zone",
            "site_name",
            *PREFERENCES,
            "sensitivity",
            "is_do_not_contact",
            "deceased_date",
            "contact_points",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields


class PatientWriteSerializer(serializers.Serializer):
    """What may be set on a patient."""

    given_name = serializers.CharField(max_length=120)
    family_name = serializers.CharField(max_length=120)
    preferred_name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    birth_date = serializers.DateField(required=False, allow_null=True)
    gender = serializers.ChoiceField(Gender.choices, required=False)
    language = serializers.CharField(max_length=8, required=False)
    time_zone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    site_name = serializers.CharField(max_length=80, required=False, allow_blank=True)
    preferred_channel = serializers.ChoiceField(ContactChannel.choices, required=False, allow_blank=True)
    contact_from = serializers.TimeField(required=False, allow_null=True)
    contact_until = serializers.TimeField(required=False, allow_null=True)
    interpreter_language = serializers.CharField(max_length=8, required=False, allow_blank=True)
    communication_style = serializers.ChoiceField(CommunicationStyle.choices, required=False, allow_blank=True)
    access_needs = serializers.ListField(
        child=serializers.ChoiceField(AccessNeed.choices), required=False, max_length=6
    )
    access_note = serializers.CharField(max_length=240, required=False, allow_blank=True)
    is_do_not_contact = serializers.BooleanField(required=False)
    deceased_date = serializers.DateField(required=False, allow_null=True)


class NewPatientSerializer(PatientWriteSerializer):
    addresses = NewAddressSerializer(many=True, required=False)


class PatientSearchSerializer(serializers.Serializer):
    """Words to look for: a name, a phone in any spelling, an e-mail address or a record number."""

    q = serializers.CharField(max_length=100)
    limit = serializers.IntegerField(min_value=1, max_value=50, default=20)


class PatientFilters(django_filters.FilterSet):
    language = django_filters.CharFilter(max_length=8)
    updated_since = MomentFilter(field_name="updated_at", lookup_expr="gte")

    class Meta:
        model = Patient
        fields: list[str] = []


@extend_schema_view(
    list=extend_schema(summary="List patients"),
    retrieve=extend_schema(summary="Read one patient", responses={200: PatientSerializer, **REFUSALS}),
)
class PatientViewSet(AuditedReadViewSet):
    scope = "patients"
    audited_type = "patient"
    serializer_class = PatientSerializer
    filterset_class = PatientFilters
    queryset = Patient.objects.none()
    reading_actions = ("search",)

    def get_queryset(self) -> QuerySet[Patient]:
        return patients_visible_to(self.request.user).prefetch_related("contact_points")  # type: ignore[arg-type]

    def patient_of(self, row: Patient) -> int:
        return row.pk

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        patient = records.open_patient_record(request.user, int(kwargs["pk"]), "api")  # type: ignore[arg-type]
        return Response(PatientSerializer(patient).data)

    @extend_schema(
        summary="Search by name, phone, e-mail or record number, as the pages do",
        request=PatientSearchSerializer,
        responses=PatientSerializer(many=True),
        filters=False,
    )
    @action(detail=False, methods=["post"], pagination_class=None, filterset_class=None)
    def search(self, request: Request) -> Response:
        given = checked(PatientSearchSerializer, request)
        found = records.search_records(request.user, given["q"], given["limit"])  # type: ignore[arg-type]
        return Response(PatientSerializer(found, many=True).data)

    @extend_schema(
        summary="Create a patient", request=NewPatientSerializer, responses={201: PatientSerializer, **REFUSALS}
    )
    def create(self, request: Request) -> Response:
        given = checked(NewPatientSerializer, request)
        written = [addresses.NewAddress(**address) for address in given.pop("addresses", [])]
        patient = records.create_patient(actor=request.user, addresses=written, **given)  # type: ignore[arg-type]
        return Response(PatientSerializer(patient).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Change a patient", request=PatientWriteSerializer, responses={200: PatientSerializer, **REFUSALS}
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        given = checked(PatientWriteSerializer, request, partial=True)
        patient = records.update_patient(actor=request.user, patient_id=int(pk), **given)  # type: ignore[arg-type]
        return Response(PatientSerializer(patient).data)


class ContactPointFilters(django_filters.FilterSet):
    patient = IdFilter(field_name="patient_id")
    scheme = django_filters.ChoiceFilter(choices=ContactScheme.choices)

    class Meta:
        model = ContactPoint
        fields: list[str] = []


@extend_schema_view(
    list=extend_schema(summary="List addresses of patients"),
    retrieve=extend_schema(summary="Read one address", responses={200: ContactPointSerializer, **REFUSALS}),
)
class ContactPointViewSet(AuditedReadViewSet):
    scope = "patients"
    audited_type = "contactpoint"
    serializer_class = ContactPointSerializer
    filterset_class = ContactPointFilters
    queryset = ContactPoint.objects.none()

    def get_queryset(self) -> QuerySet[ContactPoint]:
        return contact_points_visible_to(self.request.user)  # type: ignore[arg-type]

    @extend_schema(
        summary="Give a patient an address",
        request=NewContactPointSerializer,
        responses={201: ContactPointSerializer, **REFUSALS},
    )
    def create(self, request: Request) -> Response:
        given = checked(NewContactPointSerializer, request)
        point = addresses.add_contact_point(actor=request.user, patient_id=given.pop("patient"), **given)  # type: ignore[arg-type]
        return Response(ContactPointSerializer(point).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Take an address away", responses={204: None, **REFUSALS})
    def destroy(self, request: Request, pk: str) -> Response:
        addresses.remove_contact_point(actor=request.user, contact_point_id=int(pk))  # type: ignore[arg-type]
        return Response(status=status.HTTP_204_NO_CONTENT)

    @verb("Note that the patient proved to be there", answers={200: ContactPointSerializer, **REFUSALS})
    def verify(self, request: Request, pk: str) -> Response:
        point = addresses.verify_contact_point(actor=request.user, contact_point_id=int(pk))  # type: ignore[arg-type]
        return Response(ContactPointSerializer(point).data)


class ConsentSerializer(serializers.ModelSerializer):
    class Meta:
        model = Consent
        fields = ["id", "patient", "purpose", "channel_kind", "status", "source", "text", "text_version", "recorded_at"]
        read_only_fields = fields


class NewConsentSerializer(serializers.Serializer):
    """The patient's word on one purpose by one way; a withdrawal is a new word, and earlier ones stay."""

    patient = IdField()
    purpose = serializers.ChoiceField(ConsentPurpose.choices)
    channel_kind = serializers.ChoiceField(
        ContactChannel.choices, default="", allow_blank=True, help_text="Empty: all ways."
    )
    status = serializers.ChoiceField(ConsentStatus.choices)
    source = serializers.CharField(  # type: ignore[assignment]  # the name of a field, as of every row
        max_length=60, help_text="How it is known, such as `signed form`."
    )
    text = serializers.PrimaryKeyRelatedField(
        queryset=ConsentText.objects.all(), required=False, allow_null=True, help_text="What the patient was shown."
    )


class ConsentFilters(django_filters.FilterSet):
    patient = IdFilter(field_name="patient_id")
    purpose = django_filters.ChoiceFilter(choices=ConsentPurpose.choices)
    channel_kind = django_filters.ChoiceFilter(choices=ContactChannel.choices)
    latest = django_filters.BooleanFilter(method="only_latest", label="Only the word that holds now")

    class Meta:
        model = Consent
        fields: list[str] = []

    def only_latest(self, rows: QuerySet[Consent], name: str, value: bool) -> QuerySet[Consent]:
        return latest_of_each(rows) if value else rows


@extend_schema_view(
    list=extend_schema(summary="List what patients allowed and forbade"),
    retrieve=extend_schema(summary="Read one word of a patient", responses={200: ConsentSerializer, **REFUSALS}),
)
class ConsentViewSet(AuditedReadViewSet):
    scope = "patients"
    audited_type = "consent"
    serializer_class = ConsentSerializer
    filterset_class = ConsentFilters
    queryset = Consent.objects.none()

    def get_queryset(self) -> QuerySet[Consent]:
        return consents_visible_to(self.request.user)  # type: ignore[arg-type]

    @extend_schema(
        summary="Note what a patient allowed or forbade", request=NewConsentSerializer,
        responses={201: ConsentSerializer, **REFUSALS},
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        given = checked(NewConsentSerializer, request)
        row = consents.record_consent(actor=request.user, patient_id=given.pop("patient"), **given)  # type: ignore[arg-type]
        return Response(ConsentSerializer(row).data, status=status.HTTP_201_CREATED)
