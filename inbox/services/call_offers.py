"""Who is asked to take a waiting call. The choice of the person is one function, which a finer one may replace."""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Max, QuerySet
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from contact_center.accounts.enums import Action, PresenceState
from contact_center.accounts.models import User
from contact_center.accounts.policies import roles_that_may
from inbox import realtime
from inbox.enums import CALL_OVER, CallMomentKind, CallStatus, InteractionStatus
from inbox.models import Call, CallMoment, Interaction, VoiceLine
from inbox.selectors.voice import address_of
from inbox.services.assignment import choose_for_call
from inbox.services.call_provider import steer
from inbox.services.calls import locked_call, note, show

M = CallMomentKind
WATCH_TASK, WATCH_QUEUE = "inbox.watch_calls", "default"
NOT_AGAIN_FOR = timedelta(seconds=60)
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
    return offer_waiting()


def offer_waiting() -> int:
    """Offer every waiting call that rings nowhere, most urgent and oldest first; returns how many were offered."""
    waiting = Call.objects.filter(status=CallStatus.WAITING, offered_to=None, claimed_at=None, ended_by="")
    ids = list(waiting.order_by("interaction__priority", "queued_at", "pk").values_list("pk", flat=True)[:200])
    return sum(_offer(call_id) for call_id in ids)


def _offer(call_id: int) -> bool:
    with realtime.atomic():
        call = Call.objects.select_for_update(of=("self",), skip_locked=True).filter(
            pk=call_id, status=CallStatus.WAITING, offered_to=None, claimed_at=None
        ).first()  # fmt: skip
        if call is None:
            return False
        agent = choose_agent(call)
        if agent is None:
            return False
        line = VoiceLine.objects.filter(channel=call.channel_id).first()
        now = timezone.now()
        call.offered_to = agent
        call.offer_ends_at = now + timedelta(seconds=line.offer_seconds if line else DEFAULT_OFFER)
        try:
            with transaction.atomic():
                call.save()
        except IntegrityError:  # another call began to ring there at this moment
            return False
        note(call, M.OFFERED, user=agent, at=now)
        show(call, Interaction.objects.get(pk=call.interaction_id))
        return True


def choose_agent(call: Call) -> User | None:
    """Whom distribution chooses of the queue's free people who have not just declined or missed this call."""
    refused = CallMoment.objects.filter(
        call=call, kind__in=[M.DECLINED, M.MISSED, M.LOST_AGENT], at__gt=timezone.now() - NOT_AGAIN_FOR
    )
    free = {person.pk: person for person in free_agents(call.queue_id)}
    said_no = [pk for pk in refused.values_list("user_id", flat=True) if pk is not None]
    chosen = choose_for_call(call.interaction, among=free, refused=said_no)
    return free[chosen] if chosen is not None else None


def free_agents(queue_id: int) -> QuerySet[User]:
    """People of the queue's teams with no call, offer or wrap-up time; whoever is idle longest first."""
    live = Call.objects.exclude(status__in=CALL_OVER)
    wrapping = Call.objects.filter(
        wrap_up_ends_at__gt=timezone.now(), interaction__status=InteractionStatus.WRAP_UP, agent__isnull=False
    )
    people = User.objects.filter(
        is_active=True,
        is_service_account=False,
        role__in=roles_that_may(Action.WORK_INBOX),
        presence__state=PresenceState.ONLINE,
        teams__queues=queue_id,
    )
    busy = (
        live.filter(agent__isnull=False).values("agent_id"),
        live.filter(offered_to__isnull=False).values("offered_to_id"),
        wrapping.values("agent_id"),
    )
    for ids in busy:
        people = people.exclude(pk__in=ids)
    last = Coalesce(Max("calls__ended_at"), F("presence__since_at"))
    return people.annotate(idle_since=Greatest(F("presence__since_at"), last)).order_by("idle_since", "pk")


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
        external_id = call.external_id
        address = address_of("wait", lang=call.language, queue=call.queue_id, n=2)
        transaction.on_commit(lambda: steer(lambda voice: voice.send_to(external_id, address)))
