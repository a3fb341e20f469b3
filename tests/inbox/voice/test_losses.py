"""Browsers that die and callers who hang up, wherever in a call they are."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from contact_center.accounts.models import Presence
from inbox.models import AgentState
from inbox.selectors.calls import phone_of
from inbox.services import call_control
from inbox.services.availability import watch_people
from inbox.services.call_offers import watch_calls
from tests.inbox.voice.test_control import end_leg

pytestmark = [pytest.mark.django_db, pytest.mark.fault]


@pytest.mark.parametrize("dies", ["while it rings", "in wrap-up"])
def test_when_the_agent_s_browser_dies(dies, caller, provider, ready, agent, second_agent, signed_in):
    for person, idle in ((agent, 9), (second_agent, 1)):
        ready(person, minutes=idle)
    call = caller.wait_in_line()
    watch_calls()
    if dies == "in wrap-up":
        call_control.accept_call(actor=agent, call_id=call.pk)
        call = caller.hang_up()
    until, seen = call.wrap_up_ends_at, timezone.now() - timedelta(minutes=4)
    AgentState.objects.update_or_create(user=agent, defaults={"seen_at": seen})
    with time_machine.travel(timezone.now() + timedelta(seconds=25)):
        assert watch_people() == 1
        watch_calls()
        call.refresh_from_db()
        now = (Presence.objects.get(user=agent).state, call.offered_to, call.interaction.status, call.interaction.owner)
        if dies == "while it rings":
            assert now == ("away", second_agent, "queued", None)
        else:
            assert now == ("away", None, "wrap_up", agent)
            page = signed_in(agent).get(f"/inbox/{call.interaction_id}/").content.decode()
            told = f'<span class="num">{timezone.localtime(until):%H:%M:%S}</span>'
            assert (call.wrap_up_ends_at, told in page) == (until, True)


WHERE = ["rings", "talks", "is held", "a colleague is asked", "waits after a transfer", "waits for a lost agent"]


@pytest.mark.parametrize("where", WHERE)
def test_the_caller_may_hang_up_while(where, caller, provider, ready, agent, second_agent, clinical_queue, post_twilio):
    ready(agent)
    call = caller.wait_in_line()
    watch_calls()
    if where != "rings":
        call_control.accept_call(actor=agent, call_id=call.pk)
    if where == "is held":
        call_control.hold_call(actor=agent, call_id=call.pk)
    if where == "a colleague is asked":
        call_control.consult(actor=agent, call_id=call.pk, colleague=second_agent)
    if where == "waits after a transfer":
        call_control.transfer_call(actor=agent, call_id=call.pk, queue=clinical_queue, why="A nurse knows")
    if where == "waits for a lost agent":
        end_leg(post_twilio, call, call.legs.get(party="agent"))
        caller.step(f"/webhooks/twilio/voice?step=after&lang=en&queue={call.queue_id}")
    call = caller.hang_up()
    over = (
        call.status,
        call.ended_by,
        call.offered_to,
        call.legs.filter(left_at=None).count(),
        phone_of(agent).current,
    )
    is_talk = where not in ("rings", "waits after a transfer")
    assert over == ("completed" if is_talk else "abandoned", "patient", None, 0, None)
    assert (call.interaction.status, call.interaction.owner) == (("wrap_up", agent) if is_talk else ("abandoned", None))
