"""Pages of the desk as far as their sockets go: they subscribe, hear, and come back as live.js does."""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Iterable

from django.conf import settings
from django.test import Client
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from contact_center.accounts.models import User
from tests.faults.lab import Lab


def cookie_of(user: User) -> tuple[Client, str]:
    """A signed-in browser and its session cookie as a header's value."""
    client = Client()
    client.force_login(user, backend="contact_center.accounts.backends.PersonBackend")
    name = settings.SESSION_COOKIE_NAME
    return client, f"{name}={client.cookies[name].value}"


POLL_SECONDS = 30  # as in static/js/live.js


class Screen:
    """One open page. `heard` holds the newest sequence of each topic and when it was first heard of (monotonic);
    `made_good` counts what a poll knew and no hint had told."""

    def __init__(self, lab: Lab, cookie: str, topics: Iterable[str]) -> None:
        self.url, self.origin = f"ws://127.0.0.1:{lab.live_port}/ws/live/", lab.web_url
        self.cookie, self.topics = cookie, list(topics)
        self.heard: dict[str, int] = dict.fromkeys(self.topics, 0)
        self.when: dict[tuple[str, int], float] = {}
        self.opened: list[float] = []
        self.closed: list[int] = []
        self.refused: dict[str, float] = {}
        self.is_ready = asyncio.Event()
        self.made_good = 0
        # The same numbers as in static/js/live.js.
        self.first, self.factor, self.longest = 0.5 + random.random() * 2.5, 1.3 + random.random() * 0.4, 8.0

    async def run(self) -> None:
        """Stay connected until cancelled or signed out (4401)."""
        wait = self.first
        while True:
            with contextlib.suppress(OSError, InvalidHandshake, ConnectionClosed, TimeoutError):
                async with connect(
                    self.url, origin=self.origin, additional_headers={"Cookie": self.cookie}, open_timeout=5, proxy=None
                ) as wire:
                    wait = self.first
                    self.opened.append(time.monotonic())
                    await wire.send(json.dumps({"subscribe": self.heard}))
                    poll = asyncio.create_task(self._poll(wire))
                    try:
                        await self._listen(wire)
                    except ConnectionClosed:
                        self.closed.append(wire.close_code or 0)
                    finally:
                        poll.cancel()
                    if wire.close_code == 4401:
                        return
            self.is_ready.clear()
            await asyncio.sleep(wait)
            wait = min(wait * self.factor, self.longest)

    async def _poll(self, wire) -> None:
        """The floor of live.js: whatever hint was lost is made good by the next poll."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            await wire.send(json.dumps({"subscribe": self.heard}))

    async def _listen(self, wire) -> None:
        async for text in wire:
            said = json.loads(text)
            if said["type"] == "subscribed":
                for topic, sequence in said["topics"].items():
                    self.made_good += self.is_ready.is_set() and sequence > self.heard.get(topic, 0)
                    self._hear(topic, sequence)
                self.is_ready.set()
            elif said["type"] == "changed":
                self._hear(said["topic"], said["seq"])
            elif said["type"] == "refused":
                self.refused |= dict.fromkeys(said["topics"], time.monotonic())

    def _hear(self, topic: str, sequence: int) -> None:
        if sequence > self.heard.get(topic, 0):
            self.heard[topic] = sequence
        self.when.setdefault((topic, sequence), time.monotonic())


@contextlib.asynccontextmanager
async def open_screens(screens: list[Screen]):
    """Run them; the block starts when each is subscribed."""
    tasks = [asyncio.create_task(screen.run()) for screen in screens]
    try:
        await asyncio.wait_for(asyncio.gather(*(screen.is_ready.wait() for screen in screens)), 60)
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(holds, limit: float, what: str) -> float:
    """Seconds until it holds, without stopping the screens; an AssertionError that names it after `limit` seconds."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < limit, f"not within {limit} s: {what}"
        await asyncio.sleep(0.02)
    return time.monotonic() - begun
