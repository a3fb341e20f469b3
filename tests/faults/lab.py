"""The real programs of the house on a broker of their own, driven and broken from outside by the fault tests."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit, urlunsplit

import redis
from celery import Celery
from django.conf import settings
from django.db import connection
from twilio.request_validator import RequestValidator

from contact_center.engine_addresses import engine_user
from contact_center.engine_files import find_binaries
from tests.faults.stack import ROOT, free_port, wait_until

ACCOUNT_SID, AUTH_TOKEN = "AC00000000000000000000000000000de0", "demo-auth-token-not-a-secret"


def database_url() -> str:
    """Address of the database that this test run made."""
    parts = urlsplit(settings.DATABASE_URL)
    return urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))


def end_group(process: subprocess.Popen | None, number: int = signal.SIGKILL) -> None:
    """Signal a process and everything it started, and wait for it."""
    if process is None or process.poll() is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
    process.wait(15)


class Broker:
    """A Valkey on a port of its own, as the embedded one is configured."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def link(self) -> redis.Redis:
        """A new connection to it."""
        return redis.Redis.from_url(self.url, socket_timeout=2, socket_connect_timeout=2)

    def start(self) -> None:
        """Return when it answers."""
        program = str(find_binaries(engine_user()).valkey)
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder), "--save", ""]
        options += ["--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction"]
        self.process = subprocess.Popen(
            [program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        wait_until(self.answers, 10, "the broker answers")

    def answers(self) -> bool:
        """Whether it answers now."""
        try:
            return bool(self.link.ping())
        except redis.RedisError:
            return False

    def kill(self) -> None:
        """kill -9."""
        end_group(self.process)

    def pause(self) -> None:
        """It holds its connections and answers nobody."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on where it stopped."""
        self.process.send_signal(signal.SIGCONT)


class Lab:
    """Broker, web server, workers and beat on the test database. Whatever was started ends with `close`."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.broker = Broker(folder / "broker")
        self.web_port = free_port()
        self.web_url = f"http://127.0.0.1:{self.web_port}"
        self.environment = environment
        self.processes: dict[str, subprocess.Popen] = {}
        self.workers: list[int] = []

    # ---- programs ----
    def spawn(self, name: str, *argv: str, **options) -> subprocess.Popen:
        """Start one program with the lab's settings; its output goes to `<name>.log`."""
        own = {
            "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
            "DATABASE_URL": database_url(),
            "REDIS_URL": self.broker.url,
            "SECRET_KEY": settings.SECRET_KEY,
            "DEBUG": "0",
            "SIMULATOR": "0",
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "PUBLIC_BASE_URL": self.web_url,
            "MEDIA_ROOT": str(self.folder / "media"),
            "LOG_LEVEL": "WARNING",
            "PYTHONPATH": str(ROOT),
        }
        log = (self.folder / f"{name}.log").open("ab")
        process = subprocess.Popen(
            argv,
            cwd=ROOT,
            env={**os.environ, **own, **self.environment},
            stderr=log,
            start_new_session=True,
            **{"stdout": log, "stdin": subprocess.DEVNULL, **options},
        )
        self.processes[name] = process
        return process

    def start_web(self, *, threads: int = 8) -> None:
        """The very web line of the Procfile; returns when it answers."""
        lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines() if ": " in line)
        self.environment |= {"WEB_PORT": str(self.web_port), "WEB_THREADS": str(threads)}
        self.environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.spawn("web", "sh", "-c", f"exec {lines['web']}")
        wait_until(lambda: self.get("/healthz")[0] == 200, 20, "the web server answers")

    def stop_web(self) -> None:
        """Nobody answers at the web address."""
        end_group(self.processes.pop("web", None))

    def start_live(self) -> None:
        """The very live line of the Procfile; returns when it answers."""
        self.live_port = getattr(self, "live_port", None) or free_port()
        lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines() if ": " in line)
        self.environment |= {"LIVE_PORT": str(self.live_port), "LIVE_URL": f"ws://127.0.0.1:{self.live_port}"}
        self.environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.spawn("live", "sh", "-c", f"exec {lines['live']}")
        request = urllib.request.Request(f"http://127.0.0.1:{self.live_port}/healthz")
        wait_until(lambda: self._ask(request, 2)[0] == 200, 30, "the live server answers")

    def stop_live(self) -> None:
        """It is asked to end, as by a deployment, and has ended."""
        process = self.processes.pop("live")
        process.terminate()
        process.wait(20)

    def start_beat(self, name: str = "beat") -> None:
        """The beat process of the Procfile."""
        self.spawn(name, sys.executable, "-m", "contact_center.beat")

    def start_workers(self, processes: int = 2) -> int:
        """A worker group, forked from a warm process; the process id of its leader."""
        farm = self.processes.get("farm")
        if farm is None:
            farm = self.spawn(
                "farm", sys.executable, "-m", "tests.faults.worker_farm", stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            assert farm.stdout.readline() == b"ready\n", (self.folder / "farm.log").read_text()[-2000:]
        farm.stdin.write(f"start {processes}\n".encode())
        farm.stdin.flush()
        self.workers.append(int(farm.stdout.readline()))
        return self.workers[-1]

    def kill_workers(self) -> None:
        """kill -9 of every worker group."""
        for leader in self.workers:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(leader, signal.SIGKILL)
        self.workers.clear()

    def close(self) -> None:
        """End everything that was started here."""
        self.kill_workers()
        if self.broker.process is not None and self.broker.process.poll() is None:
            self.broker.resume()
        for process in [*self.processes.values(), self.broker.process]:
            end_group(process)
        self.processes.clear()
        self._drop_sessions()

    def _drop_sessions(self) -> None:
        """Sessions of killed programs end late; they must not hold up the clearing of tables."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid()"
            )

    # ---- talking to it ----
    def wake(self, task: str, queue: str) -> None:
        """Publish one task that takes nothing. Raises when the broker does not take it."""
        with Celery(broker=self.broker.url, set_as_current=False) as app:
            app.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
            app.send_task(task, queue=queue, retry=False, ignore_result=True)

    def get(self, path: str, limit: float = 20.0) -> tuple[int, float]:
        """Status (0 when nobody answers) and seconds of one GET."""
        return self._ask(urllib.request.Request(self.web_url + path), limit)

    def post_webhook(self, path: str, limit: float = 20.0, **params: str) -> tuple[int, float]:
        """Post as Twilio would, signed; status and seconds."""
        params.setdefault("AccountSid", ACCOUNT_SID)
        signature = RequestValidator(AUTH_TOKEN).compute_signature(self.web_url + path, params)
        request = urllib.request.Request(
            self.web_url + path, urlencode(params).encode(), {"X-Twilio-Signature": signature}
        )
        return self._ask(request, limit)

    def browse(self, path: str, form: dict[str, str], *, cookies: dict[str, str], token: str) -> tuple[int, float]:
        """GET, or POST when there is a form, as a browser does; redirects are followed. Status and seconds."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()), "Accept": "text/html"}
        body = urlencode(form | {"csrfmiddlewaretoken": token}).encode() if form else None
        return self._ask(urllib.request.Request(self.web_url + path, body, headers), 30)

    @staticmethod
    def _ask(request: urllib.request.Request, limit: float) -> tuple[int, float]:
        begun = time.monotonic()
        try:
            with urllib.request.urlopen(request, timeout=limit) as answer:
                answer.read()
                status = int(answer.status)
        except urllib.error.HTTPError as error:
            status = error.code
        except OSError:
            status = 0
        return status, time.monotonic() - begun


@contextlib.contextmanager
def lab(**environment: str) -> Iterator[Lab]:
    """A lab with its broker running, in a short-lived folder."""
    with tempfile.TemporaryDirectory(prefix="lab-") as folder:
        made = Lab(Path(folder), **environment)
        try:
            made.broker.start()
            yield made
        finally:
            made.close()


def percentile(values: list[float], share: float) -> float:
    """The value that this share of all does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def race(*works):
    """Run these at the same moment, each with a database connection of its own."""
    gate, errors = threading.Barrier(len(works)), []

    def run(work):
        try:
            gate.wait(10)
            work()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
