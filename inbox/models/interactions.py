"""Interactions, cases, notes, and what happened to them."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.db import models
from django.db.models import Func, Q
from django.utils import timezone
from django_fsm import FSMField, transition

from contact_center.common.models import SafeFSM, TimeStampedModel, WordedModel
from inbox.enums import DONE, CaseStatus, ChannelKind, ClockKind, Direction, InteractionStatus, Priority, TimelineKind
from inbox.models.desk import Channel, Disposition, Queue, Reason, Tag
from patients.enums import ContactScheme
from patients.models import Patient

S = InteractionStatus


class Case(SafeFSM, TimeStampedModel):
    """A need that outlives one contact. Never open without an owner or queue and a dated next step."""

    reference = models.CharField(max_length=16, unique=True)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, null=True, blank=True, related_name="cases")
    title = models.CharField(max_length=160)
    reason = models.ForeignKey(Reason, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    status = FSMField(default=CaseStatus.OPEN, choices=CaseStatus.choices, protected=True)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="cases"
    )
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, null=True, blank=True, related_name="cases")
    next_step = models.CharField(max_length=240, blank=True)
    next_step_date = models.DateField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=[CaseStatus.RESOLVED, CaseStatus.CLOSED])
                | (
                    (Q(owner__isnull=False) | Q(queue__isnull=False))
                    & Q(next_step_date__isnull=False)
                    & ~Q(next_step="")
                ),
                name="case_open_has_owner_and_next_step",
            )
        ]
        indexes = [models.Index(fields=["patient", "status"], name="case_patient_status")]

    def __str__(self) -> str:
        return self.reference

    @transition(field=status, source=CaseStatus.OPEN, target=CaseStatus.WAITING)
    def wait(self) -> None:
        """Somebody else has to act first."""

    @transition(
        field=status, source=[CaseStatus.WAITING, CaseStatus.RESOLVED, CaseStatus.CLOSED], target=CaseStatus.OPEN
    )
    def reopen(self) -> None:
        """There is work again."""
        self.resolved_at = self.closed_at = None

    @transition(field=status, source=[CaseStatus.OPEN, CaseStatus.WAITING], target=CaseStatus.RESOLVED)
    def resolve(self) -> None:
        """The need is met."""
        self.resolved_at = timezone.now()

    @transition(field=status, source=CaseStatus.RESOLVED, target=CaseStatus.CLOSED)
    def close(self) -> None:
        """Nothing more is expected."""
        self.closed_at = timezone.now()


class Interaction(SafeFSM, TimeStampedModel):
    """One exchange with one person on one channel, with owner, reason, status, next step and outcome."""

    # Channel and patient are found by the indexes below that begin with them.
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, related_name="interactions", db_index=False)
    channel_kind = models.CharField(max_length=12, choices=ChannelKind.choices)
    direction = models.CharField(max_length=10, choices=Direction.choices, default=Direction.INBOUND)
    thread_key = models.CharField(max_length=254, help_text="One live interaction per channel and thread key.")
    contact_scheme = models.CharField(max_length=20, blank=True, choices=ContactScheme.choices)
    contact_value = models.CharField(max_length=254, blank=True)
    contact_name = models.CharField(max_length=160, blank=True, help_text="As the sender calls themself.")
    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, null=True, blank=True, related_name="interactions", db_index=False
    )
    is_contact_shared = models.BooleanField(default=False, help_text="Several patients have this address.")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, blank=True, related_name="interactions")
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="interactions")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="interactions"
    )
    status = FSMField(default=S.QUEUED, choices=S.choices, protected=True)
    reason = models.ForeignKey(Reason, on_delete=models.PROTECT, null=True, blank=True, related_name="interactions")
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    language = models.CharField(max_length=8, blank=True)
    tags = models.ManyToManyField(Tag, related_name="interactions", blank=True)
    subject = models.CharField(max_length=240, blank=True)
    reference = models.CharField(max_length=16, blank=True, help_text="Number on the receipt of a form or mail.")
    snippet = models.CharField(max_length=160, blank=True)
    unread_count = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField(default=timezone.now)
    last_message_at = models.DateTimeField(default=timezone.now)
    last_inbound_at = models.DateTimeField(null=True, blank=True)
    waiting_since_at = models.DateTimeField(null=True, blank=True, help_text="Oldest patient message without answer.")
    first_reply_at = models.DateTimeField(null=True, blank=True, help_text="A person's, in the present episode.")
    episode = models.PositiveSmallIntegerField(
        default=1, db_default=1, help_text="Opening it again begins the next one."
    )
    reopened_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True, help_text="Of the clock that ends next.")
    warn_at = models.DateTimeField(null=True, blank=True, help_text="From here on that clock is nearly over.")
    due_kind = models.CharField(
        max_length=16,
        blank=True,
        default="",
        db_default="",
        choices=ClockKind.choices,
        help_text="That clock; without due_at it is paused.",
    )
    snoozed_until_at = models.DateTimeField(null=True, blank=True)
    is_snooze_kept = models.BooleanField(default=False, help_text="A reply of the patient does not wake it.")
    merged_into = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="merged_from",
        db_index=False,
        help_text="Where it goes on.",
    )
    split_from = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="split_into", db_index=False
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    disposition = models.ForeignKey(Disposition, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    outcome = models.TextField(blank=True)
    next_step = models.CharField(max_length=240, blank=True)
    next_step_owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    next_step_date = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "thread_key"], condition=~Q(status__in=DONE), name="interaction_live_once_per_thread"
            ),
            models.CheckConstraint(condition=Q(status__in=S.values), name="interaction_status_known"),
            models.CheckConstraint(
                condition=~Q(status__in=[S.ACTIVE, S.WRAP_UP, S.SNOOZED]) | Q(owner__isnull=False),
                name="interaction_active_has_owner",
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | Q(status__in=DONE), name="interaction_merged_is_done"
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | ~Q(merged_into=models.F("pk")),
                name="interaction_not_merged_into_itself",
            ),
        ]
        indexes = [
            models.Index(fields=["channel", "thread_key", "-id"], name="interaction_thread"),
            models.Index(fields=["patient", "-last_message_at"], name="interaction_patient_recent"),
            models.Index(fields=["contact_value", "-last_message_at"], name="interaction_contact_recent"),
            models.Index(
                fields=["queue", "priority", "-last_message_at"],
                condition=~Q(status__in=DONE),
                name="interaction_queue",
            ),
            models.Index(fields=["owner", "-last_message_at"], condition=~Q(status__in=DONE), name="interaction_owner"),
            models.Index(fields=["-last_message_at", "-id"], name="interaction_recent"),
            models.Index(
                fields=["merged_into"], condition=Q(merged_into__isnull=False), name="interaction_merged_into"
            ),
            models.Index(fields=["split_from"], condition=Q(split_from__isnull=False), name="interaction_split_from"),
            models.Index(fields=["snoozed_until_at"], condition=Q(status=S.SNOOZED), name="interaction_snoozed"),
            # Few rows are open: lists ordered or filtered by what is due read these instead of all of a queue.
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="interaction_due"),
            models.Index(fields=["-closed_at", "-id"], condition=Q(status=S.CLOSED), name="interaction_closed"),
            models.Index(fields=["reference"], condition=~Q(reference=""), name="interaction_reference"),
            # Those of known patients are found through the patients' addresses.
            GinIndex(
                fields=["contact_value"],
                condition=Q(patient__isnull=True),
                name="interaction_stranger_trigram",
                opclasses=["gin_trgm_ops"],
            ),
        ]

    def __str__(self) -> str:
        return f"interaction {self.pk}"

    @property
    def is_done(self) -> bool:
        """Closed or abandoned."""
        return self.status in DONE

    @property
    def episode_started_at(self) -> datetime:
        """When it was opened, or last opened again."""
        return self.reopened_at or self.opened_at

    left_offer = False
    """It was offered to somebody when it moved on; whoever tells the sockets ends that offer."""

    def _rest_ends(self) -> None:
        self.left_offer = self.left_offer or self.status == S.OFFERED
        self.snoozed_until_at, self.is_snooze_kept = None, False

    @transition(field=status, source=S.QUEUED, target=S.OFFERED)
    def offer(self) -> None:
        """One person is asked to take it; until they answer it is offered to nobody else."""

    @transition(field=status, source=[S.QUEUED, S.OFFERED, S.SNOOZED, S.ACTIVE, S.BOT], target=S.ACTIVE)
    def take(self) -> None:
        """An owner works on it."""
        self._rest_ends()

    @transition(field=status, source=[S.ACTIVE, S.OFFERED, S.WRAP_UP, S.SNOOZED], target=S.QUEUED)
    def return_to_queue(self) -> None:
        """Nobody owns it; it waits again."""
        self.owner = None
        self._rest_ends()

    @transition(field=status, source=S.ACTIVE, target=S.SNOOZED)
    def snooze(self, until_at: datetime | None) -> None:
        """Rest until a time or a reply; without a time until a reply."""
        self.snoozed_until_at = until_at

    @transition(field=status, source=S.SNOOZED, target=S.ACTIVE)
    def wake(self) -> None:
        """The time came or the patient wrote."""
        self._rest_ends()

    @transition(field=status, source=[S.ACTIVE, S.SNOOZED], target=S.WRAP_UP)
    def start_wrap_up(self) -> None:
        """The exchange is over; reason, disposition and next step are being written."""
        self._rest_ends()

    @transition(field=status, source=S.WRAP_UP, target=S.ACTIVE)
    def resume(self) -> None:
        """Back from wrap-up: the patient wrote again or the agent is not done."""

    @transition(field=status, source=S.WRAP_UP, target=S.CLOSED)
    def close(self) -> None:
        """Done, with its outcome."""
        self._end()

    def _end(self) -> None:
        self.closed_at, self.unread_count, self.waiting_since_at = timezone.now(), 0, None
        self._rest_ends()

    @transition(field=status, source=[S.BOT, S.QUEUED, S.OFFERED, S.ACTIVE, S.SNOOZED, S.WRAP_UP], target=S.CLOSED)
    def merge(self, into: "Interaction") -> None:
        """It goes on in another interaction of the same person; the owner stays, should the merge be undone."""
        self.merged_into = into
        self._end()

    @transition(field=status, source=S.CLOSED, target=S.QUEUED)
    def unmerge(self) -> None:
        """It was another matter after all."""
        self.merged_into, self.closed_at = None, None

    @transition(field=status, source=[S.QUEUED, S.BOT], target=S.CLOSED)
    def settle(self) -> None:
        """What was written has been answered by itself: nobody has work with it."""
        self._end()

    @transition(field=status, source=S.QUEUED, target=S.ABANDONED)
    def abandon(self) -> None:
        """The person left before anybody answered."""
        self.closed_at = timezone.now()

    @transition(field=status, source=S.ABANDONED, target=S.QUEUED)
    def come_back(self) -> None:
        """The person left a message after all, of which we were told after the end: another episode begins."""
        self.closed_at = None
        self.episode, self.reopened_at = self.episode + 1, timezone.now()

    @transition(field=status, source=S.CLOSED, target=S.QUEUED)
    def reopen(self) -> None:
        """The patient wrote within the reopen window, or a person reopened it: another episode begins."""
        self.closed_at = self.first_reply_at = None
        self.episode, self.reopened_at = self.episode + 1, timezone.now()
        self.owner = None


class TimelineEvent(WordedModel):
    """Something that happened to an interaction besides messages and notes."""

    interaction = models.ForeignKey(Interaction, on_delete=models.CASCADE, related_name="timeline_events")
    kind = models.CharField(max_length=20, choices=TimelineKind.choices)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    from_queue = models.ForeignKey(Queue, on_delete=models.PROTECT, null=True, related_name="+")
    to_queue = models.ForeignKey(Queue, on_delete=models.PROTECT, null=True, related_name="+")
    to_user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    detail = models.CharField(max_length=240, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["interaction", "at"], name="timeline_event_order"),
            BrinIndex(fields=["at"], name="timeline_event_day"),
            models.Index(fields=["detail"], condition=Q(kind=TimelineKind.MOVED), name="timeline_moved_from"),
        ]

    def __str__(self) -> str:
        return f"timeline event {self.pk}"


class Note(TimeStampedModel):
    """A private note among staff; apart from messages, so it can never be sent."""

    interaction = models.ForeignKey(Interaction, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    body = models.TextField()

    class Meta:
        ordering = ["created_at"]
        indexes = [GinIndex(Func("body", function="continuo_words"), name="note_words")]

    def __str__(self) -> str:
        return f"note {self.pk}"


class TopicSequence(models.Model):
    """How many times a live topic changed; written in the transaction of the change."""

    topic = models.CharField(max_length=60, primary_key=True)
    sequence = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.topic} {self.sequence}"
