"""Calendars and policies as the clocks use them, read once every few seconds."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.utils import timezone, translation

from contact_center.common import moments
from contact_center.common.business_time import Always, BusinessCalendar, Closure, Day, Hours, Standing
from inbox.enums import ClockKind
from inbox.models import Interaction, Queue, Reason, ServiceCalendar, SlaPolicy
from inbox.sla import Facts, Terms, first_fit

KEPT_SECONDS = 5.0
NEVER_CLOSED = Always()
Calendar = BusinessCalendar | Always


@dataclass(slots=True)
class Setup:
    """The hours and promises of the house at one moment."""

    policies: list[Terms] = field(default_factory=list)
    calendars: dict[int, BusinessCalendar] = field(default_factory=dict)
    versions: dict[int, int] = field(default_factory=dict)
    queue_calendars: dict[int, int] = field(default_factory=dict)

    def calendar(self, pk: int | None) -> Calendar:
        """The calendar of this id; one that never closes for None."""
        return NEVER_CLOSED if pk is None else self.calendars.get(pk, NEVER_CLOSED)

    def of_queue(self, queue_id: int) -> Calendar:
        """When a queue is served."""
        return self.calendar(self.queue_calendars.get(queue_id))

    def terms_of(self, interaction: Interaction) -> Terms | None:
        """The policy that applies to an interaction."""
        return first_fit(self.policies, facts_of(interaction)) if self.policies else None


_kept: tuple[float, Setup] | None = None


def facts_of(interaction: Interaction) -> Facts:
    """What policies look at."""
    return Facts(interaction.queue_id, interaction.reason_id, interaction.priority, interaction.channel_kind)


def setup() -> Setup:
    """Calendars and policies; may be five seconds behind a change of another process."""
    global _kept
    now = time.monotonic()
    if _kept is None or now >= _kept[0]:
        _kept = (now + KEPT_SECONDS, read_setup())
    return _kept[1]


def forget_setup() -> None:
    """Read calendars and policies anew from now on."""
    global _kept
    _kept = None


def read_setup() -> Setup:
    """Calendars and policies as they are now."""
    calendars = ServiceCalendar.objects.prefetch_related("ranges", "days__ranges", "closures")
    found = {row.pk: row for row in calendars}
    return Setup(
        policies=[terms_of_policy(policy) for policy in _policies()],
        calendars={pk: calendar_of(row) for pk, row in found.items()},
        versions={pk: row.version for pk, row in found.items()},
        queue_calendars=dict(Queue.objects.filter(calendar__isnull=False).values_list("pk", "calendar_id")),
    )


def _policies() -> list[SlaPolicy]:
    return list(SlaPolicy.objects.filter(is_active=True).prefetch_related("queues", "reasons"))


def calendar_of(row: ServiceCalendar) -> BusinessCalendar:
    """A stored calendar as it is calculated with."""
    weekly: dict[int, list[Hours]] = defaultdict(list)
    for one in row.ranges.all():
        if one.weekday is not None:
            weekly[one.weekday].append(one.hours)
    return BusinessCalendar(
        zone=ZoneInfo(row.time_zone),
        weekly={weekday: tuple(hours) for weekday, hours in weekly.items()},
        days={
            day.date: Day(day.name, tuple(one.hours for one in day.ranges.all()), day.messages)
            for day in row.days.all()
        },
        holidays=public_holidays(row.country, row.subdivision),
        closures=tuple(Closure(one.from_at, one.until_at, one.messages) for one in row.closures.all()),
    )


@lru_cache(maxsize=64)
def public_holidays(country: str, subdivision: str = "") -> Mapping[date, str]:
    """Names of public holidays by date; a year is worked out when it is first asked for. Empty for no country."""
    if not country:
        return {}
    import holidays  # its import costs more than a page, and few processes ask

    found: Mapping[date, str] = holidays.country_holidays(country, subdiv=subdivision or None)
    return found


def terms_of_policy(policy: SlaPolicy) -> Terms:
    """A stored policy as it is matched."""
    minutes = {
        ClockKind.FIRST_RESPONSE: policy.first_response_minutes,
        ClockKind.NEXT_RESPONSE: policy.next_response_minutes,
        ClockKind.RESOLUTION: policy.resolution_minutes,
    }
    return Terms(
        policy_id=policy.pk,
        name=policy.name,
        queue_ids=frozenset(queue.pk for queue in policy.queues.all()),
        reason_ids=with_those_below(frozenset(reason.pk for reason in policy.reasons.all())),
        priorities=frozenset(policy.priorities),
        channel_kinds=frozenset(policy.channel_kinds),
        targets={str(kind): timedelta(minutes=value) for kind, value in minutes.items() if value},
        counting=policy.counting,
        calendar_id=policy.calendar_id,
        pauses_in=frozenset(policy.pauses_in),
        warn_percent=policy.warn_percent,
    )


def with_those_below(ids: frozenset[int]) -> frozenset[int]:
    """These reasons and everything below them. No query for none."""
    if not ids:
        return ids
    parents = dict(Reason.objects.values_list("pk", "parent_id"))
    found = set(ids)
    for pk in parents:
        above: int | None = pk
        while above is not None:
            if above in ids:
                found.add(pk)
                break
            above = parents.get(above)
    return frozenset(found)


def standing_of_queue(queue_id: int, at: datetime | None = None) -> Standing:
    """Whether a queue is served at a moment, by default now, and when it is served again."""
    return setup().of_queue(queue_id).standing_at(at or timezone.now())


def message_in(messages: Mapping[str, str], language: str) -> str:
    """The words for patients in their language, else in English, else in any; empty where there are none."""
    wanted: Callable[[str], str] = lambda code: messages.get(code, "")  # noqa: E731
    return wanted(language[:2]) or wanted("en") or next((text for text in messages.values() if text), "")


def moment_words(at: datetime, zone: ZoneInfo, language: str) -> str:
    """Weekday, date and time in a person's zone and language."""
    with translation.override(language):
        return moments.moment_words(at, "full", zone)
