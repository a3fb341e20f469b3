"""The live socket: it only says which topic changed and how often; pages fetch the rest through checked views."""

import asyncio
import contextlib
import random
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import structlog
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone

from contact_center.accounts.models import User
from contact_center.accounts.protection import lacks_second_factor
from inbox import realtime
from inbox.pulse import Pulse
from inbox.rights import RightsWatch
from inbox.selectors.topics import allowed_topics
from inbox.services.assignment import note_seen

log = structlog.get_logger(__name__)
RECHECK_SECONDS = 60
MOST_FAILURES = 2
MAX_TOPICS = 60
SIGNED_OUT = 4401
TRY_AGAIN = 1013
TOO_MANY = 4429
MAX_SOCKETS = 20  # of one person on one process; the newest stay
PRESENT_BURST, PRESENT_PER_SECOND = 10.0, 5.0
PRESENT_WORDS = {"viewing", "writing", "noting", "gone"}

CATCH_UP_SPREAD = 1.0

_sockets: dict[int, list["LiveConsumer"]] = defaultdict(list)
_pulse: list[Pulse] = []
_rights = RightsWatch()


def _catch_up_everybody() -> None:
    """Hints were lost: every socket is told the present sequences, spread over a second."""
    for mine in list(_sockets.values()):
        for socket in list(mine):
            socket.catching_up = asyncio.create_task(socket.catch_up())


def _keep_pulse() -> None:
    """One pulse per process, while there are sockets."""
    if not (_pulse and _pulse[0].is_alive()):
        _pulse[:] = [Pulse(_catch_up_everybody)]


class LiveConsumer(AsyncJsonWebsocketConsumer):
    """Protocol: the client sends `{"subscribe": {topic: last sequence}}` and `{"unsubscribe": [topic]}`.

    The server answers every subscription with the present sequences and its clock (ms), later sends
    `{"type": "changed", "topic": …, "seq": …}`, and `{"type": "refused", "topics": […]}` for topics the person may not
    follow. Rights are checked on joining, every minute, and when a control message says that they changed.

    `{"present": {"topic": …, "is": "viewing" | "writing" | "noting" | "gone", "hello": bool}}` goes to the others at
    that conversation as `{"type": "present", …}` with the person's id and initials; nothing of it is stored.
    Of more than MAX_SOCKETS sockets of one person the oldest close with 4429.
    """

    user: User
    present: set[str]
    catching_up: asyncio.Task[None]

    async def connect(self) -> None:
        user = self.scope.get("user")
        if user is None or not user.is_authenticated or not user.is_active:
            await self.close(code=SIGNED_OUT)
            return
        if await database_sync_to_async(lacks_second_factor)(user):
            await self.close(code=SIGNED_OUT)
            return
        self.user = user
        self.topics: set[str] = set()
        self.present = set()
        self.allowance, self.allowed_at = PRESENT_BURST, time.monotonic()
        await self.accept()
        await self._make_room()
        _keep_pulse()
        await self.channel_layer.group_add(realtime.control_group(user.pk), self.channel_name)
        self.recheck = asyncio.create_task(self._recheck_forever())

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a socket; however it ends, also by an error, nothing of it stays."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._tidy_up()

    async def _tidy_up(self) -> None:
        self._forget()
        if hasattr(self, "recheck"):
            self.recheck.cancel()
            _rights.forget(self)
            for topic in sorted(self.present):
                await self._say_present(topic, "gone")
            for topic in (*self.topics, realtime.control_group(self.user.pk)):
                with contextlib.suppress(Exception):
                    await self.channel_layer.group_discard(topic, self.channel_name)

    async def close(self, code: Any = None, reason: Any = None) -> None:
        """A socket that the server ends hears of nothing from now on, whether or not the other side answers."""
        self._forget()
        await super().close(code, reason)

    def _forget(self) -> None:
        if not hasattr(self, "topics"):
            return
        with contextlib.suppress(ValueError):
            _sockets[self.user.pk].remove(self)
        if not _sockets[self.user.pk]:
            del _sockets[self.user.pk]
        if not _sockets and _pulse:
            _pulse.pop().stop()

    async def send_json(self, content: Any, close: bool = False) -> None:
        """What is said to a page that has just closed is dropped: the news of its end is on the way to us."""
        with contextlib.suppress(OSError, RuntimeError):
            await super().send_json(content, close)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        if not isinstance(content, dict):
            return
        wanted = content.get("subscribe")
        if isinstance(wanted, dict):
            await self._subscribe(self._own_first(str(topic)[:60] for topic in wanted)[:MAX_TOPICS])
        dropped = content.get("unsubscribe")
        if isinstance(dropped, list):
            for topic in dropped[:MAX_TOPICS]:
                await self._leave(str(topic))

        present = content.get("present")
        if isinstance(present, dict):
            await self._relay(str(present.get("topic")), str(present.get("is")), bool(present.get("hello")))

    async def _make_room(self) -> None:
        """The window a person opened last is the one they look at; older ones poll until they are looked at again."""
        mine = _sockets[self.user.pk]
        mine.append(self)
        for oldest in mine[: -MAX_SOCKETS or None]:
            mine.remove(oldest)
            with contextlib.suppress(Exception):
                await oldest.close(code=TOO_MANY)

    async def _relay(self, topic: str, word: str, is_hello: bool) -> None:
        now = time.monotonic()
        self.allowance = min(PRESENT_BURST, self.allowance + (now - self.allowed_at) * PRESENT_PER_SECOND)
        self.allowed_at = now
        if topic not in self.topics or not topic.startswith("interaction.") or word not in PRESENT_WORDS:
            return
        if self.allowance < 1:
            return
        self.allowance -= 1
        self.present.discard(topic) if word == "gone" else self.present.add(topic)
        await self._say_present(topic, word, is_hello=is_hello)

    async def _say_present(self, topic: str, word: str, *, is_hello: bool = False) -> None:
        """A lost word costs nothing: whoever is there repeats it, whoever is not is forgotten after 25 s."""
        said = {"topic": topic, "is": word, "hello": is_hello, "user": self.user.pk, "initials": self.user.initials}
        with contextlib.suppress(Exception):
            async with asyncio.timeout(realtime.SEND_LIMIT_SECONDS):
                await self.channel_layer.group_send(topic, {"type": "person.present", "tab": self.channel_name, **said})

    async def person_present(self, event: dict[str, Any]) -> None:
        if event["tab"] != self.channel_name and event["topic"] in self.topics:
            await self.send_json({**event, "type": "present", "tab": event["tab"][-12:]})

    async def _subscribe(self, wanted: list[str]) -> None:
        allowed, sequences = await database_sync_to_async(self._allowed_now)(wanted)
        fresh = self._own_first(sorted(allowed - self.topics))[: MAX_TOPICS - len(self.topics)]
        for topic in fresh:
            await self.channel_layer.group_add(topic, self.channel_name)
            self.topics.add(topic)
        if fresh:  # read after joining, so that no change falls between the two
            await self._tell_sequences(allowed)
        else:
            await self._say_sequences(sequences)
        if refused := sorted(set(wanted) - allowed):
            await self.send_json({"type": "refused", "topics": refused})

    def _own_first(self, topics: Iterable[str]) -> list[str]:
        """What there are too many of is cut from the end; what concerns the person themself is kept."""
        own = (realtime.agent_topic(self.user.pk), realtime.work_topic(self.user.pk))
        return sorted(topics, key=lambda topic: topic not in own)

    def _allowed_now(self, wanted: list[str]) -> tuple[set[str], dict[str, int]]:
        """What of it they may follow, and the present sequences of that.

        A page asks for its own topic every thirty seconds, which is its sign of life.
        """
        if realtime.agent_topic(self.user.pk) in wanted:
            note_seen(self.user.pk)
        allowed = allowed_topics(self.user, wanted)
        return allowed, realtime.sequences_of(sorted(allowed))

    async def _tell_sequences(self, topics: set[str]) -> None:
        await self._say_sequences(await database_sync_to_async(realtime.sequences_of)(sorted(topics)))

    async def _say_sequences(self, sequences: dict[str, int]) -> None:
        await self.send_json({"type": "subscribed", "topics": sequences, "now": int(time.time() * 1000)})

    async def catch_up(self) -> None:
        """Tell the present sequences unasked, within CATCH_UP_SPREAD seconds."""
        await asyncio.sleep(random.random() * CATCH_UP_SPREAD)  # noqa: S311
        with contextlib.suppress(Exception):  # a socket that has gone meanwhile asks anew when it is back
            await self._tell_sequences(self.topics)

    async def _leave(self, topic: str) -> None:
        if topic in self.topics:
            if topic in self.present:
                self.present.discard(topic)
                await self._say_present(topic, "gone")
            self.topics.discard(topic)
            await self.channel_layer.group_discard(topic, self.channel_name)

    async def topic_changed(self, event: dict[str, Any]) -> None:
        await self.send_json({"type": "changed", "topic": event["topic"], "seq": event["seq"]})
        if event["topic"].startswith("interaction."):
            _rights.note(self, event["topic"])

    async def rights_changed(self, event: dict[str, Any]) -> None:
        """Sent to the control group at sign-out, disabling, role or team change."""
        await self._recheck()

    async def _recheck_forever(self) -> None:
        """Rights that cannot be checked twice in a row are taken for lost: the socket closes, the page asks anew."""
        failures = 0
        while failures < MOST_FAILURES:
            await asyncio.sleep(RECHECK_SECONDS)
            try:
                await self._recheck()
                failures = 0
            except Exception as error:
                failures += 1
                log.warning("socket_recheck_failed", error=type(error).__name__, failures=failures)
        await self.close(code=TRY_AGAIN)

    async def _recheck(self) -> None:
        if not await database_sync_to_async(self._is_signed_in)():
            await self.close(code=SIGNED_OUT)
            return
        await self._drop_forbidden(sorted(self.topics))

    async def _drop_forbidden(self, topics: list[str]) -> None:
        await self.keep_to(await database_sync_to_async(allowed_topics)(self.user, topics), topics)

    async def keep_to(self, allowed: set[str], among: Iterable[str]) -> None:
        """Leave those of `among` that the person may not follow any more, and say so."""
        for topic in set(among) & self.topics - allowed:
            await self._leave(topic)
            await self.send_json({"type": "refused", "topics": [topic]})

    def _is_signed_in(self) -> bool:
        session = self.scope.get("session")
        key = getattr(session, "session_key", None)
        row = Session.objects.filter(session_key=key, expire_date__gt=timezone.now()).first()
        if row is None or str(row.get_decoded().get(SESSION_KEY)) != str(self.user.pk):
            return False
        fresh = User.objects.filter(pk=self.user.pk, is_active=True).first()
        if fresh is None or lacks_second_factor(fresh):
            return False
        self.user = fresh
        return True
