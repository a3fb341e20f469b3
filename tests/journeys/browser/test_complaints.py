"""A complaint from the first word to the patient's own page: registered in a conversation, answered by a supervisor."""

from datetime import date, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import expect

from complaints.models import Complaint
from complaints.services import moves
from complaints.services.concluding import Step
from inbox.models import OneTimeCode
from inbox.services.codes import digits_of
from inbox.services.portal import send_waiting_codes
from tests.factories.accounts import UserFactory
from tests.factories.inbox import InteractionFactory, MessageFactory
from tests.factories.patients import PatientFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def wrong_with(page):
    """Barriers on the page where most arise, on a phone at night, and whether it is wider than that."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    rules = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]})
    found = [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in rules.response["violations"]]
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.set_viewport_size({"width": 1440, "height": 900})
    return found, wide


@pytest.fixture
def talk(transactional_db, sms_channel, agent):
    patient = PatientFactory(given_name="María", birth_date=date(1967, 3, 14), phone="+13055550123", language="es")
    row = InteractionFactory(channel=sms_channel, patient=patient, owner=agent)
    MessageFactory(interaction=row, text="Two people told me two things")
    return row


def taken_to_review(row, supervisor):
    """What the desk does between the acknowledgement and the answer."""
    step = Step("Go on", timezone.localdate() + timedelta(days=2))
    on = {"actor": supervisor, "complaint_id": row.pk, "note": "Looked into it", "step": step}
    moves.triage(**on, kind="complaint", category="communication", severity="moderate")
    moves.start_investigation(**on)
    moves.propose_response(**on, response="It was our fault.")
    moves.approve_response(**on)


def moved(page, verb):
    """Make the move that the page offers first, with a note."""
    expect(page.locator(f"#move-{verb}")).to_have_attribute("open", "")
    page.fill(f"#move-{verb} [name=note]", "Called her and said so")
    page.click(f"#move-{verb} button[type=submit]")


def test_from_a_conversation_to_the_patients_own_page(desk, page, live_server, signed_in, talk, console_errors):
    page = desk(f"/inbox/{talk.pk}/")
    expect(page.locator(f"#side-{talk.pk}")).to_contain_text("María")
    page.keyboard.press("f")
    expect(page.locator("h1")).to_have_text("Register a complaint")
    assert wrong_with(page) == ([], False)
    page.fill("[name=words]", "Two people told me two things")
    page.select_option("[name=category]", "communication")
    page.click("main .btn--primary")
    expect(page.locator(".quote")).to_have_text("Two people told me two things")
    row = Complaint.objects.get()
    supervisor = UserFactory(email="lead@aurora.test", first_name="Ines", role="supervisor")
    moves.assign_complaint(actor=supervisor, complaint_id=row.pk, note="Mine", owner=supervisor)
    cookie = signed_in(supervisor).cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    page.goto(f"{live_server.url}/complaints/?show=unacknowledged")
    expect(page.locator(f"#complaint-{row.pk}")).to_contain_text("Ines")
    assert wrong_with(page) == ([], False)
    page.click(f"#complaint-{row.pk} a")
    moved(page, "acknowledge")
    expect(page.locator(".timeline li").first).to_contain_text("Called her and said so")
    assert wrong_with(page) == ([], False)
    taken_to_review(row, supervisor)
    page.reload()
    page.click("#move-answer summary")
    moved(page, "answer")
    expect(page.locator(".detail__head")).to_contain_text("Answered")
    page.goto(f"{live_server.url}/my/sign-in/")
    page.fill("[name=address]", "(305) 555-0123")
    page.keyboard.press("Enter")
    expect(page.locator("[name=code]")).to_be_visible()
    send_waiting_codes()
    page.fill("[name=code]", digits_of(OneTimeCode.objects.get()))
    for name, value in (("day", "14"), ("month", "3"), ("year", "1967")):
        page.fill(f"[name={name}]", value)
    page.click("main .btn--primary")
    own = page.locator("[aria-labelledby=my-complaints]")
    expect(own).to_contain_text(row.reference)
    expect(own).to_contain_text("(Ines)")
    expect(own).not_to_contain_text("our fault")
    assert (wrong_with(page), console_errors()) == (([], False), [])
