"""The live board: what waits, who is there, and what to look at first. A constant number of queries."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Min, Q
from django.utils import timezone

from analytics.metrics import CallCounts, Scope, call_counts, percent, reply_counts, waiting, waiting_calls
from analytics.occupancy import Occupancy
from analytics.selectors.days import occupancy_of
from contact_center.accounts.enums import Action, AutomaticAway, PresenceState, away_words
from contact_center.accounts.models import Team, TeamMembership, User
from contact_center.accounts.policies import roles_that_may
from inbox.enums import TALKING, InteractionStatus, TimelineKind
from inbox.models import Call, Interaction, Queue, QueueSettings, TimelineEvent
from inbox.selectors.distribution import LIVELY, handing
from inbox.selectors.interactions import queues_of

S, P = InteractionStatus, PresenceState
NEAR = 0.75
"""From this share of a limit on the board warns."""
FAR_BELOW = 15
"""So many points below its target a share is late, not only near."""
LONG_WRAP_UP = timedelta(minutes=10)
"""A wrap-up that lasts longer is shown as stuck."""


@dataclass(slots=True)
class Person:
    """Somebody at the desk: the group they stand in, since when, and how busy they were today."""

    user: User
    group: str
    since_at: datetime | None
    note: str = ""
    conversations: int = 0
    is_stuck: bool = False
    occupancy: Occupancy | None = None

    @property
    def short_name(self) -> str:
        """First name and the last name's letter, as on a wall."""
        letter = f" {self.user.last_name[:1]}." if self.user.last_name else ""
        return f"{self.user.first_name}{letter}" if self.user.first_name else str(self.user)


@dataclass(slots=True)
class Row:
    """One queue as it is now and was today. States: `late` beyond a limit, `soon` near it, else empty."""

    queue: Queue
    terms: QueueSettings
    waiting: int = 0
    calls_waiting: int = 0
    longest_since: datetime | None = None
    calls: CallCounts = field(default_factory=CallCounts)
    replies: tuple[int, int] = (0, 0)
    free: int = 0
    here: int = 0
    now: datetime = field(default_factory=timezone.now)

    @property
    def waiting_state(self) -> str:
        """Beside how many may wait."""
        return beside(self.waiting, self.terms.alert_waiting)

    @property
    def wait_state(self) -> str:
        """Beside how long anybody may wait."""
        if self.longest_since is None:
            return ""
        return beside((self.now - self.longest_since).total_seconds(), self.terms.alert_wait_seconds)

    @property
    def on_time_state(self) -> str:
        """Of its calls, beside what was set for the queue."""
        return of_share(self.calls.service_level, self.terms.on_time_percent)

    @property
    def replies_percent(self) -> int | None:
        """Per cent of promised replies that were kept."""
        return percent(*self.replies)

    @property
    def state(self) -> str:
        """The worst of its states that somebody can do something about now."""
        return worst(self.waiting_state, self.wait_state)


@dataclass(frozen=True, slots=True)
class Board:
    """Everything on the wall. Sums are over the queues shown."""

    rows: list[Row]
    groups: list[tuple[str, list[Person]]]
    people: list[Person]
    at: datetime
    since: datetime

    @property
    def waiting(self) -> int:
        return sum(row.waiting for row in self.rows)

    @property
    def waiting_limit(self) -> int | None:
        """The sum of the limits; None where a queue has none."""
        limits = [row.terms.alert_waiting for row in self.rows]
        return sum(one for one in limits if one) if limits and all(limits) else None

    @property
    def calls_waiting(self) -> int:
        return sum(row.calls_waiting for row in self.rows)

    @property
    def longest(self) -> Row | None:
        """The queue in which somebody waits beyond its limit the furthest, else the longest."""
        found = [row for row in self.rows if row.longest_since is not None]
        return min(found, key=lambda row: (RANK[row.wait_state], row.longest_since), default=None)

    @property
    def calls(self) -> CallCounts:
        return sum((row.calls for row in self.rows), CallCounts())

    @property
    def target(self) -> int:
        """The highest target of the queues that had calls today."""
        return max(
            (row.terms.on_time_percent for row in self.rows if row.calls.judged),
            default=QueueSettings().on_time_percent,
        )

    @property
    def on_time_state(self) -> str:
        return of_share(self.calls.service_level, self.target)

    @property
    def free(self) -> int:
        return sum(one.group == "free" for one in self.people)

    @property
    def here(self) -> int:
        """Everybody who is signed in."""
        return len(self.people)

    @property
    def worst(self) -> Row | None:
        """The queue to look at first; None while all is well."""
        found = [row for row in self.rows if row.state]
        return min(found, key=lambda row: (RANK[row.state], row.longest_since or row.now), default=None)

    @property
    def helpers(self) -> list[Person]:
        """Who could help: the free, and those in wrap-up for long."""
        return [one for one in self.people if one.group == "free" or (one.group == "wrap_up" and one.is_stuck)]


RANK = {"late": 0, "soon": 1, "": 2}


def beside(value: float, limit: int | None) -> str:
    """`late` at or beyond the limit, `soon` near it; empty without a limit."""
    if not limit:
        return ""
    return "late" if value >= limit else "soon" if value >= NEAR * limit else ""


def of_share(share: int | None, target: int) -> str:
    """`late` far below the target, `soon` below it."""
    if share is None or share >= target:
        return ""
    return "late" if share < target - FAR_BELOW else "soon"


def worst(*states: str) -> str:
    """The state that matters most."""
    return min(states, key=RANK.__getitem__)


def day_began(now: datetime) -> datetime:
    """Midnight of the clinic's own clock."""
    return timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)


def board_of(user: User, team: Team | None = None) -> Board:
    """What the person sees of the desk, or of one team's queues and people. As many queries whatever the number."""
    now = timezone.now()
    queues = list(queues_of(user).filter(teams=team) if team else queues_of(user))
    scope = Scope([queue.pk for queue in queues], day_began(now))
    people = people_of(scope, now, team)
    return Board(_rows(queues, scope, people, now), _groups(people), people, now, scope.since)


def _rows(queues: list[Queue], scope: Scope, people: list[Person], now: datetime) -> list[Row]:
    waits = _waits(scope)
    callers: Any = waiting_calls(scope).order_by().values_list("queue_id")
    on_the_line = dict(callers.annotate(n=Count("pk")))
    calls, replied = call_counts(scope), reply_counts(scope)
    serving: dict[int, set[int]] = {}
    ids = {one.user.pk: one for one in people}
    members = TeamMembership.objects.filter(user__in=ids, team__queues__in=scope.queue_ids)
    for user_id, queue_id in members.values_list("user_id", "team__queues"):
        serving.setdefault(queue_id, set()).add(user_id)
    found = []
    for queue in queues:
        n, longest = waits.get(queue.pk, (0, None))
        here = serving.get(queue.pk, set())
        found.append(
            Row(
                queue, handing().of(queue.pk), n, on_the_line.get(queue.pk, 0), longest,
                calls.get(queue.pk, CallCounts()), replied.get(queue.pk, (0, 0)),
                sum(ids[pk].group == "free" for pk in here), len(here), now,
            )
        )  # fmt: skip
    return sorted(found, key=lambda row: (RANK[row.state], -row.waiting, row.queue.position, row.queue.name))


def _waits(scope: Scope) -> dict[int, tuple[int, datetime | None]]:
    """By queue in which anything waits: how much, and since when the longest."""
    counted: Any = waiting(scope).order_by().values_list("queue_id")
    return {pk: (n, longest) for pk, n, longest in counted.annotate(n=Count("pk"), at=Min("waiting_since_at"))}


def state_of_queues(now: datetime, also: Collection[int]) -> dict[int, str]:
    """The state of every queue with a limit, and of these: `late`, `soon`, or empty. Two queries for any number."""
    terms = handing().settings
    limited = {pk for pk, one in terms.items() if one.alert_waiting or one.alert_wait_seconds} | set(also)
    queues, waits = Queue.objects.in_bulk(limited), _waits(Scope(limited, now))
    found = {}
    for pk, queue in queues.items():
        n, longest = waits.get(pk, (0, None))
        found[pk] = Row(queue, handing().of(pk), n, longest_since=longest, now=now).state
    return found


def people_of(scope: Scope, now: datetime, team: Team | None = None) -> list[Person]:
    """Everybody who is signed in and works the inbox, with what they do now."""
    here = User.objects.filter(is_active=True, is_service_account=False, role__in=roles_that_may(Action.WORK_INBOX))
    here = here.exclude(presence=None).exclude(presence__state=P.OFFLINE)
    if team is not None:
        here = here.filter(memberships__team=team)
    people = list(here.select_related("presence").order_by("first_name", "last_name", "pk"))
    ids = [person.pk for person in people]
    calls, held = _calls_now(ids, now), _held_now(ids, now)
    busy = occupancy_of(ids, scope.since, now)
    return [_person(person, calls.get(person.pk), held.get(person.pk), busy[person.pk], now) for person in people]


def _calls_now(ids: Collection[int], now: datetime) -> dict[int, Call]:
    """The call that fills each person, talked on or just over."""
    is_on = Q(status__in=TALKING) | Q(wrap_up_ends_at__gt=now, interaction__status=S.WRAP_UP)
    found = Call.objects.filter(is_on, agent__in=ids).select_related("agent__agent_state").order_by("pk")
    return {call.agent_id or 0: call for call in found}


def _held_now(ids: Collection[int], now: datetime) -> dict[int, Any]:
    """By person: conversations in which something goes on, and since when one is being wrapped up."""
    mine = Interaction.objects.filter(owner__in=ids, status__in=[S.ACTIVE, S.WRAP_UP]).order_by()
    lively = Q(waiting_since_at__isnull=False) | Q(last_message_at__gt=now - LIVELY)
    rows: Any = mine.values("owner_id").annotate(
        open=Count("pk", filter=Q(status=S.ACTIVE) & lively),
        wrapping=Count("pk", filter=Q(status=S.WRAP_UP)),
        since=Min("waiting_since_at", filter=Q(status=S.ACTIVE)),
    )
    found = {row["owner_id"]: row | {"wrap_since": None} for row in rows}
    begun: Any = TimelineEvent.objects.filter(
        interaction__owner__in=ids, interaction__status=S.WRAP_UP, kind=TimelineKind.WRAP_UP_STARTED
    )
    for owner_id, at in begun.order_by().values_list("interaction__owner_id").annotate(at=Max("at")):
        if owner_id in found:  # whose wrap-up began between the two questions shows at the next look
            found[owner_id]["wrap_since"] = at
    return found


def _person(user: User, call: Call | None, held: Any, busy: Occupancy, now: datetime) -> Person:
    presence, held = user.presence, held or {"open": 0, "wrapping": 0, "since": None, "wrap_since": None}
    found = Person(user, "free", presence.since_at, conversations=held["open"], occupancy=busy)
    if call is not None and call.status in TALKING:
        found.group, found.since_at = "call", call.answered_at
        found.is_stuck = presence.reason in AutomaticAway.values
    elif presence.state == P.AWAY:
        found.group, found.note = "away", away_words(presence.reason)
    elif held["wrapping"]:
        found.group = "wrap_up"
        found.since_at = held["wrap_since"] or (call.ended_at if call else None) or presence.since_at
        found.is_stuck = found.since_at is not None and now - found.since_at > LONG_WRAP_UP
    elif held["open"]:
        found.group = "writing"
    elif presence.state == P.BUSY:
        found.group = "busy"
    return found


def _groups(people: list[Person]) -> list[tuple[str, list[Person]]]:
    """The groups of the wall in their order, whoever stands there longest first."""
    found = []
    for name in ("free", "call", "writing", "wrap_up", "busy", "away"):
        members = [one for one in people if one.group == name]
        members.sort(key=lambda one: one.since_at or timezone.now())
        found.append((name, members))
    return found
