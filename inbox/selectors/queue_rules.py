"""The routing rules as they are matched, read once every few seconds, and what they look at."""

from datetime import datetime
from typing import Any

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inbox.distribution import SkillNeed
from inbox.models import Interaction, RoutingRule, RoutingRun
from inbox.queue_rules import Facts, Routed, Rule
from inbox.selectors.hours import Setup, setup, with_those_below
from patients.enums import EnrolmentStatus
from patients.models import ProgramEnrolment

CONDITIONS = {
    "number": _("Another number or mailbox"),
    "channel": _("Another channel"),
    "reason": _("Another reason, or none yet"),
    "language": _("Another language"),
    "priority": _("Another priority"),
    "program": _("Not in the program"),
    "hours": _("Other hours"),
}
_kept: tuple[Setup, list[Rule]] | None = None


def rules() -> list[Rule]:
    """The rules in use, in their order; as fresh as `selectors.hours.setup`, and forgotten with it."""
    global _kept
    known = setup()
    if _kept is None or _kept[0] is not known:
        _kept = known, [rule_of(row) for row in rule_rows().filter(is_active=True)]
    return _kept[1]


def rule_rows() -> Any:
    """All rules in their order, with what they are made of."""
    return RoutingRule.objects.select_related("queue").prefetch_related(
        "channels", "reasons", "programs", "needs__skill"
    )


def rule_of(row: RoutingRule) -> Rule:
    """A stored rule as it is matched."""
    return Rule(
        rule_id=row.pk,
        name=row.name,
        queue_id=row.queue_id,
        priority=row.priority,
        needs=tuple(SkillNeed(need.skill_id, need.level, need.relax_seconds) for need in row.needs.all()),
        channel_ids=frozenset(channel.pk for channel in row.channels.all()),
        channel_kinds=frozenset(row.channel_kinds),
        reason_ids=with_those_below(frozenset(reason.pk for reason in row.reasons.all())),
        languages=frozenset(row.languages),
        program_ids=frozenset(program.pk for program in row.programs.all()),
        priorities=frozenset(row.priorities),
        hours=row.hours,
    )


def facts_of(interaction: Interaction, *, at: datetime | None = None) -> Facts:
    """What rules look at; programs are asked for only where a rule does."""
    programs: frozenset[int] = frozenset()
    if interaction.patient_id and any(rule.program_ids for rule in rules()):
        enrolled = ProgramEnrolment.objects.filter(patient=interaction.patient_id, status=EnrolmentStatus.ACTIVE)
        programs = frozenset(enrolled.values_list("program_id", flat=True))
    calendar = setup().of_queue(interaction.channel.queue_id)
    return Facts(
        channel_id=interaction.channel_id,
        channel_kind=interaction.channel_kind,
        reason_id=interaction.reason_id,
        language=interaction.language,
        priority=interaction.priority,
        program_ids=programs,
        is_open=calendar.is_open_at(at or timezone.now()),
    )


def told(routed: Routed, names: dict[int, str]) -> list[tuple[str, str]]:
    """For each rule that was passed over: its name and why, in words."""
    return [(names.get(pk, "–"), str(CONDITIONS[missed])) for pk, missed in routed.passed_over]


def runs_by_rule() -> dict[int, int]:
    """How many interactions each rule has taken."""
    rows = RoutingRun.objects.exclude(rule=None).order_by().values_list("rule_id").annotate(Count("pk"))
    return {pk: count for pk, count in rows if pk is not None}
