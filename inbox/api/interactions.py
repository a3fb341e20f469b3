"""Interactions and their messages."""

from typing import cast

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from contact_center.accounts.models import User
from contact_center.accounts.selectors import people
from contact_center.audit.api import AuditedReadViewSet
from contact_center.common.api import IdFilter, MomentFilter, checked
from contact_center.common.api_verbs import plain_verb, verb
from inbox.api import serializers as shapes
from inbox.api.serializers import ANSWER, REFUSALS, pick
from inbox.api.work import WorkActions
from inbox.enums import ChannelKind, Direction, InteractionStatus, MessageStatus, TemplateStatus
from inbox.models import Interaction, Message, MessageTemplate, Queue
from inbox.selectors.interactions import interactions_visible_to
from inbox.selectors.setup import channels_visible_to, dispositions_for, reasons_visible_to
from inbox.services import interactions as desk
from inbox.services import linking
from inbox.services.replies import reply
from inbox.services.starting import start_conversation
from patients.selectors.people import patients_visible_to


def approved_templates() -> QuerySet[MessageTemplate]:
    """Templates that may be sent."""
    return MessageTemplate.objects.filter(status=TemplateStatus.APPROVED)


class InteractionFilters(django_filters.FilterSet):
    status = django_filters.MultipleChoiceFilter(choices=InteractionStatus.choices)
    channel_kind = django_filters.ChoiceFilter(choices=ChannelKind.choices)
    channel = IdFilter(field_name="channel_id")
    queue = IdFilter(field_name="queue_id")
    owner = IdFilter(field_name="owner_id")
    patient = IdFilter(field_name="patient_id")
    case = IdFilter(field_name="case_id")
    reference = django_filters.CharFilter(max_length=16)
    active_since = MomentFilter(field_name="last_message_at", lookup_expr="gte")

    class Meta:
        model = Interaction
        fields: list[str] = []


@extend_schema_view(
    list=extend_schema(summary="List interactions"),
    retrieve=extend_schema(summary="Read one interaction", responses=ANSWER),
)
class InteractionViewSet(WorkActions, AuditedReadViewSet):
    scope = "interactions"
    audited_type = "interaction"
    serializer_class = shapes.InteractionSerializer
    filterset_class = InteractionFilters
    queryset = Interaction.objects.none()

    def get_queryset(self) -> QuerySet[Interaction]:
        return interactions_visible_to(self.request.user).prefetch_related("tags")  # type: ignore[arg-type]

    @extend_schema(
        summary="Start a conversation",
        request=shapes.StartSerializer,
        responses={201: shapes.InteractionSerializer, **REFUSALS},
    )
    def create(self, request: Request) -> Response:
        given, user = checked(shapes.StartSerializer, request), cast("User", request.user)
        given["channel"] = pick(channels_visible_to(user), given["channel"], "channel")
        given["reason"] = pick(reasons_visible_to(user), given["reason"], "reason")
        given["patient"] = pick(patients_visible_to(user), given.get("patient"), "patient")
        given["template"] = pick(approved_templates(), given.get("template"), "template")
        started = start_conversation(actor=user, **given)
        return Response(shapes.InteractionSerializer(started).data, status=status.HTTP_201_CREATED)

    take = plain_verb("take", desk.take, "Become the owner", answers=ANSWER)
    reopen = plain_verb("reopen", desk.reopen, "Open it again", answers=ANSWER)
    unlink_patient = plain_verb(
        "unlink_patient", linking.unlink_patient, "Undo a wrong link", answers=ANSWER, path="unlink-patient"
    )

    @verb("Make somebody the owner", takes=shapes.AssignSerializer, answers=ANSWER)
    def assign(self, request: Request, pk: str) -> Response:
        acting = self._acting(request, pk)
        assignee: User = pick(people(), checked(shapes.AssignSerializer, request)["assignee"], "assignee")
        return self._done(desk.assign(**acting, assignee=assignee))

    @verb("Give it back, or transfer it", takes=shapes.ReturnSerializer, answers=ANSWER, path="return")
    def give_back(self, request: Request, pk: str) -> Response:
        acting, given = self._acting(request, pk), checked(shapes.ReturnSerializer, request)
        queue = pick(Queue.objects.filter(is_active=True), given.get("queue"), "queue")
        return self._done(desk.return_to_queue(**acting, queue=queue, why=given["why"]))

    @verb("Say whose interaction it is", takes=shapes.LinkSerializer, answers=ANSWER, path="link-patient")
    def link_patient(self, request: Request, pk: str) -> Response:
        acting = self._acting(request, pk)
        wanted = checked(shapes.LinkSerializer, request)["patient"]
        patient = pick(patients_visible_to(acting["actor"]), wanted, "patient")
        return self._done(linking.link_patient(**acting, patient=patient))

    @verb("Wrap up and close", takes=shapes.CloseSerializer, answers=ANSWER)
    def close(self, request: Request, pk: str) -> Response:
        acting, given = self._acting(request, pk), checked(shapes.CloseSerializer, request)
        actor = acting["actor"]
        given["reason"] = pick(reasons_visible_to(actor), given["reason"], "reason")
        given["disposition"] = pick(dispositions_for(actor), given["disposition"], "disposition")
        given["next_step_owner"] = pick(people(), given.get("next_step_owner"), "next_step_owner")
        return self._done(desk.close(**acting, **given))

    @verb("Write a private note", takes=shapes.NoteSerializer, answers={201: shapes.NoteSerializer, **REFUSALS})
    def notes(self, request: Request, pk: str) -> Response:
        note = desk.add_note(**self._acting(request, pk), body=checked(shapes.NoteSerializer, request)["body"])
        return Response(shapes.NoteSerializer(note).data, status=status.HTTP_201_CREATED)


class MessageFilters(django_filters.FilterSet):
    interaction = IdFilter(field_name="interaction_id")
    patient = IdFilter(field_name="interaction__patient_id")
    channel_kind = django_filters.ChoiceFilter(choices=ChannelKind.choices)
    direction = django_filters.ChoiceFilter(choices=Direction.choices)
    status = django_filters.MultipleChoiceFilter(choices=MessageStatus.choices)
    since = MomentFilter(field_name="occurred_at", lookup_expr="gte")

    class Meta:
        model = Message
        fields: list[str] = []


@extend_schema_view(
    list=extend_schema(summary="List messages"),
    retrieve=extend_schema(summary="Read one message", responses={200: shapes.MessageSerializer, **REFUSALS}),
)
class MessageViewSet(AuditedReadViewSet):
    scope = "messages"
    audited_type = "message"
    serializer_class = shapes.MessageSerializer
    filterset_class = MessageFilters
    queryset = Message.objects.none()

    def get_queryset(self) -> QuerySet[Message]:
        seen = interactions_visible_to(self.request.user).values("pk")  # type: ignore[arg-type]
        return Message.objects.select_related("interaction").filter(interaction__in=seen)

    def patient_of(self, row: Message) -> int | None:
        return row.interaction.patient_id

    @extend_schema(
        summary="Send a message",
        request=shapes.SendSerializer,
        responses={201: shapes.MessageSerializer, **REFUSALS},
    )
    def create(self, request: Request) -> Response:
        given, user = checked(shapes.SendSerializer, request), request.user
        interaction = pick(interactions_visible_to(user), given.pop("interaction"), "interaction")  # type: ignore[arg-type]
        template = pick(approved_templates(), given.pop("template", None), "template")
        channel = pick(channels_visible_to(user), given.pop("channel", None), "channel")  # type: ignore[arg-type]
        message = reply(
            actor=user,  # type: ignore[arg-type]
            interaction_id=interaction.pk,
            template=template,
            channel_id=channel.pk if channel else None,
            **given,
        )
        return Response(shapes.MessageSerializer(message).data, status=status.HTTP_201_CREATED)
