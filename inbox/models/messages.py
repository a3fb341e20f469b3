"""Messages (the outbox is their outbound rows), what providers report of them, and their files."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django_fsm import FSMField, transition

from contact_center.common.models import SafeFSM, TimeStampedModel
from inbox.enums import (
    AttachmentStatus,
    ChannelKind,
    Direction,
    GateDecision,
    MessageKind,
    MessagePurpose,
    MessageStatus,
)
from inbox.models.desk import Channel, MessageTemplate
from inbox.models.interactions import Interaction

M = MessageStatus


class Message(SafeFSM, TimeStampedModel):
    """One message in either direction. Outbound rows are the outbox: nothing else sends."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    interaction = models.ForeignKey(  # found by `message_order`
        Interaction, on_delete=models.CASCADE, related_name="messages", db_index=False
    )
    # Nobody asks for all of a channel. Of a new one statistics say for days that it has none, and an index of it was
    # read from end to end with each message.
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="messages", db_index=False)
    channel_kind = models.CharField(max_length=12, choices=ChannelKind.choices)
    direction = models.CharField(max_length=10, choices=Direction.choices)
    kind = models.CharField(max_length=12, choices=MessageKind.choices, default=MessageKind.TEXT)
    status = FSMField(default=M.QUEUED, choices=M.choices, protected=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="messages"
    )
    address_scheme = models.CharField(max_length=20, blank=True)
    address = models.CharField(max_length=254, blank=True, help_text="The other side, normalised.")
    cc = models.JSONField(default=list)
    subject = models.CharField(max_length=240, blank=True)
    text = models.TextField(blank=True)
    quoted_text = models.TextField(blank=True, help_text="Folded quote and signature of a mail.")
    html = models.TextField(blank=True, help_text="Sanitised.")
    payload = models.JSONField(default=dict)
    occurred_at = models.DateTimeField(default=timezone.now)
    provider = models.CharField(max_length=40, blank=True)
    external_id = models.CharField(max_length=254, blank=True, help_text="The provider's id, or the Message-ID.")
    in_reply_to = models.CharField(max_length=254, blank=True)
    references = models.JSONField(default=list)

    # outbound only
    purpose = models.CharField(max_length=24, choices=MessagePurpose.choices, default=MessagePurpose.REPLY)
    is_sensitive = models.BooleanField(
        default=False, db_default=False, help_text="Only a link leaves; the words are read on the patient's own page."
    )
    template = models.ForeignKey(MessageTemplate, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    template_variables = models.JSONField(default=dict)
    idempotency_key = models.CharField(max_length=64, blank=True)
    gate_decision = models.CharField(max_length=10, choices=GateDecision.choices, blank=True)
    gate_reason = models.CharField(max_length=40, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    attempt_id = models.UUIDField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    scheduled_at = models.DateTimeField(null=True, blank=True, help_text="Not before this moment; a person chose it.")
    sent_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_text = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "external_id"], condition=~Q(external_id=""), name="message_external_once"
            ),
            models.UniqueConstraint(
                fields=["interaction", "idempotency_key"],
                condition=~Q(idempotency_key=""),
                name="message_idempotency_once",
            ),
            models.CheckConstraint(condition=Q(status__in=M.values), name="message_status_known"),
            models.CheckConstraint(
                condition=Q(direction=Direction.INBOUND, status=M.RECEIVED)
                | (Q(direction=Direction.OUTBOUND) & ~Q(status=M.RECEIVED)),
                name="message_received_is_inbound",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[M.SENT, M.DELIVERED, M.READ]) | Q(gate_decision=GateDecision.SEND),
                name="message_sent_only_through_gate",
            ),
        ]
        indexes = [
            models.Index(fields=["interaction", "occurred_at", "id"], name="message_order"),
            models.Index(fields=["address", "-id"], condition=Q(direction=Direction.OUTBOUND), name="message_sent_to"),
            models.Index(
                fields=["address", "channel", "-occurred_at"],
                condition=Q(direction=Direction.INBOUND),
                name="message_came_from",
            ),
            models.Index(fields=["provider", "id"], condition=Q(status=M.QUEUED), name="message_outbox_waiting"),
            models.Index(fields=["next_attempt_at"], condition=Q(status=M.QUEUED), name="message_outbox_due"),
            models.Index(fields=["claimed_at"], condition=Q(status=M.SENDING), name="message_outbox_sending"),
            models.Index(
                fields=["address", "id"], condition=Q(status__in=[M.QUEUED, M.SENDING]), name="message_outbox_open"
            ),
            models.Index(
                fields=["provider", "sent_at"],
                condition=Q(direction=Direction.OUTBOUND, sent_at__isnull=False),
                name="message_sent_span",
            ),
            models.Index(fields=["provider"], condition=Q(payload__has_key="earlier_ids"), name="message_tried_again"),
            models.Index(
                fields=["-created_at"],
                condition=Q(status__in=[M.FAILED, M.SUPPRESSED]),
                name="message_outbox_trouble",
            ),
        ]

    def __str__(self) -> str:
        return f"message {self.pk}"

    @property
    def is_outbound(self) -> bool:
        return self.direction == Direction.OUTBOUND

    @transition(field=status, source=M.DRAFT, target=M.QUEUED)
    def queue(self) -> None:
        """Ready to be sent."""

    @transition(field=status, source=M.QUEUED, target=M.SENDING)
    def claim(self) -> None:
        """One worker, one attempt."""
        self.attempts += 1
        self.attempt_id = uuid.uuid4()
        self.claimed_at = timezone.now()

    @transition(field=status, source=M.SENDING, target=M.QUEUED)
    def release(self, at: datetime) -> None:
        """The provider certainly did not take it; try again at `at`."""
        self.next_attempt_at = at
        self.claimed_at = None

    @transition(field=status, source=M.SENDING, target=M.SENT)
    def mark_sent(self, external_id: str, at: datetime) -> None:
        """The provider took it. One that was put off takes its place in the thread now."""
        self.external_id = external_id
        self.occurred_at = at if self.scheduled_at else self.occurred_at
        self.sent_at = self.sent_at or at
        self.error_code = self.error_text = ""

    @transition(field=status, source=[M.SENDING, M.SENT, M.FAILED], target=M.DELIVERED)
    def mark_delivered(self, at: datetime) -> None:
        """It reached the device or mailbox."""
        self.sent_at = self.sent_at or at
        self.delivered_at = at
        self.failed_at = None
        self.error_code = self.error_text = ""

    @transition(field=status, source=[M.SENDING, M.SENT, M.DELIVERED, M.FAILED], target=M.READ)
    def mark_read(self, at: datetime) -> None:
        """The person saw it."""
        self.sent_at = self.sent_at or at
        self.delivered_at = self.delivered_at or at
        self.read_at = at
        self.failed_at = None
        self.error_code = self.error_text = ""

    @transition(field=status, source=[M.QUEUED, M.SENDING, M.SENT], target=M.FAILED)
    def fail(self, code: str, text: str, at: datetime) -> None:
        """It will not arrive."""
        self.failed_at = at
        self.error_code = code[:40]
        self.error_text = text[:300]

    @transition(field=status, source=[M.QUEUED, M.SENDING], target=M.SUPPRESSED)
    def suppress(self) -> None:
        """The send gate said no; `gate_reason` says why."""

    @transition(field=status, source=[M.DRAFT, M.QUEUED, M.FAILED, M.SUPPRESSED], target=M.CANCELLED)
    def cancel(self) -> None:
        """A person took it back before it left, or its conversation was closed before its time came."""

    @transition(field=status, source=[M.FAILED, M.SUPPRESSED], target=M.QUEUED)
    def retry(self) -> None:
        """A person wants a new attempt; the gate decides again."""
        self.scheduled_at = None
        self.next_attempt_at = None
        self.failed_at = None
        self.error_code = self.error_text = ""
        self.gate_decision = self.gate_reason = ""
        self.external_id = ""
        self.attempts = 0


class DeliveryReport(models.Model):
    """Every word a provider said about a message of ours, also late or out of order ones."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="delivery_reports")
    event = models.ForeignKey("inbox.WebhookEvent", on_delete=models.SET_NULL, null=True, related_name="+")
    status = models.CharField(max_length=12, choices=M.choices)
    error_code = models.CharField(max_length=40, blank=True)
    occurred_at = models.DateTimeField()
    is_applied = models.BooleanField(default=True, help_text="False where it came too late to change anything.")

    class Meta:
        indexes = [models.Index(fields=["message", "occurred_at"], name="delivery_report_order")]

    def __str__(self) -> str:
        return f"delivery report {self.pk}"


def private_path(instance: models.Model, filename: str) -> str:
    """A random name; what the sender called the file never reaches the disk."""
    return f"attachments/{timezone.now():%Y/%m}/{uuid.uuid4().hex}"


class Attachment(SafeFSM, TimeStampedModel):
    """A file of a message. Served only when clean, as a download, never executed."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attachments")
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=120, blank=True)
    size = models.PositiveBigIntegerField(null=True, blank=True)
    file = models.FileField(upload_to=private_path, blank=True)
    source_url = models.URLField(max_length=500, blank=True)
    status = FSMField(default=AttachmentStatus.PENDING, choices=AttachmentStatus.choices, protected=True)
    error = models.CharField(max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    is_sensitive = models.BooleanField(default=False, db_default=False, help_text="Carries health information.")
    scanned_at = models.DateTimeField(null=True, blank=True, help_text="When a virus scanner found nothing in it.")

    class Meta:
        indexes = [
            models.Index(
                fields=["next_attempt_at"], condition=Q(status=AttachmentStatus.PENDING), name="attachment_pending"
            ),
            models.Index(
                fields=["next_attempt_at"], condition=Q(status=AttachmentStatus.SCANNING), name="attachment_scanning"
            ),
        ]

    def __str__(self) -> str:
        return f"attachment {self.pk}"

    @transition(field=status, source=AttachmentStatus.PENDING, target=AttachmentStatus.CLEAN)
    def accept(self) -> None:
        """Type and size are allowed; it may be downloaded."""
        self.error = ""

    @transition(field=status, source=AttachmentStatus.PENDING, target=AttachmentStatus.SCANNING)
    def hold(self) -> None:
        """Type and size are allowed; nobody gets it before the scanner has looked."""
        self.error = ""

    @transition(field=status, source=AttachmentStatus.SCANNING, target=AttachmentStatus.CLEAN)
    def pass_scan(self) -> None:
        """The scanner found nothing."""
        self.scanned_at = timezone.now()

    @transition(field=status, source=AttachmentStatus.SCANNING, target=AttachmentStatus.INFECTED)
    def quarantine(self) -> None:
        """The scanner found a virus; the content is moved away and never served."""

    @transition(field=status, source=AttachmentStatus.SCANNING, target=AttachmentStatus.UNCHECKED)
    def give_up_scan(self) -> None:
        """The scanner gave no verdict, however often it was asked."""

    @transition(
        field=status, source=[AttachmentStatus.UNCHECKED, AttachmentStatus.CLEAN], target=AttachmentStatus.SCANNING
    )
    def rescan(self) -> None:
        """Look at it again, or for the first time since there is a scanner."""

    @transition(field=status, source=AttachmentStatus.PENDING, target=AttachmentStatus.REFUSED)
    def refuse(self, why: str) -> None:
        """Not allowed; the file is not kept."""
        self.error = why[:200]

    @transition(field=status, source=AttachmentStatus.PENDING, target=AttachmentStatus.FAILED)
    def fail(self, why: str) -> None:
        """The provider did not give it to us."""
        self.error = why[:200]

    @transition(field=status, source=AttachmentStatus.FAILED, target=AttachmentStatus.PENDING)
    def retry(self) -> None:
        """Fetch again."""
        self.attempts = 0
        self.next_attempt_at = None
