"""Waking workers without making anybody wait for Redis.

The work lists are rows in PostgreSQL; a worker that is told "look" claims what is due. So a nudge carries nothing,
may be lost with its process (Celery beat looks as well) and may be merged with others: requests only set a flag, and
one thread per process publishes until the broker takes it. A slow or dead broker never slows a request.
"""

import os
import threading
import time

import structlog
from django.db import transaction

log = structlog.get_logger(__name__)
GAP_SECONDS = 0.02
BUSY_GAP_SECONDS, BUSY = 0.1, 3  # a worker that was woken goes on until nothing is due: many requests need few nudges
RETRY_SECONDS = 1.0

_lock = threading.Lock()
_ready = threading.Event()
_wanted: dict[str, str] = {}
_asked = 0  # requests since the last batch
_thread: threading.Thread | None = None
_thread_pid = 0


def wake_on_commit(task: str, queue: str) -> None:
    """After the caller's transaction commits, tell the workers of `queue` to run `task`, which takes no arguments."""
    transaction.on_commit(lambda: wake(task, queue))


def wake(task: str, queue: str) -> None:
    """Ask for one run of `task` soon; returns at once, never raises, merges with requests not yet published."""
    global _asked
    with _lock:
        _wanted[task] = queue
        _asked += 1
        _ensure_thread()
    _ready.set()


def _ensure_thread() -> None:
    global _thread, _thread_pid
    if _thread is None or not _thread.is_alive() or _thread_pid != os.getpid():
        _thread_pid = os.getpid()
        _thread = threading.Thread(target=_publish_forever, name="wake", daemon=True)
        _thread.start()


def _publish_forever() -> None:
    global _asked
    from contact_center.celery import app  # 10 MB that a process which never wakes anybody does without

    while True:
        _ready.wait()
        _ready.clear()
        with _lock:
            batch, asked = dict(_wanted), _asked
            _wanted.clear()
            _asked = 0
        for task, queue in batch.items():
            try:
                app.send_task(task, queue=queue, retry=False, ignore_result=True, expires=60)
            except Exception as error:
                log.warning("wake_failed", task=task, error=type(error).__name__)
                with _lock:
                    _wanted.setdefault(task, queue)
                _ready.set()
                time.sleep(RETRY_SECONDS)
        time.sleep(BUSY_GAP_SECONDS if asked >= BUSY else GAP_SECONDS)
