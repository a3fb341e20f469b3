"""The desk in a browser: what an agent types, presses and sees."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from inbox.enums import Direction
from inbox.models import Interaction, Message
from tests.factories.inbox import (
    DispositionFactory,
    InteractionFactory,
    MessageFactory,
    NoteFactory,
    ReasonFactory,
    WebFormFactory,
)
from tests.factories.patients import PatientFactory
from tests.journeys.browser.screens import SCREENS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
REFETCH = """(id) => { const pane = document.getElementById(id);
    return htmx.ajax("GET", pane.dataset.refetchUrl, {source: pane, target: pane, swap: "outerMorph"}); }"""
XSS = "<img src=x onerror=window.broken=1><script>window.broken=1</script>"


@pytest.fixture
def conversation(transactional_db, agent, sms_channel):
    patient = PatientFactory(given_name="María", family_name="Quispe", phone="+13055550142")
    row = InteractionFactory(channel=sms_channel, owner=agent, patient=patient, contact_value="+13055550142")
    MessageFactory(interaction=row, text="Can I have breakfast before?")
    return row


def test_what_is_being_typed_survives_a_live_update_with_its_focus(desk, conversation, console_errors):
    page = desk(f"/inbox/{conversation.pk}/")
    page.click("[data-draft]")
    page.keyboard.type("You may eat until ")
    MessageFactory(interaction=conversation, text="And coffee?")
    page.evaluate(REFETCH, f"talk-{conversation.pk}")
    page.keyboard.type("five")
    expect(page.locator(".bubble", has_text="And coffee?")).to_have_count(1)
    assert page.input_value("[data-draft]") == "You may eat until five"
    assert console_errors() == []


def test_ctrl_enter_sends_once_and_empties_the_box(desk, conversation, console_errors):
    page = desk(f"/inbox/{conversation.pk}/")
    page.fill("[data-draft]", "Until five, then only water.")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".item--out .bubble:has-text('Until five')")
    expect(page.locator("[data-draft]")).to_have_value("")
    sent = Message.objects.filter(direction=Direction.OUTBOUND).values_list("text", flat=True)
    assert list(sent) == ["Until five, then only water."]
    assert console_errors() == []


def test_a_draft_is_still_there_after_looking_at_another_conversation(desk, conversation, agent, sms_channel):
    other = InteractionFactory(channel=sms_channel, owner=agent, patient=PatientFactory(given_name="Kwame"))
    page = desk(f"/inbox/{conversation.pk}/")
    page.fill("[data-draft]", "Half a thought")
    page.click(f"#row-{other.pk} a")
    page.wait_for_selector(f"#talk-{other.pk}")
    elsewhere = page.input_value("[data-draft]")
    page.click(f"#row-{conversation.pk} a")
    page.wait_for_selector(f"#talk-{conversation.pk}")
    assert (elsewhere, page.input_value("[data-draft]")) == ("", "Half a thought")


def test_opening_with_the_keyboard_puts_the_focus_on_the_heading(desk, conversation):
    page = desk("/inbox/")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#talk-{conversation.pk}")
    page.wait_for_function("() => document.activeElement.hasAttribute('data-focus-on-open')")
    assert page.inner_text(":focus") == "María Quispe"
    expect(page.locator(f"#row-{conversation.pk} a")).to_have_attribute("aria-current", "true")


def test_wrap_up_by_keyboard_says_what_is_missing_keeps_the_words_and_then_closes(desk, conversation, console_errors):
    ReasonFactory(name="Preparation")
    DispositionFactory(name="Needs follow-up", is_resolved=False)
    DispositionFactory(name="Resolved now", is_resolved=True)
    page = desk(f"/inbox/{conversation.pk}/")
    page.keyboard.press("w")
    page.select_option("#wrap-up [name=reason]", label="Preparation")
    page.click("#wrap-up label:has-text('Needs follow-up')")
    page.fill("#wrap-up [name=outcome]", "Explained the fasting.")
    page.click("#wrap-up [data-send]")
    page.wait_for_selector("#wrap-up .field__error")
    assert page.input_value("#wrap-up [name=outcome]") == "Explained the fasting."
    assert page.locator("#wrap-up .field__error").all_inner_texts() == ["Say what happens next.", "Say by when."]
    page.click("#wrap-up label:has-text('Resolved now')")
    page.click("#wrap-up [data-send]")
    page.wait_for_selector("#wrap-up", state="detached")
    closed = Interaction.objects.get(pk=conversation.pk)
    assert (closed.status, closed.outcome) == ("closed", "Explained the fasting.")
    assert console_errors() == []


def test_nothing_that_a_stranger_writes_runs_in_the_page(desk, agent, sms_channel, email_channel, console_errors):
    row = InteractionFactory(channel=sms_channel, owner=agent, contact_name=XSS, snippet=XSS)
    MessageFactory(interaction=row, text=XSS)
    mail = InteractionFactory(channel=email_channel, owner=agent, contact_name=XSS, subject=XSS)
    MessageFactory(interaction=mail, text=XSS, subject=XSS, html=XSS, quoted_text=XSS)
    NoteFactory(interaction=mail, author=agent, body=XSS)
    for interaction in (row, mail):
        page = desk(f"/inbox/{interaction.pk}/")
        assert (page.evaluate("window.broken"), page.locator("#main img").count()) == (None, 0)
    assert console_errors() == []


@pytest.mark.parametrize(("width", "theme"), SCREENS)
def test_pages_have_no_barrier_that_axe_finds(theme, width, desk, conversation, live_server):
    WebFormFactory(slug="appointment")
    page = desk("/inbox/")
    page.set_viewport_size({"width": width, "height": 844})
    page.context.add_cookies([{"name": "theme", "value": theme, "url": live_server.url}])
    found = {}
    for path in ("/inbox/", f"/inbox/{conversation.pk}/", "/outbox/", "/quarantine/", "/forms/appointment/"):
        desk(path)
        found[path] = [broken["id"] for broken in Axe().run(page).response["violations"]]
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        found[path] += ["scrolls sideways"] if wide else []
    assert found == {path: [] for path in found}


def test_earlier_messages_come_above_and_stay_there_when_the_conversation_changes(
    desk, conversation, monkeypatch, console_errors
):
    monkeypatch.setattr("inbox.selectors.conversation.THREAD_LIMIT", 10)
    for number in range(24):
        MessageFactory(interaction=conversation, text=f"line {number}")
    page = desk(f"/inbox/{conversation.pk}/")
    page.locator(".thread").evaluate("thread => thread.scrollTop = 0")
    line = page.locator(".bubble", has_text="line 15")
    before = line.bounding_box()["y"]
    page.click("text=Show earlier")
    page.wait_for_selector(".bubble:has-text('line 6')")
    moved = abs(line.bounding_box()["y"] - before)
    MessageFactory(interaction=conversation, text="line 24")
    page.evaluate(REFETCH, f"talk-{conversation.pk}")
    page.wait_for_selector(".bubble:has-text('line 24')")
    shown = page.locator(".bubble__text").all_inner_texts()
    assert shown == [f"line {number}" for number in range(4, 25)]
    assert moved < 60
    assert console_errors() == []
