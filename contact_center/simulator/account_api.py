"""The simulated account itself: its numbers, its app, its messaging service, and the webhooks that stand there."""

from __future__ import annotations

from email.utils import formatdate
from typing import Any

from aiohttp import web

from contact_center.simulator.config import Config
from contact_center.simulator.twilio_words import API, Refusal

CREATED = formatdate(1_700_000_000)


class AccountApi:
    """Reads of the account. `/_account` lets a test change what stands there: {"+1…": {"voice_url": ""}, "AP…": …}."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.changed: dict[str, dict[str, Any]] = {}

    def routes(self, guard: Any) -> list[web.RouteDef]:
        """The routes; `guard(point, handler)` authenticates and makes trouble."""
        root = f"{API}/{{account}}"
        return [
            web.get(f"{API}/{{account:AC[A-Za-z0-9]+}}.json", guard("fetch", self.account)),
            web.get(f"{root}/IncomingPhoneNumbers.json", guard("fetch", self.numbers)),
            web.get(f"{root}/Applications/{{sid}}.json", guard("fetch", self.application)),
            web.get("/v1/Services/{sid}", guard("fetch", self.service)),
            web.put("/_account", self.change),
        ]

    def _hook(self, path: str) -> str:
        return f"{self.config.public_base_url.rstrip('/')}/webhooks/twilio/{path}#rc=2&rp=ct,rt,5xx"

    async def account(self, _request: web.Request) -> web.Response:
        """The account."""
        sid = self.config.account_sid
        facts = {"sid": sid, "friendly_name": "Demo", "status": "active", "type": "Full", "owner_account_sid": sid}
        times = {"date_created": CREATED, "date_updated": CREATED, "auth_token": None}
        return web.json_response(facts | times | {"subresource_uris": {}, "uri": f"{API}/{sid}.json"} | self._of(sid))

    async def numbers(self, request: web.Request) -> web.Response:
        """The account's numbers, or the one that is asked for."""
        asked = request.query.get("PhoneNumber")
        ours = [self.config.sms_number, self.config.voice_number]
        found = [self._number(number) for number in ours if asked in (None, number)]
        page = {"page": 0, "page_size": 50, "start": 0, "end": max(0, len(found) - 1), "uri": request.path_qs}
        page |= {"first_page_uri": request.path_qs, "next_page_uri": None, "previous_page_uri": None}
        return web.json_response(page | {"incoming_phone_numbers": found})

    def _number(self, number: str) -> dict[str, Any]:
        sid = f"PN{int(number[1:]):032x}"
        able = {"voice": number == self.config.voice_number, "sms": number == self.config.sms_number}
        return {
            "sid": sid,
            "account_sid": self.config.account_sid,
            "phone_number": number,
            "friendly_name": number,
            "api_version": "2010-04-01",
            "capabilities": able | {"mms": able["sms"], "fax": False},
            "date_created": CREATED,
            "date_updated": CREATED,
            "voice_url": self._hook("voice"),
            "voice_method": "POST",
            "voice_fallback_url": "https://handler.twilio.com/twiml/EH0",
            "voice_fallback_method": "POST",
            "voice_application_sid": None,
            "status_callback": self._hook("voice-status"),
            "status_callback_method": "POST",
            "sms_url": self._hook("messaging"),
            "sms_method": "POST",
            "sms_application_sid": None,
            "uri": f"{API}/{self.config.account_sid}/IncomingPhoneNumbers/{sid}.json",
        } | self._of(number)

    async def application(self, request: web.Request) -> web.Response:
        """The TwiML app that answers devices; there is one."""
        sid = request.match_info["sid"]
        if not sid.startswith("AP") or len(sid) != 34:
            raise Refusal(20404, request.path)
        facts = {
            "sid": sid,
            "account_sid": self.config.account_sid,
            "api_version": "2010-04-01",
            "friendly_name": "Continuo",
            "date_created": CREATED,
            "date_updated": CREATED,
            "voice_url": self._hook("voice"),
            "voice_method": "POST",
            "status_callback": self._hook("voice-status"),
            "status_callback_method": "POST",
            "uri": f"{API}/{self.config.account_sid}/Applications/{sid}.json",
        }
        return web.json_response(facts | self._of(sid))

    async def service(self, request: web.Request) -> web.Response:
        """A messaging service."""
        sid = request.match_info["sid"]
        facts = {"sid": sid, "account_sid": self.config.account_sid, "friendly_name": "Continuo"}
        hook = {"inbound_request_url": self._hook("messaging"), "inbound_method": "POST"}
        return web.json_response(facts | hook | {"use_inbound_webhook_on_number": False} | self._of(sid))

    async def change(self, request: web.Request) -> web.Response:
        """Let something else stand there from now on; {} puts all back."""
        self.changed = await request.json()
        return web.json_response(self.changed)

    def _of(self, name: str) -> dict[str, Any]:
        return self.changed.get(name, {})
