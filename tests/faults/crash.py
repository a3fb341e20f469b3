"""Ending a process between any two steps of a service: at a chosen SQL statement or provider call."""

import os
import signal
from collections.abc import Callable

from django.db import connection

from inbox.services import providers


class StepCounter:
    """Counts the steps of a call; at step `deadly` it ends the process, before the step or right after it."""

    def __init__(self, deadly: int = 0, *, is_after: bool = False) -> None:
        self.count, self.deadly, self.is_after = 0, deadly, is_after

    def step(self, take: Callable[[], object]) -> object:
        """Take one step, or die around it."""
        self.count += 1
        if self.count == self.deadly and not self.is_after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = take()
        if self.count == self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    def on_statement(self, execute, sql, params, many, context):
        """A wrapper for `connection.execute_wrapper`."""
        return self.step(lambda: execute(sql, params, many, context))


def _counted(counter: StepCounter, work: Callable[[], object]) -> None:
    adapter = providers.adapter_for("twilio_messaging")
    send = adapter.send
    adapter.send = lambda outbound: counter.step(lambda: send(outbound))
    try:
        with connection.execute_wrapper(counter.on_statement):
            work()
    finally:
        adapter.send = send


def steps_of(work: Callable[[], object]) -> int:
    """How many steps the call takes when nothing happens to it."""
    counter = StepCounter()
    _counted(counter, work)
    return counter.count


def fail_within(work: Callable[[], object], step: int) -> None:
    """Run the call with a RuntimeError("step") right before that step."""

    class Failing(StepCounter):
        def step(self, take: Callable[[], object]) -> object:
            self.count += 1
            if self.count == step:
                raise RuntimeError("step")
            return take()

    _counted(Failing(), work)


def die_within(work: Callable[[], object], deadly: int, *, is_after: bool) -> bool:
    """Run the call in a process that is ended at that step; True when it got that far."""
    pid = os.fork()
    if pid == 0:
        # The parent's session must not be ended or used by the child: it forgets the socket and opens its own.
        connection.connection = None
        try:
            _counted(StepCounter(deadly, is_after=is_after), work)
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)
