"""Agents' browsers played by one process: pages with their sockets and parts, fetched as static/js/live.js does."""

import asyncio
import contextlib
import html
import json
import random
import re
import time
from collections.abc import Callable

import aiohttp

PART = re.compile(rb'<\w+[^>]*\sdata-live="([^"]*)"[^>]*\sdata-refetch-url="([^"]*)"[^>]*>')
NAME, PACE, CALM = (re.compile(rb'\s%s="([^"]+)"' % name) for name in (b"id", b"data-pace", b"data-calm"))
GATHER, SHORTEST = 0.02, 0.15
PARTIAL = {"HX-Request": "true", "X-Background": "1"}


class Part:
    """One part of a page: its topics with the sequence that is drawn, and where it is fetched."""

    def __init__(self, page: "Page", name: str, tag: bytes, live: bytes, url: bytes) -> None:
        pace, calm = PACE.search(tag), CALM.search(tag)
        self.page, self.name, self.url = page, name, html.unescape(url.decode())
        self.pace = int(pace[1]) / 1000 if pace else SHORTEST
        self.calm = int(calm[1]) / 1000 if calm else GATHER
        self.drawn: dict[str, int] = {}
        self.draw(live)
        self.task: asyncio.Task[None] | None = None
        self.at = self.took = 0.0

    def draw(self, live: bytes) -> None:
        """Take over the sequences of a fresh answer."""
        self.drawn = {topic: int(seq) for topic, _, seq in (one.partition(":") for one in live.decode().split())}

    def hear(self, topic: str, sequence: int) -> None:
        """Fetch soon when this is newer than what is drawn."""
        if sequence > self.drawn.get(topic, sequence) and self.task is None:
            self.task = asyncio.create_task(self._fetch())

    async def _fetch(self) -> None:
        spread = random.random() if self.calm > GATHER else 0
        pace = max(self.pace * (1 - 0.3 * spread), 2 * self.took)
        await asyncio.sleep(max(self.calm * (1 + spread), self.at + pace - time.monotonic()))
        begun = time.monotonic()
        text = b""
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            text = await self.page.get(self.url, PARTIAL | {"HX-Target": self.name})
        self.at, self.took, self.task = time.monotonic(), time.monotonic() - begun, None
        found = PART.search(text)
        if found:
            self.draw(found[1])
            self.page.shown(self.name, text)
        for topic, sequence in self.page.heard.items():
            self.hear(topic, sequence)


class Page:
    """One open browser window of an agent. `when` says when it first heard of a topic's sequence (monotonic)."""

    def __init__(self, web: str, live: str, cookie: str, path: str, shown: Callable[[str, bytes], None]) -> None:
        self.web, self.live, self.path, self.shown = web, live, path, shown
        self.session = aiohttp.ClientSession(headers={"Cookie": cookie, "Origin": web})
        self.parts: list[Part] = []
        self.heard: dict[str, int] = {}
        self.when: dict[tuple[str, int], float] = {}
        self.fetches = 0
        self.is_ready = asyncio.Event()

    async def get(self, url: str, headers: dict[str, str] | None = None) -> bytes:
        """The body of one page. Raises aiohttp.ClientError for anything but 200."""
        self.fetches += 1
        async with self.session.get(
            self.web + url, headers=headers, timeout=aiohttp.ClientTimeout(total=20), raise_for_status=True
        ) as answer:
            return await answer.read()

    async def run(self) -> None:
        """Open the page and keep it true until cancelled."""
        try:
            await self._stay()
        finally:
            await self.session.close()

    async def _stay(self) -> None:
        text = await self.get(self.path)
        for found in PART.finditer(text):
            self.parts.append(Part(self, NAME.search(found[0])[1].decode(), found[0], found[1], found[2]))
        wanted: dict[str, int] = {}
        for part in self.parts:
            for topic, sequence in part.drawn.items():
                wanted[topic] = min(sequence, wanted.get(topic, sequence))
        async with self.session.ws_connect(f"{self.live}/ws/live/") as wire:
            await wire.send_str(json.dumps({"subscribe": wanted}))
            async for message in wire:
                self._hear(json.loads(message.data))

    def _hear(self, said: dict) -> None:
        topics = said["topics"] if said["type"] == "subscribed" else {}
        if said["type"] == "changed":
            topics = {said["topic"]: said["seq"]}
        if said["type"] == "subscribed":
            self.is_ready.set()
        for topic, sequence in topics.items():
            self.heard[topic] = max(sequence, self.heard.get(topic, 0))
            self.when.setdefault((topic, sequence), time.monotonic())
            for part in self.parts:
                part.hear(topic, sequence)
