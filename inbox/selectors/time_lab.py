"""The time lab: what would fire when, asked of the functions that decide it every day."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from contact_center.common.business_time import Always, Standing, clock_changes
from inbox import gate
from inbox.enums import ChannelKind, ClockKind, MessagePurpose
from inbox.models import ServiceCalendar
from inbox.selectors.calendars import hours_words
from inbox.selectors.gate_facts import AUTOMATIC
from inbox.selectors.hours import Calendar, Setup
from inbox.sla import Facts, Terms, first_fit

MOST_DAYS = 45


class Firing(NamedTuple):
    """Something that would happen at a moment; None for never."""

    title: str
    at: datetime | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """The moment that is asked about, the patient's zone, and what the interaction is like."""

    at: datetime
    zone: ZoneInfo
    facts: Facts


@dataclass(frozen=True, slots=True)
class Probe:
    """Another thing that fires by time; `look(question)` asks the production function when."""

    title: str | Promise
    look: Callable[[Question], list[Firing]]


_probes: list[Probe] = []


def register_probe(probe: Probe) -> None:
    """Let the lab ask an app above, such as for reminders or callbacks; call it in the app's `ready()`."""
    _probes.append(probe)


@dataclass(frozen=True, slots=True)
class DayRow:
    """One local day of the calendar: its hours, how much of it counts, and where clocks change."""

    date: date
    name: str
    hours: str
    counted: timedelta
    offset: str
    change: datetime | None


@dataclass(frozen=True, slots=True)
class Lab:
    """Everything the page says of one question."""

    standing: Standing
    closes_at: datetime | None
    calendar_name: str
    terms: Terms | None
    passed_over: list[tuple[str, list[str]]]
    firings: list[Firing]
    groups: list[tuple[str | Promise, list[Firing]]]
    days: list[DayRow]


def look(question: Question, setup: Setup) -> Lab:
    """What would happen to an interaction that begins at that moment."""
    facts = question.facts
    terms = first_fit(setup.policies, facts)
    passed = setup.policies[: setup.policies.index(terms)] if terms else setup.policies
    calendar_id = terms.calendar_for(setup.queue_calendars.get(facts.queue_id)) if terms else None
    calendar = setup.calendar(calendar_id) if terms else setup.of_queue(facts.queue_id)
    firings = clock_firings(question.at, terms, calendar) if terms else []
    shown_id = calendar_id if terms else setup.queue_calendars.get(facts.queue_id)
    last = max((one.at for one in firings if one.at), default=question.at)
    groups = [(probe.title, probe.look(question)) for probe in _probes]
    return Lab(
        standing=setup.of_queue(facts.queue_id).standing_at(question.at),
        closes_at=setup.of_queue(facts.queue_id).closes_next_at(question.at),
        calendar_name=_name_of(shown_id),
        terms=terms,
        passed_over=[(one.name, [CONDITION_WORDS[miss]() for miss in one.misses(facts)]) for one in passed],
        firings=firings,
        groups=[(_("Messages"), message_firings(question)), *groups],
        days=days_between(calendar, question.zone, question.at, last),
    )


CONDITION_WORDS: dict[str, Callable[[], str]] = {
    "queue": lambda: _("Queue"),
    "reason": lambda: _("Reason"),
    "priority": lambda: _("Priority"),
    "channel": lambda: _("Channel"),
}


def _name_of(calendar_id: int | None) -> str:
    found = ServiceCalendar.objects.filter(pk=calendar_id or 0).values_list("name", flat=True).first()
    return found or _("Never closed")


def clock_firings(at: datetime, terms: Terms, calendar: Calendar) -> list[Firing]:
    """When each clock of a policy would warn and end if it began at `at` and nobody did anything."""
    found = []
    for kind in ClockKind:
        target = terms.targets.get(kind)
        if target is not None:
            warned = calendar.add_business_time(at, target * (100 - terms.warn_percent) / 100)
            found.append(Firing(_("%(clock)s: warning") % {"clock": kind.label}, warned))
            found.append(Firing(_("%(clock)s: due") % {"clock": kind.label}, calendar.add_business_time(at, target)))
    return found


def message_firings(question: Question) -> list[Firing]:
    """What the send gate would say to messages that are ready at that moment."""
    titles = {
        MessagePurpose.REPLY: _("A reply that a person puts off until then"),
        MessagePurpose.REMINDERS: _("A reminder that is due then"),
    }
    found = []
    for purpose, title in titles.items():
        verdict = gate.decide(
            gate.SendFacts(
                purpose=purpose,
                channel_kind=ChannelKind.SMS,
                now=question.at,
                is_scheduled=purpose not in AUTOMATIC,
                consent=True,
                time_zone=question.zone.key,
            )
        )
        note = _("The patient's night: it waits for the morning.") if verdict.until_at else ""
        found.append(Firing(title, verdict.until_at or question.at, note))
    return found


def days_between(calendar: Calendar, zone: ZoneInfo, start: datetime, end: datetime) -> list[DayRow]:
    """The days of the calendar from `start` until `end`, at most 45, each with its hours and any change of clocks."""
    zone = zone if isinstance(calendar, Always) else calendar.zone
    first = start.astimezone(zone).date()
    count = min((end.astimezone(zone).date() - first).days + 1, MOST_DAYS)
    midnights = [_midnight(first + timedelta(days=n), zone) for n in range(count + 1)]
    found = []
    for opens, closes in pairwise(midnights):
        day = opens.astimezone(zone).date()
        told = None if isinstance(calendar, Always) else calendar.day_of(day)
        found.append(
            DayRow(
                date=day,
                name=told.name if told else "",
                hours=hours_words(told.hours) if told else _("24 hours"),
                counted=calendar.business_time_between(max(opens, start), closes),
                offset=f"{opens.astimezone(zone):UTC%z}",
                change=next(clock_changes(zone, opens, closes), None),
            )
        )
    return found


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)
