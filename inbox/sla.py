"""Which promise holds for an interaction, as pure matching: the first policy of the list whose conditions fit."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from inbox.enums import Counting


class Facts(NamedTuple):
    """All that policies look at."""

    queue_id: int
    reason_id: int | None
    priority: int
    channel_kind: str


@dataclass(frozen=True, slots=True)
class Terms:
    """A policy as it is matched. An empty condition fits everything; `reason_ids` hold those below a reason too."""

    policy_id: int
    name: str
    queue_ids: frozenset[int] = frozenset()
    reason_ids: frozenset[int] = frozenset()
    priorities: frozenset[int] = frozenset()
    channel_kinds: frozenset[str] = frozenset()
    targets: dict[str, timedelta] = field(default_factory=dict)
    counting: str = Counting.QUEUE
    calendar_id: int | None = None
    pauses_in: frozenset[str] = frozenset()
    warn_percent: int = 25

    def misses(self, facts: Facts) -> list[str]:
        """The conditions that do not fit, by name; none where the policy applies."""
        asked = (
            ("queue", self.queue_ids, facts.queue_id),
            ("reason", self.reason_ids, facts.reason_id),
            ("priority", self.priorities, facts.priority),
            ("channel", self.channel_kinds, facts.channel_kind),
        )
        return [name for name, wanted, found in asked if wanted and found not in wanted]

    def calendar_for(self, queue_calendar_id: int | None) -> int | None:
        """Id of the calendar that its clocks count by; None where they never stop."""
        if self.counting == Counting.ALWAYS:
            return None
        return self.calendar_id if self.counting == Counting.CALENDAR else queue_calendar_id


def first_fit(policies: Iterable[Terms], facts: Facts) -> Terms | None:
    """The first policy that applies."""
    return next((terms for terms in policies if not terms.misses(facts)), None)
