"""What helps to write, in a browser: canned replies, files, sending later, taking back."""

import pytest

from tests.factories.inbox import InteractionFactory, MessageFactory
from tests.factories.patients import PatientFactory
from tests.factories.writing import CannedReplyFactory

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
    desk, conversation, replies, complaints_of
):
    page = desk(f"/inbox/{conversation.pk}/")
    page.click(BOX)
    page.keyboard.type("Hola\n/")
    page.wait_for_selector(OPTION)
    assert page.locator(OPTION).all_inner_texts() == [
        "/ayuno\nAyuno\nES",
        "/directions\nDirections\nSomething is left to fill in",
    ]
    page.keyboard.type("ayu")
    assert page.locator(OPTION).count() == 1
    assert page.inner_text("[data-canned-preview]") == "María, solo agua."
    page.keyboard.press("Enter")
    assert (page.input_value(BOX), page.locator("[data-canned-menu]").count()) == ("Hola\nMaría, solo agua.", 0)
    assert complaints_of() == []


def test_the_button_finds_by_words_and_selects_what_is_left_to_fill_in(desk, conversation, replies, complaints_of):
    page = desk(f"/inbox/{conversation.pk}/")
    page.keyboard.press("/")
    page.wait_for_selector("[data-canned-find]:focus")
    page.keyboard.type("BRICKELL")
    page.keyboard.press("Enter")
    assert page.evaluate("getSelection().toString()") == "{{ gate }}"
    page.keyboard.type("4")
    assert page.input_value(BOX) == "We are at Brickell, gate 4."
    assert complaints_of() == []


def test_escape_and_a_slash_inside_a_line_leave_the_text_alone(desk, conversation, replies):
    page = desk(f"/inbox/{conversation.pk}/")
    page.click(BOX)
    page.keyboard.type("and/or ")
    assert page.locator("[data-canned-menu]").count() == 0
    page.keyboard.type("\n/dir")
    page.wait_for_selector(OPTION)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    assert (page.locator("[data-canned-menu]").count(), page.input_value(BOX)) == (0, "and/or \n/dir")
    assert page.evaluate("document.activeElement.matches('[data-draft]')")
