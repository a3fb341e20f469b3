"""How an account of Twilio is set up, as far as we depend on it: read, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inbox.adapters.twilio_device import DeviceConfig
from inbox.adapters.twilio_http import BoundedHttpClient, TwilioConfig, build_client, failures_explained


@dataclass(frozen=True, slots=True)
class Hook:
    """Where Twilio asks or tells us something, as it stands there now. `retries` is what stands after the `#`."""

    url: str
    method: str
    retries: str = ""


@dataclass(frozen=True, slots=True)
class Number:
    """A phone number of the account. `app` is the TwiML app that its calls go to instead of `voice`, `sms_app` the one
    that its messages go to instead of `sms`."""

    voice: Hook
    voice_status: Hook
    voice_fallback: Hook
    sms: Hook
    app: str
    sms_app: str
    has_voice: bool
    has_sms: bool


class TwilioAccount:
    """Questions about the account; each raises AdapterError when it is not answered or not found."""

    def __init__(self, config: TwilioConfig, device: DeviceConfig) -> None:
        self.config, self.device = config, device

    def status(self) -> str:
        """`active`, `suspended` or `closed`."""
        client, http = build_client(self.config)
        with failures_explained(http):
            return str(client.api.accounts(self.config.account_sid).fetch().status)

    def app(self) -> tuple[Hook, Hook]:
        """Where devices' calls are asked for and their ends told; fetched with the API key, which proves that too."""
        from twilio.rest import Client

        http = BoundedHttpClient(self.config)
        client = Client(
            self.device.api_key_sid,
            self.device.api_key_secret,
            self.config.account_sid,
            http_client=http,
            environment={"_": ""},
        )
        with failures_explained(http):
            found = client.applications(self.device.app_sid).fetch()
            return _hook(found.voice_url, found.voice_method), _hook(
                found.status_callback, found.status_callback_method
            )

    def number(self, address: str) -> Number | None:
        """The account's number with this address, None when it has no such."""
        client, http = build_client(self.config)
        with failures_explained(http):
            found = client.incoming_phone_numbers.list(phone_number=address, limit=1)
            return _number(found[0]) if found else None

    def service(self, sid: str) -> tuple[Hook, bool]:
        """Where a messaging service tells of messages, and whether its numbers' own addresses count instead."""
        client, http = build_client(self.config)
        with failures_explained(http):
            found = client.messaging.v1.services(sid).fetch()
            hook = _hook(found.inbound_request_url, found.inbound_method)
            return hook, bool(found.use_inbound_webhook_on_number)


def _hook(url: str | None, method: str | None) -> Hook:
    address, _hash, retries = (url or "").partition("#")
    return Hook(address, (method or "POST").upper(), retries)


def _number(found: Any) -> Number:
    able = found.capabilities or {}
    return Number(
        voice=_hook(found.voice_url, found.voice_method),
        voice_status=_hook(found.status_callback, found.status_callback_method),
        voice_fallback=_hook(found.voice_fallback_url, found.voice_fallback_method),
        sms=_hook(found.sms_url, found.sms_method),
        app=found.voice_application_sid or "",
        sms_app=found.sms_application_sid or "",
        has_voice=bool(able.get("voice")),
        has_sms=bool(able.get("sms")),
    )
