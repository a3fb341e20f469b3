"""Recordings of calls: made by the provider, kept by us, each with what was said where that is written down."""

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django_fsm import FSMField, transition

from contact_center.common.models import SafeFSM, TimeStampedModel
from inbox.enums import RECORDING_LIVE, CallParty, PauseReason, RecordingStatus
from inbox.models.calls import Call

R = RecordingStatus


def recording_path(instance: models.Model, filename: str) -> str:
    """A random name below a folder of its own; it says nothing of the call."""
    return f"recordings/{timezone.now():%Y/%m}/{uuid.uuid4().hex}"


class Recording(SafeFSM, TimeStampedModel):
    """What was said in a call while one recording ran. Of a call at most one runs at a time."""

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="recordings")
    external_id = models.CharField(max_length=64, blank=True, help_text="The provider's; unknown until it answered.")
    status = FSMField(default=R.ACTIVE, choices=R.choices, protected=True)
    agent = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    pause_reason = models.CharField(max_length=12, blank=True, choices=PauseReason.choices)
    started_at = models.DateTimeField(default=timezone.now)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_seconds = models.FloatField(default=0)
    ended_at = models.DateTimeField(null=True, blank=True)
    seconds = models.PositiveIntegerField(null=True, blank=True, help_text="How long it plays.")
    channels = models.PositiveSmallIntegerField(default=2, help_text="2: the caller and everybody else apart.")
    transcript_id = models.CharField(max_length=64, blank=True, help_text="The provider's, while it writes down.")
    file = models.FileField(upload_to=recording_path, blank=True)
    content_type = models.CharField(max_length=40, blank=True)
    size = models.PositiveBigIntegerField(null=True, blank=True)
    digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the content as it was stored.")
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=200, blank=True)
    stored_at = models.DateTimeField(null=True, blank=True)
    is_erased = models.BooleanField(default=False, db_default=False, help_text="What was said is not kept any more.")
    forgotten_at = models.DateTimeField(null=True, blank=True, help_text="When the provider deleted its copy.")

    class Meta:
        ordering = ["started_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["call"], condition=Q(status__in=RECORDING_LIVE), name="recording_one_live"),
            models.UniqueConstraint(
                fields=["external_id"], condition=~Q(external_id=""), name="recording_external_id_once"
            ),
            models.CheckConstraint(condition=Q(status__in=R.values), name="recording_status_known"),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(status=R.ENDED), name="recording_to_fetch"),
            models.Index(fields=["id"], condition=Q(status=R.STORED, forgotten_at=None), name="recording_copy_of_ours"),
            models.Index(fields=["id"], condition=Q(is_erased=True, forgotten_at=None), name="recording_copy_only"),
        ]

    def __str__(self) -> str:
        return f"recording {self.pk}"

    @property
    def is_live(self) -> bool:
        """Being made, or paused."""
        return self.status in RECORDING_LIVE

    @property
    def is_playable(self) -> bool:
        """In our store, and not yet taken away as too old."""
        return self.status == R.STORED and bool(self.file)

    def offset_of(self, at: datetime) -> float:
        """Seconds into the recording at a moment of the call; what was paused is not in it."""
        paused = self.paused_seconds
        if self.paused_at is not None and at > self.paused_at:
            paused += (at - self.paused_at).total_seconds()
        return max(0.0, (at - self.started_at).total_seconds() - paused)

    @transition(field=status, source=R.ACTIVE, target=R.PAUSED)
    def pause(self, at: datetime, reason: str) -> None:
        """Nothing is recorded until it is resumed."""
        self.paused_at, self.pause_reason = at, reason

    @transition(field=status, source=R.PAUSED, target=R.ACTIVE)
    def resume(self, at: datetime) -> None:
        """What is said is recorded again."""
        self._pause_ends(at)

    @transition(field=status, source=RECORDING_LIVE, target=R.ENDED)
    def end(self, at: datetime) -> None:
        """The call is over, waits again, or is not recorded any more; the provider still has it."""
        self._pause_ends(at)
        self.ended_at = at
        self.transcript_id = ""

    @transition(field=status, source=R.ENDED, target=R.STORED)
    def keep(self, at: datetime) -> None:
        """Its content lies in our store."""
        self.stored_at, self.error = at, ""
        self.attempts, self.next_attempt_at = 0, None

    @transition(field=status, source=R.ENDED, target=R.MISSING)
    def lose(self, why: str) -> None:
        """Nothing was recorded, or the provider did not give it to us."""
        self.error = why[:200]

    @transition(field=status, source=R.MISSING, target=R.ENDED)
    def retry(self) -> None:
        """Fetch it again: the provider has it after all, or a person wants it."""
        self.attempts, self.next_attempt_at, self.error = 0, None, ""

    def _pause_ends(self, at: datetime) -> None:
        if self.paused_at is not None:
            self.paused_seconds += max(0.0, (at - self.paused_at).total_seconds())
        self.paused_at, self.pause_reason = None, ""


class TranscriptLine(models.Model):
    """One thing somebody said in a recording. Only ever added."""

    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="lines")
    key = models.CharField(max_length=80, help_text="The provider's: told twice, it is one line.")
    offset = models.FloatField(help_text="Seconds into the recording.")
    party = models.CharField(max_length=10, choices=CallParty.choices)
    text = models.TextField()

    class Meta:
        ordering = ["offset", "pk"]
        constraints = [models.UniqueConstraint(fields=["recording", "key"], name="transcript_line_once")]

    def __str__(self) -> str:
        return f"transcript line {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add it. Raises ValueError for one that is there already."""
        if self.pk is not None:
            raise ValueError("What was said is never changed.")
        super().save(*args, **kwargs)
