"""How long one run of a task may take, well inside Celery's limits; what is left waits for the next run."""

from time import monotonic

from contact_center.common.wake import wake

DRAIN_SECONDS = 60.0  # Celery interrupts after 100 s


class Deadline:
    """The end of one run. `is_over` after `seconds`; the first time it says so, `task` is woken for the rest."""

    def __init__(self, task: str, queue: str, *, seconds: float | None = None) -> None:
        self._task, self._queue = task, queue
        self._end = monotonic() + (DRAIN_SECONDS if seconds is None else seconds)
        self._is_told = False

    @property
    def is_over(self) -> bool:
        if monotonic() < self._end:
            return False
        if not self._is_told:
            self._is_told = True
            wake(self._task, self._queue)
        return True
