"""The agent's browser as a telephone: its token, its page, and how it gets back into a call it lost."""

import time

import jwt
import pytest
from lxml import etree

from contact_center.accounts.services import disable_user, set_presence
from inbox.adapters.twilio_device import user_of
from inbox.models import WebhookEvent
from inbox.services import call_control
from inbox.services.call_offers import watch_calls
from inbox.services.ledger import drain_ledger

pytestmark = pytest.mark.django_db(transaction=True)
DEVICE = "/webhooks/twilio/voice"
HANG_UP = "<Response><Hangup/></Response>"


@pytest.fixture
def twilio_devices(settings, line):
    """A line, and browsers as devices of Twilio."""
    settings.SOFTPHONE = "twilio"
    settings.TWILIO_API_KEY_SID, settings.TWILIO_API_KEY_SECRET = "SK" + "1" * 32, "s" * 32
    settings.TWILIO_TWIML_APP_SID = "AP" + "2" * 32


@pytest.fixture
def talk(caller, provider, agent):
    """A caller who talks to `agent`; the caller stands in the room."""
    call = caller.wait_in_line()
    call = call_control.accept_call(actor=agent, call_id=call.pk)
    caller.step(join_of(provider))
    return caller.settle()


def join_of(provider):
    return next(asked[2] for asked in reversed(provider.asked) if asked[0] == "send_to")


def device_asks(post_twilio, who, call, sid="CA" + "d" * 32, **params):
    """What Twilio asks us when a device calls our app; returns the answer's words."""
    given = {"CallSid": sid, "From": f"client:agent-{who}", "To": "", "Direction": "inbound", "call": str(call)}
    answer = post_twilio(DEVICE, **given | params)
    assert answer.status_code == 200
    drain_ledger()
    return etree.fromstring(answer.content)


def room_in(root):
    return next((one.text for one in root.iter("Conference")), None)


def test_the_token_names_nobody_lasts_a_quarter_of_an_hour_and_may_only_call_our_app(twilio_devices, agent, signed_in):
    answer = signed_in(agent).post("/phone/token/")
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    said = jwt.decode(answer.json()["token"], "s" * 32, algorithms=["HS256"])
    assert said["grants"] == {
        "identity": f"agent-{agent.pk}",
        "voice": {"incoming": {"allow": True}, "outgoing": {"application_sid": "AP" + "2" * 32}},
    }
    assert (said["iss"], said["exp"] - said["iat"] if "iat" in said else 900) == ("SK" + "1" * 32, 900)


def test_who_asks_for_tokens_all_the_time_is_put_off(twilio_devices, agent, second_agent, signed_in):
    browser = signed_in(agent)
    codes = [browser.post("/phone/token/").status_code for _ in range(21)]
    assert (set(codes[:20]), codes[20]) == ({200}, 429)
    assert signed_in(second_agent).post("/phone/token/").status_code == 200


def test_people_without_calls_and_houses_without_a_line_have_no_telephone(
    twilio_devices, auditor, agent, signed_in, settings
):
    assert signed_in(auditor).post("/phone/token/").status_code == 404
    settings.SOFTPHONE = "simulated"
    assert signed_in(agent).post("/phone/token/").status_code == 404
    settings.SOFTPHONE = ""
    assert b'id="device"' not in signed_in(agent).get("/inbox/").content


def test_only_a_page_with_a_telephone_may_speak_to_the_telephone_service(twilio_devices, agent, auditor, signed_in):
    theirs, others = (signed_in(who).get(path)["Content-Security-Policy"] for who, path in (
        (agent, "/inbox/"), (auditor, "/inbox/notifications/")))  # fmt: skip
    assert ("wss://voice-js.roaming.twilio.com" in theirs, "twilio" in others) == (True, False)
    assert "script-src 'self';" in theirs + ";"


def test_a_device_that_was_gone_for_a_moment_gets_its_caller_back(talk, caller, provider, agent, post_twilio):
    caller.step(f"{DEVICE}?step=after&lang=en&queue={talk.queue_id}&n=1")
    caller.settle()
    provider.asked.clear()
    assert room_in(device_asks(post_twilio, agent.pk, talk.pk)) == f"call-{talk.pk}"
    assert [asked[0] for asked in provider.asked] == ["send_to"]
    caller.step(join_of(provider))
    call = caller.settle()
    assert (room_in(caller.twiml), call.status, call.agent) == (f"call-{talk.pk}", "connected", agent)
    assert call.legs.get(party="agent", left_at=None).external_id == "CA" + "d" * 32
    caller.step(f"{DEVICE}?step=lost&lang=en&queue={talk.queue_id}&n=1")
    assert (room_in(caller.twiml), caller.settle().status) == (f"call-{talk.pk}", "connected")


def test_a_device_waits_until_its_own_old_connection_is_gone(talk, provider, agent, post_twilio):
    provider.asked.clear()
    root = device_asks(post_twilio, agent.pk, talk.pk)
    assert (room_in(root), root.find("Redirect").text.endswith(f"step=device&call={talk.pk}&n=2")) == (None, True)
    assert provider.asked == [("hang_up", talk.legs.get(party="agent").external_id)]
    last = etree.tostring(device_asks(post_twilio, agent.pk, talk.pk, sid="CA" + "e" * 32, n="31")).decode()
    assert last == HANG_UP


@pytest.mark.parametrize("tricks", [{}, {"step": "join"}, {"step": "after", "lang": "en"}, {"n": "1"}])
def test_nobody_gets_into_the_call_of_somebody_else(talk, second_agent, post_twilio, tricks, voice_channel):
    root = device_asks(post_twilio, second_agent.pk, talk.pk, To=voice_channel.address, **tricks)
    assert etree.tostring(root).decode() == HANG_UP
    talk.refresh_from_db()
    assert (talk.status, talk.legs.count()) == ("connected", 2)


def test_what_a_strange_device_is_told_of_changes_no_call(talk, post_twilio, second_agent):
    given = {"CallSid": "CA" + "f" * 32, "CallStatus": "completed", "From": f"client:agent-{second_agent.pk}", "To": ""}
    post_twilio("/webhooks/twilio/voice-status", call=str(talk.pk), party="patient", **given)
    drain_ledger()
    talk.refresh_from_db()
    assert (talk.status, WebhookEvent.objects.latest("pk").status) == ("connected", "ignored")


def test_the_end_of_a_device_that_came_back_does_not_end_the_call_for_the_caller(talk, caller, agent, post_twilio):
    caller.step(f"{DEVICE}?step=after&lang=en&queue={talk.queue_id}&n=1")
    caller.settle()
    device_asks(post_twilio, agent.pk, talk.pk)
    given = {"CallSid": "CA" + "d" * 32, "CallStatus": "completed", "From": f"client:agent-{agent.pk}", "To": ""}
    post_twilio("/webhooks/twilio/voice-status", **given)
    call = caller.settle()
    assert (call.status, call.legs.filter(party="agent", left_at=None).count()) == ("connected", 0)


def test_a_forged_device_is_refused(talk, agent, post_twilio):
    given = {"CallSid": "CA" + "d" * 32, "From": f"client:agent-{agent.pk}", "call": str(talk.pk)}
    assert post_twilio(DEVICE, signature="forged", **given).status_code == 403


def test_a_disabled_person_gets_no_token_and_not_back_into_the_call(
    twilio_devices, talk, caller, agent, admin, signed_in, post_twilio
):
    browser = signed_in(agent)
    disable_user(actor=admin, user_id=agent.pk)
    assert browser.post("/phone/token/").status_code == 302
    assert etree.tostring(device_asks(post_twilio, agent.pk, talk.pk)).decode() == HANG_UP


@pytest.mark.fault
def test_r3_callers_of_a_disabled_person_wait_again_at_once_at_their_old_place(talk, caller, provider, agent, admin):
    provider.asked.clear()
    begun = time.monotonic()
    disable_user(actor=admin, user_id=agent.pk)
    took = time.monotonic() - begun
    call = caller.settle()
    print(f"R3: a person was disabled while talking: the caller waits again after {took:.2f} s, 0 in silence")
    assert (call.status, call.agent, call.queued_at) == ("waiting", None, talk.queued_at)
    assert (call.interaction.status, call.interaction.owner) == ("queued", None)
    assert [asked[0] for asked in provider.asked] == ["send_to", "hang_up"]
    assert "step=wait" in provider.asked[0][2]
    assert took <= 5


@pytest.mark.fault
@pytest.mark.parametrize("leaves", ["away", "signs out"])
def test_r3_what_rings_at_somebody_who_leaves_rings_at_somebody_else_at_once(
    caller, provider, agent, second_agent, signed_in, leaves
):
    browser = signed_in(agent)
    set_presence(user=agent, state="online")
    call = caller.wait_in_line()
    watch_calls()
    assert f'data-ringing="{call.pk}"' in browser.get("/phone/").content.decode()
    set_presence(user=second_agent, state="online")
    set_presence(user=agent, state="away", reason="lunch") if leaves == "away" else browser.post("/accounts/logout/")
    watch_calls()
    call.refresh_from_db()
    print(
        f"R3: {leaves} while it rings: rings at the next person at the next look, {call.offered_to == agent:d} misses"
    )
    assert call.offered_to == second_agent


@pytest.mark.parametrize(
    ("address", "user"),
    [("client:agent-7", 7), ("client:agent-", None), ("client:agent-x", None), ("+13055550123", None), ("", None)],
)
def test_whose_device_an_address_is(address, user):
    assert user_of(address) == user


@pytest.mark.django_db(transaction=False)
@pytest.mark.parametrize(
    "tricks",
    [
        {"step": "transcript", "TranscriptionText": "Nothing"},
        {"RecordingStatus": "completed", "RecordingSid": "RE" + "1" * 32},
        {"StatusCallbackEvent": "conference-end"},
        {"TranscriptionEvent": "transcription-content", "TranscriptionData": "{}"},
        {"told": "status", "CallStatus": "completed"},
    ],
)
def test_whatever_a_device_says_it_only_asks_to_be_in_a_call(tricks, voice_channel, post_twilio, agent):
    asked = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("inbox.services.ledger.apply_call_event", lambda item, **given: asked.append(item) or False)
        post_twilio(DEVICE, CallSid="CA" + "d" * 32, From=f"client:agent-{agent.pk}", To="", call="1", **tricks)
        drain_ledger()
    assert [(item.event, item.payload["step"], item.payload["call"]) for item in asked] == [("step", "device", "1")]
