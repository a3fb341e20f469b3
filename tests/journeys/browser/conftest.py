"""Chromium on a real server of this process. A page that logs an error or breaks the content policy fails its test."""

import os
import shutil
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from playwright.sync_api import expect, sync_playwright

# Playwright keeps an event loop in this thread; the ORM calls of the tests beside it are still synchronous.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
HERE = Path(__file__).parent
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
expect.set_options(timeout=30_000)  # patience for a busy machine; what must be fast is measured elsewhere
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]


def pytest_collection_modifyitems(items):
    """A browser on a crowded machine stumbles now and then: two more tries, counted in the last line."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.flaky(reruns=2))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    system = {"executable_path": CHROMIUM} if CHROMIUM else {}
    return browser_type_launch_args | system | {"args": FLAGS}


# Playwright's loop counts as running in this thread while it lives, and no test with a loop of its own could run then:
# so it ends with this folder's tests instead of with the session.
@pytest.fixture(scope="package")
def playwright():
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def browser(playwright, browser_type_launch_args):
    browser = playwright.chromium.launch(**browser_type_launch_args)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def browser_context_args():
    # Colours on their way from one theme to the other are no barrier.
    return {"viewport": {"width": 1440, "height": 900}, "locale": "en-US", "reduced_motion": "reduce"}


@pytest.fixture
def console_errors(page):
    """What the browser complained about, without the refusals (4xx) and the missing socket a test provokes itself."""
    said = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    return lambda: [text for text in said if "status of 4" not in text and "WebSocket" not in text]


@pytest.fixture(autouse=True)
def calm(request):
    """A page that closes still sends what was being written; the tables are cleared when that has been stored."""
    if "live_server" not in request.fixturenames:
        yield
        return
    browser = request.getfixturevalue("browser")
    request.getfixturevalue("transactional_db")
    yield
    for context in browser.contexts:
        context.close()
    quiet, deadline = 0, time.monotonic() + 10
    while quiet < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
        quiet = 0 if others_at_work() else quiet + 1


def others_at_work():
    """Whether another session of this database is doing something now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND state IN ('active', 'idle in transaction')"
        )
        return cursor.fetchone()[0] > 0


@pytest.fixture
def desk(page, live_server, transactional_db, signed_in, agent):
    """`desk(path)` opens a page as `agent`; it is the page itself otherwise."""
    client = signed_in(agent)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])

    def visit(path):
        page.goto(live_server.url + path)
        return page

    return visit
