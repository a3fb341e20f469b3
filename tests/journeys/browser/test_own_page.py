"""A patient on a phone: a link in a text, a code and a birth date, a message nobody else reads, their own wishes."""

from datetime import date

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from inbox.enums import Direction, MessageStatus
from inbox.models import Message, OneTimeCode
from inbox.services.codes import digits_of
from inbox.services.portal import send_waiting_codes
from patients.models import Consent
from tests.factories.inbox import InteractionFactory, MessageFactory
from tests.factories.patients import PatientFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def violations(page):
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]})
    return [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in found.response["violations"]]


@pytest.fixture
def letter(transactional_db, sms_channel, agent):
    patient = PatientFactory(given_name="María", birth_date=date(1967, 3, 14), phone="+13055550123", language="es")
    talk = InteractionFactory(channel=sms_channel, patient=patient, owner=agent)
    sent = {"direction": Direction.OUTBOUND, "status": MessageStatus.SENT, "gate_decision": "send", "author": agent}
    return MessageFactory(interaction=talk, is_sensitive=True, text="El hallazgo es benigno.", **sent)


def test_from_the_link_to_the_letter_and_to_ones_own_wishes(page, live_server, letter, console_errors):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_server.url}/my/messages/{letter.public_id}/")
    assert violations(page) == []
    page.keyboard.press("Tab")
    page.fill("[name=address]", "(305) 555-0123")
    page.keyboard.press("Enter")
    page.wait_for_selector("[name=code]")
    send_waiting_codes()
    assert violations(page) == []
    page.fill("[name=code]", digits_of(OneTimeCode.objects.get()))
    for name, value in (("day", "14"), ("month", "3"), ("year", "1966")):
        page.fill(f"[name={name}]", value)
    page.click("main .btn--primary")
    expect(page.locator(".errors")).to_be_focused()
    page.fill("[name=code]", digits_of(OneTimeCode.objects.get()))
    for name, value in (("day", "14"), ("month", "3"), ("year", "1967")):
        page.fill(f"[name={name}]", value)
    page.click("main .btn--primary")
    page.wait_for_selector("text=El hallazgo es benigno.")
    assert (page.get_attribute("html", "lang"), violations(page)) == ("es", [])
    assert Message.objects.get(pk=letter.pk).status == MessageStatus.READ
    page.click("main a[href='/my/']")
    page.wait_for_selector("#my-requests")
    assert (violations(page), page.evaluate("document.documentElement.scrollWidth")) == ([], 390)
    page.click("a[href='/my/consent/']")
    page.uncheck("[name=reminders-sms]")
    assert violations(page) == []
    page.click("main .btn--primary")
    page.wait_for_selector(".done-mark")
    assert list(Consent.objects.values_list("purpose", "channel_kind", "status")) == [("reminders", "sms", "withdrawn")]
    page.goto(f"{live_server.url}/my/preferences/")
    assert violations(page) == []
    page.goto(f"{live_server.url}/my/")
    page.click("form[action='/my/sign-out/'] button")
    page.wait_for_selector("[name=address]")
    page.goto(f"{live_server.url}/my/")
    assert (page.url, console_errors()) == (f"{live_server.url}/my/sign-in/", [])
