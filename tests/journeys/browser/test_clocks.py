"""Clocks count by themselves in the list, and the pages of hours and promises can be used by everybody."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import expect

from tests.factories.hours import CalendarFactory, SlaPolicyFactory
from tests.factories.inbox import InteractionFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_clock_turns_amber_and_red_by_itself(desk, agent, sms_channel, console_errors):
    now = timezone.now()
    due = {"due_at": now + timedelta(minutes=30), "warn_at": now + timedelta(minutes=20), "due_kind": "first_response"}
    row = InteractionFactory(channel=sms_channel, owner=agent, **due)
    page = desk(f"/inbox/{row.pk}/?view=mine")
    chips = page.locator(f"#row-{row.pk} .sla, .talk__meta .sla")
    for minutes, state in ((0, "ok"), (25, "soon"), (40, "late")):
        page.evaluate("(ms) => window.continuo.serverNow(Date.now() + ms)", minutes * 60_000)
        for place in range(2):
            expect(chips.nth(place)).to_have_attribute("data-state", state)
    expect(chips.first.locator(".num")).to_have_text("10m")
    assert console_errors() == []


def test_an_administrator_closes_by_hand_and_opens_again(page, live_server, admin, queue, signed_in, console_errors):
    queue.calendar = CalendarFactory(name="Brickell", country="US")
    queue.save()
    policy = SlaPolicyFactory()
    cookie = signed_in(admin).cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    found = {}
    for path in (
        "hours/",
        f"hours/{queue.calendar.pk}/",
        "sla/",
        f"sla/{policy.pk}/",
        f"time-lab/?moment=2026-03-06T17:00&zone=UTC&queue={queue.pk}&priority=3&channel_kind=sms",
    ):
        page.goto(f"{live_server.url}/settings/{path}")
        found[path] = [one["id"] for one in Axe().run(page).response["violations"]]
    assert {path: problems for path, problems in found.items() if problems} == {}
    page.goto(f"{live_server.url}/settings/hours/{queue.calendar.pk}/")
    page.click("text=Close now…")
    page.fill("[name=close-message_en]", "Storm. We are back tomorrow.")
    page.click("button:has-text('Close now')")
    expect(page.locator(".banner--danger")).to_contain_text("Storm. We are back tomorrow.")
    page.click("button:has-text('Open again')")
    expect(page.locator(".banner--danger")).to_have_count(0)
    assert console_errors() == []
