"""The provider's device in a browser, with the provider's library played: answering, passing on, coming back."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

STATIC = Path(__file__).parents[3] / "static"
pytestmark = pytest.mark.browser
LIBRARY = """
class Call {
  constructor(given) { this.customParameters = new Map(Object.entries(given)); this.heard = {}; this.done = []; }
  on(name, run) { (this.heard[name] = this.heard[name] || []).push(run); }
  emit(name, ...given) { (this.heard[name] || []).forEach((run) => run(...given)); }
  accept() { this.done.push("accept"); }
  mute(is) { this.done.push(`mute ${is}`); this.emit("mute", is); }
  sendDigits(key) { this.done.push(`key ${key}`); }
  disconnect() { this.emit("disconnect"); }
}
window.Call = Call;
window.set = {};
const set = (kind) => async (id) => { window.set[kind] = id; };
const audio = {
  isOutputSelectionSupported: true, setInputDevice: set("microphone"), get inputDevice() { return { deviceId: window.set.microphone }; },
  speakerDevices: { set: set("speaker"), get: () => new Set([{ deviceId: window.set.speaker || "headset" }]) }, ringtoneDevices: { set: set("ringer") },
};
navigator.mediaDevices.enumerateDevices = async () => ["audioinput", "audiooutput"].flatMap((kind) =>
  ["headset", "desk"].map((deviceId) => ({ kind, deviceId, label: `The ${deviceId}` })));
window.Twilio = { Device: class extends Call {
  constructor(token) { super({}); Object.assign(this, { token, audio }); window.sdk = this; }
  async register() { this.state = "registered"; this.emit("registered"); }
  destroy() {}
  updateToken() {}
  async connect({ params }) { window.asked = params; return new Call(params); }
} };
"""  # noqa: E501
PAGE = """
<div class="topbar__mid"><div class="callbar" data-call="42" data-status="connected"><button data-mute aria-pressed="false">Mute</button><b data-line-note hidden></b></div></div>
<details id="device" data-device="twilio" data-device-src="/js/device-twilio.js" data-sdk-src="/vendor/phone.js"
  data-token-url="/phone/token/" data-text-lost="Connection lost, coming back"><summary>Telephone</summary><label><select data-choose="microphone"></select></label>
<label><select data-choose="speaker"></select></label><label><select data-choose="ringer"></select></label><input name="csrfmiddlewaretoken" value="x"></details>
<script>window.continuo = { toast() {} };</script><script src="/js/softphone.js"></script>
"""  # noqa: E501


def answer(route):
    path = route.request.url.partition("localhost")[2]
    if path == "/vendor/phone.js":
        route.fulfill(body=LIBRARY, content_type="text/javascript")
    elif path == "/phone/token/":
        route.fulfill(json={"token": "t", "seconds": 900})
    elif path.startswith("/js/"):
        route.fulfill(path=STATIC / path[1:], content_type="text/javascript")
    else:
        route.fulfill(body=PAGE, content_type="text/html")


def test_one_window_holds_the_device_which_comes_back_others_pass_on_and_a_reload_goes_back_into_the_call(page):
    page.context.route("**/*", answer)
    page.goto("http://localhost/")
    page.wait_for_function("window.sdk && continuo.device.state === 'ready'")
    host, note = page.locator("#device"), page.locator("[data-line-note]")
    page.evaluate(
        "void (sdk.register = async () => { await new Promise((go) => window.letIn = go); sdk.emit('registered'); })"
    )
    page.evaluate("sdk.emit('error', { code: 31205 })")  # the provider does not know this device any more
    expect(host).to_have_attribute("data-state", "off")
    page.wait_for_function("Boolean(window.letIn)")
    page.evaluate("void letIn()")
    expect(host).to_have_attribute("data-state", "ready")
    page.evaluate("window.leg = new Call({ call: '42', party: 'agent' }); sdk.emit('incoming', leg)")
    page.evaluate("leg.emit('reconnecting')")
    expect(note).to_have_text("Connection lost, coming back")
    expect(host).to_have_attribute("data-state", "talking")
    page.evaluate("leg.emit('reconnected')")
    expect(note).to_be_hidden()
    page.evaluate("document.querySelector('[data-mute]').click(); continuo.device.press('5')")
    page.evaluate("leg.emit('warning', 'high-rtt')")
    told = page.evaluate("[leg.done, continuo.device.isPoor, document.querySelector('[data-mute]').ariaPressed]")
    assert told == [["accept", "mute true", "key 5"], True, "true"]
    other = page.context.new_page()
    other.goto("http://localhost/")
    other.wait_for_function("continuo.device?.isMuted === true")
    assert other.evaluate("[continuo.device.state, Boolean(window.sdk)]") == ["talking", False]
    other.evaluate("continuo.device.mute(false)")
    page.wait_for_function("continuo.device.isMuted === false")
    other.close()
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    page.wait_for_function("window.asked")
    assert page.evaluate("window.asked") == {"call": "42"}


def test_a_colleague_s_question_waits_for_a_click(page):
    page.context.route("**/*", answer)
    page.goto("http://localhost/")
    page.wait_for_function("window.sdk && continuo.device.state === 'ready'")
    page.evaluate("window.leg = new Call({ call: '42', party: 'consulted' }); sdk.emit('incoming', leg)")
    assert page.evaluate("[leg.done, continuo.device.isAsked]") == [[], True]
    page.evaluate("continuo.device.answer()")
    assert page.evaluate("[leg.done, continuo.device.isAsked, continuo.device.state]") == [["accept"], False, "talking"]


def test_what_is_chosen_for_speaking_hearing_and_ringing_is_set_on_the_device(page):
    page.context.route("**/*", answer)
    page.goto("http://localhost/")
    page.wait_for_function("window.sdk && continuo.device.state === 'ready'")
    page.locator("#device > summary").click()
    for kind in ("microphone", "speaker", "ringer"):
        choice = page.locator(f"[data-choose={kind}]")
        expect(choice.locator("option")).to_have_text(["The headset", "The desk"])
        choice.select_option("desk")
    page.wait_for_function("Object.keys(window.set).length === 3")
    assert page.evaluate("window.set") == {"microphone": "desk", "speaker": "desk", "ringer": "desk"}
    page.locator("#device > summary").dblclick()
    for kind in ("microphone", "speaker", "ringer"):
        expect(page.locator(f"[data-choose={kind}]")).to_have_value("desk")
    page.evaluate("void (sdk.audio.setInputDevice = async () => { throw new Error('in use'); })")
    page.locator("[data-choose=microphone]").select_option("headset")
    expect(page.locator("#device")).to_have_attribute("data-state", "blocked")
