"""A waiting call rings at one person after another. Whom, distribution decides; what is locked is looked at again."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from contact_center.accounts.models import User
from inbox import realtime
from inbox.distribution import VOICE, Agent, Pair, decide
from inbox.enums import CallMomentKind, CallStatus
from inbox.models import Call, Interaction, VoiceLine
from inbox.selectors.distribution import available_agents, waiting_calls
from inbox.selectors.voice import address_of
from inbox.services.assignment import is_free_for
from inbox.services.call_consults import release_claims
from inbox.services.call_placing import end_undialled
from inbox.services.call_provider import steer
from inbox.services.call_rows import locked_call, note, show
from inbox.services.call_turns import bring_due

M = CallMomentKind
WATCH_TASK, WATCH_QUEUE = "inbox.watch_calls", "default"
CLAIM_HOLDS_FOR = timedelta(seconds=45)
"""Longer than two calls to the provider may take: a claim that is older belongs to a process that died."""
DEFAULT_OFFER = 20


def watch_calls() -> int:
    """Take back offers nobody answered and claims of dead processes, then offer what waits; returns how many offers."""
    now = timezone.now()
    for call_id in Call.objects.filter(offer_ends_at__lt=now).values_list("pk", flat=True):
        withdraw_offer(call_id, M.MISSED)
    stale = Call.objects.filter(status=CallStatus.WAITING, claimed_at__lt=now - CLAIM_HOLDS_FOR)
    for call_id in stale.values_list("pk", flat=True):
        _release_claim(call_id)
    end_undialled(now - CLAIM_HOLDS_FOR)
    release_claims(now - CLAIM_HOLDS_FOR)
    bring_due()
    return offer_waiting()


def offer_waiting() -> int:
    """Let every waiting call that rings nowhere ring at whom distribution chooses; returns how many rang."""
    now = timezone.now()
    works = waiting_calls(now)
    agents = {agent.id: agent for agent in available_agents(now)} if works else {}
    return sum(_offer(pair, agents[pair.agent_id]) for pair in decide(agents.values(), works, now.timestamp()))


def _offer(pair: Pair, agent: Agent) -> bool:
    """Let one call ring; False where it waits no more, the person is not free any more, or somebody holds either."""
    with realtime.atomic():
        call = Call.objects.select_for_update(of=("self",), skip_locked=True).filter(
            interaction=pair.work_id, status=CallStatus.WAITING, offered_to=None, claimed_at=None
        ).first()  # fmt: skip
        if call is None:
            return False
        work = Interaction.objects.get(pk=call.interaction_id)
        if not is_free_for(work, agent, VOICE):
            return False
        line = VoiceLine.objects.filter(channel=call.channel_id).first()
        now = timezone.now()
        call.queue_id, call.offered_to_id = work.queue_id, agent.id
        call.offer_ends_at = now + timedelta(seconds=line.offer_seconds if line else DEFAULT_OFFER)
        call.save()
        note(call, M.OFFERED, user=call.offered_to, at=now)
        show(call, work)
        return True


def withdraw_offer(call_id: int, why: CallMomentKind, *, only_of: User | None = None) -> bool:
    """Let a call ring no longer at the person it was offered to; False when it does not ring there any more."""
    with realtime.atomic():
        call = locked_call(call_id)
        user = call.offered_to
        if user is None or (only_of is not None and user.pk != only_of.pk):
            return False
        if why == M.MISSED and call.offer_ends_at and call.offer_ends_at > timezone.now():
            return False
        call.offered_to = call.offer_ends_at = None
        call.save()
        note(call, why, user=user)
        show(call, Interaction.objects.get(pk=call.interaction_id), user.pk)
        return True


def _release_claim(call_id: int) -> None:
    """Whoever accepted died before the provider knew: the caller waits on, and hears so."""
    with realtime.atomic():
        call = locked_call(call_id)
        if call.status != CallStatus.WAITING or call.claimed_at is None:
            return
        agent = call.agent
        call.agent = call.claimed_at = None
        call.save()
        note(call, M.NOT_CONNECTED, user=agent)
        show(call, Interaction.objects.get(pk=call.interaction_id), agent.pk if agent else None)
        if call.callback_id is not None:
            return
        external_id = call.external_id
        address = address_of("wait", lang=call.language, queue=call.queue_id, n=2)
        transaction.on_commit(lambda: steer(lambda voice: voice.send_to(external_id, address)))
