"""What people did since a moment: when they were there, and when they were on contact with whom."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q

from analytics.occupancy import Occupancy, Span, occupancy
from contact_center.accounts.enums import PresenceState
from contact_center.accounts.models import PresenceChange
from inbox.enums import TALKING, InteractionStatus, TimelineKind
from inbox.models import Call, Interaction, TimelineEvent

S, K = InteractionStatus, TimelineKind
BEGINS = {K.TAKEN, K.REOPENED}
"""From here on whoever did it holds the conversation."""
HANDED = {K.ASSIGNED, K.TRANSFERRED}
"""From here on the person it was handed to, or nobody."""
ENDS = {K.RETURNED, K.CLOSED, K.SNOOZED, K.ESCALATED, K.SENT_BACK, K.ABANDONED}
TURNS = [*BEGINS, *HANDED, *ENDS, K.WOKEN]


class Contact(NamedTuple):
    """One person was on contact in this conversation from then till then."""

    interaction_id: int
    start: float
    end: float
    is_call: bool


def presence_since(ids: Collection[int], since: datetime, now: datetime) -> dict[int, dict[str, list[Span]]]:
    """By person and state the times they were in it. Two queries."""
    turns: dict[int, list[tuple[float, str]]] = defaultdict(list)
    before = PresenceChange.objects.filter(user__in=ids, at__lt=since).order_by("user_id", "-at").distinct("user_id")
    for user_id, state in before.values_list("user_id", "state"):
        turns[user_id].append((since.timestamp(), state))
    later = PresenceChange.objects.filter(user__in=ids, at__gte=since).order_by("at", "pk")
    for user_id, state, at in later.values_list("user_id", "state", "at"):
        turns[user_id].append((at.timestamp(), state))
    found: dict[int, dict[str, list[Span]]] = defaultdict(lambda: defaultdict(list))
    for user_id, changes in turns.items():
        ends = [at for at, _state in changes[1:]] + [now.timestamp()]
        for (start, state), end in zip(changes, ends, strict=True):
            found[user_id][state].append(Span(start, end))
    return found


def contacts_since(ids: Collection[int], since: datetime, now: datetime) -> dict[int, list[Contact]]:
    """By person their calls, with wrap-up, and the conversations they held, within that time. Four queries."""
    found: dict[int, list[Contact]] = defaultdict(list)
    first, last = since.timestamp(), now.timestamp()
    for user_id, contact in (*_calls(ids, since, now), *_held(since, now)):
        if user_id in ids and contact.end > first:
            found[user_id].append(contact._replace(start=max(first, contact.start), end=min(last, contact.end)))
    return found


def _calls(ids: Collection[int], since: datetime, now: datetime) -> Iterable[tuple[int, Contact]]:
    mine = Call.objects.filter(agent__in=ids, answered_at__isnull=False)
    rows = mine.filter(Q(ended_at__gte=since) | Q(status__in=TALKING))
    fields = ("agent_id", "interaction_id", "answered_at", "ended_at", "wrap_up_ends_at", "interaction__closed_at")
    for user_id, pk, start, ended, wrap_up, closed in rows.order_by().values_list(*fields):
        ends = [moment for moment in (wrap_up, closed) if moment is not None]
        end = now if ended is None else max(ended, min(ends)) if ends else ended
        yield user_id or 0, Contact(pk, start.timestamp(), end.timestamp(), True)  # type: ignore[union-attr]


def _held(since: datetime, now: datetime) -> Iterable[tuple[int, Contact]]:
    """Who held which conversation when, from what happened to it since then and how it stood before."""
    events: dict[int, list[tuple[float, str, int | None]]] = defaultdict(list)
    rows = TimelineEvent.objects.filter(at__gte=since, kind__in=TURNS).order_by("at", "pk")
    for pk, kind, at, actor, to_user in rows.values_list("interaction_id", "kind", "at", "actor_id", "to_user_id"):
        events[pk].append((at.timestamp(), kind, to_user if kind in HANDED else actor))
    owned = Interaction.objects.filter(status__in=[S.ACTIVE, S.WRAP_UP], owner__isnull=False)
    owners = dict(owned.order_by().values_list("pk", "owner_id"))
    earlier = TimelineEvent.objects.filter(interaction__in=list(events), at__lt=since, kind__in=TURNS)
    before = {
        pk: to_user if kind in HANDED else actor if kind in BEGINS else None
        for pk, kind, actor, to_user in earlier.order_by("interaction_id", "-at", "-pk")
        .distinct("interaction_id")
        .values_list("interaction_id", "kind", "actor_id", "to_user_id")
    }
    for pk in {*events, *owners}:
        holder = before.get(pk) if pk in events else owners[pk]
        yield from _turns(pk, holder, events.get(pk, []), owners.get(pk), since.timestamp(), now.timestamp())


def _turns(
    pk: int,
    holder: int | None,
    events: list[tuple[float, str, int | None]],
    owner: int | None,
    start: float,
    now: float,
) -> Iterable[tuple[int, Contact]]:
    last = holder or owner
    for at, kind, person in events:
        if holder is not None and kind != K.WOKEN:
            yield holder, Contact(pk, start, at, False)
        if kind in BEGINS or kind in HANDED:
            holder, last, start = person, person or last, at
        elif kind == K.WOKEN:
            holder, start = holder or last, start if holder else at
        else:
            holder, last = None, holder or last
    if holder is not None:
        yield holder, Contact(pk, start, now, False)


def occupancy_of(
    ids: Collection[int], since: datetime, now: datetime, contacts: dict[int, list[Contact]] | None = None
) -> dict[int, Occupancy]:
    """Each person's seconds on contact and idle since that moment. Six queries whatever the number."""
    there = presence_since(ids, since, now)
    held = contacts_since(ids, since, now) if contacts is None else contacts
    return {
        pk: occupancy(
            calls=[Span(one.start, one.end) for one in held.get(pk, []) if one.is_call],
            written=[Span(one.start, one.end) for one in held.get(pk, []) if not one.is_call],
            available=there[pk][PresenceState.ONLINE],
            busy=there[pk][PresenceState.BUSY],
        )
        for pk in ids
    }
