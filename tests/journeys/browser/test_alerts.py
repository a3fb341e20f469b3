"""What a person hears who is not looking: a hidden tab is told within two seconds, without a patient's name."""

import time

import pytest
from playwright.sync_api import expect

from inbox.models import Notification
from tests.journeys.browser.test_stories import until_it_hears, window

pytestmark = pytest.mark.browser
__all__ = ["window"]
SPY = """
  window.rung = []; window.shown = [];
  HTMLMediaElement.prototype.play = function () { window.rung.push(Date.now()); return Promise.resolve(); };
  window.Notification = function (title, options) { window.shown.push(title); this.addEventListener = () => {}; };
  window.Notification.permission = "granted";
  Object.defineProperty(Document.prototype, "hidden", { get: () => true, configurable: true });
"""


def test_a_hidden_tab_flashes_rings_and_shows_a_notice_within_two_seconds(window, hire, somebody, interaction_of):
    agent, patient = hire(), somebody()
    patient.write("Hello?", "sms")
    conversation = interaction_of(patient.number)
    agent.post(f"/inbox/{conversation.pk}/take/")
    page = window("/notifications/preferences/", agent)
    page.context.add_init_script(SPY)
    page.reload()
    until_it_hears(page)
    before = page.title()
    patient.write("Are my results there?", "sms")
    found = Notification.objects.filter(user=agent.user, kind="patient_replied", interaction=conversation)
    while not found.exists():
        time.sleep(0.02)
    told_at = time.monotonic()
    page.wait_for_function("() => window.rung.length > 0", timeout=5000)
    took = time.monotonic() - told_at
    expect(page.locator(".bell__count")).to_have_text("1")
    shown = page.evaluate("window.shown")
    page.wait_for_function("() => document.title.startsWith('●')", timeout=2500)
    print(f"hidden tab: alert {took:.2f} s after the notification")
    assert took <= 2
    assert len(shown) == 1 and shown[0].startswith("New message in ")
    assert (page.evaluate("window.rung.length"), before) == (1, "How you are told · Continuo")
