"""What distribution decides on: how queues hand out their work, who is available, what waits. Read without locks."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection
from django.db.models import Count, Q, QuerySet

from contact_center.accounts.enums import Action, PresenceState
from contact_center.accounts.models import TeamMembership, User, UserSkill
from contact_center.accounts.policies import ROLE_ACTIONS, roles_that_may
from inbox.distribution import USUAL_MOST, VOICE, VOICEMAIL, Agent, SkillNeed, Work, carried
from inbox.enums import (
    CALL_OVER,
    CALLBACK_LIVE,
    DONE,
    CallMomentKind,
    CallParty,
    CallStatus,
    ChannelKind,
    InteractionStatus,
    OfferStatus,
    Sharing,
    TimelineKind,
)
from inbox.models import (
    AgentCapacity,
    Call,
    Callback,
    CallLeg,
    CallMoment,
    Interaction,
    Offer,
    Queue,
    QueueSettings,
    QueueSkill,
    Reason,
    TimelineEvent,
    WorkSkill,
)
from inbox.selectors.callbacks import may_be_asked
from inbox.selectors.hours import Setup, setup
from patients.enums import Sensitivity

S = InteractionStatus
SENSITIVE, PROTECTED = -1, -2
"""Needs that are no skills but rights: to see sensitive reasons, to serve protected patients."""
ALIVE = timedelta(seconds=150)
"""Whoever showed no sign of life for longer is offered nothing."""
LIVELY = timedelta(hours=1)
"""A conversation takes a place while the patient waits for us or something was said within this time."""
AFFINITY = timedelta(days=14)
LOOKED_BACK = 200
SAID_NO = [OfferStatus.DECLINED, OfferStatus.MISSED]
NOT_TAKEN = [CallMomentKind.DECLINED, CallMomentKind.MISSED, CallMomentKind.LOST_AGENT]
NOT_AGAIN_FOR = timedelta(seconds=60)
"""A caller waits by the second, so whoever did not take a call is asked again sooner than for other work."""


@dataclass(slots=True)
class Handing:
    """How the queues of the house hand out their work."""

    settings: dict[int, QueueSettings] = field(default_factory=dict)
    needs: dict[int, tuple[SkillNeed, ...]] = field(default_factory=dict)
    sensitive_reasons: frozenset[int] = frozenset()

    def of(self, queue_id: int) -> QueueSettings:
        """Its settings; the usual ones where nobody chose any."""
        return self.settings.get(queue_id) or QueueSettings(queue_id=queue_id)

    @property
    def pushed(self) -> list[int]:
        """Queues whose work is offered."""
        return [pk for pk, one in self.settings.items() if one.sharing == Sharing.PUSH]


_kept: tuple[Setup, Handing] | None = None


def handing() -> Handing:
    """The settings of all queues; as fresh as `selectors.hours.setup`, and forgotten with it."""
    global _kept
    known = setup()
    if _kept is None or _kept[0] is not known:
        needs: dict[int, list[SkillNeed]] = defaultdict(list)
        for row in QueueSkill.objects.order_by("pk"):
            needs[row.queue_id].append(SkillNeed(row.skill_id, row.level, row.relax_seconds))
        _kept = (
            known,
            Handing(
                {row.queue_id: row for row in QueueSettings.objects.all()},
                {pk: tuple(found) for pk, found in needs.items()},
                frozenset(Reason.objects.filter(is_sensitive=True).values_list("pk", flat=True)),
            ),
        )
    return _kept[1]


def available_agents(now: datetime) -> list[Agent]:
    """Everybody who is available, with a page that is alive, and what they carry. Six queries for any number.

    They serve the queues of their teams; the right to see every queue brings no work.
    """
    people = User.objects.filter(
        is_active=True, is_service_account=False, role__in=roles_that_may(Action.WORK_INBOX),
        presence__state=PresenceState.ONLINE,
    ).filter(Q(agent_state__seen_at=None) | Q(agent_state__seen_at__gt=now - ALIVE))  # fmt: skip
    rows = list(
        people.values_list("pk", "role", "presence__since_at", "agent_state__idle_since_at", "agent_state__most_open")
    )
    ids = [row[0] for row in rows]
    queues, skills, limits = _queues(ids), _skills(ids), _limits(ids)
    loads = carried(load_of(ids, now))
    asked = set(Offer.objects.filter(status=OfferStatus.PENDING).values_list("agent_id", flat=True))
    asked |= set(Call.objects.filter(offered_to__isnull=False).values_list("offered_to_id", flat=True))
    return [
        Agent(
            id=pk,
            queue_ids=queues[pk],
            idle_since=max(since, idle_since or since).timestamp(),
            skills=skills[pk] | _rights(role),
            load=loads.get(pk, {}),
            limits=limits[pk],
            most=USUAL_MOST if most is None else most,
            is_asked=pk in asked,
        )
        for pk, role, since, idle_since, most in rows
    ]


def _queues(ids: list[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    served = TeamMembership.objects.filter(user__in=ids, team__queues__is_active=True)
    for user_id, queue_id in served.values_list("user_id", "team__queues"):
        found[user_id].add(queue_id)
    return found


def _skills(ids: list[int]) -> dict[int, dict[int, int]]:
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for user_id, skill_id, level in UserSkill.objects.filter(user__in=ids).values_list("user", "skill", "level"):
        found[user_id][skill_id] = level
    return found


def _limits(ids: list[int]) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for user_id, kind, most in AgentCapacity.objects.filter(user__in=ids).values_list("user", "channel_kind", "most"):
        found[user_id][kind] = most
    return found


def _rights(role: str) -> dict[int, int]:
    may = ROLE_ACTIONS[role]  # type: ignore[index]
    return {
        right: 1
        for right, actions in (
            (SENSITIVE, {Action.VIEW_SENSITIVE}),
            (PROTECTED, {Action.SERVE_PROTECTED, Action.BREAK_GLASS}),
        )
        if may & actions
    }


def load_of(ids: Collection[int], now: datetime) -> list[tuple[int, str, int]]:
    """(person, kind, count) of what takes a place: live calls, conversations in which something goes on, wrap-ups.

    What a call left behind counts as VOICEMAIL; the time after a call in which nothing is offered counts as the call.
    """
    rows = Interaction.objects.filter(owner__in=ids, status__in=[S.ACTIVE, S.WRAP_UP]).filter(
        Q(waiting_since_at__isnull=False) | Q(last_message_at__gt=now - LIVELY) | Q(status=S.WRAP_UP)
    )
    written = [
        (user_id or 0, VOICEMAIL if kind == ChannelKind.VOICE else kind, count)
        for user_id, kind, count in rows.order_by().values_list("owner_id", "channel_kind").annotate(Count("pk"))
    ]
    is_on = ~Q(status__in=CALL_OVER) | Q(wrap_up_ends_at__gt=now, interaction__status=S.WRAP_UP)
    calls = Call.objects.filter(is_on, agent__in=ids).order_by().values_list("agent_id").annotate(Count("pk"))
    beside = CallLeg.objects.filter(party__in=[CallParty.CONSULTED, CallParty.SUPERVISOR], left_at=None, user__in=ids)
    beside = beside.exclude(call__status__in=CALL_OVER)
    heard = [(user_id or 0, VOICE, 1) for user_id in beside.values_list("user_id", flat=True)]
    return written + [(user_id or 0, VOICE, count) for user_id, count in calls] + heard


def waiting_work(now: datetime, *, free: int) -> list[Work]:
    """Everything that is to be offered, for so many free people; callers on the line apart
    (`waiting_calls`). What lies too long is left to the supervisor.

    Who had a person last, and who gave it back, is looked up for as many of the most urgent as the free could take.
    """
    known, at = handing(), now.timestamp()
    found = [work for work in _waiting(known) if not _is_stale(work, known, at)]
    first = sorted(found, key=lambda one: one.urgency(at))[: max(LOOKED_BACK, 4 * free)]
    last_agents, gave_back = _earlier([work.id for work in first], known, now)
    said_no = _said_no(known, now)
    for work_id, agents in gave_back.items():
        said_no[work_id] |= agents
    return [
        replace(work, last_agent_id=last_agents.get(work.id), barred=frozenset(said_no.get(work.id, ())))
        if work.id in last_agents or work.id in said_no
        else work
        for work in found
    ]


def waiting_calls(now: datetime) -> list[Work]:
    """Callers on the line who wait and ring nowhere, as work. Their place is the moment they came into the line."""
    waiting = Call.objects.filter(status=CallStatus.WAITING, offered_to=None, claimed_at=None, ended_by="")
    queued_at = dict(waiting.values_list("interaction_id", "queued_at"))
    if not queued_at:
        return []
    known, ids = handing(), list(queued_at)
    last_agents, _gave_back = _earlier(ids, known, now)
    said_no = _refused_calls(ids, now)
    for work_id, callback in _promises(ids):
        said_no[work_id] |= _not_yet_asked(callback, now)
    return [
        replace(
            work,
            kind=VOICE,
            since=(queued_at[work.id] or now).timestamp(),
            due_at=None,
            last_agent_id=last_agents.get(work.id),
            barred=frozenset(said_no.get(work.id, ())),
        )
        for work in _works(Interaction.objects.filter(pk__in=ids), known)
    ]


def _promises(ids: list[int]) -> list[tuple[int, Callback]]:
    waiting = Call.objects.filter(interaction__in=ids, status=CallStatus.WAITING, callback__owner__isnull=False)
    return [(call.interaction_id, call.callback) for call in waiting.select_related("callback") if call.callback]


def _not_yet_asked(callback: Callback, now: datetime) -> set[int]:
    """Everybody of the queue but those to whom what was arranged is offered first."""
    first = may_be_asked(callback, now)
    if first is None:
        return set()
    members = TeamMembership.objects.filter(team__queues=callback.queue_id).values_list("user_id", flat=True)
    return set(members) - first


def _refused_calls(ids: list[int], now: datetime) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    rows = CallMoment.objects.filter(call__interaction__in=ids, kind__in=NOT_TAKEN, at__gt=now - NOT_AGAIN_FOR)
    for work_id, user_id in rows.exclude(user=None).values_list("call__interaction_id", "user_id"):
        found[work_id].add(user_id or 0)
    return found


def _waiting(known: Handing) -> list[Work]:
    rows = Interaction.objects.filter(queue__in=known.pushed, status=S.QUEUED, owner=None)
    on_the_line = Call.objects.exclude(status__in=CALL_OVER).values("interaction_id")
    promised = Callback.objects.filter(status__in=CALLBACK_LIVE).values("interaction_id")
    return _works(rows.exclude(channel_kind=ChannelKind.VOICE, pk__in=on_the_line.union(promised)), known)


def _works(rows: QuerySet[Interaction], known: Handing) -> list[Work]:
    """Interactions as work, with what they ask of skills and rights. Three queries."""
    rows = rows.order_by()
    protected = set(
        rows.exclude(patient=None).exclude(patient__sensitivity=Sensitivity.NONE).values_list("pk", flat=True)
    )
    needs: dict[int, list[SkillNeed]] = defaultdict(list)
    asked = WorkSkill.objects.filter(interaction__status=S.QUEUED, interaction__owner=None)
    for work_id, skill_id, level, relax in asked.values_list("interaction_id", "skill_id", "level", "relax_seconds"):
        needs[work_id].append(SkillNeed(skill_id, level, relax))
    found = []
    fields = ("queue_id", "channel_kind", "priority", "due_at", "waiting_since_at", "opened_at")
    for pk, queue_id, kind, priority, due_at, since, opened_at, reason, case_reason in rows.values_list(
        "pk", *fields, "reason_id", "case__reason_id"
    ):
        rights = []
        if known.sensitive_reasons & {reason, case_reason}:
            rights.append(SkillNeed(SENSITIVE, 1))
        if pk in protected:
            rights.append(SkillNeed(PROTECTED, 1))
        asks = (*known.needs.get(queue_id, ()), *needs.get(pk, ()), *rights)
        waits = (since or opened_at).timestamp()
        kind = VOICEMAIL if kind == ChannelKind.VOICE else kind
        found.append(Work(pk, queue_id, kind, priority, waits, due_at and due_at.timestamp(), asks))
    return found


def _is_stale(work: Work, known: Handing, at: float) -> bool:
    return at - work.since > known.of(work.queue_id).stale_after_hours * 3600


def _said_no(known: Handing, now: datetime) -> dict[int, set[int]]:
    """By work: who declined or missed it within the time its queue sets."""
    longest = max((one.again_after_seconds for one in known.settings.values()), default=0)
    since = now - timedelta(seconds=max(longest, QueueSettings().again_after_seconds))
    found: dict[int, set[int]] = defaultdict(set)
    rows = Offer.objects.filter(status__in=SAID_NO, answered_at__gt=since)
    for work_id, agent_id, queue_id, at in rows.values_list("interaction_id", "agent_id", "queue_id", "answered_at"):
        if at is not None and (now - at).total_seconds() < known.of(queue_id).again_after_seconds:
            found[work_id].add(agent_id)
    return found


def _earlier(ids: list[int], known: Handing, now: datetime) -> tuple[dict[int, int], dict[int, set[int]]]:
    """By work: who had this person last, and who gave this work back a moment ago."""
    last: dict[int, int] = {}
    gave_back: dict[int, set[int]] = defaultdict(set)
    kinds = [TimelineKind.TAKEN, TimelineKind.CLOSED, TimelineKind.RETURNED]
    events = TimelineEvent.objects.filter(interaction__in=ids, kind__in=kinds, actor__isnull=False).order_by("at")
    for work_id, kind, actor_id, at, queue_id in events.values_list(
        "interaction_id", "kind", "actor_id", "at", "interaction__queue_id"
    ):
        if kind != TimelineKind.RETURNED:
            last[work_id] = actor_id
        elif (now - at).total_seconds() < known.of(queue_id).again_after_seconds:
            gave_back[work_id].add(actor_id)
    return _of_patients(ids, now) | last, gave_back


def _of_patients(ids: Iterable[int], now: datetime) -> dict[int, int]:
    whose = dict(Interaction.objects.filter(pk__in=ids).exclude(patient=None).values_list("pk", "patient_id"))
    earlier = Interaction.objects.filter(
        patient__in=set(whose.values()), owner__isnull=False, last_message_at__gt=now - AFFINITY
    ).order_by("patient_id", "-last_message_at")
    owners = dict(earlier.distinct("patient_id").values_list("patient_id", "owner_id"))
    return {pk: owners[patient_id] for pk, patient_id in whose.items() if patient_id in owners}


class Own(NamedTuple):
    """What every page asks of a person: how often what concerns them changed, the id of the offer that waits for them,
    and how many of their open conversations hold something they have not read."""

    sequence: int
    offer_id: int | None
    unread: int


def own_state(user_id: int, topic: str) -> Own:
    """The person's `Own` of now, in one short question."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce((SELECT sequence FROM inbox_topicsequence WHERE topic = %s), 0),"
            " (SELECT id FROM inbox_offer WHERE agent_id = %s AND status = 'pending'),"
            " (SELECT count(*) FROM inbox_interaction WHERE owner_id = %s AND unread_count > 0 AND status <> ALL(%s))",
            [topic, user_id, user_id, list(DONE)],
        )
        return Own(*cursor.fetchone())


def offer_to(user: User) -> Offer | None:
    """The one offer that waits for this person's answer, with what its card shows. One query."""
    found = Offer.objects.filter(agent=user, status=OfferStatus.PENDING)
    return found.select_related("interaction__patient", "interaction__reason", "queue").first()


def queue_settings_lines() -> list[tuple[Queue, QueueSettings, list[QueueSkill]]]:
    """Every queue in use with how it hands out its work and what it asks for. Three queries."""
    skills: dict[int, list[QueueSkill]] = defaultdict(list)
    for need in QueueSkill.objects.select_related("skill").order_by("skill__name"):
        skills[need.queue_id].append(need)
    known = {row.queue_id: row for row in QueueSettings.objects.select_related("overflow_queue", "escalation_queue")}
    return [
        (queue, known.get(queue.pk) or QueueSettings(queue=queue), skills[queue.pk])
        for queue in Queue.objects.filter(is_active=True)
    ]
