"""From the provider's webhook to the agent's screen: 50 open pages, 20 messages a second, every program of the way.

BENCH_DATABASE names a full clinic on the same server: a copy of it is measured, in which each page shows a patient of
that clinic with all that ever passed, and the agents serve the clinic's queues beside their own. It is vacuumed first,
as autovacuum has done long since where rows came over years.
"""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import aiohttp
import psutil
import psycopg2
from twilio.request_validator import RequestValidator

from benchmarks.machine import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    CLINIC_DATABASE,
    ROOT,
    SCRATCH,
    Row,
    _wait_for_port,
    cpu_seconds,
    environment,
    free_port,
    granian,
)
from benchmarks.players import Page

if TYPE_CHECKING:
    from contact_center.accounts.models import Team, User
    from inbox.models import Channel, Interaction, Queue

TALKS = 21
PAGES, PER_SECOND, SECONDS, WARM_SECONDS = 50, 20, 30, 5
GOAL_MS = 300
CLINIC = "+15005550190"  # no clinic that is seeded has this address
SID = "SMbe9c"  # what the bench sent, among all that a clinic ever got
MARK = re.compile(rb"nr(\d{6})x")


def measure(database_url: str) -> list[Row]:
    """p95 from the moment the webhook is posted to the moment its text is on the page of the conversation's owner."""
    web, live = free_port(), free_port()
    base = f"http://127.0.0.1:{web}"
    env = environment(database_url, base) | {"LIVE_URL": f"ws://127.0.0.1:{live}", "LIVE_PORT": str(live)}
    env |= {"CELERY_KEY_PREFIX": "bench:", "WORKER_PROCESSES": "2", "BENCH_WEB": base}
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        contextlib.closing(psycopg2.connect(database_url)) as link,
        _with_static(env, folder),
        granian("contact_center.wsgi:application", web, env) as server,
        _program("live", env) as socket_server,
        _program("worker", env) as worker,
        _program("beat", env),
    ):
        link.autocommit = True
        link.cursor().execute("VACUUM (ANALYZE)")
        _wait_for_port(live)
        programs = [server, socket_server, worker]
        before = [cpu_seconds(one, "none", link) for one in programs]
        database = _sessions(link)
        found = json.loads(subprocess.check_output([sys.executable, "-m", "benchmarks.live"], cwd=ROOT, env=env))
        cost = [cpu_seconds(one, "none", link) - was for one, was in zip(programs, before, strict=True)]
        cost.append(_sessions(link) - database)
    return _rows(found, cost)


@contextlib.contextmanager
def _with_static(env: dict[str, str], folder: str) -> Iterator[None]:
    """Pages name their static files by the manifest of this folder."""
    env["CONTINUO_DATA_DIR"] = folder
    command = [sys.executable, "-W", "ignore", "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=env, check=True)
    yield


def _sessions(link: psycopg2.extensions.connection) -> float:
    """CPU seconds of the database's sessions alone: a process that starts nothing stands for the program."""
    nothing = subprocess.Popen(["sleep", "60"])
    try:
        return cpu_seconds(psutil.Process(nothing.pid), SCRATCH, link)
    finally:
        nothing.kill()
        nothing.wait()


def _rows(found: dict, cost: list[float]) -> list[Row]:
    shares = ", ".join(
        f"{name} {seconds / found['sent'] * 1000:.0f}"
        for name, seconds in zip(("web", "live", "worker", "database"), cost, strict=True)
    )
    place = f" in {CLINIC_DATABASE}" if CLINIC_DATABASE else ""
    name = f"webhook to screen{place}, {PAGES} pages, {PER_SECOND} messages/s"
    measured = f"p50 {found['p50']:.0f}, p95 {found['p95']:.0f}, worst {found['worst']:.0f} ms"
    stages = ", ".join(f"{name} {p50:.0f} ({p95:.0f})" for name, (p50, p95) in found["stages"].items()) + " ms"
    is_met = found["p95"] < GOAL_MS and found["lost"] == 0
    return [
        Row(name, measured, "", f"{found['lost']} of {found['sent']} lost", f"p95 < {GOAL_MS} ms, 0 lost", is_met),
        Row("  since it was sent, p50 (p95)", stages, "", "", "", True),
        Row("  CPU of a message on all pages", f"{shares} ms", "", f"{found['fetches']:.1f} fetches", "", True),
        *(Row(f"  not shown: {fate}", "", "", "", "", False) for fate in found["missing"][:9]),
    ]


@contextlib.contextmanager
def _program(name: str, env: dict[str, str]) -> Iterator[psutil.Process]:
    """One line of the Procfile, ended with everything it started."""
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines() if ": " in line)
    process = subprocess.Popen(
        ["sh", "-c", f"exec {lines[name]}"], cwd=ROOT, env=env, start_new_session=True, stdout=subprocess.DEVNULL
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


# ---- the load: a process of its own ----
@dataclass
class Load:
    """What was sent, when the provider had its answer and when it was first seen on its owner's page (monotonic)."""

    sent: dict[int, float] = field(default_factory=dict)
    answered: dict[int, float] = field(default_factory=dict)
    seen: dict[int, float] = field(default_factory=dict)

    def shown(self, part: str, text: bytes) -> None:
        """Called with every part that a page draws anew."""
        if part.startswith("talk-"):
            now = time.monotonic()
            for number in MARK.findall(text):
                self.seen.setdefault(int(number), now)


def webhook(base: str, number: int, sender: str) -> tuple[str, dict[str, str]]:
    """Body and headers of one inbound text as Twilio posts it."""
    params = {
        "MessageSid": _sid(number), "AccountSid": ACCOUNT_SID, "From": sender, "To": CLINIC, "NumMedia": "0",
        "Body": f"Good morning, is my result there yet? nr{number:06d}x", "SmsStatus": "received",
    }  # fmt: skip
    signature = RequestValidator(AUTH_TOKEN).compute_signature(base + "/webhooks/twilio/messaging", params)
    return urlencode(params), {
        "X-Twilio-Signature": signature,
        "Content-Type": "application/x-www-form-urlencoded",
    }


async def drive(base: str, live: str, desks: list[tuple[str, int, str]], per_second: float, seconds: float) -> dict:
    """Open one page per desk (cookie, interaction, patient's number) and send to them in turn."""
    load = Load()
    pages = [Page(base, live, cookie, f"/inbox/{pk}/?view=mine", load.shown) for cookie, pk, _number in desks]
    tasks = []
    for page in pages:
        tasks.append(asyncio.create_task(page.run()))
        ready = asyncio.create_task(page.is_ready.wait())
        await asyncio.wait([tasks[-1], ready], return_when=asyncio.FIRST_COMPLETED)
        if tasks[-1].done():
            tasks[-1].result()  # raises what went wrong
    async with aiohttp.ClientSession() as provider:
        posts, begun, total = [], time.monotonic(), int(per_second * (seconds + WARM_SECONDS))
        for number in range(total):
            await asyncio.sleep(max(0, begun + number / per_second - time.monotonic()))
            posts.append(asyncio.create_task(_post(provider, base, number, desks[number % len(desks)][2], load)))
        await asyncio.gather(*posts)
        deadline = time.monotonic() + 20
        while len(load.seen) < total and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    first = int(per_second * WARM_SECONDS)
    late = sorted(load.seen[n] - load.sent[n] for n in load.sent if n >= first and n in load.seen)
    stages = {
        "answered": load.answered,
        "processed": await asyncio.to_thread(processed),
        "hinted": hinted(pages, desks, total),
        "shown": load.seen,
    }
    return {
        "stages": {name: _spread(when, load.sent, first) for name, when in stages.items()},
        "sent": total,
        "lost": total - len(load.seen),
        "p50": late[len(late) // 2] * 1000,
        "p95": late[int(len(late) * 0.95)] * 1000,
        "worst": late[-1] * 1000,
        "fetches": sum(page.fetches for page in pages) / total,
        "missing": await asyncio.to_thread(_fates, [n for n in load.sent if n not in load.seen]),
    }


def _sid(number: int) -> str:
    return f"{SID}{number:028x}"


def _fates(missing: list[int]) -> list[str]:
    """How far the messages came that no page showed in time."""
    from inbox.models import WebhookEvent

    rows = WebhookEvent.objects.filter(external_id__in=[_sid(number) for number in missing])
    fates = {row.external_id: f"{row.status}, tried {row.attempts} times, {row.error or 'no error'}" for row in rows}
    return [f"{number}: {fates.get(_sid(number), 'never stored')}" for number in missing]


def _spread(when: dict[int, float], sent: dict[int, float], first: int) -> tuple[float, float]:
    """p50 and p95 of the milliseconds since it was sent, of all from the `first` on."""
    late = sorted(when[n] - sent[n] for n in sent if n >= first and n in when) or [0.0]
    return late[len(late) // 2] * 1000, late[int(len(late) * 0.95)] * 1000


def processed() -> dict[int, float]:
    """When each message was worked up, by the clock of `time.monotonic`."""
    from inbox.models import WebhookEvent

    offset = time.monotonic() - time.time()
    own = WebhookEvent.objects.filter(external_id__startswith=SID, processed_at__isnull=False)
    rows = own.values_list("external_id", "processed_at")
    return {int(sid.removeprefix(SID), 16): at.timestamp() + offset for sid, at in rows}


def hinted(pages: list[Page], desks: list[tuple[str, int, str]], total: int) -> dict[int, float]:
    """When the owner's socket first named the change that each message was: the n-th to a desk is its n-th change."""
    found: dict[int, float] = {}
    for desk, page in enumerate(pages):
        topic = f"interaction.{desks[desk][1]}"
        heard = sorted((sequence, at) for (name, sequence), at in page.when.items() if name == topic)
        begun = heard[0][0] if heard else 0  # told on subscribing
        for place, number in enumerate(range(desk, total, len(desks)), start=begun + 1):
            times = [at for sequence, at in heard if sequence >= place]
            if times:
                found[number] = min(times)
    return found


async def _post(provider: aiohttp.ClientSession, base: str, number: int, sender: str, load: Load) -> None:
    body, headers = webhook(base, number, sender)
    load.sent[number] = time.monotonic()
    async with provider.post(f"{base}/webhooks/twilio/messaging", data=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
    load.answered[number] = time.monotonic()


def set_up(count: int) -> list[tuple[str, int, str]]:
    """`count` agents in five teams, each with an open conversation and twenty more to look at. The clinic's patients
    hold them, where there are any, and the clinic's queues are served too."""
    from django.db import connection

    from contact_center.accounts.models import Team
    from inbox.enums import ChannelKind
    from inbox.models import Channel, Interaction, Queue

    teams = [Team.objects.create(name=f"Team {n}", slug=f"team-{n}") for n in range(5)]
    there = list(Queue.objects.all())
    queues = [Queue.objects.create(name=f"Queue {n}", slug=f"queue-{n}") for n in range(5)]
    for team, queue in zip(teams, queues, strict=True):
        team.queues.add(queue, *there)
    channel = Channel.objects.create(
        name="Bench SMS", kind=ChannelKind.SMS, adapter="twilio_messaging", address=CLINIC, queue=queues[0]
    )
    people = _people(count * TALKS)
    desks = []
    for number in range(count):
        user, cookie = _agent(number, teams[number % 5])
        held = people[number * TALKS : (number + 1) * TALKS]
        made = Interaction.objects.bulk_create(_talk(channel, queues[number % 5], user, *one) for one in held)
        desks.append((cookie, made[0].pk, made[0].contact_value))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return desks


def _people(count: int) -> list[tuple[int | None, str]]:
    """So many patients of the clinic whose records every agent may read, each with a telephone, then people unknown
    to it."""
    from patients.enums import ContactScheme, Sensitivity
    from patients.models import ContactPoint

    open_to_all = {"patient__sensitivity": Sensitivity.NONE, "patient__merged_into": None}
    phones = ContactPoint.objects.filter(scheme=ContactScheme.PHONE, **open_to_all).order_by("value").distinct("value")
    found = list(phones.values_list("patient_id", "value")[:count])
    return found + [(None, f"+1212{number:07d}") for number in range(count - len(found))]


def _agent(number: int, team: "Team") -> "tuple[User, str]":
    """Somebody of `team` who is signed in, with the cookie that says so."""
    from allauth.mfa.models import Authenticator
    from django.conf import settings
    from django.test import Client

    from contact_center.accounts.models import TeamMembership, User

    user = User.objects.create(email=f"bench{number}@aurora.test", first_name="Bench", last_name=str(number))
    TeamMembership.objects.create(user=user, team=team)
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    client = Client()
    client.force_login(user, backend="contact_center.accounts.backends.PersonBackend")
    name = settings.SESSION_COOKIE_NAME
    return user, f"{name}={client.cookies[name].value}"


def _talk(channel: "Channel", queue: "Queue", owner: "User", patient: int | None, phone: str) -> "Interaction":
    """A conversation that `owner` holds with `patient`."""
    from inbox.enums import ChannelKind, InteractionStatus
    from inbox.models import Interaction
    from patients.enums import ContactScheme

    return Interaction(
        channel=channel, channel_kind=ChannelKind.SMS, queue=queue, owner=owner, patient_id=patient,
        status=InteractionStatus.ACTIVE, contact_scheme=ContactScheme.PHONE, contact_value=phone, thread_key=phone,
    )  # fmt: skip


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "contact_center.settings"
    import django

    django.setup()
    desks = set_up(PAGES)
    print(json.dumps(asyncio.run(drive(os.environ["BENCH_WEB"], os.environ["LIVE_URL"], desks, PER_SECOND, SECONDS))))
