"""Every program of the Procfile on a database, a broker and ports of its own."""

import contextlib
import os
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import requests
from django.db import DEFAULT_DB_ALIAS, connection, connections

from contact_center.simulator.mail import read
from tests.faults.lab import Lab
from tests.faults.stack import ROOT, free_port, wait_until
from tests.simulator.fixtures import SimulatorClient

PROGRAMS = ("web", "live", "worker", "beat", "mail", "simulator")
PORTS = ("WEB_PORT", "LIVE_PORT", "SIMULATOR_PORT", "SIMULATOR_SMTP_PORT", "SMTP_INTAKE_PORT")
START_SECONDS = 60.0  # 6 to 12 on two free cores


class Stack(Lab):
    """The whole product, run as in production, with the simulator as its provider and as its patients' mailboxes."""

    clinic: Any = None

    def __init__(self, folder: Path, database: str) -> None:
        self.database = database
        self.ports = {name: free_port() for name in PORTS}
        web, simulator = (f"http://127.0.0.1:{self.ports[name]}" for name in ("WEB_PORT", "SIMULATOR_PORT"))
        super().__init__(
            folder,
            DJANGO_SETTINGS_MODULE="tests.journeys.settings",
            CONTINUO_DATA_DIR=str(folder),
            PUBLIC_BASE_URL=web,
            LIVE_URL=f"ws://127.0.0.1:{self.ports['LIVE_PORT']}",
            SIMULATOR_URL=simulator,
            TWILIO_API_BASE_URL=simulator,
            PUBLIC_FORM_LIMIT="1000",
            PATH=f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            **{name: str(port) for name, port in self.ports.items()},
        )
        self.web_url, self.web_port = web, self.ports["WEB_PORT"]
        self.live_url = self.environment["LIVE_URL"]
        self.simulator = SimulatorClient(simulator)

    def start(self) -> None:
        """Start everything at once; returns when every program works. Raises AssertionError when one does not."""
        self.broker.start()
        lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines() if ": " in line)
        for name in PROGRAMS:
            # Only the simulator is told that this is no production: it refuses to run there.
            own = "env DEBUG=1 SIMULATOR=1" if name == "simulator" else ""
            self.spawn(name, "sh", "-c", f"exec {own} {lines[name]}")
        wait_until(self.is_up, START_SECONDS, "every program works")

    def is_up(self) -> bool:
        """Whether every program does its work now. Raises AssertionError with the log of one that has ended."""
        for name in PROGRAMS:
            assert self.processes[name].poll() is None, f"{name} ended: {self.log_of(name)[-3000:]}"
        pages = [
            f"{self.web_url}/readyz",
            f"http://127.0.0.1:{self.ports['LIVE_PORT']}/healthz",
            f"{self.simulator.url}/_state",
        ]
        with contextlib.suppress(requests.RequestException):
            is_serving = all(requests.get(page, timeout=5).status_code == 200 for page in pages)
            is_taking_mail = is_open(self.ports["SMTP_INTAKE_PORT"])
            return is_serving and is_taking_mail and self._is_worker_waiting() and self._is_beat_leading()
        return False

    def end(self) -> None:
        """Ask every program to end, then end what does not; nothing is left, and no session of the database."""
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and any(process.poll() is None for process in self.processes.values()):
            time.sleep(0.05)
        for process in [*self.processes.values(), self.broker.process]:
            if process is not None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(15)
        self.processes.clear()

    def log_of(self, name: str) -> str:
        """What a program has said so far."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def _is_worker_waiting(self) -> bool:
        return any(client["cmd"] == "brpop" for client in self.broker.link.client_list())

    def _is_beat_leading(self) -> bool:
        """Beat holds its advisory lock."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
                " WHERE locktype = 'advisory' AND datname = current_database()"
            )
            return cursor.fetchone()[0] > 0

    def mails_to(self, address: str) -> list[EmailMessage]:
        """What lies in a patient's mailbox, oldest first."""
        with contextlib.closing(sqlite3.connect(self.folder / "simulator.sqlite3", timeout=5)) as box:
            rows = box.execute(
                "SELECT source FROM mail WHERE direction = 'to_patient' AND owner = ? ORDER BY id", [address]
            ).fetchall()
        return [read(source) for (source,) in rows]


def is_open(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def database_of_the_stack() -> Iterator[str]:
    """The name of a copy of the empty test database, which is dropped when the block ends."""
    source = connection.settings_dict["NAME"]
    name = f"{source}_stack"
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [source])
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
    try:
        yield name
    finally:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextlib.contextmanager
def orm_on(name: str) -> Iterator[None]:
    """This thread's ORM speaks to that database while the block lasts; what it had under way before stays as it is."""
    before = connections[DEFAULT_DB_ALIAS]
    other = connections.create_connection(DEFAULT_DB_ALIAS)
    other.settings_dict = {**before.settings_dict, "NAME": name}
    connections[DEFAULT_DB_ALIAS] = other
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = before
        other.close()
