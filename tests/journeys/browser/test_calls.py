"""A patient calls from the phone page; somebody at the desk takes the call, holds it and ends it."""

from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from contact_center.accounts.services import set_presence
from contact_center.audit.models import AuditEntry
from inbox.models import Call, Recording
from tests.journeys.browser.test_stories import PICTURES, window
from tests.simulator.fixtures import wait_for

__all__ = ["window"]
pytestmark = pytest.mark.browser


def test_a_call_rings_is_taken_held_and_wrapped_up_and_its_recording_plays(stack, window, hire, somebody, lead):
    agent, patient = hire(), somebody()
    stack.simulator.call("PUT", "/_calls/pace", json={"word": 0, "music": 2, "key": 0.5, "answer": 0.1})
    set_presence(user=agent.user, state="online")
    desk = window("/inbox/", agent)
    phone = desk.context.new_page()
    phone.goto(f"{stack.simulator.url}/?{urlencode({'phone': patient.number, 'name': patient.name, 'tab': 'call'})}")
    phone.get_by_role("button", name="Call", exact=True).click()
    expect(phone.locator(".say__bubble").first).to_have_text("If this is an emergency, hang up and call 9 1 1.")
    desk.bring_to_front()
    toast = desk.locator(".call-toast")
    expect(toast).to_contain_text("Incoming call")
    assert [one["id"] for one in Axe().run(desk, context="#phone").response["violations"]] == []
    desk.screenshot(path=f"{PICTURES}/call-rings.png")
    desk.evaluate("continuo.device.pretend({trouble: 'blocked'})")
    desk.keyboard.press("Alt+a")
    expect(desk.locator("#toasts")).to_contain_text("Your browser does not let this page use the microphone.")
    expect(toast).to_contain_text("Incoming call")
    desk.evaluate("continuo.device.pretend({trouble: ''})")
    desk.keyboard.press("Alt+a")
    bar = desk.locator(".callbar")
    expect(bar).to_have_attribute("data-status", "connected")
    call = Call.objects.get(interaction__contact_value=patient.number)
    expect(desk).to_have_url(f"{stack.web_url}/inbox/{call.interaction_id}/")
    expect(desk.locator("[data-call-card]")).to_contain_text("Talking")
    desk.keyboard.press("m")
    expect(desk.get_by_role("button", name="Mute (M)")).to_have_attribute("aria-pressed", "true")
    desk.keyboard.press("d")
    for key in "42#":
        desk.keyboard.press(key)
    desk.get_by_role("button", name="7", exact=True).click()
    expect(desk.locator("[data-pressed]")).to_have_text("42#7")
    assert [one["id"] for one in Axe().run(desk, context=".topbar").response["violations"]] == []
    desk.screenshot(path=f"{PICTURES}/call-keypad.png")
    desk.keyboard.press("Escape")
    assert desk.evaluate("continuo.device.said") == [
        "answer", "mute true", "press 4", "press 2", "press #", "press 7"
    ]  # fmt: skip
    rec = bar.locator("[data-rec]")
    expect(rec).to_have_attribute("data-rec", "active")
    desk.keyboard.press("q")
    expect(rec).to_have_attribute("data-rec", "paused")
    desk.keyboard.press("q")
    expect(rec).to_have_attribute("data-rec", "active")
    stack.simulator.call("POST", f"/_calls/{call.external_id}", json={"do": "say", "value": "Is my visit on Monday?"})
    desk.get_by_role("button", name="I need help").click()
    watch = window("/calls/", lead)
    expect(watch.locator(f"[data-call-now='{call.pk}']")).to_contain_text("Needs help")
    watch.locator(f"[data-call-now='{call.pk}']").get_by_role("button", name="Whisper").click()
    expect(watch.locator("[data-supervised]")).to_have_attribute("data-mode", "whisper")
    expect(bar.locator("[data-watchers]")).to_be_attached()
    assert [one["id"] for one in Axe().run(watch).response["violations"]] == []
    watch.screenshot(path=f"{PICTURES}/call-supervised.png")
    desk.screenshot(path=f"{PICTURES}/call-recorded.png")
    desk.evaluate("continuo.device.pretend({isPoor: true})")
    expect(bar).to_contain_text("Weak connection")
    desk.keyboard.press("h")
    expect(bar).to_contain_text("On hold")
    desk.reload()
    expect(desk.locator(".callbar")).to_have_attribute("data-status", "held")
    desk.screenshot(path=f"{PICTURES}/call-held.png")
    phone.bring_to_front()
    expect(phone.locator("#thread")).to_contain_text("On hold")
    phone.get_by_role("button", name="Hang up").click()
    desk.bring_to_front()
    expect(desk.locator(".callbar")).to_have_count(0)
    expect(desk.locator("[data-call-card]")).to_contain_text("Ended")
    done = wait_for(lambda: Call.objects.filter(pk=call.pk, status="completed").first())
    assert (done.agent_id, done.ended_by, done.interaction.status) == (agent.user.pk, "patient", "wrap_up")
    wait_for(lambda: Recording.objects.filter(call=call, status="stored").first())
    watch.goto(f"{stack.web_url}/inbox/{call.interaction_id}/")
    player = watch.locator("[data-player]").first
    expect(watch.locator("[data-recording]")).to_contain_text("Transcript, 1 line")
    watch.get_by_text("Transcript, 1 line").click()
    watch.locator("[data-player-at]").click()
    expect(player.locator("[data-player-play]")).to_have_attribute("aria-pressed", "true")
    expect(player.locator("[data-player-failed]")).to_be_hidden()
    assert [one["id"] for one in Axe().run(watch, context="[data-call-card]").response["violations"]] == []
    watch.screenshot(path=f"{PICTURES}/call-played.png")
    heard = wait_for(lambda: AuditEntry.objects.filter(action="listened", object_type="recording").first())
    assert heard.actor_id == lead.user.pk
