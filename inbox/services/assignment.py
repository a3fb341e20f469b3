"""Offering waiting work to whoever is free, and what becomes of each offer.

Decisions are made on a snapshot without locks (`inbox.distribution`); each offer is then made in a transaction of its
own that locks the work and the person, passes over what somebody else holds, and asks again whether both are free.
"""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.enums import AutomaticAway, PresenceState
from contact_center.accounts.models import Presence, User
from contact_center.accounts.services import set_presence
from contact_center.audit.enums import AuditAction
from contact_center.common.errors import Conflict, Refused
from contact_center.common.wake import wake_on_commit
from inbox import realtime, signals
from inbox.distribution import Agent, Pair, carried, decide
from inbox.enums import (
    CALL_OVER,
    CallParty,
    DeclineReason,
    InteractionStatus,
    NotificationKind,
    OfferStatus,
    TimelineKind,
)
from inbox.models import AgentState, Call, CallLeg, Interaction, Offer
from inbox.selectors.distribution import available_agents, handing, load_of, waiting_work
from inbox.selectors.interactions import interactions_visible_to
from inbox.selectors.team import leads_of
from inbox.services.interactions import conclude, locked, tell
from inbox.services.notifications import notify

S, A = InteractionStatus, OfferStatus
TASK, WORKERS = "inbox.hand_out_work", "default"
MOST_ROUNDS = 3
GRACE = timedelta(seconds=3)
"""An answer that was on its way when the time ran out still counts, unless somebody else is asked already."""
MANY_REFUSALS = 4
"""Offers of one piece of work that came to nothing; then its leads hear of it."""


def hand_out_soon() -> None:
    """After the caller's transaction, let a worker offer what waits. Costs nothing where no queue offers its work."""
    if handing().pushed:
        wake_on_commit(TASK, WORKERS)


def hand_out_work(*, queue_id: int | None = None) -> int:
    """Offer what waits, of one queue or of all, to whoever is free; returns how many offers were made.

    Any number may run at once: nobody is asked for two things, no work is offered twice, nobody beyond their capacity.
    """
    refused: set[Pair] = set()
    made = 0
    for _round in range(MOST_ROUNDS):
        now = timezone.now()
        agents = {agent.id: agent for agent in available_agents(now)}
        works = waiting_work(now, free=len(agents)) if any(not one.is_asked for one in agents.values()) else []
        wanted = [work for work in works if queue_id in (None, work.queue_id)]
        pairs = [pair for pair in decide(agents.values(), wanted, now.timestamp()) if pair not in refused]
        missed = [pair for pair in pairs if not _offer(pair, agents[pair.agent_id])]
        made += len(pairs) - len(missed)
        if not missed:
            break
        refused.update(missed)
    return made


def _offer(pair: Pair, agent: Agent) -> bool:
    """Make one offer; False where the work or the person is not free any more, or somebody holds either."""
    with realtime.atomic():
        rows = Interaction.objects.select_for_update(of=("self",), skip_locked=True)
        work = rows.filter(pk=pair.work_id, status=S.QUEUED, owner=None).first()
        if work is None or not is_free_for(work, agent, work.channel_kind):
            return False
        now, terms = timezone.now(), handing().of(work.queue_id)
        offer = Offer.objects.create(
            interaction=work,
            agent_id=agent.id,
            queue_id=work.queue_id,
            channel_kind=work.channel_kind,
            offered_at=now,
            expires_at=now + timedelta(seconds=terms.offer_seconds),
        )
        work.offer()
        work.save(update_fields=["status", "updated_at"])
        _show(work, agent.id)
        signals.announce(signals.offer_made, offer_id=offer.pk, interaction_id=work.pk, agent_id=agent.id)
        return True


def is_free_for(work: Interaction, agent: Agent, kind: str) -> bool:
    """Lock the person until the caller's transaction ends and look again: available, asked for nothing, with room, and
    with the right to the work."""
    AgentState.objects.get_or_create(user_id=agent.id)
    state = AgentState.objects.select_for_update(skip_locked=True).filter(user_id=agent.id).first()
    is_there = Presence.objects.filter(user_id=agent.id, user__is_active=True, state=PresenceState.ONLINE).exists()
    if state is None or not is_there or _is_asked(agent.id):
        return False
    agent.load = carried(load_of([agent.id], timezone.now())).get(agent.id, {})
    return agent.has_room_for(kind) and _may_see(agent.id, work)


def _is_asked(agent_id: int) -> bool:
    offers = Offer.objects.filter(agent_id=agent_id, status=A.PENDING)
    return offers.exists() or Call.objects.filter(offered_to=agent_id).exists()


def _may_see(agent_id: int, work: Interaction) -> bool:
    person = User.objects.get(pk=agent_id)
    return interactions_visible_to(person, unowned=True, entrusted=True).filter(pk=work.pk).exists()


def _show(work: Interaction, *agent_ids: int) -> None:
    topics = [realtime.agent_topic(agent_id) for agent_id in agent_ids]
    realtime.touch(realtime.interaction_topic(work.pk), realtime.queue_topic(work.queue_id), *topics)


def accept(*, actor: User, offer_id: int) -> Interaction:
    """Take what was offered; accepting twice is once. Raises Conflict when the offer has ended, DoesNotExist for one
    that was not made to this person."""
    with realtime.atomic():
        offer, work = _held(actor, offer_id)
        now = timezone.now()
        if offer.status == A.ACCEPTED and work.owner_id == actor.pk:
            return work
        if offer.status != A.PENDING or work.status != S.OFFERED or now > offer.expires_at + GRACE:
            raise Conflict(_("This offer has ended. Somebody else is asked."))
        offer.accept(now)
        offer.save()
        work.owner = actor
        work.take()
        work.left_offer = False
        note_given(actor.pk, now)
        conclude(work, actor=actor, kind=TimelineKind.TAKEN, action=AuditAction.ASSIGNED)
        signals.announce(signals.offer_accepted, offer_id=offer.pk, interaction_id=work.pk, agent_id=actor.pk)
        return work


def decline(*, actor: User, offer_id: int, reason: str) -> None:
    """Say no, and why; it is offered to somebody else, and to this person again only after a while.

    Raises Refused without a known reason, Conflict when the offer has ended, DoesNotExist for one that was not made to
    this person.
    """
    if reason not in DeclineReason.values:
        raise Refused(_("Say why you decline."))
    with realtime.atomic():
        offer, work = _held(actor, offer_id)
        if offer.status == A.DECLINED:
            return
        if offer.status != A.PENDING:
            raise Conflict(_("This offer has ended. Somebody else is asked."))
        offer.decline(timezone.now(), reason)
        offer.save()
        AgentState.objects.filter(user=actor).update(missed_in_row=0)
        _back_in_queue(work, offer)


def _held(actor: User, offer_id: int) -> tuple[Offer, Interaction]:
    """The person's offer and its work, locked; the work first, as everywhere."""
    work = locked(Offer.objects.values_list("interaction_id", flat=True).get(pk=offer_id, agent=actor))
    return Offer.objects.select_for_update().get(pk=offer_id), work


def _back_in_queue(work: Interaction, offer: Offer) -> None:
    """Its offer came to nothing: it waits again, where it stood."""
    if work.status == S.OFFERED:
        work.return_to_queue()
        work.left_offer = False
        work.save(update_fields=["status", "updated_at"])
    _show(work, offer.agent_id)
    signals.announce(signals.offer_ended, offer_id=offer.pk, interaction_id=work.pk, agent_id=offer.agent_id)
    refused = Offer.objects.filter(interaction=work, status__in=[A.DECLINED, A.MISSED], offered_at__gte=_began(work))
    if offer.status != A.WITHDRAWN and refused.count() == MANY_REFUSALS:
        for lead in leads_of(work.queue_id):
            notify(user=lead, kind=NotificationKind.LEFT_LYING, interaction=work, dedupe_key=f"refused:{offer.pk}")
    wake_on_commit(TASK, WORKERS)


def _began(work: Interaction) -> datetime:
    return work.episode_started_at


def end_offers_of(work: Interaction) -> list[int]:
    """Withdraw the offer of work that went its way otherwise; ids of whom it was made to. In the caller's transaction,
    which holds the work's row."""
    found = list(Offer.objects.select_for_update().filter(interaction=work, status=A.PENDING))
    for offer in found:
        offer.withdraw(timezone.now())
        offer.save()
        signals.announce(signals.offer_ended, offer_id=offer.pk, interaction_id=work.pk, agent_id=offer.agent_id)
    return [offer.agent_id for offer in found]


def withdraw_offer(*, interaction_id: int) -> Interaction:
    """Nobody is asked any more, the person may have left: it waits in its queue again."""
    with realtime.atomic():
        work = locked(interaction_id)
        if work.status == S.OFFERED:
            work.return_to_queue()
            work.save(update_fields=["status", "updated_at"])
            tell(work)
        return work


def withdraw_offers_to(agent_id: int) -> int:
    """Ask somebody else for what this person has not answered; returns how many offers ended."""
    return sum(_end(pk, is_missed=False) for pk in _pending().filter(agent_id=agent_id).values_list("pk", flat=True))


def expire_offers(*, limit: int = 200) -> int:
    """End offers whose time ran out, each in a transaction of its own; returns how many.

    Whom a call fills meanwhile, their own or one they are asked in, has missed nothing; somebody else is asked at once.
    """
    on_calls = Call.objects.filter(agent__isnull=False).exclude(status__in=CALL_OVER).values("agent")
    asked = CallLeg.objects.filter(party=CallParty.CONSULTED, user__isnull=False, left_at=None)
    live = asked.exclude(call__status__in=CALL_OVER).values("user")
    filled = _pending().filter(Q(agent__in=on_calls) | Q(agent__in=live)).values_list("pk", flat=True)
    ended = sum(_end(pk, is_missed=False) for pk in filled[:limit])
    late = _pending().filter(expires_at__lt=timezone.now() - GRACE).order_by("expires_at")
    return ended + sum(_end(pk, is_missed=True) for pk in late.values_list("pk", flat=True)[:limit])


def _pending() -> QuerySet[Offer]:
    return Offer.objects.filter(status=A.PENDING)


def _end(offer_id: int, *, is_missed: bool) -> bool:
    with realtime.atomic():
        rows = Interaction.objects.select_for_update(of=("self",), skip_locked=True)
        work = rows.filter(offers=offer_id).first()
        offer = Offer.objects.select_for_update().get(pk=offer_id)
        if work is None or offer.status != A.PENDING:
            return False
        now = timezone.now()
        offer.miss(now) if is_missed else offer.withdraw(now)
        offer.save()
        _back_in_queue(work, offer)
        if is_missed:
            _note_missed(offer)
        return True


def _note_missed(offer: Offer) -> None:
    """Whoever misses several in a row is not at their desk, and is asked for nothing more until they say so."""
    state = AgentState.objects.select_for_update().get(user_id=offer.agent_id)
    state.missed_in_row += 1
    state.save(update_fields=["missed_in_row"])
    if state.missed_in_row >= handing().of(offer.queue_id).most_missed:
        set_presence(user=offer.agent, state=PresenceState.AWAY, reason=AutomaticAway.NO_ANSWER)


def note_given(agent_id: int, now: datetime) -> None:
    """They have got work, so others are asked before them."""
    AgentState.objects.filter(user_id=agent_id).update(missed_in_row=0, idle_since_at=now)


def note_done(agent_id: int) -> None:
    """They have finished something: idle time counts from now, as after a call."""
    AgentState.objects.filter(user_id=agent_id).update(idle_since_at=timezone.now())


def note_seen(agent_id: int, *, at_most_every: timedelta = timedelta(seconds=30)) -> None:
    """A page of theirs is alive. One statement, which mostly finds nothing to change."""
    now = timezone.now()
    stale = AgentState.objects.filter(user_id=agent_id).exclude(seen_at__gt=now - at_most_every)
    if not stale.update(seen_at=now):
        AgentState.objects.get_or_create(user_id=agent_id, defaults={"seen_at": now, "idle_since_at": now})


def note_present(agent_id: int) -> None:
    """They said themselves that they are available: what they missed before is forgotten."""
    note_seen(agent_id, at_most_every=timedelta())
    AgentState.objects.filter(user_id=agent_id, missed_in_row__gt=0).update(missed_in_row=0)
