"""The ledger: everything a provider ever told us, stored before it is understood."""

from django.db import models
from django.utils import timezone
from django_fsm import FSMField, transition

from contact_center.common.models import SafeFSM
from inbox.enums import EventKind, EventStatus


class WebhookEvent(SafeFSM):
    """One event as it arrived. `body` is the raw source and never changes."""

    provider = models.CharField(max_length=40)
    kind = models.CharField(max_length=20, choices=EventKind.choices)
    dedupe_key = models.CharField(max_length=200)
    external_id = models.CharField(max_length=200, blank=True)
    status = FSMField(default=EventStatus.RECEIVED, choices=EventStatus.choices, protected=True)
    content_type = models.CharField(max_length=120, blank=True)
    query = models.CharField(max_length=500, blank=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    received_at = models.DateTimeField(default=timezone.now)
    processed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)
    message = models.ForeignKey(
        "inbox.Message", on_delete=models.SET_NULL, null=True, blank=True, related_name="events"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "dedupe_key"], name="webhook_event_once"),
            models.CheckConstraint(
                condition=models.Q(status__in=EventStatus.values), name="webhook_event_status_known"
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(status=EventStatus.RECEIVED), name="webhook_event_waiting"),
            models.Index(
                fields=["-received_at"], condition=models.Q(status=EventStatus.QUARANTINED), name="webhook_event_stub"
            ),
            models.Index(fields=["provider", "external_id"], name="webhook_event_external"),
            models.Index(fields=["received_at"], name="webhook_event_received"),
        ]

    def __str__(self) -> str:
        return f"event {self.pk}"

    @transition(field=status, source=EventStatus.RECEIVED, target=EventStatus.PROCESSED)
    def complete(self) -> None:
        """Everything in it was stored."""
        self.processed_at = timezone.now()
        self.error = ""

    @transition(field=status, source=EventStatus.RECEIVED, target=EventStatus.IGNORED)
    def ignore(self, why: str) -> None:
        """It was understood and needs nothing, e.g. a status of a message that is not ours."""
        self.processed_at = timezone.now()
        self.error = why[:500]

    @transition(field=status, source=EventStatus.RECEIVED, target=EventStatus.QUARANTINED)
    def quarantine(self, why: str) -> None:
        """It cannot be processed; people see it and may retry."""
        self.error = why[:500]

    @transition(field=status, source=EventStatus.QUARANTINED, target=EventStatus.RECEIVED)
    def release(self) -> None:
        """Try again from the raw source."""
        self.attempts = 0
        self.next_attempt_at = None
