"""Sending new work to its queue by the rules, with a record of why; and how the rules are kept."""

from collections.abc import Iterable
from datetime import datetime
from itertools import takewhile
from typing import Any, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from contact_center.accounts.models import Skill, User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Refused
from contact_center.common.rows import insert_row
from inbox import realtime
from inbox.enums import Priority
from inbox.models import Interaction, Queue, QueueSettings, QueueSkill, RoutingRule, RoutingRun, RuleSkill, WorkSkill
from inbox.queue_rules import Routed, Rule, route
from inbox.selectors.hours import forget_setup
from inbox.selectors.queue_rules import facts_of, rules
from inbox.services import ordering
from inbox.services.assignment import hand_out_soon
from inbox.services.hours import require_configure

OBJECT, SETTINGS = "routing_rule", "queue_settings"
Asked = Iterable[tuple[Skill, int, int | None]]
"""Skill, level, and each how many seconds the level falls by one (None: never)."""


def direct(interaction: Interaction) -> Routed | None:
    """Choose queue and priority of a new interaction that is not stored yet; give the answer to `keep_run` when it is.

    Without any rule it stays in its channel's queue and nothing is looked up. A rule may raise the priority, and never
    lowers it.
    """
    if not rules():
        return None
    routed = route(rules(), facts_of(interaction))
    if routed.rule is not None:
        interaction.queue_id = routed.rule.queue_id
        _raise_priority(interaction, routed.rule)
    return routed


def _raise_priority(interaction: Interaction, rule: Rule) -> None:
    interaction.priority = min(interaction.priority, rule.priority or Priority.LOW)


def follow_caller(interaction: Interaction, rule_id: int | None, at: datetime) -> None:
    """Record the rule that took a caller while they listened (None: none did), with its priority and skills.

    The queue is theirs already; a rule that is no longer in use leaves only that. In the caller's transaction.
    """
    if not rules():
        return
    facts = facts_of(interaction, at=at)  # as the caller came, before the rule makes it more urgent
    earlier = list(takewhile(lambda one: one.rule_id != rule_id, rules()))
    rule = next((one for one in rules() if one.rule_id == rule_id), None)
    if rule is not None:
        _raise_priority(interaction, rule)
    keep_run(interaction, Routed(rule, [(one.rule_id, why) for one in earlier if (why := one.misses(facts))]))


def keep_run(interaction: Interaction, routed: Routed | None) -> None:
    """Store why it went where it went, and what the rule asks of whoever takes it; in the caller's transaction."""
    if routed is None:
        return
    rule = routed.rule
    insert_row(
        RoutingRun(
            interaction=interaction,
            rule_id=rule.rule_id if rule else None,
            rule_name=rule.name if rule else "",
            queue_id=interaction.queue_id,
            passed_over=[list(one) for one in routed.passed_over],
        )
    )
    for need in rule.needs if rule else ():
        insert_row(
            WorkSkill(
                interaction=interaction, skill_id=need.skill_id, level=need.level,
                relax_seconds=None if need.relax_seconds is None else int(need.relax_seconds),
            )
        )  # fmt: skip


class RuleFields(TypedDict, total=False):
    """The plain conditions of a rule and what it does."""

    channel_kinds: list[str]
    languages: list[str]
    priorities: list[int]
    hours: str
    queue: Queue
    priority: int | None


def keep_rule(
    *, actor: User, name: str, many: dict[str, Iterable[Any]], needs: Asked, rule_id: int | None = None,
    **fields: Unpack[RuleFields],
) -> RoutingRule:  # fmt: skip
    """Make a rule, last in the list, or write one anew. `many` are its channels, reasons and programs.

    Raises Refused for a name that is taken, DoesNotExist.
    """
    require_configure(actor)
    with realtime.atomic():
        if rule_id is None:
            rule = RoutingRule(position=ordering.last_place(RoutingRule))
        else:
            rule = ordering.locked_row(RoutingRule, rule_id)
        rule.name = name.strip()
        for key, value in fields.items():
            setattr(rule, key, value)
        try:
            with transaction.atomic():
                rule.save()
        except IntegrityError as error:
            raise Refused(_("Another rule has this name.")) from error
        for key, rows in many.items():
            getattr(rule, key).set(rows)
        rule.needs.all().delete()
        RuleSkill.objects.bulk_create(
            RuleSkill(rule=rule, skill=skill, level=level, relax_seconds=relax) for skill, level, relax in needs
        )
        _conclude(actor, AuditAction.CREATED if rule_id is None else AuditAction.CHANGED, OBJECT, rule.pk)
        return rule


def switch_rule(*, actor: User, rule_id: int, is_active: bool) -> RoutingRule:
    """Use a rule, or no longer. Raises DoesNotExist."""
    require_configure(actor)
    with realtime.atomic():
        rule = ordering.switch(RoutingRule, rule_id, is_active=is_active)
        _conclude(actor, AuditAction.CHANGED, OBJECT, rule.pk, is_active=is_active)
        return rule


def move_rule(*, actor: User, rule_id: int, is_up: bool) -> None:
    """Let it be asked one place earlier or later; the first and the last stay. Raises DoesNotExist."""
    require_configure(actor)
    with realtime.atomic():
        if ordering.move(RoutingRule, rule_id, is_up=is_up):
            _conclude(actor, AuditAction.CHANGED, OBJECT, rule_id, moved="up" if is_up else "down")


class SettingsFields(TypedDict, total=False):
    """How a queue hands out its work."""

    sharing: str
    offer_seconds: int
    again_after_seconds: int
    most_missed: int
    overflow_queue: Queue | None
    overflow_after_seconds: int | None
    escalation_queue: Queue | None
    acknowledge_seconds: int
    stale_after_hours: int
    answer_within_seconds: int
    on_time_percent: int
    short_abandon_seconds: int
    alert_waiting: int | None
    alert_wait_seconds: int | None


def keep_queue_settings(*, actor: User, queue_id: int, needs: Asked, **fields: Unpack[SettingsFields]) -> QueueSettings:
    """Say how a queue hands out its work and what it asks for. Raises Refused for an overflow without its time or the
    other way round and for a queue that leads to itself, DoesNotExist."""
    require_configure(actor)
    with realtime.atomic():
        queue = Queue.objects.select_for_update().get(pk=queue_id)
        row = QueueSettings.objects.filter(queue=queue).first() or QueueSettings(queue=queue)
        for key, value in fields.items():
            setattr(row, key, value)
        if (row.overflow_queue is None) != (row.overflow_after_seconds is None):
            raise Refused(_("An overflow needs a queue and a time."))
        if queue.pk in (row.overflow_queue_id, row.escalation_queue_id):
            raise Refused(_("A queue cannot lead to itself."))
        row.save()
        queue.needs.all().delete()
        QueueSkill.objects.bulk_create(
            QueueSkill(queue=queue, skill=skill, level=level, relax_seconds=relax) for skill, level, relax in needs
        )
        _conclude(actor, AuditAction.CHANGED, SETTINGS, queue.pk)
        hand_out_soon()
        return row


def _conclude(actor: User, action: AuditAction, kind: str, object_id: int, **detail: Any) -> None:
    record(actor=actor, action=action, object_type=kind, object_id=object_id, **detail)
    transaction.on_commit(forget_setup)
    forget_setup()
