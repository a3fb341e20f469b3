"""The waitlist, for machines."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from contact_center.audit.api import AuditedReadViewSet
from contact_center.common.api import IdFilter, checked
from contact_center.common.api_verbs import plain_verb
from contact_center.common.throttles import PerKeyThrottle
from scheduling.api.serializers import REFUSALS, NewEntrySerializer, WaitlistEntrySerializer
from scheduling.models import Location, Practitioner, WaitlistEntry
from scheduling.selectors.waitlist import entries_visible_to
from scheduling.services import waitlist

ANSWER = {200: WaitlistEntrySerializer, **REFUSALS}


class EntryFilters(django_filters.FilterSet):
    patient = IdFilter(field_name="patient_id")
    service = IdFilter(field_name="service_id")
    is_open = django_filters.BooleanFilter(field_name="closed_at", lookup_expr="isnull")

    class Meta:
        model = WaitlistEntry
        fields: list[str] = []


@extend_schema_view(
    list=extend_schema(summary="List who waits for a time"),
    retrieve=extend_schema(summary="Read one entry", responses=ANSWER),
)
class WaitlistViewSet(AuditedReadViewSet):
    scope = "visits"
    audited_type = "waitlist_entry"
    throttle_classes = [PerKeyThrottle]
    requests_per_minute = 600
    serializer_class = WaitlistEntrySerializer
    filterset_class = EntryFilters
    queryset = WaitlistEntry.objects.none()

    def get_queryset(self) -> QuerySet[WaitlistEntry]:
        return entries_visible_to(self.request.user).prefetch_related("locations", "practitioners")  # type: ignore[arg-type]

    def _done(self, entry: WaitlistEntry) -> Response:
        return Response(WaitlistEntrySerializer(entry).data)

    def _acting(self, request: Request, pk: str) -> dict[str, Any]:
        user: Any = request.user
        return {"actor": user, "entry_id": entries_visible_to(user).get(pk=int(pk)).pk}

    @extend_schema(
        summary="Put a patient on the waitlist, or change what they want there", request=NewEntrySerializer,
        responses={201: WaitlistEntrySerializer, **REFUSALS},
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        given = checked(NewEntrySerializer, request)
        patient_id = given.pop("patient")
        given["locations"] = Location.objects.filter(pk__in=given["locations"]).values_list("pk", flat=True)
        given["practitioners"] = Practitioner.objects.filter(pk__in=given["practitioners"]).values_list("pk", flat=True)
        wishes = waitlist.Wishes(
            service_id=given.pop("service"), appointment_id=given.pop("appointment"),
            weekdays=[int(day) for day in given.pop("weekdays")], **given,
        )  # fmt: skip
        entry = waitlist.join(actor=request.user, patient_id=patient_id, wishes=wishes)  # type: ignore[arg-type]
        return Response(WaitlistEntrySerializer(entry).data, status=status.HTTP_201_CREATED)

    leave = plain_verb("leave", waitlist.leave, "Take the patient off the waitlist", answers=ANSWER)
