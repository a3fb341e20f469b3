"""One process that plays the provider, the mail world and the patients."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

from aiohttp import web

from contact_center.simulator.account_api import AccountApi
from contact_center.simulator.calls import Calls
from contact_center.simulator.config import Config
from contact_center.simulator.control import Control
from contact_center.simulator.courier import Courier
from contact_center.simulator.deliveries import Deliveries
from contact_center.simulator.demo_content import demo_contents
from contact_center.simulator.mail import MailRoom
from contact_center.simulator.phone import Phone, only_from_here
from contact_center.simulator.recordings import RecordingApi
from contact_center.simulator.store import Store
from contact_center.simulator.twilio_api import TwilioApi
from contact_center.simulator.twilio_words import Refusal
from contact_center.simulator.voice_api import VoiceApi

MAX_REQUEST_BYTES = 32 * 1024 * 1024
_log = logging.getLogger(__name__)


class Simulator:
    """Everything of one running simulator. `start` binds the port; `stop` leaves the state on disk."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.store = Store(config.data_dir / "simulator.sqlite3")
        self.courier = Courier(self.store, config.auth_token)
        self.deliveries = Deliveries(config, self.store, self.courier)
        self.control = Control(self.store, self.deliveries)
        self.mail_room = MailRoom(config, self.store)
        self.calls = Calls(config, self.store, self.courier, self.deliveries)
        self.phone = Phone(self.store, self.deliveries, self.mail_room, self.control, self.calls)
        self.api = TwilioApi(config, self.store, self.deliveries)
        self.voice = VoiceApi(config, self.calls)
        self.account = AccountApi(config)
        self.recordings = RecordingApi(config, self.calls)
        self.url = ""
        self._runner: web.AppRunner | None = None
        self._pump: asyncio.Task[None] | None = None
        for content in demo_contents(config.account_sid):
            self.store.put_content(content)

    async def start(self) -> None:
        """Bind, and begin to carry webhooks. Raises OSError when the port is taken."""
        app = web.Application(client_max_size=MAX_REQUEST_BYTES, middlewares=[only_from_here, _unknown_as_twilio])
        app.add_routes(self.api.routes())
        app.add_routes(self.voice.routes(self.api.guarded))
        app.add_routes(self.account.routes(self.api.guarded))
        app.add_routes(self.recordings.routes(self.api.guarded))
        app.add_routes(self.control.routes())
        app.add_routes(self.phone.routes())
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=False)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.config.host, self.config.port, backlog=1024)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://{self.config.host}:{port}"
        self.deliveries.own_url = self.config.own_url or self.url
        await self.mail_room.open()
        await self.courier.open()
        self._pump = asyncio.create_task(self.deliveries.run())

    async def stop(self) -> None:
        """Stop carrying; what was planned is carried after the next start."""
        if self._pump:
            self._pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pump
        await self.deliveries.stop()
        await self.courier.close()
        await self.mail_room.close()
        if self._runner:
            await self._runner.cleanup()
        self.store.close()


@web.middleware
async def _unknown_as_twilio(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        response: web.StreamResponse = await handler(request)
    except web.HTTPNotFound:
        if request.path.startswith(("/2010-04-01/", "/v1/", "/v2/")):
            refusal = Refusal(20404, request.path)
            return web.json_response(refusal.as_dict(), status=404)
        raise
    return response


async def serve(config: Config) -> None:
    """Run until cancelled."""
    simulator = Simulator(config)
    await simulator.start()
    _log.info("simulator ready", extra={"url": simulator.url})
    try:
        await asyncio.Event().wait()
    finally:
        await simulator.stop()
