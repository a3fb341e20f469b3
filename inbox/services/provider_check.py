"""Is the telephone service set up as this house needs it? Each point is fine or says what to set to which value."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from inbox.adapters.base import AdapterError
from inbox.adapters.twilio_account import Hook, Number, TwilioAccount
from inbox.adapters.twilio_http import TwilioConfig
from inbox.adapters.twilio_words import VOICE_PATH, VOICE_STATUS_PATH
from inbox.enums import ChannelKind
from inbox.models import Channel, VoiceLine
from inbox.selectors.softphone import device_config

VOICE_ADAPTER = "twilio_voice"
MESSAGING_PATH = "/webhooks/twilio/messaging"
SIDS = {"TWILIO_ACCOUNT_SID": "AC", "TWILIO_API_KEY_SID": "SK", "TWILIO_TWIML_APP_SID": "AP"}
RETRIES = "#rc=2&rp=ct,rt,5xx"


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that was looked at. `todo` is empty when it is fine."""

    what: str
    todo: str = ""

    @property
    def is_fine(self) -> bool:
        """Nothing is to be done."""
        return not self.todo


def check_provider() -> Iterator[Point]:
    """Every point, in the order in which somebody sets things up; without an account no more is asked."""
    ours = Channel.objects.filter(is_active=True, adapter__startswith="twilio").order_by("kind", "address")
    channels = [one for one in ours if one.kind != ChannelKind.VOICE or one.adapter == VOICE_ADAPTER]
    has_calls = any(one.kind == ChannelKind.VOICE for one in channels)
    yield from _settings(has_calls)
    account = TwilioAccount(
        TwilioConfig(
            account_sid=settings.TWILIO_ACCOUNT_SID,
            auth_token=settings.TWILIO_AUTH_TOKEN,
            public_base_url=settings.PUBLIC_BASE_URL,
            api_base_url=settings.TWILIO_API_BASE_URL,
            timeout_seconds=settings.PROVIDER_TIMEOUT_SECONDS,
        ),
        device_config(),
    )
    try:
        status = account.status()
    except AdapterError as error:
        yield Point("Account", f"{error.message} Check TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_API_BASE_URL.")
        return
    yield Point("Account", "" if status == "active" else f"It is {status}: ask Twilio why.")
    if has_calls and device_config().is_complete:
        yield from _app(account)
    if not channels:
        yield Point("Channels", "None uses Twilio: add your numbers under Set-up, Channels.")
    for channel in channels:
        yield from _channel(account, channel)
    for stray in Channel.objects.filter(is_active=True, kind=ChannelKind.VOICE).exclude(adapter=VOICE_ADAPTER):
        yield Point(f"Call {stray.address}", f"Its adapter must be {VOICE_ADAPTER}, not {stray.adapter or 'empty'}.")
    if settings.TWILIO_MESSAGING_SERVICE_SID:
        yield from _service(account, settings.TWILIO_MESSAGING_SERVICE_SID)


def _settings(has_calls: bool) -> Iterator[Point]:
    base = settings.PUBLIC_BASE_URL
    is_reachable = base.startswith("https://") or settings.SIMULATOR
    is_played = settings.SIMULATOR and settings.TWILIO_API_BASE_URL.endswith("twilio.com")
    yield Point("SIMULATOR", "Set it to 0: calls of a real account would have no sound." if is_played else "")
    yield Point("PUBLIC_BASE_URL", "" if is_reachable else f"Set it to the https address Twilio reaches, not {base}.")
    wanted = ["TWILIO_ACCOUNT_SID", *(["TWILIO_API_KEY_SID", "TWILIO_TWIML_APP_SID"] if has_calls else [])]
    for name in wanted:
        is_sid = re.fullmatch(rf"{SIDS[name]}[0-9a-zA-Z]{{32}}", getattr(settings, name))
        yield Point(name, "" if is_sid else f"Set it: {SIDS[name]} and 32 characters, from Twilio's console.")
    for name in ("TWILIO_AUTH_TOKEN", *(["TWILIO_API_KEY_SECRET"] if has_calls else [])):
        yield Point(name, "" if getattr(settings, name) else "Set it: Twilio's console shows it once.")


def _app(account: TwilioAccount) -> Iterator[Point]:
    try:
        voice, status = account.app()
    except AdapterError as error:
        yield Point("API key and TwiML app", f"{error.message} Check the key, its secret and TWILIO_TWIML_APP_SID.")
        return
    yield _at("TwiML app, voice request", voice, VOICE_PATH)
    yield _at("TwiML app, voice status callback", status, VOICE_STATUS_PATH)


def _channel(account: TwilioAccount, channel: Channel) -> Iterator[Point]:
    name = f"{channel.get_kind_display()} {channel.address}"
    if channel.kind == ChannelKind.WHATSAPP:
        yield Point(f"{name}: set by hand in the WhatsApp sender: {_url(MESSAGING_PATH)} (POST)")
        return
    try:
        number = account.number(channel.address)
    except AdapterError as error:
        yield Point(name, error.message)
        return
    if number is None:
        yield Point(name, "The account has no such number: buy or port it, or correct the channel's address.")
    elif channel.kind == ChannelKind.VOICE:
        yield from _calls(name, number, channel)
    else:
        yield Point(name, "" if number.has_sms else "This number cannot carry text messages.")
        if not settings.TWILIO_MESSAGING_SERVICE_SID:
            yield _messages(f"{name}, a message comes in", number)


def _messages(what: str, number: Number) -> Point:
    if number.sms_app:
        return Point(what, f"It goes to the TwiML app {number.sms_app}: choose webhooks instead.")
    return _at(what, number.sms, MESSAGING_PATH, RETRIES)


def _calls(name: str, number: Number, channel: Channel) -> Iterator[Point]:
    yield Point(name, "" if number.has_voice else "This number cannot carry calls.")
    if number.app and number.app != settings.TWILIO_TWIML_APP_SID:
        yield Point(f"{name}, a call comes in", f"It goes to the TwiML app {number.app}: choose webhooks instead.")
    elif not number.app:
        yield _at(f"{name}, a call comes in", number.voice, VOICE_PATH, RETRIES)
        yield _at(f"{name}, call status changes", number.voice_status, VOICE_STATUS_PATH)
        no_fallback = "Set a TwiML bin that names the emergency number, for the time when nothing of ours answers."
        yield Point(f"{name}, primary handler fails", "" if number.voice_fallback.url else no_fallback)
    has_line = VoiceLine.objects.filter(channel=channel).exists()
    yield Point(f"{name}, line", "" if has_line else "Add its voice line: languages, greeting, menu.")


def _service(account: TwilioAccount, sid: str) -> Iterator[Point]:
    try:
        hook, is_by_number = account.service(sid)
    except AdapterError as error:
        yield Point("Messaging service", f"{error.message} Check TWILIO_MESSAGING_SERVICE_SID.")
        return
    if is_by_number:
        yield Point("Messaging service: the addresses of its numbers count")
    else:
        yield _at("Messaging service, incoming messages", hook, MESSAGING_PATH, RETRIES)


def _at(what: str, found: Hook, path: str, extra: str = "") -> Point:
    wanted = _url(path)
    is_tried_again = not extra or re.search(r"(?:^|&)rc=[1-9]", found.retries) is not None
    if (found.url, found.method, is_tried_again) == (wanted, "POST", True):
        return Point(what)
    there = f"{found.url}#{found.retries}" if found.retries else found.url or "empty"
    return Point(what, f"Set it to {wanted}{extra} (POST); it is {there} ({found.method}).")


def _url(path: str) -> str:
    return f"{settings.PUBLIC_BASE_URL.rstrip('/')}{path}"
