"""The launcher: engines, preparing steps, then every program of the Procfile, until Ctrl+C. Imports no Django."""

import argparse
import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from contact_center import embedded
from contact_center.embedded import BASE_DIR, default_data_dir, load_dotenv
from contact_center.engine_addresses import EngineError, resolved
from contact_center.engine_files import lock_holder
from contact_center.processes import Child, Console, Program, StopRequested, Supervisor, describe_exit

PORT_PATIENCE_S = 5.0
LISTENING_IF = {"hl7": "HL7_PORT"}
"""Programs of the Procfile that are started only where this variable names a port; 0 is none."""
# Said by every process at every start, and nothing that the person in front of the terminal could act on.
QUIET = (
    "ignore:The 'django-fsm' package:UserWarning,"
    "ignore:You're running the worker with superuser privileges,"
    "ignore:The `websockets` implementation is deprecated"
)


def read_procfile(path: Path) -> dict[str, str]:
    """Name → shell command of every line. Raises EngineError for a file that is missing or not of that form."""
    programs: dict[str, str] = {}
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise EngineError(f"The Procfile {path} cannot be read: {error.strerror}.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, colon, command = line.partition(":")
        if not colon or not name.strip().isidentifier() or not command.strip():
            raise EngineError(f"Line {number} of {path} is not `name: command`.")
        programs[name.strip()] = command.strip()
    return programs


def to_start(commands: Mapping[str, str], without: Sequence[str]) -> dict[str, str]:
    """Of these programs all but those that are left out, and those that were not told where to listen."""
    silent = {name for name, variable in LISTENING_IF.items() if os.environ.get(variable, "").strip() in ("", "0")}
    return {name: command for name, command in commands.items() if name not in {*without, *silent}}


def require_free_ports(ports: Sequence[int]) -> None:
    """Raises EngineError for the first port that stays taken; what just stopped gets a few seconds to let go."""
    deadline = time.monotonic() + PORT_PATIENCE_S
    for port in ports:
        while True:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        raise EngineError(
                            f"Port {port} is taken by another program: stop it, or move all ports at once with "
                            "`make demo OFFSET=100`."
                        ) from None
            time.sleep(0.2)


def is_ready(url: str) -> bool:
    """Whether the address answers 200 within a second."""
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError, urllib.error.URLError):
        return False


@dataclass(frozen=True)
class Plan:
    """What one start does: preparing steps (title, command), the Procfile's programs, and when it is complete.

    The first program starts alone until the first of `ready_urls` answers 200: people wait for that one.
    """

    data_dir: Path
    procfile: Path = BASE_DIR / "Procfile"
    without: Sequence[str] = ()
    steps: Sequence[tuple[str, str]] = ()
    ports: Sequence[int] = ()
    ready_urls: Sequence[str] = ()
    announcement: str = ""
    announce_command: str = ""


class Launcher:
    """One start of everything on one data folder."""

    def __init__(self, plan: Plan, supervisor: Supervisor) -> None:
        self.plan, self.supervisor, self.console = plan, supervisor, supervisor.console
        self.begun = time.monotonic()
        self.programs: list[Child] = []

    def run(self) -> int:
        """Start, stay until asked to stop, stop. Raises EngineError when something cannot start."""
        commands = to_start(read_procfile(self.plan.procfile), self.plan.without)
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        os.environ.update(PATH=path, PYTHONUNBUFFERED="1")
        os.environ.setdefault("MALLOC_ARENA_MAX", "2")
        os.environ.setdefault("PYTHONWARNINGS", QUIET)
        with embedded.started(self.plan.data_dir, self.supervisor) as engines:
            self.say(
                f"engines answer; their files are in {engines.home}" if engines.children else "engines are elsewhere"
            )
            require_free_ports(self.plan.ports)
            for title, command in self.plan.steps:
                self.run_step(title, command)
            for name, command in commands.items():
                program = Program(name, ["/bin/sh", "-c", f"exec {command}"], cwd=BASE_DIR)
                self.programs.append(self.supervisor.start(program))
                if len(self.programs) == 1:
                    self.wait_until_ready(self.plan.ready_urls[:1])
            words = self.ask(self.plan.announce_command)
            self.wait_until_ready(self.plan.ready_urls[1:])
            self.announce(words)
            self.supervisor.run_until(lambda: not self.plan.data_dir.exists(), 2.0)
            self.say(f"{self.plan.data_dir} was removed; stopping")
        return 1

    def say(self, text: str) -> None:
        """A line of progress with the seconds since the start."""
        self.console.line("continuo", f"{time.monotonic() - self.begun:5.1f} s  {text}")

    def run_step(self, title: str, command: str) -> None:
        """Run one preparing command to its end; an empty one has nothing to do. Raises EngineError when it fails."""
        if not command:
            return
        self.say(f"{title} …")
        code = self.supervisor.run(
            Program(title.split(maxsplit=1)[0], shlex.split(command), cwd=BASE_DIR, restart=False)
        )
        if code:
            raise EngineError(f"The step “{title}” {describe_exit(code)}; its own lines above say why.")

    def wait_until_ready(self, urls: Sequence[str]) -> None:
        """Return when every address answers 200. Raises StopRequested."""
        for url in urls:
            self.supervisor.run_until(partial(is_ready, url), 0.1)
            self.say(f"{url} answers")

    def announce(self, words: subprocess.Popen[str] | None) -> None:
        """Print the announcement and what the announce command said."""
        said, complaint = words.communicate(timeout=60) if words else ("", "")
        text = "\n".join(part.rstrip() for part in (self.plan.announcement, said or complaint) if part.strip())
        if text:
            self.console.raw(f"\n{text}\n")

    def ask(self, command: str) -> subprocess.Popen[str] | None:
        """Start a command whose words are wanted later, so that its own start costs no time then."""
        if not command:
            return None
        pipe = subprocess.PIPE
        return subprocess.Popen(shlex.split(command), cwd=BASE_DIR, stdout=pipe, stderr=pipe, text=True)


def start(plan: Plan) -> int:
    """Everything until Ctrl+C, SIGTERM or a closed terminal; exit code 0 for a clean stop, 1 for a failed start."""
    launcher = Launcher(plan, Supervisor(Console()))
    try:
        return launcher.run()
    except StopRequested:
        launcher.say("stopped; the data stays for the next start")
        return 0
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1


def stop(data_dir: Path) -> int:
    """Ask the launcher of this folder to stop and wait for it, a minute at most."""
    holder = lock_holder(data_dir)
    if holder is None:
        print(f"Nothing runs on {data_dir}.")
        return 0
    with contextlib.suppress(ProcessLookupError):
        os.kill(holder, signal.SIGTERM)
    deadline = time.monotonic() + 60
    while lock_holder(data_dir) == holder:
        if time.monotonic() > deadline:
            raise EngineError(f"Process {holder} did not stop within a minute.")
        time.sleep(0.1)
    print(f"Stopped what ran on {data_dir}; the data stays.")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry of `python -m contact_center.supervisor`; see --help."""
    parser = argparse.ArgumentParser(prog="python -m contact_center.supervisor", description=__doc__)
    parser.add_argument("action", choices=["start", "stop"])
    parser.add_argument("--data-dir", type=resolved)
    parser.add_argument("--procfile", type=Path, default=BASE_DIR / "Procfile")
    parser.add_argument("--without", action="append", default=[], metavar="NAME", help="leave this program out")
    parser.add_argument(
        "--port", action="append", default=[], type=int, help="refuse to start while this port is taken"
    )
    parser.add_argument("--ready-url", action="append", default=[], help="complete when this address answers 200")
    options = parser.parse_args(arguments)
    load_dotenv()
    data_dir = options.data_dir or default_data_dir()
    if options.action == "start":
        return start(Plan(data_dir, options.procfile, options.without, (), options.port, options.ready_url))
    try:
        return stop(data_dir)
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
