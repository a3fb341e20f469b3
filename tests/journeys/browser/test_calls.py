"""Patients call from the phone page: somebody takes the call, or they hang up, are called back, leave a message."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from contact_center.accounts.enums import Role
from contact_center.accounts.services import set_presence
from contact_center.audit.models import AuditEntry
from inbox.models import Call, Callback, Recording
from tests.journeys.browser.test_stories import PICTURES, window
from tests.simulator.fixtures import wait_for

__all__ = ["window"]
pytestmark = pytest.mark.browser


@pytest.fixture
def available(stack, hire):
    """`available(user)`: calls ring at them until the test is over, however it ends."""
    people = []

    def make(user):
        people.append(user)
        set_presence(user=user, state="online")

    yield make
    for user in people:
        set_presence(user=user, state="offline")


def quicken(stack):
    """Nobody waits for words and music in real time."""
    stack.simulator.call("PUT", "/_calls/pace", json={"word": 0, "music": 2, "key": 0.5, "answer": 0.1})


COVERED = """() => {
    const shown = [...document.querySelectorAll(".callbar > :not(form), .callbar form > *")]
        .map((one) => [one.textContent.trim() || one.ariaLabel, one.getBoundingClientRect()])
        .filter(([, box]) => box.width > 1);
    const edge = document.querySelector(".callbar").getBoundingClientRect().right;
    return shown.filter(([, box], place) => box.right > edge || shown.slice(place + 1).some(([, other]) =>
        box.right > other.left + 1 && other.right > box.left + 1)).map(([name]) => name); }"""


def choose(phone, key):
    """The caller answers the menu, or what is offered to whoever waits."""
    expect(phone.locator("#thread")).to_contain_text(f"press {key}")
    phone.get_by_role("button", name=key, exact=True).click()


def phone_of(stack, desk, patient, tab="call"):
    """The phone of a patient in one more tab of the desk's browser."""
    phone = desk.context.new_page()
    phone.goto(f"{stack.simulator.url}/?{urlencode({'phone': patient.number, 'name': patient.name, 'tab': tab})}")
    return phone


def test_a_call_is_taken_held_handed_to_a_nurse_and_wrapped_up_and_its_recording_plays(
    stack, window, hire, somebody, clinic, available
):
    agent, patient = hire(), somebody()
    nurse = hire(role=Role.CLINICAL_AGENT, first_name="Amara", last_name="Osei")
    lead = hire(role=Role.SUPERVISOR)
    quicken(stack)
    available(agent.user)
    desk = window("/inbox/", agent)
    phone = phone_of(stack, desk, patient)
    phone.get_by_role("button", name="Call", exact=True).click()
    expect(phone.locator(".say__bubble").first).to_have_text("If this is an emergency, hang up and call 9 1 1.")
    choose(phone, "9")
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
    wait_for(lambda: Recording.objects.filter(call=call).exclude(transcript_id="").first())  # written down from now
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

    available(nurse.user)
    hers = window("/inbox/", nurse)
    desk.bring_to_front()
    desk.keyboard.press("t")
    desk.select_option("#call-transfer [name=assignee]", str(nurse.user.pk))
    desk.click("#call-transfer [data-send]")
    expect(hers.locator(".callbar[data-is-consulted]")).to_contain_text(f"Asked by {agent.user}")
    expect(bar).to_contain_text("With Amara Osei")
    for width in (1280, 1440):
        desk.set_viewport_size({"width": width, "height": 900})
        desk.wait_for_function(f"() => ({COVERED})().length === 0")
    desk.keyboard.press("t")
    desk.click("#call-transfer [data-send]")
    expect(desk.locator("#call-transfer .field__error")).to_have_text("Say why you are transferring it.")
    desk.fill("#call-transfer [name=why]", "She asks about her medicine")
    desk.fill("#call-transfer [name=note]", "Takes metformin, visit on Monday.")
    desk.screenshot(path=f"{PICTURES}/call-handed-over.png")
    desk.click("#call-transfer [data-send]")
    expect(desk.locator(".callbar")).to_have_count(0)
    expect(hers.locator(".callbar:not([data-is-consulted])")).to_have_attribute("data-status", "connected")
    hers.locator(".callbar a.truncate").click()
    expect(hers.locator(".entry--note")).to_contain_text("Takes metformin, visit on Monday.")
    hers.screenshot(path=f"{PICTURES}/call-taken-over.png")
    phone.bring_to_front()
    phone.get_by_role("button", name="Hang up").click()
    hers.bring_to_front()
    expect(hers.locator(".callbar")).to_have_count(0)
    expect(hers.locator("[data-call-card]")).to_contain_text("Ended")
    done = wait_for(lambda: Call.objects.filter(pk=call.pk, status="completed").first())
    assert (done.agent_id, done.ended_by, done.interaction.status) == (nurse.user.pk, "patient", "wrap_up")
    hers.keyboard.press("w")
    hers.check(f"#wrap-up [name=disposition][value='{clinic.resolved.pk}']", force=True)
    hers.click("#wrap-up [data-send]")
    expect(hers.locator("#toasts .grow").first).to_have_text("Closed.")
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


def test_who_does_not_wait_is_offered_a_text_called_back_or_leaves_a_message(stack, window, hire, somebody, available):
    agent, gone, waits, speaks = hire(), somebody("Ana Ruiz"), somebody("Ben Ito"), somebody("Cleo Diaz")
    quicken(stack)
    desk = window("/inbox/?view=unassigned", agent)
    phones = {person: phone_of(stack, desk, person) for person in (gone, waits, speaks)}
    for phone in phones.values():
        phone.get_by_role("button", name="Call", exact=True).click()
    for phone in phones.values():
        choose(phone, "9")
    for person, key in ((waits, "1"), (speaks, "3")):
        expect(phones[person].locator("#thread")).to_contain_text("press 1")
        phones[person].get_by_role("button", name=key, exact=True).click()
    expect(phones[gone].locator("#thread")).to_contain_text("press 1")

    phones[speaks].fill("#body", "Please tell me whether I may eat before the test.")
    phones[speaks].keyboard.press("Enter")
    row = desk.locator("[data-row]", has_text="Voicemail")
    wait_for(
        lambda: Call.objects.filter(status="voicemail", interaction__messages__attachments__status="clean").first()
    )
    desk.bring_to_front()
    row.click()
    expect(desk.locator("[data-call-card]")).to_contain_text("Please tell me whether I may eat before the test.")
    player = desk.locator("[data-player]").first
    player.locator("[data-player-play]").click()
    expect(player.locator("[data-player-play]")).to_have_attribute("aria-pressed", "true")
    desk.screenshot(path=f"{PICTURES}/call-voicemail.png")

    long_ago = timezone.now() - timedelta(minutes=1)  # who hangs up at once is offered nothing
    Call.objects.filter(interaction__contact_value=gone.number).update(queued_at=long_ago)
    phones[gone].bring_to_front()
    phones[gone].get_by_role("button", name="Hang up").click()
    text = phone_of(stack, desk, gone, tab="sms")
    expect(text.locator(".say__bubble")).to_contain_text("We are sorry that we could not take your call.")
    text.fill("#body", "It is about my bill.")
    text.keyboard.press("Enter")
    expect(text.locator(".say--mine")).to_have_count(1)

    available(agent.user)
    desk.bring_to_front()
    toast = desk.locator(".call-toast")
    expect(toast).to_contain_text("Call back")
    desk.keyboard.press("Alt+a")
    phones[waits].bring_to_front()
    expect(phones[waits].locator("#thread")).to_contain_text("is calling")
    phones[waits].get_by_role("button", name="Answer").click()
    desk.bring_to_front()
    expect(desk.locator(".callbar")).to_have_attribute("data-status", "connected")
    desk.screenshot(path=f"{PICTURES}/call-back.png")
    desk.keyboard.press("Alt+e")
    expect(desk.locator(".callbar")).to_have_count(0)
    expect(desk.locator("[data-call-card]").last).to_contain_text("Ended")
    found = dict(Call.objects.filter(direction="inbound").values_list("interaction__contact_value", "status"))
    assert {person: found[person.number] for person in phones} == {
        gone: "abandoned", waits: "callback_requested", speaks: "voicemail",
    }  # fmt: skip
    assert Callback.objects.get(number=waits.number).status == "connected"
