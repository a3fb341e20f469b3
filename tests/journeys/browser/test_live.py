"""Two agents, two machines, one conversation: what one types is kept, seen by the other, and never in the way."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from inbox.enums import Direction
from inbox.models import Draft, Interaction, Message
from tests.journeys.browser.test_stories import DRAFT, PICTURES, until_it_hears, window
from tests.simulator.fixtures import wait_for

pytestmark = pytest.mark.browser
__all__ = ["window"]


@pytest.fixture
def conversation(somebody, interaction_of):
    """A conversation that waits in the queue."""
    patient = somebody()
    patient.write("Can I have breakfast before?", "sms")
    row = interaction_of(patient.number)
    row.phone = patient
    return row


def test_a_draft_is_back_after_a_reload_and_on_another_machine_and_gone_once_it_is_sent(window, hire, conversation):
    agent = hire()
    page = window(f"/inbox/{conversation.pk}/", agent)
    page.click(DRAFT)
    page.keyboard.type("You may eat until five, ")
    expect(page.locator("[data-draft-state]")).to_have_text("Draft saved")
    page.reload()
    expect(page.locator(DRAFT)).to_have_value("You may eat until five, ")
    page.click(DRAFT)
    page.keyboard.press("Control+End")
    page.keyboard.type("then only water.")
    page.goto("about:blank")  # without waiting for the autosave
    elsewhere = window(f"/inbox/{conversation.pk}/", agent)
    wait_for(lambda: Draft.objects.get(interaction=conversation).text.endswith("water."))
    elsewhere.reload()
    expect(elsewhere.locator(DRAFT)).to_have_value("You may eat until five, then only water.")
    assert elsewhere.locator(f"#row-{conversation.pk} .conv__draft").count() <= 1
    elsewhere.keyboard.press("r")
    elsewhere.keyboard.press("Control+Enter")
    elsewhere.wait_for_selector(".item--out .bubble:has-text('then only water')")
    expect(elsewhere.locator(DRAFT)).to_have_value("")
    assert Draft.objects.filter(interaction=conversation).count() == 0
    elsewhere.reload()
    assert elsewhere.input_value(DRAFT) == ""


def test_a_note_begun_is_a_note_when_one_comes_back(window, hire, conversation):
    agent = hire()
    page = window(f"/inbox/{conversation.pk}/", agent)
    page.keyboard.press("n")
    page.keyboard.type("Ask the nurse")
    expect(page.locator("[data-draft-state]")).to_have_text("Draft saved")
    page.reload()
    expect(page.locator(DRAFT)).to_have_value("Ask the nurse")
    expect(page.locator("[name=mode]:checked")).to_have_value("note")


def test_two_agents_see_each_other_read_the_draft_and_are_asked_before_they_talk_over_each_other(
    window, hire, conversation
):
    priya, diego = hire(first_name="Priya", last_name="Raman"), hire(first_name="Diego", last_name="Ferreira")
    hers = window(f"/inbox/{conversation.pk}/", priya)
    his = window(f"/inbox/{conversation.pk}/", diego)
    said = his.locator(".collide__who [data-sentence]")
    expect(said).to_have_text("Priya Raman is viewing")
    hers.clock.set_fixed_time(datetime.now(UTC))  # so she writes all the while, however slow the machine is
    hers.click(DRAFT)
    hers.keyboard.type("Dear patient, ")
    expect(said).to_have_text("Priya Raman is writing a reply")
    expect(his.locator(".collide .typing")).to_have_count(1)
    his.click(".collide :text('See draft')")
    expect(his.locator("#draft .draft-kept__text")).to_have_text("Dear patient,")
    his.screenshot(path=f"{PICTURES}/draft.png")
    his.keyboard.press("Escape")
    his.fill(DRAFT, "Yes, until five.")
    hers.keyboard.type("please ")
    expect(said).to_have_text("Priya Raman is writing a reply")
    his.screenshot(path=f"{PICTURES}/collide.png")
    his.keyboard.press("Control+Enter")
    ask = his.locator("[data-ask]")
    expect(ask).to_be_visible()
    expect(his.locator(":focus")).to_have_text("Send anyway")
    his.screenshot(path=f"{PICTURES}/send-anyway.png")
    assert not Message.objects.filter(interaction=conversation, direction=Direction.OUTBOUND).exists()
    his.keyboard.press("Enter")
    his.wait_for_selector(".item--out .bubble:has-text('Yes, until five.')")
    assert Message.objects.filter(interaction=conversation, direction=Direction.OUTBOUND).count() == 1
    # He owns it now: her words stay in her sight.
    expect(hers.locator(".draft-kept__text")).to_have_text("Dear patient, please")
    hers.close()
    expect(his.locator(".collide__who")).to_be_empty(timeout=30_000)


def test_taking_over_a_draft_brings_its_words_into_my_box(window, hire, conversation):
    priya, diego = hire(first_name="Priya", last_name="Raman"), hire()
    hers = window(f"/inbox/{conversation.pk}/", priya)
    hers.fill(DRAFT, "Dear patient, you may")
    wait_for(lambda: Draft.objects.filter(interaction=conversation).exists())
    his = window(f"/inbox/{conversation.pk}/", diego)
    his.click(".collide :text('Take over')")
    expect(his.locator(DRAFT)).to_have_value("Dear patient, you may")
    assert Interaction.objects.get(pk=conversation.pk).owner == diego.user


def test_what_came_while_i_was_away_must_be_read_before_my_old_draft_is_sent(window, hire, conversation):
    agent = hire()
    page = window(f"/inbox/{conversation.pk}/", agent)
    page.fill(DRAFT, "You may eat eggs.")
    wait_for(lambda: Draft.objects.filter(interaction=conversation).exists())
    page.goto("about:blank")
    conversation.phone.write("I am allergic to eggs", "sms")
    wait_for(lambda: Message.objects.filter(interaction=conversation).count() == 2)
    page = window(f"/inbox/{conversation.pk}/", agent)
    notice = page.locator("[data-draft-notice]")
    expect(notice).to_contain_text("1 newer message since you began.")
    page.screenshot(path=f"{PICTURES}/newer.png")
    page.wait_for_timeout(2000)  # having it open is not having read it
    page.keyboard.press("r")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".composer__errors")
    assert page.input_value(DRAFT) == "You may eat eggs."
    assert not Message.objects.filter(interaction=conversation, direction=Direction.OUTBOUND).exists()
    page.fill(DRAFT, "Then no eggs.")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".item--out .bubble:has-text('Then no eggs.')")


def test_a_message_that_comes_while_i_look_and_write_needs_no_second_reading(window, hire, conversation):
    page = window(f"/inbox/{conversation.pk}/", hire())
    page.click(DRAFT)
    page.keyboard.type("Yes")
    wait_for(lambda: Draft.objects.filter(interaction=conversation).exists())
    conversation.phone.write("And coffee?", "sms")
    page.wait_for_selector(".bubble:has-text('And coffee?')")
    newest = str(conversation.messages.latest("id").pk)
    expect(page.locator("[name=seen_message_id]")).to_have_value(newest)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".item--out .bubble:has-text('Yes')")


def test_rows_change_in_place_while_the_list_is_in_use_and_move_when_it_is_left(window, hire, somebody, interaction_of):
    agent, patients = hire(), [somebody() for _ in range(3)]
    for patient in patients:
        patient.write("First", "sms")
        interaction_of(patient.number)
    page = window("/inbox/?view=unassigned", agent)
    before = page.locator("#rows li").evaluate_all("rows => rows.map(row => row.id)")
    page.hover("#rows")
    newcomer = somebody()
    newcomer.write("New here", "sms")
    patients[0].write("Second", "sms")
    button = page.locator("#list-order")
    expect(button).to_be_visible()
    first = interaction_of(patients[0].number, messages=2)
    expect(page.locator(f"#row-{first.pk} .conv__text")).to_contain_text("Second")
    expect(button).to_have_text("1 has changed, refresh order")
    assert page.locator("#rows li").evaluate_all("rows => rows.map(row => row.id)") == before
    page.screenshot(path=f"{PICTURES}/order.png")
    expect(page.locator("#list-new")).to_have_text("1 new conversation")
    page.mouse.move(900, 300)
    expect(page.locator("#rows li")).to_have_count(len(before) + 1)
    expect(button).to_be_hidden()
    page.focus(f"#row-{first.pk} a")
    somebody().write("Another", "sms")
    expect(button).to_be_visible()
    assert page.evaluate("document.activeElement.closest('li').id") == f"row-{first.pk}"
    button.click()
    expect(page.locator("#rows li")).to_have_count(len(before) + 2)
    expect(page.locator("#rows")).to_be_focused()


def test_the_waiting_time_is_true_on_a_machine_whose_clock_is_three_hours_fast(browser, stack, hire, conversation):
    agent = hire()
    context = browser.new_context()
    context.add_cookies([{"name": one.name, "value": one.value, "url": stack.web_url} for one in agent.http.cookies])
    context.add_init_script("{ const real = Date.now; Date.now = () => real() + 3 * 3600e3; }")
    page = context.new_page()
    page.goto(f"{stack.web_url}/inbox/{conversation.pk}/")
    page.wait_for_timeout(500)
    assert page.locator(".talk__meta [data-since]").inner_text() in ("0m", "1m")
    context.close()


def test_with_too_many_windows_the_oldest_says_so_and_comes_back_when_it_is_used(window, hire, conversation):
    agent = hire()
    page = window(f"/inbox/{conversation.pk}/", agent)
    until_it_hears(page)
    others = [agent.socket() for _ in range(20)]
    expect(page.locator("[data-toast=crowded]")).to_contain_text("Many windows are open.")
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.locator("[data-toast=crowded]")).to_have_count(0)
    conversation.phone.write("Still there?", "sms")
    page.wait_for_selector(".bubble:has-text('Still there?')")
    for other in others:
        other.close()


def test_when_the_session_ends_elsewhere_the_page_asks_to_sign_in_and_the_draft_is_kept(window, hire, conversation):
    agent = hire()
    page = window(f"/inbox/{conversation.pk}/", agent)
    page.click(DRAFT)
    page.keyboard.type("Do not lose this")
    wait_for(lambda: Draft.objects.filter(interaction=conversation).exists())
    until_it_hears(page)
    agent.post("/accounts/logout/")
    expect(page).to_have_url(re.compile("/accounts/login/"))
    assert Draft.objects.get(interaction=conversation).text == "Do not lose this"
