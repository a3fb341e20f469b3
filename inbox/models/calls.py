"""Phone calls: the lines they come in on, the calls, who took part, and what happened moment by moment."""

import re
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from contact_center.accounts.models import Team
from contact_center.common.models import SafeFSM, TimeStampedModel
from inbox.enums import (
    CALL_OVER,
    TALKING,
    CallMomentKind,
    CallParty,
    CallStatus,
    Direction,
    RecordingConsent,
    RecordingMode,
    Supervision,
)
from inbox.models.desk import Channel, Queue, Reason
from inbox.models.interactions import Interaction

C = CallStatus
WRITTEN_DOWN, WRITTEN_DOWN_WITHIN = "en", timedelta(minutes=15)
"""The only language of voice messages that the provider writes down, and how long that takes at most."""


def default_languages() -> list[str]:
    """The languages a new line speaks."""
    return ["en", "es", "pt"]


def check_regions(value: object) -> None:
    """Beginnings of numbers with a way of recording each. Raises ValidationError."""
    is_fine = isinstance(value, dict) and all(
        re.fullmatch(r"\+\d{1,14}", str(start)) and mode in RecordingMode.values for start, mode in value.items()
    )
    if not is_fine:
        raise ValidationError(_('Write it as {"+49": "ask"}: off, announce or ask for each beginning of a number.'))


class VoiceLine(TimeStampedModel):
    """What callers of one voice channel hear. Texts are kept by language; the first language is spoken to strangers."""

    channel = models.OneToOneField(Channel, on_delete=models.CASCADE, related_name="line")
    languages = ArrayField(models.CharField(max_length=8), default=default_languages)
    emergency_number = models.CharField(max_length=8, default="911", validators=[RegexValidator(r"^\d{2,8}$")])
    greetings = models.JSONField(default=dict, blank=True, help_text=_('{"en": "Thank you for calling …"}'))
    offer_seconds = models.PositiveSmallIntegerField(default=20, help_text=_("How long a call rings at one agent"))
    wrap_up_seconds = models.PositiveSmallIntegerField(
        default=60, help_text=_("No other call is offered so long after one")
    )
    texts_back = models.BooleanField(default=True, help_text=_("Offer a text message to callers who hung up waiting"))
    callback_attempts = models.PositiveSmallIntegerField(
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(10)],
        help_text=_("So often somebody is called back until reached"),
    )
    callback_gap_minutes = models.PositiveSmallIntegerField(
        default=20, validators=[MinValueValidator(1)], help_text=_("Between two attempts to call back")
    )
    teams = models.ManyToManyField(
        Team, related_name="lines", blank=True, help_text=_("Their calls show this line's number")
    )
    recording = models.CharField(
        max_length=10, choices=RecordingMode.choices, default=RecordingMode.OFF, db_default=RecordingMode.OFF
    )
    recording_by_region = models.JSONField(
        default=dict,
        blank=True,
        validators=[check_regions],
        help_text=_('By the beginning of the number, the longest first: {"+49": "ask", "+1305": "announce"}'),
    )
    unrecorded_queues = models.ManyToManyField(
        Queue, related_name="+", blank=True, help_text=_("Calls in these queues are never recorded")
    )
    transcribes = models.BooleanField(
        default=False, db_default=False, help_text=_("The provider writes down what is said while it is recorded")
    )

    def __str__(self) -> str:
        return f"line {self.pk}"


class MenuOption(TimeStampedModel):
    """One choice of a line's menu, by key or by a word."""

    line = models.ForeignKey(VoiceLine, on_delete=models.CASCADE, related_name="options")
    key = models.CharField(max_length=1, validators=[RegexValidator(r"^[1-9]$")])
    labels = models.JSONField(help_text=_('{"en": "appointments"}'))
    words = ArrayField(
        models.CharField(max_length=40), default=list, blank=True, help_text=_("Any of these, said aloud, is this one")
    )
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="+")
    reason = models.ForeignKey(Reason, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["line", "key"]
        constraints = [models.UniqueConstraint(fields=["line", "key"], name="menu_key_once_per_line")]

    def __str__(self) -> str:
        return f"menu option {self.pk}"


class Call(SafeFSM, TimeStampedModel):
    """One phone call with one person. Times are the server's. One live call at most fills an agent."""

    interaction = models.ForeignKey(Interaction, on_delete=models.PROTECT, related_name="calls")
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="+")
    direction = models.CharField(max_length=10, choices=Direction.choices, default=Direction.INBOUND)
    status = FSMField(default=C.RINGING, choices=C.choices, protected=True)
    provider = models.CharField(max_length=40, default="twilio_voice")
    external_id = models.CharField(max_length=64, blank=True, help_text="The provider's id of the caller's leg.")
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="calls")
    language = models.CharField(max_length=8, blank=True)
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="calls"
    )
    offered_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="offered_calls"
    )
    offer_ends_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True, help_text="The agent accepted and is being connected.")
    started_at = models.DateTimeField(default=timezone.now)
    queued_at = models.DateTimeField(null=True, blank=True, help_text="Keeps its place when the call waits again.")
    answered_at = models.DateTimeField(null=True, blank=True)
    held_at = models.DateTimeField(null=True, blank=True)
    hold_seconds = models.PositiveIntegerField(default=0)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=10, blank=True, choices=CallParty.choices)
    wrap_up_ends_at = models.DateTimeField(null=True, blank=True)
    voicemail_url = models.URLField(max_length=500, blank=True)
    voicemail_id = models.CharField(max_length=64, blank=True, db_default="", help_text="The provider's.")
    voicemail_forgotten_at = models.DateTimeField(
        null=True, blank=True, help_text="When the provider deleted its copy."
    )
    voicemail_attempts = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="How often that copy was to be deleted."
    )
    voicemail_next_attempt_at = models.DateTimeField(null=True, blank=True)
    transcript = models.TextField(blank=True)
    purpose = models.CharField(max_length=240, blank=True, help_text="Why we called.")
    recording_consent = models.CharField(max_length=10, blank=True, db_default="", choices=RecordingConsent.choices)
    help_asked_at = models.DateTimeField(null=True, blank=True, help_text="The agent asks a supervisor to help.")
    callback = models.ForeignKey(
        "inbox.Callback", on_delete=models.PROTECT, null=True, blank=True, related_name="calls",
        help_text="The promise that this call of ours keeps; until somebody accepts it, it waits as callers do.",
    )  # fmt: skip

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "external_id"], condition=~Q(external_id=""), name="call_external_id_once"
            ),
            models.UniqueConstraint(
                fields=["offered_to"], condition=Q(offered_to__isnull=False), name="call_one_offer_per_agent"
            ),
            models.UniqueConstraint(
                fields=["agent"],
                condition=Q(agent__isnull=False) & ~Q(status__in=CALL_OVER),
                name="call_one_live_per_agent",
            ),
            models.UniqueConstraint(
                fields=["callback"],
                condition=Q(callback__isnull=False) & ~Q(status__in=CALL_OVER),
                name="call_one_live_per_callback",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=TALKING) | Q(agent__isnull=False), name="call_talking_has_agent"
            ),
            models.CheckConstraint(
                condition=Q(offered_to__isnull=True) | Q(status=C.WAITING), name="call_offered_is_waiting"
            ),
            models.CheckConstraint(condition=Q(status__in=C.values), name="call_status_known"),
        ]
        indexes = [
            models.Index(fields=["queue", "queued_at"], condition=Q(status=C.WAITING), name="call_waiting"),
            models.Index(fields=["agent", "-ended_at"], name="call_agent_recent"),
            models.Index(fields=["queue", "-answered_at"], name="call_queue_answered"),
            models.Index(fields=["-queued_at"], condition=Q(queued_at__isnull=False), name="call_queued"),
            # Every page asks who is on the telephone; hardly any call is not over.
            models.Index(fields=["agent"], condition=~Q(status__in=CALL_OVER), name="call_live"),
            models.Index(
                fields=["id"],
                condition=Q(voicemail_forgotten_at=None) & ~Q(voicemail_id=""),
                name="call_voicemail_copy",
            ),
        ]

    def __str__(self) -> str:
        return f"call {self.pk}"

    @property
    def is_over(self) -> bool:
        """Nobody talks or waits any more."""
        return self.status in CALL_OVER

    @property
    def room(self) -> str:
        """The name of the conference in which everybody of this call meets."""
        return f"call-{self.pk}"

    @property
    def queue_seconds(self) -> int | None:
        """From queueing to the answer or the end; None for a call that never waited."""
        if self.queued_at is None:
            return None
        return _seconds(self.queued_at, self.answered_at or self.ended_at)

    @property
    def talk_seconds(self) -> int | None:
        """From the answer to the end without holding; None for a call nobody answered."""
        if self.answered_at is None:
            return None
        return max(0, _seconds(self.answered_at, self.ended_at) - self.hold_seconds)

    @property
    def awaits_transcript(self) -> bool:
        """The provider may still be writing a voice message down."""
        is_recent = self.ended_at is None or timezone.now() - self.ended_at < WRITTEN_DOWN_WITHIN
        return self.language == WRITTEN_DOWN and not self.transcript and is_recent

    @transition(field=status, source=C.RINGING, target=C.IVR)
    def enter_menu(self) -> None:
        """The caller hears the menu."""

    @transition(field=status, source=[C.RINGING, C.IVR], target=C.WAITING)
    def wait(self, at: datetime) -> None:
        """The caller waits in a queue; an earlier place is kept."""
        self.queued_at = self.queued_at or at

    @transition(field=status, source=C.WAITING, target=C.RINGING)
    def dial(self) -> None:
        """Somebody accepted to call back: their device and the patient's phone ring."""
        self.offered_to = self.offer_ends_at = None

    @transition(field=status, source=[C.RINGING, C.WAITING], target=C.CONNECTED)
    def connect(self, at: datetime) -> None:
        """Caller and agent talk."""
        self.answered_at = self.answered_at or at
        self.claimed_at = self.offered_to = self.offer_ends_at = None

    @transition(field=status, source=C.CONNECTED, target=C.HELD)
    def hold(self, at: datetime) -> None:
        """The caller hears music."""
        self.held_at = at

    @transition(field=status, source=C.HELD, target=C.CONNECTED)
    def resume(self, at: datetime) -> None:
        """They talk again."""
        self._hold_ends(at)

    @transition(field=status, source=TALKING, target=C.WAITING)
    def requeue(self, at: datetime) -> None:
        """Transferred, or the agent was lost: the caller waits again, at the old place."""
        self._hold_ends(at)
        self.queued_at = self.queued_at or at
        self.agent = self.claimed_at = self.help_asked_at = None
        self.ended_by = ""  # an end that the provider did not carry out

    @transition(field=status, source=[C.WAITING, *TALKING, C.ABANDONED], target=C.COMPLETED)
    def complete(self, at: datetime, by: str) -> None:
        """It ended after somebody answered, or went on as a text conversation; we may be told after the end."""
        self._hold_ends(at)
        self._end(at, by)

    @transition(field=status, source=[C.RINGING, C.IVR, C.WAITING], target=C.ABANDONED)
    def abandon(self, at: datetime) -> None:
        """The caller hung up before anybody answered."""
        self._end(at, CallParty.PATIENT)

    @transition(field=status, source=[C.RINGING, C.IVR, C.WAITING, C.ABANDONED], target=C.VOICEMAIL)
    def take_message(self) -> None:
        """The caller leaves a message instead of waiting; we may be told after the end."""
        self._leave_queue()

    @transition(field=status, source=[C.RINGING, C.IVR, C.WAITING, C.ABANDONED], target=C.CALLBACK_REQUESTED)
    def ask_callback(self) -> None:
        """The caller keeps the place and hangs up; we may be told after the end."""
        self._leave_queue()

    @transition(field=status, source=[C.RINGING, C.WAITING], target=C.FAILED)
    def fail(self, at: datetime, by: str) -> None:
        """A call of ours was not answered, could not be made, or is not needed any more."""
        self._end(at, by)

    def _leave_queue(self) -> None:
        self.offered_to = self.offer_ends_at = self.claimed_at = None
        self.agent = None

    def _hold_ends(self, at: datetime) -> None:
        if self.held_at is not None:
            self.hold_seconds += max(0, int((at - self.held_at).total_seconds()))
            self.held_at = None

    def _end(self, at: datetime, by: str) -> None:
        self.ended_at, self.ended_by = at, by
        self.claimed_at = self.offered_to = self.offer_ends_at = self.help_asked_at = None
        if self.answered_at is None:
            self.agent = None


def _seconds(since: datetime, until: datetime | None) -> int:
    return max(0, int(((until or timezone.now()) - since) / timedelta(seconds=1)))


class CallLeg(models.Model):
    """One party's connection. Written when it joins; its end is set once."""

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="legs")
    party = models.CharField(max_length=10, choices=CallParty.choices)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    external_id = models.CharField(max_length=64)
    joined_at = models.DateTimeField(default=timezone.now)
    left_at = models.DateTimeField(null=True, blank=True)
    mode = models.CharField(max_length=8, blank=True, db_default="", choices=Supervision.choices)

    class Meta:
        ordering = ["joined_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["call", "external_id"], name="call_leg_once"),
            models.UniqueConstraint(
                fields=["user"], condition=Q(party=CallParty.SUPERVISOR, left_at=None), name="supervises_one_call"
            ),
        ]
        indexes = [
            models.Index(fields=["external_id"], name="call_leg_external"),
            models.Index(fields=["user"], condition=Q(left_at=None), name="call_leg_present"),
        ]

    def __str__(self) -> str:
        return f"call leg {self.pk}"


class CallMoment(models.Model):
    """What happened in a call, when and by whom. Only ever added."""

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="moments")
    kind = models.CharField(max_length=16, choices=CallMomentKind.choices)
    at = models.DateTimeField(default=timezone.now)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    detail = models.CharField(max_length=240, blank=True)

    class Meta:
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["call", "at"], name="call_moment_order")]

    def __str__(self) -> str:
        return f"call moment {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add it. Raises ValueError for one that is there already."""
        if self.pk is not None:
            raise ValueError("What happened in a call is never changed.")
        super().save(*args, **kwargs)
