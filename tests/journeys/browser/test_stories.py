"""The whole product in Chromium: the patient's phone in one tab, the desk in the other."""

import re
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from inbox.enums import Direction, MessageStatus
from tests.factories.accounts import PASSWORD
from tests.factories.inbox import AttachmentFactory, InteractionFactory, MessageFactory, WebhookEventFactory
from tests.journeys.browser.screens import SCREENS

pytestmark = pytest.mark.browser
PICTURES = "test-results/stories"
DRAFT = "[data-draft]"


HEARS = "document.addEventListener('continuo:subscribed', () => { window.hears = true; })"


def until_it_hears(page):
    """Waits until the page's socket listens to its parts."""
    page.wait_for_function("() => window.hears")


@pytest.fixture
def window(browser, stack):
    """`window(path, person)` opens a page of the desk, signed in as that person; options go to the browser."""
    opened = []

    def open_(path: str, person=None, *, scripts: bool = True, width: int = 1440, **options) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, locale="en-US", java_script_enabled=scripts, **options
        )
        opened.append(context)
        context.add_init_script(HEARS)
        if person is not None:
            cookies = [{"name": one.name, "value": one.value, "url": stack.web_url} for one in person.http.cookies]
            context.add_cookies(cookies)
        page = context.new_page()
        page.goto(stack.web_url + path)
        return page

    yield open_
    for context in opened:
        context.close()


def test_a_whatsapp_message_appears_on_the_open_page_and_the_ticks_of_its_answer_turn_to_read(
    stack, window, hire, somebody, interaction_of
):
    agent, patient = hire(), somebody()
    desk = window("/inbox/?view=unassigned", agent)
    phone = desk.context.new_page()
    phone.goto(f"{stack.simulator.url}/?{urlencode({'phone': patient.number, 'name': patient.name})}")
    phone.fill("#body", "May I take my pills before the test?")
    phone.keyboard.press("Enter")
    row = desk.locator("[data-row]", has_text="May I take my pills before the test?")
    expect(row).to_have_count(1)
    desk.bring_to_front()
    row.click()
    desk.fill(DRAFT, "Yes, with a little water.")
    desk.keyboard.press("Control+Enter")
    answer = desk.locator(".item--out", has_text="Yes, with a little water.")
    expect(answer).to_have_attribute("data-status", "read")
    expect(answer.locator(".bubble__foot")).to_have_text("Read")
    phone.bring_to_front()
    heard = phone.locator(".say:not(.say--mine)")
    expect(heard.locator(".ticks")).to_have_attribute("data-state", "read")
    expect(phone.locator(".say")).to_have_count(2)
    expect(heard.locator(".say__bubble")).to_contain_text("Yes, with a little water.")
    phone.screenshot(path=f"{PICTURES}/phone.png")
    desk.bring_to_front()
    desk.screenshot(path=f"{PICTURES}/desk.png")
    interaction = interaction_of(patient.number, messages=2)
    assert (interaction.owner_id, interaction.waiting_since_at) == (agent.user.pk, None)


def test_without_javascript_one_can_sign_in_read_answer_and_wrap_up(
    stack, window, hire, somebody, interaction_of, clinic
):
    agent, patient = hire(), somebody()
    patient.write("What shall I bring?", "sms")
    row = interaction_of(patient.number)
    page = window("/", scripts=False)
    page.fill("[name=login]", agent.user.email)
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    expect(page).to_have_url(f"{stack.web_url}/inbox/")
    page.goto(f"{stack.web_url}/inbox/?view=unassigned")
    page.click(f"#row-{row.pk} a")
    expect(page.locator(".bubble__text")).to_have_text(["What shall I bring?"])
    page.fill(DRAFT, "Your insurance card.")
    page.click("[data-send]:visible")
    expect(page.locator(".bubble__text")).to_have_text(["What shall I bring?", "Your insurance card."])
    page.click("text=Wrap up")
    page.select_option("[name=reason]", label="Appointment")
    page.check(f"[name=disposition][value='{clinic.resolved.pk}']", force=True)
    page.click("[data-send]")
    expect(page.locator("#toasts .grow")).to_have_text("Closed.")
    row.refresh_from_db()
    assert (row.status, row.owner_id) == ("closed", agent.user.pk)
    patient.until_shows(
        ("mine", "What shall I bring?", "read"), ("clinic", "Your insurance card.", "delivered"), tab="sms"
    )


def test_a_draft_and_its_focus_outlive_twenty_live_updates(window, hire, somebody, interaction_of):
    agent, patient = hire(), somebody()
    patient.write("Message 0", "sms")
    row = interaction_of(patient.number)
    agent.post(f"/inbox/{row.pk}/take/")
    page = window(f"/inbox/{row.pk}/", agent)
    page.click(DRAFT)
    typed = ""
    for number in range(1, 21):
        patient.write(f"Message {number}", "sms")
        page.keyboard.type(f"{number} ")
        typed += f"{number} "
    shown = page.locator(".bubble__text")
    expect(shown).to_have_count(21)
    # Providers promise no order, so the twenty may overtake one another on their way in.
    assert set(shown.all_inner_texts()) == {f"Message {number}" for number in range(21)}
    page.keyboard.type("end")
    assert page.input_value(DRAFT) == f"{typed}end"
    assert page.evaluate("document.activeElement.id") == f"reply-{row.pk}"


def test_a_closed_whatsapp_window_locks_the_reply_box_and_offers_a_template(window, hire, clinic, late_row):
    agent = hire()
    page = window(f"/inbox/{late_row.pk}/", agent)
    expect(page.locator(".composer__closed .banner__title")).to_have_text("The WhatsApp window is closed.")
    expect(page.locator(DRAFT)).to_be_hidden()
    page.click(".composer__closed .btn--primary")
    page.fill("dialog [name='variable-1']", "Lucía")
    page.fill("dialog [name='variable-2']", "Rosa")
    page.click("dialog [data-send]")
    sent = page.locator(".item--out .bubble__text")
    expect(sent).to_have_text("Hello Lucía. We have an answer for you. Reply here and Rosa will write to you.")
    expect(page.locator(".item--out")).to_have_attribute("data-status", "read")


@pytest.fixture
def paths(stack, lead, clinic, somebody):
    """Pages with something of every kind on them."""
    written = InteractionFactory(channel=clinic.sms, owner=lead.user, contact_value=somebody().number)
    mailed = InteractionFactory(channel=clinic.email, contact_value=somebody().email, subject="Results")
    MessageFactory(interaction=mailed, text="When?", subject="Results", quoted_text="> before")
    picture = MessageFactory(interaction=written, text="Hello")
    AttachmentFactory(message=picture, status="clean", name="rash.jpg", size=2048)
    AttachmentFactory(message=picture, status="refused", error="This type of file is not accepted.")
    sent = {"interaction": written, "direction": Direction.OUTBOUND, "author": lead.user}
    for status in (MessageStatus.DELIVERED, MessageStatus.FAILED, MessageStatus.READ):
        MessageFactory(status=status, gate_decision="send", **sent)
    MessageFactory(status=MessageStatus.SUPPRESSED, gate_reason="opted_out", **sent)
    WebhookEventFactory(status="quarantined", error="It stopped its worker 5 times.", provider="email", kind="email")
    return [
        "/inbox/?view=open",
        *(f"/inbox/{row.pk}/" for row in (written, mailed)),
        *(f"/outbox/?show={show}" for show in ("waiting", "failed", "suppressed")),
        "/quarantine/",
        "/board/",
    ]


def barriers(page: Page) -> list[str]:
    """What axe finds, and whether the page scrolls sideways."""
    found = [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in Axe().run(page).response["violations"]]
    is_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return found + (["scrolls sideways"] if is_wide else [])


@pytest.mark.parametrize(("width", "theme"), SCREENS)
def test_no_page_with_something_on_it_has_a_barrier_that_axe_finds(theme, width, stack, window, lead, paths):
    page = window("/inbox/", lead, width=width, color_scheme=theme)
    found = {path: page.goto(stack.web_url + path) and barriers(page) for path in paths}
    stranger = window("/accounts/login/", width=width, color_scheme=theme)
    found["login"] = barriers(stranger)
    stranger.goto(f"{stack.web_url}/forms/question/")
    stranger.click("button[type=submit]")
    found["form with errors"] = barriers(stranger)
    for name, value in (("name", "Lucía"), ("email", "axe@mail.example"), ("question", "When?")):
        stranger.fill(f"[name={name}]", value)
    stranger.click("button[type=submit]")
    expect(stranger).to_have_url(re.compile("/receipt/"))
    found["receipt"] = barriers(stranger)
    assert {place: problems for place, problems in found.items() if problems} == {}
