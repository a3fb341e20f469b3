"""Which queue work goes to, and how each queue hands it out."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from contact_center.accounts.models import Skill
from contact_center.common.models import TimeStampedModel
from inbox.enums import ChannelKind, HoursState, Priority, Sharing
from inbox.models.desk import Channel, Queue, Reason
from inbox.models.interactions import Interaction
from patients.models import CareProgram


class QueueSettings(TimeStampedModel):
    """How one queue hands out its work; a queue without a row has the defaults."""

    queue = models.OneToOneField(Queue, on_delete=models.CASCADE, primary_key=True, related_name="settings")
    sharing = models.CharField(max_length=4, choices=Sharing.choices, default=Sharing.PULL)
    offer_seconds = models.PositiveSmallIntegerField(default=30)
    again_after_seconds = models.PositiveIntegerField(
        default=300, help_text="Whoever declined or missed it is not asked again before."
    )
    most_missed = models.PositiveSmallIntegerField(default=2, help_text="Missed in a row, then the person is away.")
    overflow_queue = models.ForeignKey(Queue, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    overflow_after_seconds = models.PositiveIntegerField(null=True, blank=True)
    escalation_queue = models.ForeignKey(
        Queue, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="For missed deadlines."
    )
    acknowledge_seconds = models.PositiveIntegerField(default=600)
    stale_after_hours = models.PositiveIntegerField(
        default=168, help_text="What lies longer is offered to nobody; the supervisor sees it."
    )

    answer_within_seconds = models.PositiveIntegerField(
        default=20, help_text="Calls that are answered by then are on time."
    )
    on_time_percent = models.PositiveSmallIntegerField(default=80, help_text="So many are to be on time.")
    short_abandon_seconds = models.PositiveSmallIntegerField(
        default=5, help_text="Whoever hangs up sooner does not count against the service level."
    )
    alert_waiting = models.PositiveIntegerField(null=True, blank=True, help_text="The live board warns from so many.")
    alert_wait_seconds = models.PositiveIntegerField(
        null=True, blank=True, help_text="The live board warns of a wait so long."
    )

    class Meta:
        verbose_name_plural = "queue settings"
        constraints = [
            models.CheckConstraint(condition=Q(on_time_percent__range=(1, 100)), name="queue_settings_on_time_percent"),
            models.CheckConstraint(condition=Q(offer_seconds__range=(5, 600)), name="queue_settings_offer_seconds"),
            models.CheckConstraint(
                condition=Q(overflow_queue=None, overflow_after_seconds=None)
                | Q(overflow_queue__isnull=False, overflow_after_seconds__isnull=False),
                name="queue_settings_overflow_whole",
            ),
            models.CheckConstraint(
                condition=(Q(overflow_queue=None) | ~Q(overflow_queue=models.F("queue")))
                & (Q(escalation_queue=None) | ~Q(escalation_queue=models.F("queue"))),
                name="queue_settings_lead_elsewhere",
            ),
        ]

    def __str__(self) -> str:
        return f"settings of queue {self.queue_id}"


class QueueSkill(models.Model):
    """What a queue asks of whoever takes its work. The level asked falls by one each `relax_seconds`; None never."""

    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="needs")
    skill = models.ForeignKey(Skill, on_delete=models.CASCADE, related_name="+")
    level = models.PositiveSmallIntegerField(default=1)
    relax_seconds = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["queue", "skill"], name="queue_skill_once"),
            models.CheckConstraint(condition=Q(level__range=(1, 5)), name="queue_skill_level_1_to_5"),
        ]

    def __str__(self) -> str:
        return f"need {self.pk}"


class RoutingRule(TimeStampedModel):
    """Where new work goes. Of several the first that fits counts; an empty condition fits all."""

    name = models.CharField(max_length=80, unique=True)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)
    channels = models.ManyToManyField(Channel, blank=True, related_name="+")
    channel_kinds = ArrayField(models.CharField(max_length=12, choices=ChannelKind.choices), default=list, blank=True)
    reasons = models.ManyToManyField(Reason, blank=True, related_name="+")
    languages = ArrayField(models.CharField(max_length=8), default=list, blank=True)
    programs = models.ManyToManyField(CareProgram, blank=True, related_name="+")
    priorities = ArrayField(models.PositiveSmallIntegerField(choices=Priority.choices), default=list, blank=True)
    hours = models.CharField(max_length=6, blank=True, choices=HoursState.choices, default=HoursState.ANY)
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="routing_rules")
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, null=True, blank=True)

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name


class RuleSkill(models.Model):
    """What the work a rule takes asks of whoever takes it."""

    rule = models.ForeignKey(RoutingRule, on_delete=models.CASCADE, related_name="needs")
    skill = models.ForeignKey(Skill, on_delete=models.CASCADE, related_name="+")
    level = models.PositiveSmallIntegerField(default=1)
    relax_seconds = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule", "skill"], name="rule_skill_once"),
            models.CheckConstraint(condition=Q(level__range=(1, 5)), name="rule_skill_level_1_to_5"),
        ]

    def __str__(self) -> str:
        return f"need {self.pk}"


class RoutingRun(models.Model):
    """Why one interaction went where it went: the rule that took it, and what each earlier one missed."""

    interaction = models.ForeignKey(Interaction, on_delete=models.CASCADE, related_name="routing_runs")
    rule = models.ForeignKey(RoutingRule, on_delete=models.SET_NULL, null=True, related_name="runs")
    rule_name = models.CharField(max_length=80, blank=True)
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="+")
    passed_over = models.JSONField(default=list, help_text="[[rule id, first condition that did not fit]]")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"routing run {self.pk}"
