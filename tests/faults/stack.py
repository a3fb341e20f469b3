"""One launcher on a data folder of its own, driven from outside as a person would, for the fault tests."""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg2

from contact_center.engine_addresses import database_url, engine_user
from contact_center.engine_files import MARKER, claim_home, engine_processes, marked_processes, send

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "tests" / "faults" / "stack_programs.py"
ROLE_NAMES = ("postgres", "valkey", "web", "ticker")


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(holds: Callable[[], bool], limit: float, what: str) -> float:
    """Seconds until it holds; an AssertionError that names it after `limit` seconds."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < limit, f"not within {limit} s: {what}"
        time.sleep(0.02)
    return time.monotonic() - begun


class Stack:
    """Engines, a health page and a writer under the real launcher."""

    def __init__(self, data_dir: Path, notes: Path | None = None) -> None:
        self.data_dir, self.port, notes = data_dir.resolve(), free_port(), notes or data_dir.parent
        data_dir.mkdir(parents=True, exist_ok=True)
        self.acknowledged, self.procfile = notes / "acknowledged", notes / "Procfile"
        programs = shlex.join([sys.executable, str(PROGRAMS)])
        self.procfile.write_text(
            f"web: {programs} web {self.port}\nticker: {programs} ticker {shlex.quote(str(self.acknowledged))}\n"
        )
        self.launcher: subprocess.Popen[str] | None = None

    @property
    def home(self) -> Path:
        """The engines' private folder."""
        return claim_home(self.data_dir, engine_user())

    def launch(self, **environment: str) -> subprocess.Popen[str]:
        """Start the launcher without waiting; its output is a pipe."""
        gone = ("DATABASE_URL", "REDIS_URL", MARKER)
        clean = {name: value for name, value in os.environ.items() if name not in gone}
        argv = [sys.executable, "-m", "contact_center.supervisor", "start", "--data-dir", str(self.data_dir)]
        argv += ["--procfile", str(self.procfile)]
        return subprocess.Popen(
            argv, cwd=ROOT, env=clean | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def start(self, limit: float = 20.0) -> float:
        """Start and wait until a new commit is acknowledged and health is green; the seconds that took."""
        before, begun = self.last_acknowledged(), time.monotonic()
        self.launcher = self.launch()
        wait_until(lambda: self.last_acknowledged() > before and self.health() == 200, limit, "up with new commits")
        return time.monotonic() - begun

    def health(self) -> int:
        """Status of the health page, 0 when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=3) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def last_acknowledged(self) -> tuple[int, int]:
        """The last acknowledged (commit, Valkey count)."""
        lines = self.acknowledged.read_text().splitlines() if self.acknowledged.exists() else []
        whole = [line.split() for line in lines[-2:] if len(line.split()) == 2]
        return (int(whole[-1][0]), int(whole[-1][1])) if whole else (0, 0)

    def numbers(self) -> list[int]:
        """Every committed number in order."""
        connection = psycopg2.connect(database_url(self.data_dir))
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT n FROM tick ORDER BY n")
            return [row[0] for row in cursor.fetchall()]

    def missing_commits(self) -> list[int]:
        """Acknowledged numbers that the database does not have."""
        said = {int(line.split()[0]) for line in self.acknowledged.read_text().splitlines() if len(line.split()) == 2}
        return sorted(said - set(self.numbers()))

    def main_process(self, name: str) -> psutil.Process | None:
        """The running main process of an engine or program."""
        if name in ("postgres", "valkey"):
            found = engine_processes(self.home, name)
            own = {process.pid for process in found}
            return next((process for process in found if process.ppid() not in own), None)
        return next((process for process in marked_processes(self.data_dir) if name in process.cmdline()), None)

    def everything(self) -> list[psutil.Process]:
        """Every process that belongs to this folder, engines' helpers included."""
        return marked_processes(self.data_dir) + engine_processes(self.home)

    def kill_launcher(self) -> None:
        """kill -9, and nothing else."""
        assert self.launcher is not None
        self.launcher.kill()
        self.launcher.communicate()

    def stop(self) -> str:
        """Ctrl+C; what the launcher printed."""
        assert self.launcher is not None
        self.launcher.send_signal(signal.SIGINT)
        return self.launcher.communicate(timeout=60)[0]

    def clear_away(self) -> None:
        """End whatever a failed test left; stays inside this folder."""
        if self.launcher is not None and self.launcher.poll() is None:
            self.launcher.kill()
            self.launcher.communicate()
        send(self.everything(), signal.SIGKILL)
