"""Celery beat's clock for work that is claimed from rows: ticks may be lost, never doubled."""

from typing import Any

from celery.beat import Scheduler

from contact_center.common.logs import structlog  # without what it would load for nobody

log = structlog.get_logger(__name__)


class LosableScheduler(Scheduler):
    """Keeps its times in memory and gives up a tick that the broker does not take: the next one does the work."""

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **kwargs: Any) -> Any:
        entry = self.reserve(entry) if advance else entry
        try:
            return self.app.send_task(entry.task, retry=False, **entry.options)
        except Exception as error:
            log.warning("tick_lost", task=entry.task, error=type(error).__name__)
            return None
