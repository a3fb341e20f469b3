"""Which queue new work goes to, as pure matching: the first rule of the list whose conditions fit."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from inbox.distribution import SkillNeed
from inbox.enums import HoursState


class Facts(NamedTuple):
    """All that rules look at. `is_open` is of the hours of the channel's own queue."""

    channel_id: int
    channel_kind: str
    reason_id: int | None = None
    language: str = ""
    priority: int = 3
    program_ids: frozenset[int] = frozenset()
    is_open: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """A routing rule as it is matched. An empty condition fits everything; `reason_ids` hold those below a reason."""

    rule_id: int
    name: str
    queue_id: int
    priority: int | None = None
    needs: tuple[SkillNeed, ...] = ()
    channel_ids: frozenset[int] = frozenset()
    channel_kinds: frozenset[str] = frozenset()
    reason_ids: frozenset[int] = frozenset()
    languages: frozenset[str] = frozenset()
    program_ids: frozenset[int] = frozenset()
    priorities: frozenset[int] = frozenset()
    hours: str = HoursState.ANY

    def misses(self, facts: Facts) -> str:
        """The first condition that does not fit, by name; empty where the rule applies."""
        asked = (
            ("number", self.channel_ids, facts.channel_id),
            ("channel", self.channel_kinds, facts.channel_kind),
            ("reason", self.reason_ids, facts.reason_id),
            ("language", self.languages, facts.language[:2]),
            ("priority", self.priorities, facts.priority),
        )
        for name, wanted, found in asked:
            if wanted and found not in wanted:
                return name
        if self.program_ids and not self.program_ids & facts.program_ids:
            return "program"
        return "hours" if self.hours and facts.is_open != (self.hours == HoursState.OPEN) else ""


class Routed(NamedTuple):
    """The rule that takes the work, None for the channel's own queue; and what each earlier rule missed."""

    rule: Rule | None
    passed_over: list[tuple[int, str]]


def route(rules: Iterable[Rule], facts: Facts) -> Routed:
    """Ask the rules in their order."""
    passed_over: list[tuple[int, str]] = []
    for rule in rules:
        missed = rule.misses(facts)
        if not missed:
            return Routed(rule, passed_over)
        passed_over.append((rule.rule_id, missed))
    return Routed(None, passed_over)
