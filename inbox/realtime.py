"""Live topics: a sequence per topic in PostgreSQL, and a hint to the sockets after commit. Ids only."""

import asyncio
import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import structlog
from channels.layers import get_channel_layer
from django.db import connection, transaction

from contact_center.common.prepared import ask_planned

log = structlog.get_logger(__name__)
SEND_LIMIT_SECONDS = 1.0
GATHER_SECONDS = 0.03

_loop: asyncio.AbstractEventLoop | None = None
_loop_pid = 0
_loop_lock = threading.Lock()
_gathered: dict[str, int] = {}
_sent_at = 0.0
_touched = threading.local()


def interaction_topic(interaction_id: int) -> str:
    return f"interaction.{interaction_id}"


def queue_topic(queue_id: int) -> str:
    return f"queue.{queue_id}"


def agent_topic(user_id: int) -> str:
    return f"agent.{user_id}"


def work_topic(user_id: int) -> str:
    """More was said in a conversation that the person holds, which changes lists; what there is to tell the person
    themself is `agent_topic`."""
    return f"work.{user_id}"


def control_group(user_id: int) -> str:
    """Group of all sockets of one person."""
    return f"control.{user_id}"


OUTBOX_TOPIC = "outbox"
LEDGER_TOPIC = "ledger"
SEQUENCES = "SELECT topic, sequence FROM inbox_topicsequence WHERE topic = ANY(%(topics)s)"
TEAM_TOPIC = "team"
"""Somebody's presence changed."""


@contextmanager
def atomic() -> Iterator[None]:
    """`transaction.atomic` that writes all touched topics once, sorted, as its last statement.

    Two transactions that touched topics in different order, or twice, would wait for each other for ever.
    """
    if getattr(_touched, "topics", None) is not None:
        with transaction.atomic():
            yield
        return
    _touched.topics = set()
    try:
        with transaction.atomic():
            yield
            if _touched.topics:
                _count(_touched.topics)
    finally:
        _touched.topics = None


def touch(*topics: str) -> None:
    """Count one change of each topic in the caller's transaction and tell the sockets after it commits.

    The rows stay locked until commit, so a lower number is never seen after a higher one. Inside `atomic` they are
    written at its end; elsewhere now, so call it last.
    """
    collected = getattr(_touched, "topics", None)
    if collected is None:
        _count(topics)
    else:
        collected.update(topics)


def _count(topics: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO inbox_topicsequence (topic, sequence) SELECT unnest(%s::text[]), 1"
            " ON CONFLICT (topic) DO UPDATE SET sequence = inbox_topicsequence.sequence + 1"
            " RETURNING topic, sequence",
            [sorted(set(topics))],
        )
        sequences = cursor.fetchall()
    transaction.on_commit(lambda: announce(sequences))


def announce(sequences: Iterable[tuple[str, int]]) -> None:
    """Hand the hints to this process's announcing thread; returns at once and never raises.

    A dead Redis loses hints, nothing else: clients compare sequences when they reconnect and poll every 30 s.
    """
    loop = _announcing_loop()
    with _loop_lock:
        is_first = not _gathered
        for topic, number in sequences:
            _gathered[topic] = max(number, _gathered.get(topic, 0))
    if is_first:
        asyncio.run_coroutine_threadsafe(_send_gathered(), loop)


async def _send_gathered() -> None:
    """The first hint after a quiet time leaves at once. A busy queue changes many times a second; one hint with the
    latest number says as much."""
    global _sent_at
    await asyncio.sleep(min(GATHER_SECONDS, _sent_at + GATHER_SECONDS - time.monotonic()))
    _sent_at = time.monotonic()
    with _loop_lock:
        latest = dict(_gathered)
        _gathered.clear()
    await _send([(topic, {"type": "topic.changed", "topic": topic, "seq": seq}) for topic, seq in latest.items()])


def recheck_sockets(user_id: int, *, after_seconds: float = 0) -> None:
    """Make every socket of this person check its rights, now or a little later; returns at once and never raises."""

    async def recheck() -> None:
        await asyncio.sleep(after_seconds)
        await _send([(control_group(user_id), {"type": "rights.changed"})])

    asyncio.run_coroutine_threadsafe(recheck(), _announcing_loop())


async def _send(hints: list[tuple[str, dict[str, object]]]) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    for attempt in (1, 2):
        try:
            async with asyncio.timeout(SEND_LIMIT_SECONDS):
                for group, hint in hints:
                    await layer.group_send(group, hint)
            return
        except Exception as error:
            if attempt == 2:
                log.warning("live_hint_lost", error=type(error).__name__)


def _announcing_loop() -> asyncio.AbstractEventLoop:
    """One event loop in one daemon thread per process, so that Redis connections are kept between hints."""
    global _loop, _loop_pid
    with _loop_lock:
        if _loop is None or _loop_pid != os.getpid():
            _loop, _loop_pid = asyncio.new_event_loop(), os.getpid()
            _gathered.clear()
            threading.Thread(target=_loop.run_forever, name="announce", daemon=True).start()
        return _loop


def sequences_of(topics: Iterable[str]) -> dict[str, int]:
    """Present sequence of each topic; 0 for one that never changed."""
    wanted = list(topics)
    found = dict(ask_planned(SEQUENCES, {"topics": wanted}))
    return {topic: found.get(topic, 0) for topic in wanted}
