"""Notices lost hints: the live process sends itself a number through Redis every second; a gap tells of an outage."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog
from channels.layers import get_channel_layer

log = structlog.get_logger(__name__)
BEAT_SECONDS = 1.0


class Pulse:
    """Calls `on_gap` (in the running loop, never at once twice for one gap) whenever numbers went missing."""

    def __init__(self, on_gap: Callable[[], None]) -> None:
        self.on_gap = on_gap
        self.loop = asyncio.get_running_loop()
        self.tasks = [asyncio.create_task(self._beat())]

    def is_alive(self) -> bool:
        """Whether it beats in the loop that runs now."""
        return self.loop is asyncio.get_running_loop() and not any(task.done() for task in self.tasks)

    def stop(self) -> None:
        """Beat no more; does nothing in another loop than its own."""
        if self.loop is asyncio.get_running_loop():
            for task in self.tasks:
                task.cancel()

    async def _beat(self) -> None:
        layer = get_channel_layer()
        channel = await layer.new_channel("pulse.")
        self.tasks.append(asyncio.create_task(self._listen(channel)))
        number = 0
        while True:
            number += 1
            with contextlib.suppress(Exception):
                async with asyncio.timeout(BEAT_SECONDS):
                    await layer.send(channel, {"type": "pulse", "number": number})
            await asyncio.sleep(BEAT_SECONDS)

    async def _listen(self, channel: str) -> None:
        layer, last = get_channel_layer(), 0
        while True:
            number = (await layer.receive(channel))["number"]
            if number > last + 1:
                log.warning("live_hints_lost", beats=number - last - 1)
                self.on_gap()
            last = number
