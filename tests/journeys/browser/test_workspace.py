"""Whole flows of the workspace in a browser: writing first, notes with files, macros, templates, an undone merge."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from inbox.enums import Direction
from inbox.models import Interaction, Message, NoteFile, Tag
from inbox.services.merging import merge
from patients.services.duplicates import compare_records
from tests.factories.inbox import InteractionFactory, MessageFactory, MessageTemplateFactory, ReasonFactory, TagFactory
from tests.factories.patients import PatientFactory
from tests.factories.writing import MacroFactory
from tests.inbox.services.test_attachments import PDF, PNG
from tests.journeys.browser.test_actions import violations

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = "+13055550142"
BOX = "[data-draft]"


@pytest.fixture
def maria(transactional_db):
    return PatientFactory(given_name="María", family_name="Quispe", language="es", phone=PHONE)


@pytest.fixture
def conversation(agent, sms_channel, maria):
    row = InteractionFactory(channel=sms_channel, owner=agent, patient=maria, contact_value=PHONE)
    MessageFactory(interaction=row, text="Can I have breakfast before?")
    return row


def test_an_agent_writes_first_by_keyboard_and_makes_no_second_record(
    desk, maria, sms_channel, whatsapp_channel, console_errors
):
    compare_records([maria.pk])
    ReasonFactory(name="Results are ready")
    page = desk("/inbox/")
    page.locator("#rows").focus()
    page.keyboard.press("o")
    expect(page.locator("#start-q")).to_be_focused()
    page.keyboard.type("quispe")
    person = page.locator(f"#start-patient-{maria.pk}")
    expect(person).to_have_count(1)
    person.check(force=True)
    expect(page.locator("#start-rest .radio-card")).to_have_count(2)
    assert violations(page) == []
    page.locator(".link-create summary").click()
    for name, words in (("given_name", "Maria"), ("family_name", "Quispe"), ("birth_date", str(maria.birth_date))):
        page.fill(f"[name=new-{name}]", words)
    page.get_by_role("button", name="Create", exact=True).click()
    known = page.get_by_role("button", name="Choose María Quispe")
    expect(known).to_be_visible()
    assert page.locator("[data-toast=request]").count() == 0  # the form says why; no toast says that it failed
    known.click()
    expect(page.locator("#alike-title")).to_have_count(0)
    expect(person).to_be_checked()
    page.locator("#start-rest label", has_text="SMS").click()
    page.fill("#start-rest [name=text]", "Your results are here.")
    page.select_option("#start-rest [name=reason]", label="Results are ready")
    page.keyboard.press("Control+Enter")
    expect(page).to_have_url(re.compile(r"/inbox/\d+/$"))
    row = Interaction.objects.get()
    assert (row.patient, row.snippet, row.direction) == (maria, "Your results are here.", Direction.OUTBOUND)
    expect(page.locator(".item--out .bubble")).to_contain_text("Your results are here.")
    assert console_errors() == []


def test_a_note_keeps_its_files_and_shows_its_picture(desk, conversation, console_errors):
    page = desk(f"/inbox/{conversation.pk}/")
    page.keyboard.press("n")
    page.keyboard.type("Her card")
    files = [{"name": "card.png", "mimeType": "image/png", "buffer": PNG}]
    page.set_input_files("[data-files]", [*files, {"name": "plan.pdf", "mimeType": "application/pdf", "buffer": PDF}])
    expect(page.locator(".uploads__item .truncate")).to_have_text(["card.png", "plan.pdf"])
    page.click(".composer >> text=Add note")
    expect(page.locator(".entry--note .picture")).to_have_count(1)
    page.click(".entry--note .picture")
    expect(page.locator(".picture-dialog h2")).to_have_text("card.png")
    page.keyboard.press("Escape")
    assert [file.name for file in NoteFile.objects.all()] == ["card.png", "plan.pdf"]
    assert not Message.objects.filter(direction=Direction.OUTBOUND).exists()
    assert console_errors() == []


def test_a_macro_does_its_steps_and_tells_which_one_was_refused(desk, conversation, console_errors):
    tag, gone = TagFactory(name="Fasting"), TagFactory(name="Old", is_active=False)
    MacroFactory(name="Prepare", steps=[{"do": "tag", "tag": tag.pk}, {"do": "priority", "priority": 2}])
    MacroFactory(name="Broken", steps=[{"do": "tag", "tag": gone.pk}, {"do": "priority", "priority": 1}])
    page = desk(f"/inbox/{conversation.pk}/")
    page.click(".composer [aria-label='Macros']")
    page.locator("#macros .line-item", has_text="Prepare").get_by_role("button").click()
    expect(page.locator("#macros [role=status] .line-item__meta")).to_have_text(["Done", "Done"])
    page.keyboard.press("Escape")
    row = Interaction.objects.get(pk=conversation.pk)
    assert (list(row.tags.all()), row.priority) == ([tag], 2)
    page.click(".composer [aria-label='Macros']")
    page.locator("#macros .line-item", has_text="Broken").get_by_role("button").click()
    expect(page.locator("#macros [role=status] .line-item")).to_have_count(2)
    expect(page.locator("#macros")).to_contain_text("Not tried, because the step before was refused.")
    assert Tag.objects.filter(interactions=row).count() == 1
    assert console_errors() == []


def test_a_template_is_found_filled_in_with_a_date_and_sent(desk, agent, maria, whatsapp_channel, console_errors):
    row = InteractionFactory(channel=whatsapp_channel, owner=agent, patient=maria, contact_value=PHONE, language="es")
    MessageFactory(interaction=row, occurred_at=timezone.now() - timedelta(days=2))
    MessageTemplateFactory(name="bill", language="es")
    MessageTemplateFactory(
        name="visit_reminder", language="es", body="Hola {{1}}, su cita es el {{2}}.",
        variables=[
            {"key": "1", "label": "First name", "type": "text"}, {"key": "2", "label": "Day", "type": "date"},
        ],
    )  # fmt: skip
    page = desk(f"/inbox/{row.pk}/")
    page.click("text=Choose a template")
    page.fill("#templates .picker__find [name=q]", "remind")
    expect(page.locator("#picker-found .picker__item")).to_have_count(1)
    page.click("#picker-found .picker__item")
    expect(page.locator(".picker__form b")).to_have_text("visit_reminder")
    page.fill("#templates [name='variable-1']", "María")
    day = timezone.localdate() + timedelta(days=3)
    page.fill("#templates [name='variable-2']", str(day))
    expect(page.locator("#template-preview")).to_contain_text(f"{day.day} de ")
    page.click("#templates [data-send]")
    page.wait_for_selector("#templates", state="detached")
    sent = Message.objects.get(direction=Direction.OUTBOUND)
    assert (sent.template.name, sent.text.startswith("Hola María, su cita es el ")) == ("visit_reminder", True)
    assert console_errors() == []


def test_undoing_a_merge_asks_what_of_the_things_added_since_goes_along(
    desk, conversation, agent, whatsapp_channel, console_errors
):
    other = InteractionFactory(channel=whatsapp_channel, owner=agent, patient=conversation.patient)
    merge(actor=agent, source_id=conversation.pk, target_id=other.pk)
    stays, goes = (MessageFactory(interaction=other, text=text) for text in ("Of the other", "About breakfast"))
    page = desk(f"/inbox/{conversation.pk}/")
    page.click("text=Undo the merge")
    page.wait_for_selector("#unmerge[open]")
    assert violations(page) == []
    page.locator("#unmerge label", has_text="About breakfast").click()
    page.click("#unmerge [data-send]")
    page.wait_for_selector(".banner--strip", state="detached")
    assert [Message.objects.get(pk=one.pk).interaction for one in (stays, goes)] == [other, conversation]
    assert console_errors() == []


@pytest.mark.parametrize("width", [390, 1440])
def test_without_javascript_one_reads_replies_and_closes(browser, live_server, signed_in, agent, conversation, width):
    from tests.factories.inbox import DispositionFactory

    ReasonFactory(name="Preparation")
    DispositionFactory(name="Resolved now", is_resolved=True)
    context = browser.new_context(java_script_enabled=False, viewport={"width": width, "height": 844})
    cookie = next(iter(signed_in(agent).cookies.values()))
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}/inbox/{conversation.pk}/")
    expect(page.locator(".bubble__text")).to_have_text(["Can I have breakfast before?"])
    page.fill(BOX, "Until five.")
    page.click("[data-send]:visible")
    expect(page.locator(".item--out .bubble__text")).to_have_text(["Until five."])
    page.goto(f"{live_server.url}/inbox/{conversation.pk}/wrap-up/")
    page.select_option("[name=reason]", label="Preparation")
    page.check("[name=disposition] >> nth=0", force=True)
    page.click(".dialog__foot button[type=submit]")
    expect(page.locator("body")).to_contain_text("This conversation is closed")
    assert Interaction.objects.get(pk=conversation.pk).status == "closed"
    context.close()
