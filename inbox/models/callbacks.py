"""Promises to call somebody back, at their old place in the line or at a time that was arranged."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django_fsm import FSMField, transition

from contact_center.common.models import SafeFSM, TimeStampedModel
from inbox.enums import CALLBACK_LIVE, CallbackEnd, CallbackStatus
from inbox.models.desk import Channel, Queue
from inbox.models.interactions import Interaction

B = CallbackStatus


class Callback(SafeFSM, TimeStampedModel):
    """One promise for one number; at most one is live. Each attempt is a `Call` of ours that waits at `place_at`."""

    interaction = models.ForeignKey(Interaction, on_delete=models.PROTECT, related_name="callbacks")
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="+")
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="+")
    number = models.CharField(max_length=32, blank=True)
    status = FSMField(default=B.DUE, choices=B.choices, protected=True)
    place_at = models.DateTimeField(help_text="Since when the person waits: the place in the line.")
    due_at = models.DateTimeField(help_text="Not to be called before.")
    attempts = models.PositiveSmallIntegerField(default=0)
    purpose = models.CharField(max_length=240, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    fallback_owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    arranged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text="Nobody: the caller asked for it while waiting.",
    )  # fmt: skip
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_why = models.CharField(max_length=16, blank=True, choices=CallbackEnd.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["number"], condition=Q(status__in=CALLBACK_LIVE) & ~Q(number=""), name="callback_one_live"
            ),
            models.CheckConstraint(condition=Q(status__in=B.values), name="callback_status_known"),
            models.CheckConstraint(
                condition=Q(status__in=CALLBACK_LIVE, ended_at__isnull=True)
                | (~Q(status__in=CALLBACK_LIVE) & Q(ended_at__isnull=False)),
                name="callback_over_has_end",
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(status=B.DUE), name="callback_due")]

    def __str__(self) -> str:
        return f"callback {self.pk}"

    @property
    def is_live(self) -> bool:
        """It is still to be kept."""
        return self.status in CALLBACK_LIVE

    @transition(field=status, source=B.DUE, target=B.ATTEMPTING)
    def attempt(self) -> None:
        """Somebody accepted; the person's phone is about to ring."""
        self.attempts += 1

    @transition(field=status, source=B.ATTEMPTING, target=B.DUE)
    def retry(self, due_at: datetime, *, is_counted: bool = True) -> None:
        """Not reached, try again then; what failed on our side does not count as an attempt."""
        self.due_at = due_at
        self.attempts -= 0 if is_counted else 1

    @transition(field=status, source=B.ATTEMPTING, target=B.CONNECTED)
    def reach(self, at: datetime) -> None:
        """The person answered."""
        self.ended_at = at

    @transition(field=status, source=B.CONNECTED, target=B.ATTEMPTING)
    def reopen(self) -> None:
        """What answered was a machine: the promise is not kept yet."""
        self.ended_at = None

    @transition(field=status, source=B.ATTEMPTING, target=B.EXHAUSTED)
    def give_up(self, at: datetime) -> None:
        """Not reached in as many attempts as the line allows: a person decides what to do."""
        self.ended_at = at

    @transition(field=status, source=[B.DUE, B.ATTEMPTING], target=B.CANCELLED)
    def cancel(self, why: str, at: datetime | None = None) -> None:
        """It is not needed any more."""
        self.ended_at, self.ended_why = at or timezone.now(), why
