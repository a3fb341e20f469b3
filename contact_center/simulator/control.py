"""The levers of the simulator for tests, load and practice: faults, injected messages, counts."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from contact_center.simulator.deliveries import BadRequest, Deliveries
from contact_center.simulator.faults import BadRule, Faults
from contact_center.simulator.store import Store


class Control:
    """`/_faults`, `/_inbound`, `/_settings`, `/_state`, `/_reset`."""

    def __init__(self, store: Store, deliveries: Deliveries) -> None:
        self.store = store
        self.deliveries = deliveries
        deliveries.faults = Faults.read(store.setting("faults", []))
        deliveries.delays |= store.setting("delays", {})

    def routes(self) -> list[web.RouteDef]:
        """The routes of this part."""
        return [
            web.get("/_faults", self.show_faults),
            web.put("/_faults", self.put_faults),
            web.delete("/_faults", self.delete_faults),
            web.get("/_settings", self.show_settings),
            web.put("/_settings", self.put_settings),
            web.post("/_inbound", self.inbound),
            web.get("/_state", self.state),
            web.post("/_reset", self.reset),
        ]

    async def show_faults(self, _request: web.Request) -> web.Response:
        """The rules in force and how often each struck."""
        return web.json_response(self.deliveries.faults.as_dict())

    async def put_faults(self, request: web.Request) -> web.Response:
        """Replace all rules. 400 says what is wrong with them."""
        given = await _json(request)
        try:
            self.deliveries.faults = Faults.read(given)
        except BadRule as error:
            return _bad(str(error))
        self.store.keep_setting("faults", given)
        return web.json_response(self.deliveries.faults.as_dict())

    async def delete_faults(self, _request: web.Request) -> web.Response:
        """No more trouble."""
        self.deliveries.faults = Faults()
        self.store.keep_setting("faults", [])
        return web.json_response(self.deliveries.faults.as_dict())

    async def show_settings(self, _request: web.Request) -> web.Response:
        """The pace of deliveries, in seconds after acceptance."""
        return web.json_response({"delays": self.deliveries.delays})

    async def put_settings(self, request: web.Request) -> web.Response:
        """Change the pace: {"delays": {"sent": 0.1, "read": null}}; null leaves that status out."""
        delays = (await _json(request)).get("delays", {})
        is_fine = isinstance(delays, dict) and all(
            name in ("queued", "sent", "delivered", "read")
            and (value is None or (isinstance(value, int | float) and 0 <= value <= 3600))
            for name, value in delays.items()
        )
        if not is_fine:
            return _bad("delays names queued, sent, delivered or read, each with seconds from 0 to 3600 or null.")
        self.deliveries.delays |= delays
        self.store.keep_setting("delays", self.deliveries.delays)
        return web.json_response({"delays": self.deliveries.delays})

    async def inbound(self, request: web.Request) -> web.Response:
        """Let somebody write to us.

        JSON: from, to, body, type, media [{content_type, content_base64}], profile_name, latitude, longitude,
        label, address, button_text, button_payload, list_id, list_title, list_description, in_reply_to, emoji,
        params (any further parameter by its own name); count (so many messages), concurrent (each webhook so
        many times at once), parallel (webhooks under way at once), wait (answer after the webhooks; default
        true).
        """
        try:
            return web.json_response(await self.deliveries.inject(await _json(request)))
        except BadRequest as error:
            return _bad(str(error))

    async def state(self, _request: web.Request) -> web.Response:
        """What was accepted, how often twice, and what became of the webhooks."""
        return web.json_response(self.snapshot())

    def snapshot(self) -> dict[str, Any]:
        """The counts of `/_state`."""
        store = self.store
        twice = store.rows(
            "SELECT our_id FROM message WHERE our_id IS NOT NULL GROUP BY our_id HAVING count(*) > 1 LIMIT 100"
        )
        statuses = store.rows(
            "SELECT status, count(*) AS times FROM message"
            " WHERE direction = 'outbound-api' AND callback_url IS NOT NULL GROUP BY status ORDER BY status"
        )
        return self.brief() | {
            "duplicate_ids": [row["our_id"] for row in twice],
            "by_status": {row["status"]: row["times"] for row in statuses},
        }

    def brief(self) -> dict[str, Any]:
        """Counts that stay cheap however long the provider's memory is. Seeded history is not counted."""
        store = self.store
        counted = store.row("SELECT count(our_id), count(DISTINCT our_id) FROM message WHERE our_id IS NOT NULL")
        assert counted is not None
        messages = store.counters("message")
        return {
            "accepted": messages.get("accepted", 0),
            "unique": counted[1],
            "duplicates": counted[0] - counted[1],
            "inbound": messages.get("inbound", 0),
            "pending_callbacks": store.value("SELECT count(*) FROM step WHERE done IS NULL"),
            "webhooks": {kind: store.counters(f"webhook.{kind}") for kind in ("inbound", "status")},
            "requests": store.counters("request"),
            "refused": store.counters("refused"),
            "mails": store.value("SELECT count(*) FROM mail WHERE direction = 'to_patient'"),
        }

    async def reset(self, _request: web.Request) -> web.Response:
        """Forget all messages, mails, faults and counts; templates stay."""
        self.store.reset()
        self.deliveries.faults = Faults()
        self.deliveries.delays = dict(self.deliveries.config.delays)
        return web.json_response(self.snapshot())


async def _json(request: web.Request) -> Any:
    try:
        return await request.json()
    except ValueError:
        raise web.HTTPBadRequest(text='{"error": "Send JSON."}', content_type="application/json") from None


def _bad(words: str) -> web.Response:
    return web.json_response({"error": words}, status=400)
