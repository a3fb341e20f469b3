"""Cases: open, wait, go on, resolve, close, open again, give to somebody."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from contact_center.accounts.selectors import people
from contact_center.audit.api import AuditedReadViewSet
from contact_center.common.api import IdField, IdFilter, checked
from contact_center.common.api_verbs import plain_verb, verb
from inbox.api.serializers import REFUSALS, CaseSerializer, pick
from inbox.enums import CaseStatus
from inbox.models import Case
from inbox.selectors.interactions import interactions_visible_to
from inbox.selectors.setup import cases_visible_to
from inbox.services import cases


class NextStepSerializer(serializers.Serializer):
    """What happens next and by when; without `owner` the queue is responsible."""

    next_step = serializers.CharField(max_length=240)
    next_step_date = serializers.DateField()
    owner = IdField(required=False, allow_null=True)


class NewCaseSerializer(NextStepSerializer):
    """A case begins with an interaction, whose patient, reason, priority and queue it has."""

    interaction = IdField()
    title = serializers.CharField(max_length=160)


class CaseOwnerSerializer(serializers.Serializer):
    """Null leaves the case to its queue."""

    owner = IdField(allow_null=True)


class CaseFilters(django_filters.FilterSet):
    patient = IdFilter(field_name="patient_id")
    owner = IdFilter(field_name="owner_id")
    queue = IdFilter(field_name="queue_id")
    status = django_filters.MultipleChoiceFilter(choices=CaseStatus.choices)
    reference = django_filters.CharFilter(max_length=16)
    next_step_until = django_filters.DateFilter(field_name="next_step_date", lookup_expr="lte")

    class Meta:
        model = Case
        fields: list[str] = []


ANSWER = {200: CaseSerializer, **REFUSALS}


@extend_schema_view(
    list=extend_schema(summary="List cases"),
    retrieve=extend_schema(summary="Read one case", responses=ANSWER),
)
class CaseViewSet(AuditedReadViewSet):
    scope = "cases"
    audited_type = "case"
    serializer_class = CaseSerializer
    filterset_class = CaseFilters
    queryset = Case.objects.none()

    def get_queryset(self) -> QuerySet[Case]:
        return cases_visible_to(self.request.user)  # type: ignore[arg-type]

    def _acting(self, request: Request, pk: str) -> dict[str, Any]:
        return {"actor": request.user, "case_id": self.get_queryset().get(pk=int(pk)).pk}

    def _done(self, case: Case) -> Response:
        return Response(CaseSerializer(case).data)

    @extend_schema(summary="Open a case", request=NewCaseSerializer, responses={201: CaseSerializer, **REFUSALS})
    def create(self, request: Request) -> Response:
        given, user = checked(NewCaseSerializer, request), request.user
        interaction = pick(interactions_visible_to(user), given.pop("interaction"), "interaction")  # type: ignore[arg-type]
        given["owner"] = pick(people(), given.get("owner"), "owner")
        case = cases.open_case(actor=user, interaction_id=interaction.pk, **given)  # type: ignore[arg-type]
        return Response(CaseSerializer(case).data, status=status.HTTP_201_CREATED)

    wait = plain_verb("wait", cases.wait_on_case, "Let it wait for somebody else", answers=ANSWER)
    resume = plain_verb("resume", cases.resume_case, "Go on with one that waits", answers=ANSWER)
    resolve = plain_verb("resolve", cases.resolve_case, "The need is met", answers=ANSWER)
    close = plain_verb("close", cases.close_case, "Close a resolved one", answers=ANSWER)

    @verb("Open a resolved or closed one again", takes=NextStepSerializer, answers=ANSWER)
    def reopen(self, request: Request, pk: str) -> Response:
        acting, given = self._acting(request, pk), checked(NextStepSerializer, request)
        given["owner"] = pick(people(), given.get("owner"), "owner")
        return self._done(cases.reopen_case(**acting, **given))

    @verb("Make somebody responsible", takes=CaseOwnerSerializer, answers=ANSWER)
    def assign(self, request: Request, pk: str) -> Response:
        acting, given = self._acting(request, pk), checked(CaseOwnerSerializer, request)
        return self._done(cases.assign_case(**acting, owner=pick(people(), given["owner"], "owner")))
