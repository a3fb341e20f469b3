"""Who may still follow what, looked at for many sockets together: a change may take a conversation from its readers."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

import structlog
from channels.db import database_sync_to_async

from contact_center.accounts.models import User
from inbox.selectors.topics import allowed_topics

log = structlog.get_logger(__name__)
RIGHTS_SECONDS = 1.0  # changes within this time cost each socket one look
AT_ONCE = 25  # sockets of one look: others must not wait long for the database's thread


class Follower(Protocol):
    """A socket as far as rights go."""

    user: User

    async def keep_to(self, allowed: set[str], among: Iterable[str]) -> None:
        """Leave those of `among` that are not allowed."""


class RightsWatch:
    """Looks a moment after the first change at the rights of all sockets to which something happened, once each.

    One per process. What cannot be looked at is left to the socket's own recheck every minute.
    """

    def __init__(self) -> None:
        self._waiting: dict[Follower, set[str]] = {}
        self._task: asyncio.Task[None] | None = None
        self._telling: set[asyncio.Task[None]] = set()

    def note(self, follower: Follower, topic: str) -> None:
        """Something happened to `topic`, which this socket follows. Returns at once."""
        self._waiting.setdefault(follower, set()).add(topic)
        if self._task is None or self._task.done() or self._task.get_loop() is not asyncio.get_running_loop():
            self._task = asyncio.create_task(self._look())

    def forget(self, follower: Follower) -> None:
        """This socket has gone."""
        self._waiting.pop(follower, None)

    async def _look(self) -> None:
        while self._waiting:
            await asyncio.sleep(RIGHTS_SECONDS)
            noted, self._waiting = list(self._waiting.items()), {}
            for start in range(0, len(noted), AT_ONCE):
                try:
                    await self._look_at([(one, sorted(topics)) for one, topics in noted[start : start + AT_ONCE]])
                except Exception as error:
                    log.warning("socket_recheck_failed", error=type(error).__name__, failures=1)

    async def _look_at(self, asked: list[tuple[Follower, list[str]]]) -> None:
        found = await database_sync_to_async(_allowed)([(one.user, topics) for one, topics in asked])
        for (follower, topics), allowed in zip(asked, found, strict=True):
            if not allowed.issuperset(topics):  # by itself: one that does not read must not hold up the others
                task = asyncio.create_task(follower.keep_to(allowed, topics))
                self._telling.add(task)
                task.add_done_callback(self._telling.discard)


def _allowed(asked: list[tuple[User, list[str]]]) -> list[set[str]]:
    return [allowed_topics(user, topics) for user, topics in asked]
