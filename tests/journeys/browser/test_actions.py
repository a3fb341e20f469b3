"""What one does with a conversation, in a browser: by keys and by clicks, with its mistakes."""

import re
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from inbox.models import Case, Interaction, Message, Note, Task
from tests.factories.inbox import (
    CaseFactory,
    DispositionFactory,
    InteractionFactory,
    MessageFactory,
    MessageTemplateFactory,
    QueueFactory,
    ReasonFactory,
    TagFactory,
    TaskFactory,
)
from tests.factories.patients import PatientFactory
from tests.factories.writing import MacroFactory
from tests.journeys.browser.screens import SCREENS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def conversation(transactional_db, agent, sms_channel):
    patient = PatientFactory(given_name="María", family_name="Quispe", phone="+13055550142")
    row = InteractionFactory(channel=sms_channel, owner=agent, patient=patient, contact_value="+13055550142")
    MessageFactory(interaction=row, text="Can I have breakfast before?")
    return row


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def violations(page):
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]})
    return [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in found.response["violations"]]


def test_z_snoozes_until_tomorrow_and_the_strip_brings_it_back(desk, conversation, console_errors):
    page = desk(f"/inbox/{conversation.pk}/")
    page.keyboard.press("z")
    page.wait_for_selector("dialog[open] #snooze-title")
    expect(page.locator("dialog[open] [name=until]")).to_be_hidden()
    page.check("dialog[open] [value=custom]")
    expect(page.locator("dialog[open] [name=until]")).to_be_visible()
    page.click("dialog[open] [data-send]")
    page.wait_for_selector("dialog[open] .field__error:has-text('Choose a day and time.')")
    page.check("dialog[open] [value=tomorrow]")
    page.click("dialog[open] [data-send]")
    page.wait_for_selector(".banner--strip:has-text('Snoozed until')")
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert fresh(conversation).status == "snoozed"
    page.click("text=Bring it back now")
    page.wait_for_selector(".banner--strip", state="detached")
    assert fresh(conversation).status == "active"
    assert console_errors() == []


def test_t_transfers_with_reason_and_note_and_a_mistake_keeps_what_was_typed(desk, conversation, team, console_errors):
    imaging = QueueFactory(name="Imaging", teams=[team])
    page = desk(f"/inbox/{conversation.pk}/")
    page.keyboard.press("t")
    page.wait_for_selector("dialog[open] #transfer-title")
    page.fill("dialog[open] [name=note]", "She is deaf on the left.")
    page.click("dialog[open] [data-send]")
    page.wait_for_selector("dialog[open] .field__error:has-text('Say why')")
    assert page.input_value("dialog[open] [name=note]") == "She is deaf on the left."
    page.select_option("dialog[open] [name=queue]", str(imaging.pk))
    page.fill("dialog[open] [name=why]", "About the scanner")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("dialog[open]", state="detached")
    assert (fresh(conversation).queue, Note.objects.get().body) == (imaging, "She is deaf on the left.")
    assert console_errors() == []


def test_labels_are_set_from_the_menu(desk, conversation, console_errors):
    reason, tag = ReasonFactory(name="Preparation"), TagFactory(name="Transport")
    page = desk(f"/inbox/{conversation.pk}/")
    page.click(".talk__head details > summary")
    page.click("text=Reason, priority, tags")
    page.select_option("dialog[open] [name=reason]", str(reason.pk))
    page.check(f"dialog[open] [name=tags][value='{tag.pk}']")
    page.click("dialog[open] [data-send]")
    page.wait_for_selector(".talk__meta:has-text('Preparation')")
    assert (fresh(conversation).reason, list(conversation.tags.all())) == (reason, [tag])
    assert console_errors() == []


def test_a_blocking_task_keeps_it_open_until_it_is_ticked(desk, conversation, console_errors):
    reason, done = ReasonFactory(), DispositionFactory(name="Answered")
    page = desk(f"/inbox/{conversation.pk}/")
    page.click("#add-task")
    page.fill("dialog[open] [name=title]", "Check the identity")
    page.check("dialog[open] [name=is_blocking]")
    page.click("dialog[open] [data-send]")
    page.wait_for_selector(".task:has-text('Check the identity')")
    page.keyboard.press("w")
    page.wait_for_selector("dialog[open] .banner:has-text('Check the identity')")
    page.select_option("dialog[open] [name=reason]", str(reason.pk))
    page.check(f"dialog[open] [name=disposition][value='{done.pk}']", force=True)
    page.fill("dialog[open] [name=outcome]", "She may eat until five.")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("dialog[open] >> text=Not done yet: Check the identity.")
    assert page.input_value("dialog[open] [name=outcome]") == "She may eat until five."
    page.keyboard.press("Escape")
    page.click(f"#tick-{Task.objects.get().pk}")
    page.wait_for_selector(".task[data-done]")
    page.keyboard.press("w")
    page.wait_for_selector("dialog[open] [name=reason]")
    page.check(f"dialog[open] [name=disposition][value='{done.pk}']", force=True)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("text=This conversation is closed")
    assert fresh(conversation).status == "closed"
    assert console_errors() == []


def test_c_opens_a_case_that_stands_in_the_head(desk, conversation, console_errors):
    page = desk(f"/inbox/{conversation.pk}/")
    page.keyboard.press("c")
    page.fill("dialog[open] [name=title]", "MRI result")
    page.fill("dialog[open] [name=next_step]", "Call the lab")
    page.fill("dialog[open] [name=next_step_date]", str(timezone.localdate() + timedelta(days=2)))
    page.click("dialog[open] [data-send]")
    page.wait_for_selector("dialog[open]", state="detached")
    expect(page.locator(".talk__meta")).to_contain_text(Case.objects.get().reference)
    assert console_errors() == []


def test_two_conversations_are_merged_and_parted_again(desk, conversation, agent, whatsapp_channel, console_errors):
    other = InteractionFactory(
        channel=whatsapp_channel, owner=agent, patient=conversation.patient, snippet="By WhatsApp"
    )
    page = desk(f"/inbox/{conversation.pk}/")
    page.click(".talk__head details > summary")
    page.click(".menu__item:has-text('Merge')")
    page.check("dialog[open] [name=way][value=there]")
    page.click("dialog[open] [data-send]")
    expect(page).to_have_url(re.compile(f"/inbox/{other.pk}/$"))
    assert fresh(conversation).merged_into == other
    page = desk(f"/inbox/{conversation.pk}/")
    page.click("text=Undo the merge")
    page.wait_for_selector(".banner--strip", state="detached")
    assert fresh(conversation).status == "active"
    assert console_errors() == []


def test_a_second_matter_is_split_off(desk, conversation, console_errors):
    goes = MessageFactory(interaction=conversation, text="And my bill is wrong")
    page = desk(f"/inbox/{conversation.pk}/")
    page.click(".talk__head details > summary")
    page.click("text=Split off messages")
    page.check(f"dialog[open] [name=messages][value='{goes.pk}']")
    page.click("dialog[open] [data-send]")
    page.wait_for_selector("text=Split from conversation")
    assert fresh(goes).interaction == Interaction.objects.get(split_from=conversation)
    assert console_errors() == []


def test_words_on_a_page_that_is_not_loaded_are_found_and_jumped_to(desk, conversation, console_errors):
    start = timezone.now() - timedelta(days=9)
    Message.objects.bulk_create(
        Message(
            interaction=conversation, channel=conversation.channel, channel_kind="sms", direction="inbound",
            status="received", text="The blue letter" if n == 3 else f"word {n}", provider="twilio",
            external_id=f"x{n}", occurred_at=start + timedelta(minutes=n),
        )
        for n in range(300)
    )  # fmt: skip
    wanted = Message.objects.get(text="The blue letter")
    page = desk(f"/inbox/{conversation.pk}/")
    assert page.locator(f"#message-{wanted.pk}").count() == 0
    page.click(".talk__head details > summary")
    page.click("text=Find in this conversation")
    page.fill("dialog[open] [name=q]", "blue LETTER")
    page.keyboard.press("Enter")
    page.click(".hit:has(mark:has-text('blue letter'))")
    page.wait_for_selector(f"#message-{wanted.pk}:focus")
    assert "letter" not in page.url
    assert console_errors() == []


def test_the_story_says_what_was_told_before(desk, conversation, whatsapp_channel, console_errors):
    at = timezone.now() - timedelta(days=4)
    before = InteractionFactory(
        channel=whatsapp_channel, patient=conversation.patient, status="closed", opened_at=at, last_message_at=at,
        last_inbound_at=at, closed_at=at, reason=ReasonFactory(name="MRI"), outcome="Fasting explained",
    )  # fmt: skip
    MessageFactory(interaction=before, text="I am afraid of the tube", occurred_at=at)
    page = desk(f"/inbox/{conversation.pk}/")
    expect(page.locator(".story summary")).to_contain_text("MRI · Fasting explained")
    page.click(".story summary")
    expect(page.locator(".story__body")).to_contain_text("I am afraid of the tube")
    assert console_errors() == []


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_the_forms_are_accessible_as_pages_too(width, scheme, desk, conversation, agent, whatsapp_channel):
    about_work = ("snooze", "transfer", "labels", "case", "tasks", "merge", "split", "find", "wrap-up")
    names = [*about_work, "link", "templates", "macros"]
    InteractionFactory(channel=whatsapp_channel, owner=agent, patient=conversation.patient, snippet="By WhatsApp")
    TaskFactory(interaction=conversation, is_blocking=True)
    TagFactory()
    DispositionFactory()
    MessageTemplateFactory()
    MacroFactory(name="Prepare")
    conversation.case = CaseFactory(patient=conversation.patient)
    conversation.save()
    page = desk("/inbox/")
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    found = {}
    for name in names:
        desk(f"/inbox/{conversation.pk}/{name}/")
        found[name] = (violations(page), page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
    assert found == dict.fromkeys(names, ([], True))
