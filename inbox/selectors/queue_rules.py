"""The routing rules as they are matched, read once every few seconds, and what they look at."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inbox.adapters.events import CallEvent
from inbox.distribution import SkillNeed
from inbox.enums import ChannelKind
from inbox.models import Interaction, RoutingRule, RoutingRun
from inbox.queue_rules import Facts, Rule, route
from inbox.selectors.hours import Setup, setup, with_those_below
from patients.enums import EnrolmentStatus
from patients.models import ProgramEnrolment
from patients.selectors.people import match_patients

CONDITIONS = {
    "number": _("Another number or mailbox"),
    "channel": _("Another channel"),
    "reason": _("Another reason, or none yet"),
    "language": _("Another language"),
    "priority": _("Another priority"),
    "program": _("Not in the program"),
    "hours": _("Other hours"),
}
RUNS_SHOWN = 30
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
    programs = _programs_of(interaction.patient_id) if interaction.patient_id and _ask_for_programs() else frozenset()
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


def _ask_for_programs() -> bool:
    return any(rule.program_ids for rule in rules())


def _programs_of(patient_id: int) -> frozenset[int]:
    enrolled = ProgramEnrolment.objects.filter(patient=patient_id, status=EnrolmentStatus.ACTIVE)
    return frozenset(enrolled.values_list("program_id", flat=True))


def rule_for(event: CallEvent, channel_id: int, queue_id: int, language: str, reason_id: int | None) -> Rule | None:
    """The rule that takes a caller who has chosen; `queue_id` is the line's own. A fast read: the provider waits."""
    if not rules():
        return None
    is_asked = event.sender.scheme == "phone" and _ask_for_programs()
    callers = match_patients("phone", event.sender.value) if is_asked else []
    facts = Facts(
        channel_id=channel_id,
        channel_kind=ChannelKind.VOICE,
        reason_id=reason_id,
        language=language,
        program_ids=_programs_of(callers[0].pk) if len(callers) == 1 else frozenset(),
        is_open=setup().of_queue(queue_id).is_open_at(timezone.now()),
    )
    return route(rules(), facts).rule


def told(passed_over: Iterable[Iterable[Any]], names: dict[int, str]) -> list[tuple[str, str]]:
    """For each rule that was passed over, id and condition: its name and why, in words."""
    return [(names.get(pk, "–"), str(CONDITIONS[missed])) for pk, missed in passed_over]


def runs_by_rule() -> dict[int, int]:
    """How many interactions each rule has taken."""
    rows = RoutingRun.objects.exclude(rule=None).order_by().values_list("rule_id").annotate(Count("pk"))
    return {pk: count for pk, count in rows if pk is not None}


def latest_runs(names: dict[int, str]) -> list[tuple[RoutingRun, list[tuple[str, str]]]]:
    """Where the newest work went, with why each earlier rule passed it over; `names` are those of the rules."""
    rows = RoutingRun.objects.select_related("queue")[:RUNS_SHOWN]
    return [(row, told(row.passed_over, names)) for row in rows]
