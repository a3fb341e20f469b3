"""What helps to write, in a browser: canned replies, files, sending later, taking back."""

import re

import pytest
from playwright.sync_api import expect

from inbox.enums import Direction
from inbox.models import Interaction, Message
from tests.factories.inbox import DispositionFactory, InteractionFactory, MessageFactory, ReasonFactory
from tests.factories.patients import PatientFactory
from tests.factories.writing import CannedReplyFactory
from tests.inbox.services.test_attachments import PDF, PNG

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BOX = "[data-draft]"
OPTION = "[data-canned-menu] [role=option]:not([hidden])"


@pytest.fixture
def conversation(transactional_db, agent, sms_channel):
    patient = PatientFactory(given_name="María", family_name="Quispe", language="es", phone="+13055550142")
    row = InteractionFactory(channel=sms_channel, owner=agent, patient=patient, contact_value="+13055550142")
    MessageFactory(interaction=row, text="Can I have breakfast before?")
    return row


@pytest.fixture
def replies(conversation):
    CannedReplyFactory(title="Ayuno", shortcode="ayuno", language="es", body="{{ patient.given_name }}, solo agua.")
    CannedReplyFactory(title="Directions", shortcode="directions", body="We are at Brickell, gate {{ gate }}.")


def test_a_slash_at_the_start_of_a_line_offers_replies_and_enter_inserts_the_one_that_fits(
    desk, conversation, replies, console_errors
):
    page = desk(f"/inbox/{conversation.pk}/")
    page.click(BOX)
    page.keyboard.type("Hola\n/")
    page.wait_for_selector(OPTION)
    expect(page.locator(OPTION)).to_have_text([re.compile("/ayuno"), re.compile("Something is left to fill in")])
    assert page.locator(OPTION).all_inner_texts() == [
        "/ayuno\nAyuno\nES",
        "/directions\nDirections\nSomething is left to fill in",
    ]
    page.keyboard.type("ayu")
    expect(page.locator(OPTION)).to_have_count(1)
    expect(page.locator("[data-canned-preview]")).to_have_text("María, solo agua.")
    page.keyboard.press("Enter")
    assert (page.input_value(BOX), page.locator("[data-canned-menu]").count()) == ("Hola\nMaría, solo agua.", 0)
    assert console_errors() == []


def test_the_button_finds_by_words_and_selects_what_is_left_to_fill_in(desk, conversation, replies, console_errors):
    page = desk(f"/inbox/{conversation.pk}/")
    page.keyboard.press("/")
    page.wait_for_selector("[data-canned-find]:focus")
    page.keyboard.type("BRICKELL")
    page.keyboard.press("Enter")
    page.wait_for_function("() => getSelection().toString() === '{{ gate }}'")
    page.keyboard.type("4")
    assert page.input_value(BOX) == "We are at Brickell, gate 4."
    assert console_errors() == []


def test_escape_and_a_slash_inside_a_line_leave_the_text_alone(desk, conversation, replies):
    page = desk(f"/inbox/{conversation.pk}/")
    page.click(BOX)
    page.keyboard.type("and/or ")
    expect(page.locator("[data-canned-menu]")).to_have_count(0)
    page.keyboard.type("\n/dir")
    page.wait_for_selector(OPTION)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    assert (page.locator("[data-canned-menu]").count(), page.input_value(BOX)) == (0, "and/or \n/dir")
    assert page.evaluate("document.activeElement.matches('[data-draft]')")


@pytest.fixture
def by_mail(transactional_db, agent, email_channel):
    row = InteractionFactory(channel=email_channel, contact_value="ana@example.org", owner=agent)
    MessageFactory(interaction=row, text="When is my visit?", cc=["son@example.org"])
    return row


def outbound():
    return list(Message.objects.filter(direction=Direction.OUTBOUND).order_by("pk"))


def test_files_are_chosen_removed_and_sent_and_a_picture_opens_in_a_dialog(desk, conversation, console_errors):
    page = desk(f"/inbox/{conversation.pk}/")
    page.fill(BOX, "See the plan")
    page.set_input_files(
        "[data-files]",
        [
            {"name": "rash.png", "mimeType": "image/png", "buffer": PNG},
            {"name": "plan.pdf", "mimeType": "application/pdf", "buffer": PDF},
            {"name": "x.svg", "mimeType": "image/svg+xml", "buffer": b"<svg onload='alert(1)'/>"},
        ],
    )
    expect(page.locator(".uploads .field__error")).to_contain_text("“x.svg” is not sent")
    expect(page.locator(".uploads__item .truncate")).to_have_text(["rash.png", "plan.pdf"])
    page.click("[aria-label='Remove plan.pdf']")
    expect(page.locator(".uploads__item .truncate")).to_have_text(["rash.png"])
    assert page.input_value(BOX) == "See the plan"
    page.click("[data-send]")
    page.wait_for_selector(".item--out .picture")
    expect(page.locator(".uploads__item")).to_have_count(0)
    page.click(".item--out .picture")
    expect(page.locator(".picture-dialog h2")).to_have_text("rash.png")
    page.keyboard.press("Escape")
    expect(page.locator(".picture-dialog")).to_have_count(0)
    assert [file.name for file in outbound()[0].attachments.all()] == ["rash.png"]
    assert console_errors() == []


def test_a_dropped_file_waits_in_the_box(desk, conversation, console_errors):
    page = desk(f"/inbox/{conversation.pk}/")
    page.evaluate(
        """() => {
        const data = new DataTransfer();
        data.items.add(new File(["%PDF-1.7 x"], "plan.pdf", {type: "application/pdf"}));
        const drop = new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true});
        document.querySelector(".thread").dispatchEvent(drop);
        }"""
    )
    expect(page.locator(".uploads__item .truncate")).to_have_text(["plan.pdf"])
    assert console_errors() == []


def test_undo_brings_a_held_mail_back_into_the_box_and_it_is_never_sent(desk, by_mail, console_errors, mailoutbox):
    page = desk(f"/inbox/{by_mail.pk}/")
    assert page.input_value("[name=cc]") == "son@example.org"
    page.fill(BOX, "At nine o'clock.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-toast=undo]")).to_contain_text("Sending in")
    expect(page.locator(BOX)).to_have_value("")
    page.keyboard.press("Control+z")
    expect(page.locator(BOX)).to_have_value("At nine o'clock.")
    page.wait_for_selector(".cancelled")
    assert (outbound()[0].status, mailoutbox) == ("cancelled", [])
    assert console_errors() == []


def test_a_message_is_put_off_shown_and_taken_back(desk, conversation, console_errors):
    page = desk(f"/inbox/{conversation.pk}/")
    page.fill(BOX, "Please come at nine.")
    page.click(".send-more summary")
    page.click("[data-later]")
    page.wait_for_selector("#later")
    assert page.input_value(BOX) == "Please come at nine."
    page.click("#later label:has-text('Tomorrow morning')")
    page.click("#later [data-send]")
    page.wait_for_selector(".bubble-wait")
    expect(page.locator(BOX)).to_have_value("")
    assert outbound()[0].scheduled_at is not None
    page.click(".bubble-wait >> text=Take back")
    expect(page.locator(BOX)).to_have_value("Please come at nine.")
    assert console_errors() == []


def test_ctrl_shift_enter_sends_and_opens_the_wrap_up(desk, conversation, console_errors):
    ReasonFactory(name="Preparation")
    DispositionFactory(name="Resolved now", is_resolved=True)
    page = desk(f"/inbox/{conversation.pk}/")
    page.fill(BOX, "Until five, then only water.")
    page.keyboard.press("Control+Shift+Enter")
    page.wait_for_selector("#wrap-up")
    page.select_option("#wrap-up [name=reason]", label="Preparation")
    page.click("#wrap-up label:has-text('Resolved now')")
    page.click("#wrap-up [data-send]")
    page.wait_for_selector("#wrap-up", state="detached")
    assert (Interaction.objects.get(pk=conversation.pk).status, outbound()[0].text) == (
        "closed",
        "Until five, then only water.",
    )
    assert console_errors() == []


def test_enter_in_the_copy_field_sends_nothing(desk, by_mail):
    page = desk(f"/inbox/{by_mail.pk}/")
    page.fill("[name=cc]", "x@example.org")
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert outbound() == []


def test_a_draft_that_arrives_after_its_own_answer_was_sent_claims_no_other_window(desk, conversation):
    page, held = desk(f"/inbox/{conversation.pk}/"), []
    page.route("**/draft/", lambda route: held.append(route))
    with page.expect_request("**/draft/"):
        page.fill(BOX, "Yes, a light one.")
    page.press(BOX, "Control+Enter")
    expect(page.locator(".item--out .bubble__text")).to_have_text("Yes, a light one.")
    with page.expect_response("**/draft/") as late:
        held[0].continue_()
    page.evaluate("new Promise((done) => setTimeout(done, 300))")
    said = page.inner_text("[data-draft-state]")
    assert (late.value.status, len(held), said, page.input_value(BOX)) == (409, 1, "", "")
