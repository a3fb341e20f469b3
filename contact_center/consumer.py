"""How a worker comes back to its broker: once a second, so that work goes on at once when the broker returns."""

from functools import partial
from typing import Any

from celery.worker.consumer import Consumer

SECONDS = 1


class PromptConsumer(Consumer):
    """Celery's own waits two seconds longer after every failure, up to half a minute."""

    def ensure_connected(self, conn: Any) -> Any:
        """A connection that is up; tries until then."""
        conn.ensure_connection = partial(
            conn.ensure_connection, interval_start=SECONDS, interval_step=0, interval_max=SECONDS
        )
        return super().ensure_connected(conn)
