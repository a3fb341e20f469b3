"""What one look costs at size: list, conversation, weight of the page, a patient's page, four searches.

BENCH_SCALE (default 2000) is the number of patients of the demo clinic that is made for it; 100000 make a million
interactions and three million messages. BENCH_DATABASE names a database of the same server that holds such a clinic
already; it is used as it is and left there.
"""

import gzip
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import brotli

from benchmarks import record
from benchmarks.machine import CLINIC_DATABASE, ROOT, SERVER_URL, Row, environment, sibling_url

SCALE = int(os.environ.get("BENCH_SCALE", "2000"))
ROUNDS, SEARCHES = 40, 20
LIST_GOAL, TALK_GOAL, WEIGHT_GOAL, SEARCH_GOAL = 10.0, 20.0, 100.0, 50.0
READS = re.compile(r"[\s(]*(SELECT|EXECUTE)\b")
PARTIAL = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "section#list"}


def measure(database_url: str) -> list[Row]:
    """CPU milliseconds (this process and its database session) of pages, kilobytes, wall milliseconds of searches."""
    url = sibling_url(SERVER_URL, CLINIC_DATABASE) if CLINIC_DATABASE else database_url
    env = environment(url, "http://127.0.0.1:1")
    os.environ.update(env, DJANGO_SETTINGS_MODULE="contact_center.settings")
    if not CLINIC_DATABASE:
        seed = [sys.executable, "-W", "ignore", "manage.py", "seed", "--scale", str(SCALE)]
        subprocess.run(seed, cwd=ROOT, env=env | {"DEBUG": "1"}, check=True, stdout=subprocess.DEVNULL)
    from django.conf import settings

    import contact_center.wsgi  # noqa: F401 - loaded as a web process is

    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.SECURE_SSL_REDIRECT = False
    from inbox.services.indexing import index_messages

    while index_messages():
        pass
    client = _signed_in("supervisor@aurora.example")
    talk = _longest_talk()
    rows = [
        _page_row("list of 50 rows", lambda: client.get("/inbox/rows/?view=open", **PARTIAL), LIST_GOAL),
        _page_row("views and counts", lambda: client.get("/inbox/views/?view=open", **PARTIAL), LIST_GOAL),
        _page_row("closed conversations", lambda: client.get("/inbox/rows/?view=closed", **PARTIAL), LIST_GOAL),
        _page_row("conversation page", lambda: client.get(f"/inbox/{talk}/", **_to("div#workspace")), TALK_GOAL),
        _weight(client, talk),
    ]
    rows += record.measure(client)
    return rows + [_search_row(client, name, texts) for name, texts in _questions().items()]


def _to(target: str) -> dict[str, str]:
    return PARTIAL | {"HTTP_HX_TARGET": target}


def _signed_in(email: str):
    from allauth.mfa.models import Authenticator
    from django.test import Client

    from contact_center.accounts.models import User

    user, client = User.objects.get(email=email), Client(SERVER_NAME="127.0.0.1")
    Authenticator.objects.get_or_create(user=user, type=Authenticator.Type.TOTP, defaults={"data": {}})
    client.force_login(user, backend="contact_center.accounts.backends.PersonBackend")
    return client


def _longest_talk() -> int:
    """An open conversation of the patient with the most to show."""
    from django.db.models import Count

    from inbox.enums import DONE
    from inbox.models import Interaction

    known = Interaction.objects.exclude(status__in=DONE).filter(patient__isnull=False)
    return known.alias(n=Count("patient__interactions__messages")).order_by("-n").values_list("pk", flat=True)[0]


def _page_row(name: str, ask: Callable[[], object], goal: float) -> Row:
    """Median CPU of a page against its own statements run bare, in the same session."""
    from django.db import connection

    for _ in range(3):
        answer = ask()
        assert answer.status_code == 200, answer.status_code  # type: ignore[attr-defined]
    said: list[tuple[str, object]] = []

    def note(execute, sql, params, many, context):
        said.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        ask()
    statements = [one for one in said if READS.match(one[0]) and "set_config" not in one[0]]
    pid = connection.connection.info.backend_pid
    cost, floor = [], []
    for _ in range(ROUNDS):
        cost.append(_cpu(pid, ask))
        floor.append(_cpu(pid, lambda: _bare(connection, statements)))
    middle, bare = statistics.mean(cost) * 1000, statistics.mean(floor) * 1000
    return Row(
        f"{name}, {len(said)} statements",
        f"{middle:.1f} ms CPU",
        f"{bare:.1f} ms CPU",
        f"{middle / bare:.1f} × bare statements" if bare else "",
        f"≤ {goal:.0f} ms",
        middle <= goal,
    )


def _bare(connection, statements: list[tuple[str, object]]) -> None:
    with connection.connection.cursor() as cursor:
        for sql, params in statements:
            cursor.execute(sql, params)
            cursor.fetchall()


def _cpu(pid: int, work: Callable[[], object]) -> float:
    before = time.process_time() + _session_cpu(pid)
    work()
    return time.process_time() + _session_cpu(pid) - before


def _session_cpu(pid: int) -> float:
    """Nanosecond clock of the scheduler: the ticks of /proc/…/stat are too coarse for one page."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def _weight(client, talk: int) -> Row:
    """The inbox of a desk with a telephone, with an open conversation and every file it asks for, compressed as they
    are served: the page by the proxy (gzip), the files by whitenoise (brotli). Without the font, which a browser
    fetches once for ever, and the provider's library, which its device fetches when the page is there."""
    from django.test import override_settings

    with override_settings(SOFTPHONE="simulated"):
        page = client.get(f"/inbox/{talk}/?view=open").content
    assert b'data-device="simulated"' in page, "the clinic has no line"
    links = set(re.findall(rb'\s(?:href|src|data-device-src)="/static/([^"#]+)', page))
    files = [(ROOT / "static" / link.decode()).read_bytes() for link in links]
    html = len(gzip.compress(page, 6)) / 1000
    total = html + sum(len(brotli.compress(part)) for part in files) / 1000
    return Row(
        f"inbox page with {len(files)} files", f"{total:.1f} kB", f"{html:.1f} kB html", "", f"< {WEIGHT_GOAL:.0f} kB",
        total < WEIGHT_GOAL,
    )  # fmt: skip


def _questions() -> dict[str, list[str]]:
    """Words as people ask for them, taken from what is there."""
    from inbox.models import Message
    from patients.models import ContactPoint, Patient

    phones = ContactPoint.objects.filter(scheme="phone").order_by("pk").values_list("value", flat=True)[:SEARCHES]
    people = Patient.objects.order_by("-pk").values_list("given_name", "family_name")[:SEARCHES]
    newest = Message.objects.order_by("-pk").values_list("text", flat=True)[:400]
    words = [word for text in newest for word in re.findall(r"[^\W\d_]{9,}", text)]
    return {
        "rare word": list(dict.fromkeys(words))[:SEARCHES],
        "common word": ["gracias", "hello", "appointment", "cita", "obrigado", "please", "the", "de"],
        "part of a phone number": [phone[-size:] for phone in phones for size in (4, 7)][:SEARCHES],
        "name with a slip": [f"{given} {_slip(family)}" for given, family in people],
    }


def _slip(name: str) -> str:
    """Two letters change places."""
    middle = len(name) // 2
    return name[: middle - 1] + name[middle] + name[middle - 1] + name[middle + 1 :]


def _search_row(client, name: str, texts: list[str]) -> Row:
    from django.db import connection

    for text in texts[:3]:
        client.post("/inbox/find/", {"q": text}, **_to("div#find-results"))
    pid = connection.connection.info.backend_pid
    took, cost = [], []
    for text in texts * (1 + SEARCHES // len(texts)):
        begun = time.perf_counter()
        cost.append(_cpu(pid, lambda text=text: client.post("/inbox/find/", {"q": text}, **_to("div#find-results"))))
        took.append((time.perf_counter() - begun) * 1000)
    took.sort()
    p95 = took[int(len(took) * 0.95)]
    return Row(
        f"search: {name}", f"p95 {p95:.0f} ms", f"p50 {statistics.median(took):.0f} ms",
        f"{statistics.mean(cost) * 1000:.0f} ms CPU", f"p95 < {SEARCH_GOAL:.0f} ms", p95 < SEARCH_GOAL,
    )  # fmt: skip
