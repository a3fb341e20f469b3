"""`manage.py check_twilio` against the simulated account: all well, and each thing that may be wrong."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from inbox.enums import ChannelKind
from tests.factories.inbox import ChannelFactory
from tests.simulator.fixtures import make_simulator

__all__ = ["make_simulator"]
pytestmark = pytest.mark.django_db
BASE = "https://care.example.org"
KEY, SECRET, APP, SERVICE = "SK" + "1" * 32, "s" * 32, "AP" + "2" * 32, "MG" + "3" * 32
RETRIES = "#rc=2&rp=ct,rt,5xx"
SMS, VOICE = "+15005550100", "+15005550111"


@pytest.fixture
def account(make_simulator, settings, line, queue):
    """A simulated account that is set up as it should be; `account(...)` changes what stands there."""
    ChannelFactory(kind=ChannelKind.SMS, address=SMS, queue=queue, adapter="twilio_messaging")
    line.channel.adapter = "twilio_voice"
    line.channel.save()
    simulator = make_simulator(BASE, api_key_sid=KEY, api_key_secret=SECRET)
    settings.PUBLIC_BASE_URL, settings.TWILIO_API_BASE_URL = BASE, simulator.url
    settings.TWILIO_API_KEY_SID, settings.TWILIO_API_KEY_SECRET, settings.TWILIO_TWIML_APP_SID = KEY, SECRET, APP
    settings.TWILIO_MESSAGING_SERVICE_SID = ""
    return lambda **changed: simulator.call("PUT", "/_account", json=changed)


def told():
    """What is missing, and whether the command ended well."""
    out = StringIO()
    try:
        call_command("check_twilio", stdout=out)
        is_fine = True
    except CommandError:
        is_fine = False
    return [line[9:] for line in out.getvalue().splitlines() if line.startswith("MISSING")], is_fine


def test_an_account_that_is_set_up_passes(account):
    assert told() == ([], True)


def test_each_thing_that_is_wrong_is_named_with_the_value_to_set(account, settings):
    settings.TWILIO_MESSAGING_SERVICE_SID = ""
    account(**{
        VOICE: {"voice_url": "https://demo.twilio.com/welcome", "status_callback": None, "voice_fallback_url": ""},
        SMS: {"sms_url": f"{BASE}/webhooks/twilio/messaging{RETRIES}", "sms_method": "GET"},
        APP: {"voice_url": "", "status_callback_method": "GET"},
    })  # fmt: skip
    hooks = f"{BASE}/webhooks/twilio"
    assert told() == (
        [
            f"TwiML app, voice request: Set it to {hooks}/voice (POST); it is empty (POST).",
            f"TwiML app, voice status callback: Set it to {hooks}/voice-status (POST);"
            f" it is {hooks}/voice-status{RETRIES} (GET).",
            f"SMS {SMS}, a message comes in: Set it to {hooks}/messaging{RETRIES} (POST);"
            f" it is {hooks}/messaging{RETRIES} (GET).",
            f"Call {VOICE}, a call comes in: Set it to {hooks}/voice{RETRIES} (POST);"
            " it is https://demo.twilio.com/welcome (POST).",
            f"Call {VOICE}, call status changes: Set it to {hooks}/voice-status (POST); it is empty (POST).",
            f"Call {VOICE}, primary handler fails: Set a TwiML bin that names the emergency number, for the time when"
            " nothing of ours answers.",
        ],
        False,
    )


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("PUBLIC_BASE_URL", "http://care.example.org", "PUBLIC_BASE_URL"),
        ("TWILIO_AUTH_TOKEN", "wrong", "Account"),
        ("TWILIO_API_KEY_SECRET", "wrong", "API key and TwiML app"),
        ("TWILIO_API_KEY_SECRET", "", "TWILIO_API_KEY_SECRET"),
        ("TWILIO_TWIML_APP_SID", "", "TWILIO_TWIML_APP_SID"),
        ("TWILIO_API_BASE_URL", "http://127.0.0.1:1", "Account"),
    ],
)
def test_a_wrong_setting_is_named(account, settings, name, value, named):
    settings.SIMULATOR = False
    setattr(settings, name, value)
    missing, is_fine = told()
    assert (missing[0].partition(":")[0], is_fine) == (named, False)


def test_a_number_the_account_does_not_have_and_a_messaging_service_are_looked_at(account, settings, queue):
    ChannelFactory(kind=ChannelKind.SMS, address="+15005550177", queue=queue, adapter="twilio_messaging")
    settings.TWILIO_MESSAGING_SERVICE_SID = SERVICE
    account(**{SERVICE: {"inbound_request_url": None}})
    hook = f"{BASE}/webhooks/twilio/messaging#rc=2&rp=ct,rt,5xx"
    assert told()[0] == [
        "SMS +15005550177: The account has no such number: buy or port it, or correct the channel's address.",
        f"Messaging service, incoming messages: Set it to {hook} (POST); it is empty (POST).",
    ]


HOOK = f"{BASE}/webhooks/twilio/messaging"
OF_APP = "It goes to the TwiML app {}: choose webhooks instead."


@pytest.mark.parametrize(
    ("number", "changed", "what"),
    [
        (SMS, {"sms_url": HOOK}, f"a message comes in: Set it to {HOOK}{RETRIES} (POST); it is {HOOK} (POST)."),
        (
            SMS,
            {"sms_url": f"{HOOK}#rc=0&rp=5xx"},
            f"a message comes in: Set it to {HOOK}{RETRIES} (POST); it is {HOOK}#rc=0&rp=5xx (POST).",
        ),
        (SMS, {"sms_application_sid": APP}, f"a message comes in: {OF_APP.format(APP)}"),
        (VOICE, {"voice_application_sid": "AP9"}, f"a call comes in: {OF_APP.format('AP9')}"),
    ],
    ids=["never tried again", "tried again no time", "messages of an app", "calls of an app"],
)
def test_a_number_that_would_lose_what_comes_is_named(account, number, changed, what):
    account(**{number: changed})
    kind = "SMS" if number == SMS else "Call"
    assert told() == ([f"{kind} {number}, {what}"], False)


def test_a_line_that_the_wrong_adapter_serves_and_a_played_telephone_are_named(account, settings, line):
    settings.SIMULATOR = True
    line.channel.adapter = "twilio_messaging"
    line.channel.save()
    assert told()[0] == [f"Call {VOICE}: Its adapter must be twilio_voice, not twilio_messaging."]
    settings.TWILIO_API_BASE_URL = "http://127.0.0.1:1/twilio.com"
    assert told()[0][0] == "SIMULATOR: Set it to 0: calls of a real account would have no sound."
