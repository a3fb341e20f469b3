"""Every program of the Procfile on a database, a broker and ports of its own, and the ways to talk to them."""

import contextlib
import re
import shlex
import sqlite3
import sys
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Any

import lxml.html
import psycopg2
import requests
from django.conf import settings
from django.db import connection
from websockets.sync.client import ClientConnection, connect

from contact_center.accounts.models import User
from tests.factories.accounts import PASSWORD
from tests.faults.lab import Lab, end_group
from tests.faults.stack import ROOT, free_port, wait_until
from tests.simulator.fixtures import SimulatorClient

PROGRAMS = ("web", "live", "worker", "beat", "mail", "simulator")
PORTS = ("WEB_PORT", "LIVE_PORT", "SIMULATOR_PORT", "SIMULATOR_SMTP_PORT", "SMTP_INTAKE_PORT")
START_SECONDS = 40.0


class Stack(Lab):
    """The whole product with the simulator as its provider, its patients and their mailboxes."""

    def __init__(self, folder: Path) -> None:
        ports = {name: free_port() for name in PORTS}
        web, simulator = (f"http://127.0.0.1:{ports[name]}" for name in ("WEB_PORT", "SIMULATOR_PORT"))
        super().__init__(
            folder,
            DJANGO_SETTINGS_MODULE="tests.journeys.settings",
            CONTINUO_DATA_DIR=str(folder),
            PUBLIC_BASE_URL=web,
            LIVE_URL=f"ws://127.0.0.1:{ports['LIVE_PORT']}",
            SIMULATOR_URL=simulator,
            TWILIO_API_BASE_URL=simulator,
            WEB_THREADS="6",
            WORKER_PROCESSES="2",
            PATH=f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            **{name: str(port) for name, port in ports.items()},
        )
        self.ports, self.web_url, self.web_port = ports, web, ports["WEB_PORT"]
        self.live_url = self.environment["LIVE_URL"]
        self.simulator = SimulatorClient(simulator)

    def start(self) -> None:
        """Start everything at once and return when each program answers. Raises AssertionError when one does not."""
        self.broker.start()
        lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines() if ": " in line)
        for name in PROGRAMS:
            # The simulator is refused outside DEBUG; the product itself runs as in production.
            own = "DEBUG=1 SIMULATOR=1 exec" if name == "simulator" else "exec"
            self.spawn(name, "sh", "-c", f"{own} {lines[name]}" if own == "exec" else f"exec env DEBUG=1 SIMULATOR=1 {lines[name]}")
        wait_until(self.is_up, START_SECONDS, "every program answers")

    def is_up(self) -> bool:
        """Whether every program answers now. Raises AssertionError with its log when one has ended."""
        for name in PROGRAMS:
            assert self.processes[name].poll() is None, (name, (self.folder / f"{name}.log").read_text()[-2000:])
        live = self.live_url.replace("ws:", "http:")
        answers = [_status(f"{url}{path}") for url, path in ((self.web_url, "/readyz"), (live, "/healthz"))]
        is_mail_open = _is_open(self.ports["SMTP_INTAKE_PORT"]) and _is_open(self.ports["SIMULATOR_SMTP_PORT"])
        return answers == [200, 200] and is_mail_open and _status(self.simulator.url + "/_state") == 200 and self._works()

    def _works(self) -> bool:
        """The worker subscribes to its queues last."""
        return b"worker" in b" ".join(self.broker.link.client_list_names())
