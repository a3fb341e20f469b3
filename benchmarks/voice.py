"""How long callers wait for words: TwiML answers over real HTTP, first word, menu and place in line, under load."""

import math
import socket
import subprocess
import sys
import threading
import time
from urllib.parse import urlencode, urlsplit

from twilio.request_validator import RequestValidator

from benchmarks.machine import ACCOUNT_SID, AUTH_TOKEN, ROOT, Row, environment, free_port, granian

GOAL_MS = 300
LINE = "+15005550111"
CALLERS, CALLS_EACH = 8, 40
STEPS = ("", "?step=language", "?step=menu&lang=en", "?step=wait&lang=en&n=1", "?step=choice&lang=en&n=1")


def measure(database_url: str) -> list[Row]:
    """The slowest hundredth of all answers to eight callers at once, each step of whose calls is asked for."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    env = environment(database_url, url)
    _set_up_line(env)
    with granian("contact_center.wsgi:application", port, env):
        _call(port, url, 0, 5, [])  # warms up
        found: list[float] = []
        callers = [
            threading.Thread(target=_call, args=(port, url, number, CALLS_EACH, found))
            for number in range(1, CALLERS + 1)
        ]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(120)
    wanted = CALLERS * CALLS_EACH * len(STEPS)
    assert len(found) == wanted, f"{len(found)} of {wanted} answers came"
    found.sort()
    p99 = found[math.ceil(len(found) * 0.99) - 1]
    return [
        Row(
            f"TwiML answer, {CALLERS} callers at once",
            f"p99 {p99:.0f} ms, median {found[len(found) // 2]:.0f} ms",
            "",
            f"{len(found)} answers",
            f"p99 < {GOAL_MS} ms",
            p99 < GOAL_MS,
        )
    ]


def _set_up_line(env: dict[str, str]) -> None:
    """One line with a menu of one choice."""
    script = (
        "from inbox.models import Channel, MenuOption, Queue, VoiceLine\n"
        "queue = Queue.objects.create(name='Front desk')\n"
        "given = {'name': 'Line', 'kind': 'voice', 'adapter': 'twilio_voice', 'queue': queue}\n"
        f"channel = Channel.objects.create(address='{LINE}', **given)\n"
        "line = VoiceLine.objects.create(channel=channel)\n"
        "MenuOption.objects.create(line=line, key='9', labels={'en': 'appointments'}, queue=queue)\n"
    )
    shell = [sys.executable, "-W", "ignore", "manage.py", "shell", "-v", "0", "-c", script]
    subprocess.run(shell, cwd=ROOT, env=env, check=True)


def _call(port: int, url: str, caller: int, calls: int, found: list[float]) -> None:
    with socket.create_connection(("127.0.0.1", port), 20) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(calls):
            for step in STEPS:
                began = time.perf_counter()
                wire.sendall(_request(url, step, f"CA{caller:08x}{number:024x}", f"+1305555{caller:04d}"))
                head = b""
                while b"</Response>" not in head:
                    got = wire.recv(65536)
                    assert got, "the server hung up"
                    head += got
                found.append((time.perf_counter() - began) * 1000)
                assert head.startswith(b"HTTP/1.1 200"), head[:200]


def _request(url: str, step: str, sid: str, sender: str) -> bytes:
    """One request for words, signed as Twilio signs."""
    path = f"/webhooks/twilio/voice{step}"
    params = {"AccountSid": ACCOUNT_SID, "CallSid": sid, "From": sender, "To": LINE, "Direction": "inbound"}
    params |= {"CallStatus": "in-progress"} | ({"Digits": "9"} if "language" in step or "menu" in step else {})
    signature = RequestValidator(AUTH_TOKEN).compute_signature(url + path, params)
    body = urlencode(params).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nX-Twilio-Signature: {signature}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
