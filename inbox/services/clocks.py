"""The clocks of an interaction follow from what it is now: every verb that changes it asks for them to be settled.

Called in the transaction of the change, with the interaction's row locked, just before it is saved.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils import timezone

from inbox.enums import DONE, ClockKind, Direction, InteractionStatus, PauseState, StopReason
from inbox.models import Interaction, SlaClock
from inbox.selectors.hours import Setup, setup
from inbox.sla import Terms

K, S = ClockKind, InteractionStatus
RESPONSES = (K.FIRST_RESPONSE, K.NEXT_RESPONSE)


def settle(interaction: Interaction, *, at: datetime | None = None, is_answered: bool = True) -> None:
    """Start, pause, meet and stop the clocks of a stored interaction as its facts ask, and set what it has due next.

    The caller saves the interaction. Without `is_answered` a patient who waits no longer has not got an answer: the
    messages moved elsewhere. Settling twice changes nothing.
    """
    keep(interaction, advance(interaction, at=at, is_answered=is_answered))


def advance(interaction: Interaction, *, at: datetime | None = None, is_answered: bool = True) -> list[SlaClock]:
    """As `settle`, also for an interaction that is not stored yet; the clocks that changed are given back to `keep`."""
    known, at = setup(), at or timezone.now()
    is_watched = bool(known.policies) or bool(interaction.due_kind)
    running = running_clocks(interaction) if interaction.pk and is_watched else []
    if not running and not known.policies:
        return []
    terms = None if interaction.is_done else known.terms_of(interaction)
    wanted = _wanted(interaction, terms)
    changed: list[SlaClock] = []
    for clock in running:
        if clock.kind not in wanted:
            _end(clock, interaction, known, at, is_answered)
        elif terms is not None and _has_other_terms(clock, interaction, known, terms, wanted[clock.kind]):
            changed.append(_restarted(clock, interaction, known, terms, wanted[clock.kind], at))
        wanted.pop(clock.kind, None)
        changed.append(clock)
    if terms is not None:
        changed += [_started(kind, since, interaction, known, terms) for kind, since in wanted.items()]
    holds = _holds(interaction) & terms.pauses_in if terms else set()
    for clock in changed:
        _hold_or_go_on(clock, known, at, is_held=bool(holds))
    _note_next(interaction, changed)
    return changed


def keep(interaction: Interaction, clocks: Iterable[SlaClock]) -> None:
    """Store clocks that `advance` gave; those that ended first, since of each kind one may run."""
    found = sorted(clocks, key=lambda clock: clock.is_running)
    for clock in found:
        if clock.pk is not None:
            clock.save()
    new = [clock for clock in found if clock.pk is None]
    for clock in new:
        clock.interaction = interaction
    if new:
        SlaClock.objects.bulk_create(new)


def running_clocks(interaction: Interaction) -> list[SlaClock]:
    """Clocks of the interaction that are neither met nor stopped."""
    return list(interaction.clocks.filter(met_at=None, stopped_at=None))


def bring_back(interaction: Interaction, *, ended_since: datetime, kinds: Iterable[ClockKind] = tuple(K)) -> None:
    """What ended clocks of this episode since then was taken back: they count on. The caller settles afterwards."""
    if not interaction.due_kind and not setup().policies:
        return
    ended = interaction.clocks.filter(episode=interaction.episode, kind__in=list(kinds)).order_by("-pk")
    running = {clock.kind for clock in running_clocks(interaction)}
    for clock in ended.exclude(stopped_why=StopReason.CHANGED):
        end = clock.met_at or clock.stopped_at
        if end is None or end < ended_since or clock.kind in running:
            continue
        running.add(clock.kind)
        clock.bring_back()
        clock.save()
        if clock.kind in RESPONSES and interaction.waiting_since_at is not None:
            interaction.waiting_since_at = min(clock.started_at, interaction.waiting_since_at)


def recount(clock: SlaClock, *, at: datetime) -> None:
    """Its calendar has changed: what is left ends anew. The caller stores it and settles its interaction."""
    known = setup()
    calendar = known.calendar(clock.calendar_id)
    if clock.counting_since_at is not None and clock.breached_at is None:
        clock.count(calendar, clock.counting_since_at)
    clock.calendar_version = known.versions.get(clock.calendar_id or 0, 0)


def _wanted(interaction: Interaction, terms: Terms | None) -> dict[str, datetime]:
    """Since when which clocks should run."""
    if terms is None:
        return {}
    found: dict[str, datetime] = {K.RESOLUTION: interaction.episode_started_at}
    if interaction.waiting_since_at is not None:
        found[_response_kind(interaction)] = interaction.waiting_since_at
    return {kind: since for kind, since in found.items() if kind in terms.targets}


def _response_kind(interaction: Interaction) -> ClockKind:
    is_first = interaction.first_reply_at is None and interaction.direction == Direction.INBOUND
    return K.FIRST_RESPONSE if is_first else K.NEXT_RESPONSE


def _end(clock: SlaClock, interaction: Interaction, known: Setup, at: datetime, is_answered: bool) -> None:
    calendar = known.calendar(clock.calendar_id)
    if interaction.status in DONE:
        if clock.kind == K.RESOLUTION and interaction.status == S.CLOSED and interaction.merged_into_id is None:
            clock.meet(calendar, at)
            return
        abandoned = StopReason.ABANDONED if interaction.status == S.ABANDONED else StopReason.CLOSED
        clock.stop(calendar, at, StopReason.MERGED if interaction.merged_into_id else abandoned)
    elif clock.kind in RESPONSES and _is_answered(clock, interaction):
        if is_answered:
            clock.meet(calendar, at)
        else:
            clock.stop(calendar, at, StopReason.MOVED)
    else:
        clock.stop(calendar, at, StopReason.CHANGED)


def _is_answered(clock: SlaClock, interaction: Interaction) -> bool:
    if interaction.waiting_since_at is None:
        return True
    return clock.kind == K.FIRST_RESPONSE and interaction.first_reply_at is not None


def _has_other_terms(clock: SlaClock, interaction: Interaction, known: Setup, terms: Terms, since: datetime) -> bool:
    calendar_id = terms.calendar_for(known.queue_calendars.get(interaction.queue_id))
    present = (clock.policy_id, clock.target, clock.calendar_id, clock.started_at)
    return present != (terms.policy_id, terms.targets[clock.kind], calendar_id, since)


def _started(kind: str, since: datetime, interaction: Interaction, known: Setup, terms: Terms) -> SlaClock:
    calendar_id = terms.calendar_for(known.queue_calendars.get(interaction.queue_id))
    clock = SlaClock(
        episode=interaction.episode,
        kind=kind,
        policy_id=terms.policy_id,
        calendar_id=calendar_id,
        calendar_version=known.versions.get(calendar_id or 0, 0),
        target=terms.targets[kind],
        warn_percent=terms.warn_percent,
        started_at=since,
    )
    clock.count(known.calendar(calendar_id), since)
    return clock


def _restarted(
    old: SlaClock, interaction: Interaction, known: Setup, terms: Terms, since: datetime, at: datetime
) -> SlaClock:
    """The same wait under other terms. A clock that never paused counts from its start by the new calendar."""
    new = _started(old.kind, since, interaction, known, terms)
    if old.paused or old.paused_at is not None:
        new.used, new.paused = old.used_until(known.calendar(old.calendar_id), at), old.paused
        if old.paused_at is not None:
            new.paused += max(at - old.paused_at, timedelta())
        new.count(known.calendar(new.calendar_id), at)
    old.stop(known.calendar(old.calendar_id), at, StopReason.CHANGED)
    return new


def _holds(interaction: Interaction) -> set[str]:
    facts = (
        (PauseState.AWAITING_PATIENT, interaction.waiting_since_at is None),
        (PauseState.SNOOZED, interaction.status == S.SNOOZED),
        (PauseState.WRAP_UP, interaction.status == S.WRAP_UP),
        (PauseState.BOT, interaction.status == S.BOT),
    )
    return {str(state) for state, holds in facts if holds}


def _hold_or_go_on(clock: SlaClock, known: Setup, at: datetime, *, is_held: bool) -> None:
    if not clock.is_running:
        return
    calendar = known.calendar(clock.calendar_id)
    if is_held and clock.paused_at is None:
        clock.pause(calendar, at)
    elif not is_held and clock.paused_at is not None:
        clock.resume(calendar, at)


def _note_next(interaction: Interaction, clocks: Iterable[SlaClock]) -> None:
    running = [clock for clock in clocks if clock.is_running]
    counting = [clock for clock in running if clock.paused_at is None and clock.due_at is not None]
    first = min(counting, key=lambda clock: clock.due_at or clock.started_at, default=None)
    interaction.due_at, interaction.warn_at = (first.due_at, first.warn_at) if first else (None, None)
    interaction.due_kind = first.kind if first else running[0].kind if running else ""
