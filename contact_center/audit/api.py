"""Reading patients through the API leaves its entry, as reading them on a page does."""

from typing import Any

from django.db import transaction
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record


class AuditedReadViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """List and read with exactly one audit entry for each answer, which names the rows and patients it held.

    Subclasses give `audited_type` and `patient_of`; ids have at most 18 digits, longer ones are 404.
    """

    lookup_value_regex = "[0-9]{1,18}"
    audited_type = ""

    def patient_of(self, row: Any) -> int | None:
        """Id of the patient whom a row concerns."""
        return row.patient_id

    def detail_of(self, row: Any) -> dict[str, Any]:
        """What the entry of reading a row says beside."""
        return {}

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        concerned = sorted({patient for row in rows if (patient := self.patient_of(row))})
        with transaction.atomic():
            record(
                actor=request.user,  # type: ignore[arg-type]
                action=AuditAction.SEARCHED,
                object_type=self.audited_type,
                found=[row.pk for row in rows],
                patients=concerned,
            )
        return self.get_paginated_response(self.get_serializer(rows, many=True).data)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        row = self.get_object()
        with transaction.atomic():
            record(
                actor=request.user,  # type: ignore[arg-type]
                action=AuditAction.VIEWED,
                object_type=self.audited_type,
                object_id=row.pk,
                patient_id=self.patient_of(row),
                reason="api",
                **self.detail_of(row),
            )
        return Response(self.get_serializer(row).data)
