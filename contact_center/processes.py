"""Child processes that never outlive their launcher: start, watch, restart with back-off, stop. Imports no Django."""

import contextlib
import ctypes
import os
import pwd
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

FIRST_DELAY_S, LONGEST_DELAY_S, HEALTHY_AFTER_S = 0.2, 10.0, 20.0
PR_SET_PDEATHSIG = 1
COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)


class StopRequested(Exception):
    """The launcher was asked to stop (Ctrl+C, SIGTERM, closed terminal) while it waited for something."""


@dataclass(frozen=True)
class Program:
    """What to run and how it likes to be treated. Times are seconds; without `log`, output goes to the console."""

    name: str
    argv: Sequence[str]
    env: dict[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    user: pwd.struct_passwd | None = None
    inherit_env: bool = True
    log: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 12.0
    restart: bool = True
    inherit_output: bool = False
    may_start: Callable[[], bool] = lambda: True
    longest_delay: float = LONGEST_DELAY_S


class Console:
    """One line of output per event, prefixed by the program's name, in colour on a terminal."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.is_colourful = self.stream.isatty() and "NO_COLOR" not in os.environ
        self.colours: dict[str, int] = {}

    def line(self, name: str, text: str) -> None:
        """Print one line. A closed terminal is no reason to fail: the programs behind it go on stopping cleanly."""
        colour = self.colours.setdefault(name, COLOURS[len(self.colours) % len(COLOURS)])
        prefix = f"\x1b[{colour}m{name:>10} │\x1b[0m" if self.is_colourful else f"{name:>10} |"
        self.raw(f"{prefix} {text}")

    def raw(self, text: str) -> None:
        """Print text as it is, with a line end."""
        with contextlib.suppress(OSError, ValueError):
            print(text, file=self.stream, flush=True)


class Child:
    """One program's current process, if any, and its restart state."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None
        self.returncode: int | None = None
        self.starts = 0
        self.started_at = 0.0
        self.next_start_at: float | None = None
        self.delay = FIRST_DELAY_S
        self.buffer = b""

    @property
    def is_running(self) -> bool:
        """Whether the process exists now."""
        return self.process is not None and self.process.poll() is None

    def signal_group(self, number: int) -> None:
        """Signal every process that this child left in its session's group; silent when there is none."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if self.program.inherit_output:
                    self.process.send_signal(number)
                else:
                    os.killpg(self.process.pid, number)


def _child_setup(death_signal: int) -> Callable[[], None]:
    """Runs in the new process after it dropped to its user: dropping clears the parent-death signal."""
    launcher = os.getpid()
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def setup() -> None:
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != launcher:
            os._exit(1)

    return setup


def spawn(program: Program) -> subprocess.Popen[bytes]:
    """Start the program in a session of its own. Raises OSError when it cannot be executed."""
    log = program.log.open("ab") if program.log else None
    user = program.user if program.user and program.user.pw_uid != os.geteuid() else None
    try:
        output = None if program.inherit_output else (log or subprocess.PIPE)
        return subprocess.Popen(
            list(program.argv),
            env={**(os.environ if program.inherit_env else {}), **program.env},
            cwd=program.cwd,
            stdin=None if program.inherit_output else subprocess.DEVNULL,
            stdout=output,
            stderr=None if program.inherit_output else subprocess.STDOUT,
            start_new_session=not program.inherit_output,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
            umask=0o077 if program.user else -1,
            preexec_fn=_child_setup(program.stop_signal),
        )
    finally:
        if log:
            log.close()


class Supervisor:
    """Runs programs in one thread. Create it in the main thread: it takes over the stop signals and SIGCHLD."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()
        self.children: list[Child] = []
        self.stop_requests = 0
        self.is_stopping = False
        self.watchers: list[Callable[[], None]] = []
        self._selector = selectors.DefaultSelector()
        self._wake_in, self._wake_out = socket.socketpair()
        for end in (self._wake_in, self._wake_out):
            end.setblocking(False)
        self._selector.register(self._wake_in, selectors.EVENT_READ)
        signal.set_wakeup_fd(self._wake_out.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_stop_signal)

    def _on_stop_signal(self, *_: object) -> None:
        self.stop_requests += 1

    def start(self, program: Program) -> Child:
        """Start a program now (as soon as its `may_start` agrees) and watch it from here on."""
        child = Child(program)
        child.next_start_at = 0.0
        self.children.append(child)
        self._start_due(child)
        return child

    def _start_due(self, child: Child) -> None:
        if child.next_start_at is None or time.monotonic() < child.next_start_at:
            return
        try:
            if not child.program.may_start():
                child.next_start_at = time.monotonic() + 0.05
                return
            child.process = spawn(child.program)
        except OSError as error:
            self.console.line(child.program.name, f"cannot start: {error}")
            self._schedule_restart(child)
            return
        child.next_start_at, child.returncode, child.started_at = None, None, time.monotonic()
        child.starts += 1
        if child.process.stdout is not None:
            os.set_blocking(child.process.stdout.fileno(), False)
            self._selector.register(child.process.stdout, selectors.EVENT_READ, child)

    def _schedule_restart(self, child: Child) -> None:
        child.next_start_at = time.monotonic() + child.delay
        child.delay = min(child.delay * 2, child.program.longest_delay)

    def pump(self, timeout: float = 0.5) -> None:
        """Handle what happened: output, deaths, due restarts. Waits at most `timeout` seconds for something."""
        due = [child.next_start_at for child in self.children if child.next_start_at is not None]
        if due and not self.is_stopping:
            timeout = max(0.0, min(timeout, min(due) - time.monotonic()))
        for key, _ in self._selector.select(timeout):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    self._wake_in.recv(4096)
            else:
                self._read(key.data)
        for child in self.children:
            if child.process is not None and child.returncode is None and child.process.poll() is not None:
                self._on_death(child)
            if not self.is_stopping:
                self._start_due(child)
        for watcher in self.watchers:
            watcher()

    def _read(self, child: Child) -> bool:
        """Print what the child wrote; False when there is nothing more for now."""
        assert child.process is not None and child.process.stdout is not None
        try:
            chunk = os.read(child.process.stdout.fileno(), 65536)
        except BlockingIOError:
            return False
        *lines, child.buffer = (child.buffer + chunk).split(b"\n")
        if not chunk or len(child.buffer) > 65536:
            lines, child.buffer = [*lines, child.buffer], b""
        for line in lines:
            if line.strip():
                self.console.line(child.program.name, line.decode(errors="replace").rstrip())
        if not chunk:
            self._selector.unregister(child.process.stdout)
            child.process.stdout.close()
        return bool(chunk)

    def _on_death(self, child: Child) -> None:
        assert child.process is not None
        child.returncode = child.process.returncode
        # Workers of a program that was killed alone would keep its port and answer with old state.
        child.signal_group(signal.SIGKILL)
        while child.process.stdout is not None and not child.process.stdout.closed and self._read(child):
            pass
        if self.is_stopping or not child.program.restart:
            return
        if time.monotonic() - child.started_at > HEALTHY_AFTER_S:
            child.delay = FIRST_DELAY_S
        self.console.line(child.program.name, f"{describe_exit(child.returncode)}; starts again in {child.delay:.1f} s")
        self._schedule_restart(child)

    def run_until(self, is_done: Callable[[], bool], interval: float = 0.5) -> None:
        """Pump until the predicate holds; it is asked at least every `interval` seconds. Raises StopRequested."""
        while not is_done():
            if self.stop_requests:
                raise StopRequested
            self.pump(interval)

    def run(self, program: Program) -> int:
        """Run a program to its end while the others are watched; its exit code. Raises StopRequested."""
        child = self.start(program)
        self.run_until(lambda: child.returncode is not None)
        self.children.remove(child)
        assert child.returncode is not None
        return child.returncode

    def stop(self, children: Iterable[Child] | None = None) -> None:
        """Stop these children together (all by default) and return when none is left; a second Ctrl+C hurries them."""
        chosen = list(self.children if children is None else children)
        self.is_stopping, asked_before, deadline = True, self.stop_requests, time.monotonic()
        for child in reversed(chosen):
            child.next_start_at = None
            deadline = max(deadline, time.monotonic() + child.program.grace)
            if child.is_running and child.process is not None:
                child.process.send_signal(child.program.stop_signal)
        while any(child.is_running for child in chosen):
            if time.monotonic() > deadline or (self.stop_requests > max(1, asked_before)):
                for child in chosen:
                    child.signal_group(signal.SIGKILL)
            self.pump(0.1)
        self.children = [child for child in self.children if child not in chosen]


def describe_exit(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"ended with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"
