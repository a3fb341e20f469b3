"""A running simulator and a place that takes its webhooks, for any test that wants the real wire."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from contact_center.simulator.config import Config
from contact_center.simulator.server import Simulator

ACCOUNT_SID = "AC00000000000000000000000000000de0"
AUTH_TOKEN = "demo-auth-token-not-a-secret"
QUICK = {"queued": 0.0, "sent": 0.02, "delivered": 0.04, "read": 0.06}


class SimulatorClient:
    """The calls a test makes to a running simulator; `url` is what TWILIO_API_BASE_URL must be."""

    def __init__(self, url: str) -> None:
        self.url = url

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """One request to the simulator as the owner of the account."""
        options.setdefault("auth", (ACCOUNT_SID, AUTH_TOKEN))
        return requests.request(method, self.url + path, timeout=30, **options)

    def _json(self, method: str, path: str, value: Any = None) -> Any:
        response = self.call(method, path, json=value)
        assert response.status_code == 200, response.text
        return response.json()

    def inject_inbound(self, **message: Any) -> dict[str, Any]:
        """Let somebody write; `from` is given as `from_`. Answers after the webhooks unless `wait=False`."""
        if "from_" in message:
            message["from"] = message.pop("from_")
        found: dict[str, Any] = self._json("POST", "/_inbound", message)
        return found

    def set_faults(self, *rules: dict[str, Any], seed: int = 0) -> None:
        """Replace all fault rules."""
        self._json("PUT", "/_faults", {"seed": seed, "rules": list(rules)})

    def clear_faults(self) -> None:
        """No more trouble."""
        self._json("DELETE", "/_faults")

    def faults(self) -> dict[str, Any]:
        """The rules in force, each with how often it was seen and applied."""
        found: dict[str, Any] = self._json("GET", "/_faults")
        return found

    def set_delays(self, **delays: float | None) -> None:
        """Seconds from acceptance to queued, sent, delivered, read; None leaves one out."""
        self._json("PUT", "/_settings", {"delays": delays})

    def reset(self) -> None:
        """Forget all messages, faults and counts."""
        self._json("POST", "/_reset")

    def state(self) -> dict[str, Any]:
        """accepted, unique, duplicates, by_status, inbound, webhooks, requests, refused."""
        found: dict[str, Any] = self._json("GET", "/_state")
        return found

    def settle(self, seconds: float = 30.0) -> dict[str, Any]:
        """Wait until no status callback is pending; returns the state."""
        return wait_for(lambda: (state := self.state()) and not state["pending_callbacks"] and state, seconds)


class SimulatorServer(SimulatorClient):
    """One simulator in a thread of its own; `public_base_url` is where its webhooks go."""

    def __init__(self, data_dir: Path, public_base_url: str, **options: Any) -> None:
        options = {"delays": dict(QUICK), **options}
        self._config = {"data_dir": data_dir, "public_base_url": public_base_url} | options
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.simulator: Simulator | None = None
        self.start()

    def start(self) -> None:
        """Bind and run; keeps the port of the first start."""
        assert self.simulator is None

        async def begin() -> Simulator:
            simulator = Simulator(Config(account_sid=ACCOUNT_SID, auth_token=AUTH_TOKEN, **self._config))
            await simulator.start()
            return simulator

        self.simulator = asyncio.run_coroutine_threadsafe(begin(), self._loop).result(10)
        self.url = self.simulator.url
        self._config["port"] = urlsplit(self.url).port

    def stop(self) -> None:
        """Stop answering; the state stays on disk."""
        if self.simulator is not None:
            asyncio.run_coroutine_threadsafe(self.simulator.stop(), self._loop).result(10)
            self.simulator = None

    def close(self) -> None:
        """Stop for good."""
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()


@dataclass
class Webhook:
    """One request that reached the receiver."""

    path: str
    params: dict[str, str]
    headers: dict[str, str]


@dataclass
class WebhookReceiver:
    """Stands where the product stands: records every webhook and answers `status` after `pause` seconds."""

    status: int = 200
    pause: float = 0.0
    received: list[Webhook] = field(default_factory=list)
    url: str = ""

    def statuses(self) -> list[str]:
        """The message statuses reported so far, in order of arrival."""
        return [hook.params["MessageStatus"] for hook in list(self.received) if "MessageStatus" in hook.params]


def wait_for(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    """The first true value of `condition`, asked every 20 ms. Fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(f"Not so within {seconds} s: last value {condition()!r}")


@pytest.fixture
def webhook_receiver() -> Iterator[WebhookReceiver]:
    receiver = WebhookReceiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            body = self.rfile.read(length).decode()
            receiver.received.append(
                Webhook(self.path, dict(parse_qsl(body, keep_blank_values=True)), dict(self.headers))
            )
            time.sleep(receiver.pause)
            self.send_response(receiver.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_words: Any) -> None:
            return

    class Server(ThreadingHTTPServer):
        request_queue_size = 512
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    yield receiver
    server.shutdown()
    server.server_close()


@pytest.fixture
def make_simulator(tmp_path: Path) -> Iterator[Callable[..., SimulatorServer]]:
    """`make_simulator(public_base_url)` starts one on a free port, with its state in a folder of its own."""
    made: list[SimulatorServer] = []

    def make(public_base_url: str, **options: Any) -> SimulatorServer:
        options.setdefault("data_dir", tmp_path / f"simulator-{len(made)}")
        made.append(SimulatorServer(public_base_url=public_base_url, **options))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture
def simulator_server(
    make_simulator: Callable[..., SimulatorServer], webhook_receiver: WebhookReceiver
) -> SimulatorServer:
    """A simulator whose webhooks go to `webhook_receiver`."""
    return make_simulator(webhook_receiver.url)
