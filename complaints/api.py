"""Complaints for machines: list and read, as a person of the key's role would see them."""

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.routers import SimpleRouter

from complaints.enums import ComplaintKind, ComplaintStatus, Severity
from complaints.models import Complaint
from complaints.selectors import complaints_visible_to
from complaints.services.concluding import seal_of
from contact_center.audit.api import AuditedReadViewSet
from contact_center.common.api import IdFilter, MomentFilter


class ComplaintSerializer(serializers.ModelSerializer):
    """A complaint. `patient` is null while nobody knows whom it concerns."""

    class Meta:
        model = Complaint
        fields = [
            "id", "reference", "patient", "interaction", "received_by", "complainant", "complainant_name", "kind",
            "category", "severity", "protection", "words", "wanted", "status", "owner", "team", "next_step",
            "next_step_date", "response", "received_at", "acknowledge_by_at", "acknowledged_at", "triaged_at",
            "investigation_began_at", "answered_at", "closed_at", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class ComplaintFilters(django_filters.FilterSet):
    patient = IdFilter(field_name="patient_id")
    interaction = IdFilter(field_name="interaction_id")
    owner = IdFilter(field_name="owner_id")
    status = django_filters.MultipleChoiceFilter(choices=ComplaintStatus.choices)
    kind = django_filters.ChoiceFilter(choices=ComplaintKind.choices)
    severity = django_filters.MultipleChoiceFilter(choices=Severity.choices)
    received_since = MomentFilter(field_name="received_at", lookup_expr="gte")

    class Meta:
        model = Complaint
        fields: list[str] = []


@extend_schema_view(list=extend_schema(summary="List complaints"), retrieve=extend_schema(summary="Read one complaint"))
class ComplaintViewSet(AuditedReadViewSet):
    scope = "complaints"
    audited_type = "complaint"
    serializer_class = ComplaintSerializer
    filterset_class = ComplaintFilters
    queryset = Complaint.objects.none()

    def get_queryset(self) -> QuerySet[Complaint]:
        return complaints_visible_to(self.request.user)  # type: ignore[arg-type]

    def detail_of(self, row: Complaint) -> dict[str, bool]:
        return seal_of(row)


router = SimpleRouter()
router.register("complaints", ComplaintViewSet, basename="complaint")
urlpatterns = router.urls
