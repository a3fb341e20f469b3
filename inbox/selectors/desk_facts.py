"""What the desk has open with one patient, and names by id. Without joins, which cost more to plan than to read."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import connection
from django.db.models import QuerySet

from contact_center.accounts.asker import Asker, asker
from contact_center.accounts.models import User
from contact_center.common.prepared import Given, prepared
from contact_center.common.request_memory import remembered
from inbox.enums import OPEN, CaseStatus, ChannelKind, InteractionStatus
from inbox.models import Case, Interaction, Task
from inbox.selectors.interactions import asked_by, interactions_visible_to
from inbox.selectors.setup import cases_visible_to
from patients.models import Patient

MOST_READ, MOST_OPEN = 200, 10
UNFINISHED = (CaseStatus.OPEN, CaseStatus.WAITING)
TALK = (
    *("pk", "status", "channel_kind", "subject", "last_message_at", "next_step", "next_step_date"),
    *("owner_id", "queue_id", "reason_id", "channel_id", "next_step_owner_id"),
)
CASE = ("pk", "reference", "title", "status", "next_step", "next_step_date", "owner_id", "queue_id")
NAMES = """
SELECT 'user', id, trim(first_name || ' ' || last_name) FROM accounts_user WHERE id = ANY(%s)
UNION ALL SELECT 'queue', id, name FROM inbox_queue WHERE id = ANY(%s)
UNION ALL SELECT 'reason', id, name FROM inbox_reason WHERE id = ANY(%s)
UNION ALL SELECT 'channel', id, name FROM inbox_channel WHERE id = ANY(%s)
UNION ALL SELECT 'disposition', id, name FROM inbox_disposition WHERE id = ANY(%s)
"""


class Names(dict[tuple[str, int | None], str]):
    """Names by kind and id; no name for what was not asked for or is nobody."""

    def __missing__(self, key: tuple[str, int | None]) -> str:
        return f"user {key[1]}" if key[0] == "user" and key[1] else ""


def names_of(
    *,
    users: Iterable[int | None] = (),
    queues: Iterable[int | None] = (),
    reasons: Iterable[int | None] = (),
    channels: Iterable[int | None] = (),
    dispositions: Iterable[int | None] = (),
) -> Names:
    """What these are called. One query, none for nothing."""
    ids = [list(set(given) - {None}) for given in (users, queues, reasons, channels, dispositions)]
    if not any(ids):
        return Names()
    with connection.cursor() as cursor:
        cursor.execute(NAMES, ids)
        return Names({(kind, pk): name for kind, pk, name in cursor.fetchall() if name})


@dataclass(slots=True)
class OpenTalk:
    """A conversation as the patient's page shows it."""

    pk: int
    status: str
    channel_kind: str
    subject: str
    last_message_at: datetime
    next_step: str
    next_step_date: date | None
    owner_id: int | None
    queue_id: int
    reason_id: int | None
    channel_id: int
    next_step_owner_id: int | None
    names: Names = field(default_factory=Names)

    @property
    def title(self) -> str:
        """What it is about, as far as that is known."""
        return self.names["reason", self.reason_id] or self.subject or self.names["channel", self.channel_id]

    @property
    def who(self) -> str:
        """Its owner, else its queue."""
        return self.names["user", self.owner_id] or self.names["queue", self.queue_id]

    @property
    def state(self) -> str:
        """Its status in words."""
        return str(InteractionStatus(self.status).label)

    @property
    def next_step_owner(self) -> str:
        """Who takes the next step; empty for nobody."""
        return self.names["user", self.next_step_owner_id]

    @property
    def about(self) -> str:
        """Its reason, else its kind of channel."""
        return self.names["reason", self.reason_id] or str(ChannelKind(self.channel_kind).label)


@dataclass(slots=True)
class OpenCase:
    """A case as the patient's page shows it."""

    pk: int
    reference: str
    title: str
    status: str
    next_step: str
    next_step_date: date
    owner_id: int | None
    queue_id: int | None
    names: Names = field(default_factory=Names)

    @property
    def who(self) -> str:
        """Its owner, else its queue."""
        return self.names["user", self.owner_id] or self.names["queue", self.queue_id]

    @property
    def state(self) -> str:
        """Its status in words."""
        return str(CaseStatus(self.status).label)


@dataclass(slots=True)
class OpenTask:
    """Something to do in an open conversation."""

    title: str
    due_date: date | None
    interaction_id: int
    owner_id: int | None
    names: Names = field(default_factory=Names)

    @property
    def owner(self) -> str:
        """Who does it; empty for nobody."""
        return self.names["user", self.owner_id]


@dataclass(slots=True)
class DeskFacts:
    """What is open, newest conversation and soonest case first; `last` is the newest closed one that has no case."""

    talks: list[OpenTalk]
    cases: list[OpenCase]
    tasks: list[OpenTask]
    last: OpenTalk | None


def desk_facts(user: User, patient: Patient) -> DeskFacts:
    """What this person may see of it. At most five queries, once per request."""
    return remembered(("desk facts", user.pk, patient.pk), lambda: _read(user, patient.pk))


def _read(user: User, patient_id: int) -> DeskFacts:
    asked = (*asked_by(user), patient_id)
    talks = [OpenTalk(*row) for row in _talks(user.role).tuples(*asked)]
    cases = [OpenCase(*row) for row in _cases(user.role).tuples(*asked)]
    tasks = [OpenTask(*row) for row in _tasks().tuples([talk.pk for talk in talks])] if talks else []
    closed = [OpenTalk(*row) for row in _last_closed(user.role).tuples(*asked)]
    every = talks + closed
    owned: list[OpenTalk | OpenCase | OpenTask] = [*every, *cases, *tasks]
    names = names_of(
        users=[*(one.owner_id for one in owned), *(talk.next_step_owner_id for talk in every)],
        queues=[*(talk.queue_id for talk in talks), *(case.queue_id for case in cases)],
        reasons=[talk.reason_id for talk in every],
        channels=[talk.channel_id for talk in talks],
    )
    for one in owned:
        one.names = names
    return DeskFacts(talks, cases, tasks, closed[0] if closed else None)


@prepared
def _talks(role: str) -> QuerySet[Interaction]:
    """Of the patient after the asker."""
    found = interactions_visible_to(asker(role)).filter(patient=Given(Asker.NEXT), status__in=OPEN)
    return found.order_by("-last_message_at").values_list(*TALK)[:MOST_READ]  # type: ignore[return-value]


@prepared
def _cases(role: str) -> QuerySet[Case]:
    """Of the patient after the asker."""
    found = cases_visible_to(asker(role)).filter(patient=Given(Asker.NEXT), status__in=UNFINISHED)
    return found.order_by("next_step_date", "pk").values_list(*CASE)[:MOST_READ]  # type: ignore[return-value]


@prepared
def _tasks() -> QuerySet[Task]:
    """Of the interactions 0."""
    found = Task.objects.filter(interaction_id__any_of=Given(0), done_at=None).order_by("due_date", "pk")
    return found.values_list("title", "due_date", "interaction_id", "owner_id")[:MOST_OPEN]  # type: ignore[return-value]


@prepared
def _last_closed(role: str) -> QuerySet[Interaction]:
    """Of the patient after the asker."""
    found = interactions_visible_to(asker(role)).filter(patient=Given(Asker.NEXT), status=InteractionStatus.CLOSED)
    found = found.filter(case=None, merged_into=None).order_by("-last_message_at")
    return found.values_list(*TALK)[:1]  # type: ignore[return-value]
