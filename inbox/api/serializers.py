"""How the desk's rows read in the API, and what its writes take."""

from typing import Any

from django.db.models import Model, QuerySet
from rest_framework import serializers

from contact_center.common.api import IdField, ProblemSerializer
from inbox.models import Case, Channel, Disposition, Interaction, Message, Note, Queue, Reason, Tag, WebhookEvent


def pick(rows: QuerySet[Any], pk: int | None, field: str) -> Any:
    """The row that a request names, None for none; ValidationError (400) at `field` when it is not among `rows`."""
    if pk is None:
        return None
    row: Model | None = rows.filter(pk=pk).first()
    if row is None:
        raise serializers.ValidationError({field: ["There is no such row, or it may not be used here."]})
    return row


class InteractionSerializer(serializers.ModelSerializer):
    class Meta:
        model = Interaction
        fields = [
            "id",
            "channel",
            "channel_kind",
            "direction",
            "contact_scheme",
            "contact_value",
            "contact_name",
            "patient",
            "is_contact_shared",
            "case",
            "queue",
            "owner",
            "status",
            "reason",
            "priority",
            "language",
            "subject",
            "reference",
            "snippet",
            "unread_count",
            "opened_at",
            "last_message_at",
            "last_inbound_at",
            "waiting_since_at",
            "first_reply_at",
            "closed_at",
            "disposition",
            "outcome",
            "next_step",
            "next_step_owner",
            "next_step_date",
            "tags",
            "snoozed_until_at",
            "episode",
            "reopened_at",
            "due_at",
            "due_kind",
            "is_snooze_kept",
            "merged_into",
            "split_from",
        ]
        read_only_fields = fields


REFUSALS = {403: ProblemSerializer, 404: ProblemSerializer, 409: ProblemSerializer, 422: ProblemSerializer}
ANSWER = {200: InteractionSerializer, **REFUSALS}


class MessageSerializer(serializers.ModelSerializer):
    class Meta:
        model = Message
        fields = [
            "id",
            "public_id",
            "interaction",
            "channel",
            "channel_kind",
            "direction",
            "kind",
            "status",
            "author",
            "address",
            "subject",
            "text",
            "quoted_text",
            "template",
            "purpose",
            "occurred_at",
            "sent_at",
            "delivered_at",
            "read_at",
            "failed_at",
            "error_code",
            "error_text",
        ]
        read_only_fields = fields


class OutboxSerializer(serializers.ModelSerializer):
    """An outgoing message without what it says."""

    class Meta:
        model = Message
        fields = [
            "id",
            "public_id",
            "interaction",
            "channel",
            "channel_kind",
            "status",
            "purpose",
            "gate_decision",
            "gate_reason",
            "attempts",
            "next_attempt_at",
            "error_code",
            "error_text",
            "created_at",
            "sent_at",
            "delivered_at",
            "failed_at",
        ]
        read_only_fields = fields


class CaseSerializer(serializers.ModelSerializer):
    class Meta:
        model = Case
        fields = [
            "id",
            "reference",
            "patient",
            "title",
            "reason",
            "status",
            "priority",
            "owner",
            "queue",
            "next_step",
            "next_step_date",
            "resolved_at",
            "closed_at",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields


class ChannelSerializer(serializers.ModelSerializer):
    class Meta:
        model = Channel
        fields = ["id", "name", "kind", "address", "queue", "is_active"]
        read_only_fields = fields


class QueueSerializer(serializers.ModelSerializer):
    class Meta:
        model = Queue
        fields = ["id", "name", "slug", "is_active"]
        read_only_fields = fields


class ReasonSerializer(serializers.ModelSerializer):
    class Meta:
        model = Reason
        fields = ["id", "parent", "name", "code", "priority", "is_sensitive"]
        read_only_fields = fields


class DispositionSerializer(serializers.ModelSerializer):
    class Meta:
        model = Disposition
        fields = ["id", "name", "code", "is_resolved"]
        read_only_fields = fields


class TagSerializer(serializers.ModelSerializer):
    class Meta:
        model = Tag
        fields = ["id", "name", "slug"]
        read_only_fields = fields


class NoteSerializer(serializers.ModelSerializer):
    class Meta:
        model = Note
        fields = ["id", "interaction", "author", "body", "created_at"]
        read_only_fields = ["id", "interaction", "author", "created_at"]


class LedgerEventSerializer(serializers.ModelSerializer):
    """An event without its raw source, which may hold anything."""

    class Meta:
        model = WebhookEvent
        fields = [
            "id",
            "provider",
            "kind",
            "external_id",
            "status",
            "content_type",
            "received_at",
            "processed_at",
            "attempts",
            "next_attempt_at",
            "error",
            "message",
        ]
        read_only_fields = fields


class SendSerializer(serializers.Serializer):
    """A reply on the interaction's channel, or on another one of ours where the patient has an address.

    The same `idempotency_key` never sends twice. With `seen_message_id` a newer message of the patient refuses (409).
    """

    interaction = IdField()
    text = serializers.CharField(max_length=100_000, required=False, allow_blank=True, default="")
    template = IdField(required=False, allow_null=True)
    template_variables = serializers.DictField(child=serializers.CharField(max_length=1000), required=False)
    channel = IdField(required=False, allow_null=True)
    idempotency_key = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")
    seen_message_id = IdField(required=False, allow_null=True)


class StartSerializer(serializers.Serializer):
    """To a patient on that channel (`address`: another one of theirs), or to an address that nobody is known to have.

    WhatsApp needs a `template` until the patient writes. The same `idempotency_key` starts one conversation.
    """

    channel = IdField()
    reason = IdField()
    patient = IdField(required=False, allow_null=True)
    address = serializers.CharField(max_length=254, required=False, allow_blank=True, default="")
    subject = serializers.CharField(max_length=240, required=False, allow_blank=True, default="")
    text = serializers.CharField(max_length=100_000, required=False, allow_blank=True, default="")
    template = IdField(required=False, allow_null=True)
    template_variables = serializers.DictField(child=serializers.CharField(max_length=1000), required=False)
    idempotency_key = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")


class AssignSerializer(serializers.Serializer):
    assignee = IdField()


class ReturnSerializer(serializers.Serializer):
    """Without `queue` it goes back to its own; a transfer needs `why`."""

    queue = IdField(required=False, allow_null=True)
    why = serializers.CharField(max_length=240, required=False, allow_blank=True, default="")


class LinkSerializer(serializers.Serializer):
    patient = IdField()


class CloseSerializer(serializers.Serializer):
    """A disposition that is not resolved needs the next step, its owner and its date."""

    reason = IdField()
    disposition = IdField()
    outcome = serializers.CharField(max_length=10_000, required=False, allow_blank=True, default="")
    next_step = serializers.CharField(max_length=240, required=False, allow_blank=True, default="")
    next_step_owner = IdField(required=False, allow_null=True)
    next_step_date = serializers.DateField(required=False, allow_null=True)
