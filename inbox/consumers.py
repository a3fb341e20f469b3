"""The live socket: it only says which topic changed and how often; pages fetch the rest through checked views."""

import asyncio
import contextlib
from typing import Any

import structlog
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone

from contact_center.accounts.models import User
from inbox import realtime
from inbox.selectors.topics import allowed_topics

log = structlog.get_logger(__name__)
RECHECK_SECONDS = 60
MOST_FAILURES = 2
MAX_TOPICS = 60
SIGNED_OUT = 4401
TRY_AGAIN = 1013


class LiveConsumer(AsyncJsonWebsocketConsumer):
    """Protocol: the client sends `{"subscribe": {topic: last sequence}}` and `{"unsubscribe": [topic]}`.

    The server answers every subscription with the present sequences, later sends
    `{"type": "changed", "topic": …, "seq": …}`, and `{"type": "refused", "topics": […]}` for topics the person may not
    follow. Rights are checked on joining, every minute, and when a control message says that they changed.
    """

    user: User

    async def connect(self) -> None:
        user = self.scope.get("user")
        if user is None or not user.is_authenticated or not user.is_active:
            await self.close(code=SIGNED_OUT)
            return
        self.user = user
        self.topics: set[str] = set()
        await self.accept()
        await self.channel_layer.group_add(realtime.control_group(user.pk), self.channel_name)
        self.recheck = asyncio.create_task(self._recheck_forever())

    async def disconnect(self, code: int) -> None:
        if hasattr(self, "recheck"):
            self.recheck.cancel()
            for topic in (*self.topics, realtime.control_group(self.user.pk)):
                with contextlib.suppress(Exception):
                    await self.channel_layer.group_discard(topic, self.channel_name)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        if not isinstance(content, dict):
            return
        wanted = content.get("subscribe")
        if isinstance(wanted, dict):
            await self._subscribe([str(topic)[:60] for topic in wanted][:MAX_TOPICS])
        dropped = content.get("unsubscribe")
        if isinstance(dropped, list):
            for topic in dropped[:MAX_TOPICS]:
                await self._leave(str(topic))

    async def _subscribe(self, wanted: list[str]) -> None:
        allowed = await database_sync_to_async(allowed_topics)(self.user, wanted)
        for topic in sorted(allowed - self.topics)[: MAX_TOPICS - len(self.topics)]:
            await self.channel_layer.group_add(topic, self.channel_name)
            self.topics.add(topic)
        # Read after joining, so that no change falls between the two.
        sequences = await database_sync_to_async(realtime.sequences_of)(sorted(allowed))
        await self.send_json({"type": "subscribed", "topics": sequences})
        if refused := sorted(set(wanted) - allowed):
            await self.send_json({"type": "refused", "topics": refused})

    async def _leave(self, topic: str) -> None:
        if topic in self.topics:
            self.topics.discard(topic)
            await self.channel_layer.group_discard(topic, self.channel_name)

    async def topic_changed(self, event: dict[str, Any]) -> None:
        await self.send_json({"type": "changed", "topic": event["topic"], "seq": event["seq"]})
        if event["topic"].startswith("interaction."):
            await self._drop_forbidden([event["topic"]])

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
        allowed = await database_sync_to_async(allowed_topics)(self.user, topics)
        for topic in set(topics) & self.topics - allowed:
            await self._leave(topic)
            await self.send_json({"type": "refused", "topics": [topic]})

    def _is_signed_in(self) -> bool:
        session = self.scope.get("session")
        key = getattr(session, "session_key", None)
        row = Session.objects.filter(session_key=key, expire_date__gt=timezone.now()).first()
        if row is None or str(row.get_decoded().get(SESSION_KEY)) != str(self.user.pk):
            return False
        fresh = User.objects.filter(pk=self.user.pk, is_active=True).first()
        if fresh is None:
            return False
        self.user = fresh
        return True
