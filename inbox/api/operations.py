"""The desk's set-up, the ledger and the outbox. None of these rows shows what a patient said."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from contact_center.common.api import IdFilter, MomentFilter
from contact_center.common.api_verbs import plain_verb, verb
from inbox.api import serializers as shapes
from inbox.api.serializers import REFUSALS
from inbox.enums import ChannelKind, EventKind, EventStatus, MessageStatus
from inbox.models import Channel, Disposition, Message, Queue, Reason, Tag, WebhookEvent
from inbox.selectors.interactions import queues_of
from inbox.selectors.ledger import get_event_for, ledger_visible_to
from inbox.selectors.outbox import outbox_visible_to
from inbox.selectors.setup import channels_visible_to, dispositions_for, reasons_visible_to, tags_for
from inbox.services.ledger import retry_event
from inbox.services.outbox import cancel_message, retry_message

SENT = {200: shapes.OutboxSerializer, **REFUSALS}


class ReadViewSet(ReadOnlyModelViewSet):
    """List and read; ids have at most 18 digits, longer ones are 404."""

    lookup_value_regex = "[0-9]{1,18}"


class ChannelFilters(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(choices=ChannelKind.choices)
    queue = IdFilter(field_name="queue_id")

    class Meta:
        model = Channel
        fields: list[str] = []


@extend_schema_view(list=extend_schema(summary="List channels"), retrieve=extend_schema(summary="Read one channel"))
class ChannelViewSet(ReadViewSet):
    scope = "channels"
    serializer_class = shapes.ChannelSerializer
    filterset_class = ChannelFilters
    queryset = Channel.objects.none()

    def get_queryset(self) -> QuerySet[Channel]:
        return channels_visible_to(self.request.user)  # type: ignore[arg-type]


@extend_schema_view(list=extend_schema(summary="List queues"), retrieve=extend_schema(summary="Read one queue"))
class QueueViewSet(ReadViewSet):
    scope = "channels"
    serializer_class = shapes.QueueSerializer
    queryset = Queue.objects.none()

    def get_queryset(self) -> QuerySet[Queue]:
        return queues_of(self.request.user)  # type: ignore[arg-type]


@extend_schema_view(list=extend_schema(summary="List reasons"), retrieve=extend_schema(summary="Read one reason"))
class ReasonViewSet(ReadViewSet):
    scope = "channels"
    serializer_class = shapes.ReasonSerializer
    queryset = Reason.objects.none()

    def get_queryset(self) -> QuerySet[Reason]:
        return reasons_visible_to(self.request.user)  # type: ignore[arg-type]


@extend_schema_view(
    list=extend_schema(summary="List wrap-up codes"), retrieve=extend_schema(summary="Read one wrap-up code")
)
class DispositionViewSet(ReadViewSet):
    scope = "channels"
    serializer_class = shapes.DispositionSerializer
    queryset = Disposition.objects.none()

    def get_queryset(self) -> QuerySet[Disposition]:
        return dispositions_for(self.request.user)  # type: ignore[arg-type]


@extend_schema_view(list=extend_schema(summary="List tags"), retrieve=extend_schema(summary="Read one tag"))
class TagViewSet(ReadViewSet):
    scope = "channels"
    serializer_class = shapes.TagSerializer
    queryset = Tag.objects.none()

    def get_queryset(self) -> QuerySet[Tag]:
        return tags_for(self.request.user)  # type: ignore[arg-type]


class LedgerFilters(django_filters.FilterSet):
    provider = django_filters.CharFilter(max_length=40)
    kind = django_filters.ChoiceFilter(choices=EventKind.choices)
    status = django_filters.MultipleChoiceFilter(choices=EventStatus.choices)
    external_id = django_filters.CharFilter(max_length=200)
    received_since = MomentFilter(field_name="received_at", lookup_expr="gte")

    class Meta:
        model = WebhookEvent
        fields: list[str] = []


@extend_schema_view(
    list=extend_schema(summary="List ledger events"), retrieve=extend_schema(summary="Read one ledger event")
)
class LedgerEventViewSet(ReadViewSet):
    scope = "ledger"
    serializer_class = shapes.LedgerEventSerializer
    filterset_class = LedgerFilters
    queryset = WebhookEvent.objects.none()

    def get_queryset(self) -> QuerySet[WebhookEvent]:
        return ledger_visible_to(self.request.user)  # type: ignore[arg-type]

    @verb("Process a quarantined event again", answers={202: None, **REFUSALS})
    def retry(self, request: Request, pk: str) -> Response:
        user: Any = request.user
        retry_event(actor=user, event_id=get_event_for(user, int(pk)).pk)
        return Response(status=status.HTTP_202_ACCEPTED)


class OutboxFilters(django_filters.FilterSet):
    interaction = IdFilter(field_name="interaction_id")
    channel_kind = django_filters.ChoiceFilter(choices=ChannelKind.choices)
    status = django_filters.MultipleChoiceFilter(choices=MessageStatus.choices)
    created_since = MomentFilter(field_name="created_at", lookup_expr="gte")

    class Meta:
        model = Message
        fields: list[str] = []


@extend_schema_view(
    list=extend_schema(summary="List outgoing messages"), retrieve=extend_schema(summary="Read one outgoing message")
)
class OutboxViewSet(ReadViewSet):
    scope = "outbox"
    serializer_class = shapes.OutboxSerializer
    filterset_class = OutboxFilters
    queryset = Message.objects.none()

    def get_queryset(self) -> QuerySet[Message]:
        return outbox_visible_to(self.request.user)  # type: ignore[arg-type]

    def _acting(self, request: Request, pk: str) -> dict[str, Any]:
        return {"actor": request.user, "message_id": self.get_queryset().get(pk=int(pk)).pk}

    def _done(self, message: Message) -> Response:
        return Response(shapes.OutboxSerializer(message).data)

    retry = plain_verb("retry", retry_message, "Send it again", answers=SENT)
    cancel = plain_verb("cancel", cancel_message, "Take it back", answers=SENT)
