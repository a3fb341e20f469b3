"""How a worker comes back to its broker: it tries once a second, and asks anew for what may have been forgotten."""

from functools import partial
from typing import Any

from celery.worker.consumer import Consumer

from contact_center.common.wake import wake

SECONDS = 1
SOON = 10
"""Work that beat asks for at least every so many seconds is asked for at once; the rest can wait for its tick."""


class PromptConsumer(Consumer):
    """Celery's own waits two seconds longer after every failure, up to half a minute, and then for a tick of beat."""

    def ensure_connected(self, conn: Any) -> Any:
        """A connection that is up; tries until then."""
        conn.ensure_connection = partial(
            conn.ensure_connection, interval_start=SECONDS, interval_step=0, interval_max=SECONDS
        )
        connected = super().ensure_connected(conn)
        for entry in self.app.conf.beat_schedule.values():
            if entry["schedule"] <= SOON:
                wake(entry["task"], entry["options"]["queue"])
        return connected
