"""Waiting work and the people who are asked to take it: offers, escalations, what each person can carry."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django_fsm import FSMField, transition

from contact_center.accounts.models import Skill
from contact_center.common.models import SafeFSM
from inbox.enums import ChannelKind, DeclineReason, EscalationWhy, OfferStatus
from inbox.models.desk import Queue
from inbox.models.interactions import Interaction

S = OfferStatus


class Offer(SafeFSM, models.Model):
    """One person is asked to take one interaction, until `expires_at`. One at a time per interaction and per person."""

    interaction = models.ForeignKey(Interaction, on_delete=models.CASCADE, related_name="offers")
    agent = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="offers")
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="+")
    channel_kind = models.CharField(max_length=12, choices=ChannelKind.choices)
    status = FSMField(default=S.PENDING, choices=S.choices, protected=True)
    offered_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=20, blank=True, choices=DeclineReason.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["interaction"], condition=Q(status=S.PENDING), name="offer_of_interaction_once"
            ),
            models.UniqueConstraint(fields=["agent"], condition=Q(status=S.PENDING), name="offer_to_agent_once"),
            models.CheckConstraint(condition=Q(status__in=S.values), name="offer_status_known"),
            models.CheckConstraint(
                condition=Q(status=S.PENDING, answered_at=None) | (~Q(status=S.PENDING) & Q(answered_at__isnull=False)),
                name="offer_answered_has_moment",
            ),
            models.CheckConstraint(condition=~Q(status=S.DECLINED) | ~Q(reason=""), name="offer_declined_has_reason"),
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(status=S.PENDING), name="offer_pending"),
            models.Index(fields=["-answered_at"], condition=~Q(status=S.PENDING), name="offer_answered"),
            models.Index(fields=["agent", "-offered_at"], name="offer_agent_recent"),
        ]

    def __str__(self) -> str:
        return f"offer {self.pk}"

    @transition(field=status, source=S.PENDING, target=S.ACCEPTED)
    def accept(self, at: datetime) -> None:
        """The person takes the work."""
        self.answered_at = at

    @transition(field=status, source=S.PENDING, target=S.DECLINED)
    def decline(self, at: datetime, reason: str) -> None:
        """The person says no, and why."""
        self.answered_at, self.reason = at, reason

    @transition(field=status, source=S.PENDING, target=S.MISSED)
    def miss(self, at: datetime) -> None:
        """The time ran out."""
        self.answered_at = at

    @transition(field=status, source=S.PENDING, target=S.WITHDRAWN)
    def withdraw(self, at: datetime) -> None:
        """There is nothing to take any more, or the person went away."""
        self.answered_at = at


class Escalation(models.Model):
    """Work that another team was asked to see to. Open until that team says so or it goes back."""

    interaction = models.ForeignKey(Interaction, on_delete=models.CASCADE, related_name="escalations")
    why = models.CharField(max_length=10, choices=EscalationWhy.choices)
    detail = models.CharField(max_length=240, blank=True)
    from_queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="+")
    to_queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    answer_due_at = models.DateTimeField(help_text="Without acknowledgement it goes back then.")
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    returned_at = models.DateTimeField(null=True, blank=True)
    returned_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    returned_why = models.CharField(max_length=240, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["interaction"],
                condition=Q(acknowledged_at=None, returned_at=None),
                name="escalation_open_once",
            ),
            models.CheckConstraint(condition=~Q(from_queue=models.F("to_queue")), name="escalation_leads_elsewhere"),
        ]
        indexes = [
            models.Index(
                fields=["answer_due_at"],
                condition=Q(acknowledged_at=None, returned_at=None),
                name="escalation_unanswered",
            ),
        ]

    def __str__(self) -> str:
        return f"escalation {self.pk}"


class AgentState(models.Model):
    """What distribution knows of a person: since when they carry nothing new, whether their screen is alive."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="agent_state"
    )
    idle_since_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True, help_text="Last sign of life of a page of theirs.")
    missed_in_row = models.PositiveSmallIntegerField(default=0)
    most_open = models.PositiveSmallIntegerField(default=8, help_text="Conversations at once, over all channels.")

    def __str__(self) -> str:
        return f"state of user {self.user_id}"


class AgentCapacity(models.Model):
    """How many conversations of one kind a person carries at once, where it is not the usual number."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="capacities")
    channel_kind = models.CharField(max_length=12, choices=ChannelKind.choices)
    most = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name_plural = "agent capacities"
        constraints = [models.UniqueConstraint(fields=["user", "channel_kind"], name="agent_capacity_once")]

    def __str__(self) -> str:
        return f"capacity {self.pk}"


class WorkSkill(models.Model):
    """What one interaction asks of whoever takes it, besides what its queue asks."""

    interaction = models.ForeignKey(Interaction, on_delete=models.CASCADE, related_name="needs")
    skill = models.ForeignKey(Skill, on_delete=models.CASCADE, related_name="+")
    level = models.PositiveSmallIntegerField(default=1)
    relax_seconds = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["interaction", "skill"], name="work_skill_once")]

    def __str__(self) -> str:
        return f"need {self.pk}"
