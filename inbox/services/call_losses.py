"""Connections that break: who waits again, who comes back, and which legs are let go."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from django.db import transaction

from inbox.adapters.events import CallEvent
from inbox.enums import TALKING, CallMomentKind, CallParty, InteractionStatus, TimelineKind
from inbox.models import Call, CallLeg, Interaction, TimelineEvent
from inbox.selectors.voice import address_of, has_lost_agent
from inbox.services import recordings
from inbox.services.call_provider import steer
from inbox.services.call_rows import note

M, P = CallMomentKind, CallParty


def lose_agent(call: Call, interaction: Interaction, at: datetime) -> None:
    """The agent's device is gone: the caller waits again, first in line, and is nobody's until somebody answers."""
    note(call, M.LOST_AGENT, user=call.agent, at=at)
    give_back_call(call, interaction, at)


def give_back_call(call: Call, interaction: Interaction, at: datetime) -> None:
    """Let the caller wait again at the old place; both rows are locked and saved by whoever calls this."""
    recordings.end_live(call, at)
    call.requeue(at)
    if interaction.status == InteractionStatus.ACTIVE:
        interaction.return_to_queue()
        TimelineEvent.objects.create(
            interaction=interaction, kind=TimelineKind.RETURNED, at=at, to_queue_id=interaction.queue_id
        )
    interaction.waiting_since_at = interaction.waiting_since_at or at


def come_back(call: Call, item: CallEvent, at: datetime) -> None:
    """The agent's device is back, their page was loaded anew: the caller, who hears that we try, meets them again."""
    if call.status not in TALKING or call.agent_id != item.payload.get("user") or call.ended_by:
        let_go([item.external_id])
        return
    theirs = call.legs.filter(party=P.AGENT, user=call.agent, left_at=None)
    if theirs.filter(external_id=item.external_id).exists():
        return
    if not has_lost_agent(call):  # the provider has not noticed yet that the old page is gone
        let_go(theirs.values_list("external_id", flat=True))
        return
    theirs.update(left_at=at)
    CallLeg.objects.create(call=call, party=P.AGENT, user=call.agent, external_id=item.external_id, joined_at=at)
    note(call, M.ANSWERED, user=call.agent, at=at)
    turn = call.moments.filter(kind=M.ANSWERED).count()
    address = address_of("join", call=call.pk, lang=call.language, queue=call.queue_id, n=turn)
    external_id = call.external_id
    transaction.on_commit(lambda: steer(lambda voice: voice.send_to(external_id, address)))


def let_go(legs: Iterable[str]) -> None:
    """After commit, hang up these legs of the provider's; one that is gone or does not answer is no error."""
    for leg in filter(None, legs):
        transaction.on_commit(partial(_hang_up, leg))


def _hang_up(leg: str) -> None:
    steer(lambda voice: voice.hang_up(leg))


def send_back(call: Call) -> None:
    """After commit, let the caller hear that they wait; a provider that does not answer is asked again by the watch."""
    address = address_of("wait", lang=call.language, queue=call.queue_id, n=2)
    external_id = call.external_id
    transaction.on_commit(lambda: steer(lambda voice: voice.send_to(external_id, address)))


def note_end(call: Call, at: datetime) -> None:
    """Nobody is connected any more and nothing is recorded; of a call whose end its row has already."""
    note(call, CallMomentKind.ENDED, at=at, detail=call.ended_by)
    recordings.end_live(call, at)
    call.legs.filter(left_at=None).update(left_at=at)
