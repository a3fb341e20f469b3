"""A patient's phone, the provider and the product over real HTTP: menu, queue, agent, hold, transfer, wrap-up."""

import pytest

from contact_center.accounts.services import set_presence
from contact_center.common.errors import Refused
from inbox.enums import Supervision
from inbox.models import Call, Recording, TranscriptLine, VoiceLine
from inbox.selectors.voice_lines import forget_lines
from inbox.services import call_control, recording_store, supervision
from inbox.services.call_offers import watch_calls
from inbox.services.ledger import drain_ledger
from tests.simulator.fixtures import make_simulator, wait_for

__all__ = ["make_simulator"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def wire(live_server, make_simulator, settings, line):
    """The simulator speaks to this server; `wire.call()` is a patient's phone."""
    settings.PUBLIC_BASE_URL = live_server.url
    simulator = make_simulator(live_server.url)
    settings.TWILIO_API_BASE_URL = simulator.url
    simulator.call("PUT", "/_calls/pace", json={"word": 0, "music": 0.2, "key": 0.3, "answer": 0})
    return simulator


def noted(condition):
    """The workers have noted what makes this true."""
    return wait_for(lambda: (drain_ledger(), condition())[1])


def test_a_call_from_the_menu_to_the_wrap_up(wire, agent, supervisor, clinical_agent, line, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    VoiceLine.objects.update(recording="announce", transcribes=True)
    forget_lines()
    wire.set_faults(
        {"match": {"endpoint": "callback"}, "effect": {"type": "duplicate", "times": 1}},
        {"match": {"endpoint": "callback", "probability": 0.5}, "effect": {"type": "delay", "seconds": 0.3}},
    )
    set_presence(user=agent, state="online")
    sid = wire.call("POST", "/_calls", json={"from": "+13055550123", "to": "+15005550111"}).json()["sid"]

    def phone():
        return next(one for one in wire.call("GET", "/_calls").json()["calls"] if one["sid"] == sid)

    def do(deed, value=""):
        return wire.call("POST", f"/_calls/{sid}", json={"do": deed, "value": value})

    wait_for(lambda: phone()["is_asked"])
    assert phone()["heard"][0]["text"] == "If this is an emergency, hang up and call 9 1 1."
    do("press", "1")
    wait_for(lambda: any("appointments" in line["text"] for line in phone()["heard"]))
    do("press", "1")
    call = noted(lambda: Call.objects.filter(status="waiting").first())
    assert watch_calls() == 1
    call_control.accept_call(actor=agent, call_id=call.pk)
    wait_for(lambda: phone()["room"] == f"call-{call.pk}")
    assert Recording.objects.get().status == "active"
    do("say", "Good morning")
    noted(lambda: TranscriptLine.objects.filter(text="Good morning").first())
    supervision.supervise(actor=supervisor, call_id=call.pk, mode=Supervision.WHISPER)
    coach = wait_for(lambda: next(iter(one for one in legs_in(wire, f"call-{call.pk}") if one["coaches"]), None))
    assert (coach["is_muted"], coach["coaches"]) == (False, call.legs.get(party="agent").external_id)
    supervision.leave(actor=supervisor, call_id=call.pk)
    call_control.hold_call(actor=agent, call_id=call.pk)
    assert phone()["is_held"] is True
    set_presence(user=clinical_agent, state="online")
    call_control.consult(actor=agent, call_id=call.pk, colleague=clinical_agent)
    wait_for(lambda: len(legs_in(wire, f"call-{call.pk}")) == 3)
    call_control.hand_over(actor=agent, call_id=call.pk, why="A nurse knows", summary="Pain since Monday")
    assert noted(lambda: len(legs_in(wire, f"call-{call.pk}")) == 2 and not phone()["is_held"])
    do("hang_up")
    done = noted(lambda: Call.objects.filter(pk=call.pk, status="completed").first())
    assert (done.agent, done.ended_by, done.interaction.status) == (clinical_agent, "patient", "wrap_up")
    noted(lambda: Recording.objects.exclude(seconds=None).first())
    recording_store.fetch_recordings()
    recording = Recording.objects.get()
    assert (recording.status, recording.file.read(4)) == ("stored", b"RIFF")
    kinds = list(done.moments.values_list("kind", flat=True))
    assert sorted(kinds) == sorted(
        ["started", "chosen", "consent", "queued", "offered", "answered", "recorded", "whispers", "left", "rec_paused"]
        + ["held", "consulted", "rec_resumed", "transferred", "ended"]
    )


def legs_in(wire, room):
    calls = wire.call("GET", "/_calls").json()["calls"]
    return [one for one in calls if one["room"] == room and one["status"] == "in-progress"]


@pytest.mark.fault
@pytest.mark.parametrize("effect", [{"type": "http", "status": 503}, {"type": "cut"}])
def test_c4_while_the_telephone_service_is_down_nobody_is_in_silence_and_all_callers_are_answered_after(
    wire, agent, second_agent, effect
):
    agents = [agent, second_agent]
    numbers = [f"+1305555020{index}" for index in range(len(agents))]
    sids = [wire.call("POST", "/_calls", json={"from": one, "to": "+15005550111"}).json()["sid"] for one in numbers]

    def phones():
        return [one for one in wire.call("GET", "/_calls").json()["calls"] if one["sid"] in sids]

    def press(key):
        wait_for(lambda: all(one["is_asked"] for one in phones()))
        for sid in sids:
            wire.call("POST", f"/_calls/{sid}", json={"do": "press", "value": key})

    press("1")
    wait_for(lambda: all(any("appointments" in line["text"] for line in one["heard"]) for one in phones()))
    press("1")
    noted(lambda: Call.objects.filter(status="waiting").count() == len(sids))
    calls = list(Call.objects.order_by("pk"))
    wire.set_faults({"match": {"endpoint": "call"}, "effect": effect})
    refused = 0
    for person, call in zip(agents, calls, strict=True):
        with pytest.raises(Refused, match="The caller keeps waiting"):
            call_control.accept_call(actor=person, call_id=call.pk)
        refused += 1
    before = [len(one["heard"]) for one in phones()]
    wait_for(lambda: all(len(one["heard"]) > was for one, was in zip(phones(), before, strict=True)))
    lost = Call.objects.exclude(status="waiting", agent=None, claimed_at=None).count()
    wire.clear_faults()
    for person, call in zip(agents, calls, strict=True):
        call_control.accept_call(actor=person, call_id=call.pk)
    wait_for(lambda: all(one["room"] for one in phones()))
    kept = sum(Call.objects.get(pk=call.pk).queued_at == call.queued_at for call in calls)
    print(
        f"C4: telephone service down ({effect['type']}) while {refused} accept: {lost} callers lost or in silence,"
        f" {kept} of {len(calls)} answered afterwards from their old place"
    )
    assert (lost, kept) == (0, len(calls))
