"""Starting servers, driving them and reading what they cost, for all benchmarks."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import psutil
import psycopg2
from twilio.request_validator import RequestValidator

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT_SID, AUTH_TOKEN = "AC00000000000000000000000000000de0", "demo-auth-token-not-a-secret"
SERVER_URL = os.environ.get("DATABASE_URL", "")
CLINIC_DATABASE = os.environ.get("BENCH_DATABASE", "")
SCRATCH = f"{urlsplit(SERVER_URL).path.strip('/') or 'continuo'}_bench"
NOWHERE = "127.0.0.1:9"


@dataclass(frozen=True)
class Row:
    """One line of the table. `ratio` is what `goal` speaks about."""

    name: str
    measured: str
    floor: str
    ratio: str
    goal: str
    is_met: bool


def sibling_url(url: str, database: str) -> str:
    """The same server, another database."""
    return urlsplit(url)._replace(path=f"/{database}").geturl()


@contextlib.contextmanager
def scratch_database(source: str = "") -> Iterator[str]:
    """The address of a database of the bench's own beside the one of DATABASE_URL, dropped at the end: empty, or a
    copy of `source`, which stays as it is. Raises psycopg2.Error while somebody is connected to `source`, and
    ValueError when the bench would have to drop it."""
    if source == SCRATCH:
        raise ValueError(f"{source} is the name of the bench's own database, which it drops.")
    with contextlib.closing(psycopg2.connect(SERVER_URL)) as link:
        link.autocommit = True
        cursor = link.cursor()
        cursor.execute(f'DROP DATABASE IF EXISTS "{SCRATCH}" WITH (FORCE)')
        copied = f'TEMPLATE "{source}" STRATEGY FILE_COPY' if source else ""
        cursor.execute(f'CREATE DATABASE "{SCRATCH}" {copied}')
    try:
        yield sibling_url(SERVER_URL, SCRATCH)
    finally:
        with contextlib.closing(psycopg2.connect(SERVER_URL)) as link:
            link.autocommit = True
            link.cursor().execute(f'DROP DATABASE IF EXISTS "{SCRATCH}" WITH (FORCE)')


def environment(database_url: str, public_base_url: str) -> dict[str, str]:
    """What the product's programs need to run against the bench database; what they send reaches nobody."""
    return {
        **os.environ,
        "DATABASE_URL": database_url,
        "DEBUG": "0",
        "SIMULATOR": "0",
        "SECRET_KEY": "a-key-for-measuring-only-" + "x" * 40,
        "FIELD_KEYS": "bench:" + "A" * 43 + "=",
        "PUBLIC_BASE_URL": public_base_url,
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "TWILIO_API_BASE_URL": f"http://{NOWHERE}",
        "EMAIL_URL": f"smtp://{NOWHERE}",
        "LOG_LEVEL": "ERROR",
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def granian(application: str, port: int, env: dict[str, str]) -> Iterator[psutil.Process]:
    """The web line of the Procfile for this application."""
    line = next(line for line in (ROOT / "Procfile").read_text().splitlines() if line.startswith("web: "))
    command = line.removeprefix("web: ").replace("contact_center.wsgi:application", application)
    process = subprocess.Popen(
        ["sh", "-c", f"exec {command}"],
        cwd=ROOT,
        env=env | {"WEB_PORT": str(port)},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for_port(port)
        yield psutil.Process(process.pid)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            break
        time.sleep(0.1)
    with contextlib.suppress(OSError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()


def cpu_seconds(root: psutil.Process, database: str, link: psycopg2.extensions.connection) -> float:
    """CPU time so far of a server, its children, and the database sessions that serve `database`."""
    with link.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()", [database])
        sessions = [psutil.Process(row[0]) for row in cursor.fetchall()]
    total = 0.0
    for process in [root, *root.children(recursive=True), *sessions]:
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def signed_request(number: int, base_url: str, prefix: str) -> bytes:
    """One inbound text as Twilio posts it, ready for the wire."""
    parts = urlsplit(base_url)
    params = {
        "ToCountry": "US", "ToState": "FL", "SmsMessageSid": f"SM{prefix}{number:028x}", "NumMedia": "0",
        "ToCity": "MIAMI", "FromZip": "33131", "SmsSid": f"SM{prefix}{number:028x}", "FromState": "FL",
        "SmsStatus": "received", "FromCity": "MIAMI", "Body": "Good morning, is my result there yet?",
        "FromCountry": "US", "To": "+15005550100", "ToZip": "33131", "NumSegments": "1",
        "MessageSid": f"SM{prefix}{number:028x}", "AccountSid": ACCOUNT_SID, "From": f"+1305{number % 10**7:07d}",
        "ApiVersion": "2010-04-01",
    }  # fmt: skip
    signature = RequestValidator(AUTH_TOKEN).compute_signature(base_url + "/webhooks/twilio/messaging", params)
    body = urlencode(params).encode()
    head = (
        f"POST /webhooks/twilio/messaging HTTP/1.1\r\nHost: {parts.netloc}\r\nX-Twilio-Signature: {signature}\r\n"
        "User-Agent: TwilioProxy/1.1\r\nAccept: */*\r\nI-Twilio-Idempotency-Token: "
        f"{number:032x}\r\nContent-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def post_all(port: int, requests: list[bytes]) -> None:
    """Send them one after the other over one connection. Raises AssertionError on any answer but 200."""
    with socket.create_connection(("127.0.0.1", port), 20) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for request in requests:
            wire.sendall(request)
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += wire.recv(65536)
            head, _, rest = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), answer[:300]
            while not _is_whole(head, rest):
                rest += wire.recv(65536)


def _is_whole(head: bytes, rest: bytes) -> bool:
    headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    if headers.get(b"transfer-encoding") == b"chunked":
        return rest.endswith(b"0\r\n\r\n")
    return len(rest) >= int(headers.get(b"content-length", b"0"))
