"""A patient's page in a browser: found by keyboard, read at once, added to, moved on, and a protected one opened."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import expect

from contact_center.accounts.enums import Role
from inbox.models import Notification
from patients.models import Alert, BreakGlass
from tests.factories.care import (
    AlertFactory,
    CareProgramFactory,
    CoverageFactory,
    EnrolmentFactory,
    LifeEventFactory,
    PendingResultFactory,
)
from tests.factories.inbox import CaseFactory, InteractionFactory, MessageFactory, ReasonFactory
from tests.factories.patients import ConsentFactory, PatientFactory, RelatedPersonFactory
from tests.journeys.browser.screens import SCREENS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TODAY = timezone.localdate


@pytest.fixture
def patient(transactional_db, agent, sms_channel):
    patient = PatientFactory(given_name="María", family_name="Quispe", mrn="P-77", phone="+13055550142")
    EnrolmentFactory(
        patient=patient, owner=agent, step_due_date=TODAY() - timedelta(days=1),
        program=CareProgramFactory(name="After a hip operation", steps=["Call", "Wound check"]),
    )  # fmt: skip
    PendingResultFactory(patient=patient, owner=agent)
    AlertFactory(patient=patient, text="Allergic to contrast", severity="danger", created_by=agent)
    CoverageFactory(patient=patient)
    LifeEventFactory(patient=patient)
    ConsentFactory(patient=patient)
    RelatedPersonFactory(patient=patient, name="Lucía Mamani")
    CaseFactory(patient=patient, owner=agent)
    for number in range(40):
        InteractionFactory(
            channel=sms_channel, patient=patient, status="closed", reason=ReasonFactory(name=f"Visit {number}"),
            last_message_at=timezone.now() - timedelta(days=number + 1),
        )  # fmt: skip
    row = InteractionFactory(channel=sms_channel, patient=patient, owner=agent, contact_value="+13055550142")
    MessageFactory(interaction=row, text="It is the third time I explain the same thing")
    return patient


def violations(page):
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]})
    return [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in found.response["violations"]]


def test_a_patient_is_found_read_warned_of_and_moved_on(desk, patient, agent, console_errors):
    page = desk("/patients/")
    page.keyboard.press("/")
    page.keyboard.type("quispe maria")
    page.keyboard.press("Enter")
    page.click("text=María Quispe")
    expect(page.locator(".next b")).to_have_text("Call")
    expect(page.locator(".next")).to_contain_text("Overdue")
    expect(page.locator(".journey [aria-current=step]")).to_contain_text("Call")
    expect(page.get_by_text("Patient repeated the story")).to_be_visible()
    expect(page.locator(".line > li")).to_have_count(30)
    page.click("text=Earlier")
    page.wait_for_selector(".line[data-later]")
    assert page.locator(".line > li").count() > 40
    page.keyboard.press("l")
    page.wait_for_selector("dialog[open] [name=text]")
    page.click("dialog[open] button[type=submit]")
    page.wait_for_selector("dialog[open] .field__error:has-text('Say what everybody must know.')")
    page.keyboard.type("Falls easily")
    page.keyboard.press("Enter")
    page.wait_for_selector("#piece-alerts >> text=Falls easily")
    page.click("#piece-reach >> text=Number of a register")
    page.fill("dialog[open] [name=value]", "X-12345678")
    page.click("dialog[open] button[type=submit]")
    expect(page.locator("#piece-reach")).to_contain_text("ends in 5678")
    page.click("#piece-programs >> text=Step done")
    page.fill("dialog[open] [name=note]", "She is well")
    page.click("dialog[open] button[type=submit]")
    page.wait_for_selector(".journey [aria-current=step]:has-text('Wound check')")
    page.click("#piece-pending >> text=It is here")
    page.wait_for_selector("#piece-pending >> text=Patient was told")
    assert set(Alert.objects.values_list("text", flat=True)) == {"Allergic to contrast", "Falls easily"}
    assert (str(patient.enrolments.get().step), patient.pending_results.get().status) == ("Wound check", "arrived")
    assert console_errors() == []


def test_the_record_stands_beside_the_conversation(desk, patient, console_errors):
    row = patient.interactions.exclude(status="closed").get()
    page = desk(f"/inbox/{row.pk}/")
    page.wait_for_selector(".side >> text=Allergic to contrast")
    page.wait_for_selector(f"#panel-next-{patient.pk} >> text=Call")
    page.click(f"#sect-coverage-{patient.pk} summary")
    page.wait_for_selector(f"#panel-coverage-{patient.pk} >> text=Sunshine Health")
    page.keyboard.press("p")
    page.wait_for_selector("h1:has-text('María Quispe')")
    assert console_errors() == []


def test_a_protected_record_is_opened_with_a_reason_and_the_officer_sees_it(
    desk, patient, agent, admin, auditor, page, live_server, signed_in, console_errors
):
    patient.sensitivity, patient.birth_date = "vip", "1970-05-01"
    patient.save()
    desk("/patients/")
    page.fill("#patient-q", "quispe")
    page.press("#patient-q", "Enter")
    page.wait_for_selector("text=Nobody found")
    page.click("text=Protected record")
    page.fill("[name=mrn]", "P-77")
    page.fill("[name=birth_date]", "1970-05-01")
    page.fill("[name=reason]", "She calls about her results")
    page.click("text=Open for an hour")
    page.wait_for_selector("h1:has-text('María Quispe')")
    page.click("text=Close again")
    page.wait_for_selector("text=The record is closed again.")
    assert BreakGlass.objects.get().ended_at is not None
    assert set(Notification.objects.filter(kind="glass_broken").values_list("user", flat=True)) == {
        admin.pk,
        auditor.pk,
    }
    cookie = signed_in(auditor).cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    page.goto(f"{live_server.url}/audit/?only_glass=on")
    expect(page.get_by_text("She calls about her results").first).to_be_visible()
    page.click("table >> text=P-77 >> nth=0")
    page.wait_for_selector("h1:has-text('Who looked at this record')")
    assert "Quispe" not in page.content()
    assert console_errors() == []


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_the_pages_are_accessible_and_fit(width, scheme, desk, patient, agent, page):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    wrong = {}
    for path in (
        "/patients/",
        f"/patients/{patient.pk}/",
        f"/patients/{patient.pk}/numbers/new/",
        "/patients/new/",
        "/patients/protected/",
    ):
        desk(path)
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        if (found := violations(page)) or wide:
            wrong[path] = (found, wide)
    assert wrong == {}


def test_every_page_about_patients_is_accessible_and_fits_a_phone(desk, patient, agent, page):
    agent.role = Role.ADMIN
    agent.save()
    page.set_viewport_size({"width": 390, "height": 900})
    page.emulate_media(color_scheme="dark")
    own = f"/patients/{patient.pk}"
    wrong = {}
    for path in (
        f"{own}/consents/", f"{own}/family/", f"{own}/data/", f"{own}/protection/", f"{own}/merge/",
        "/patients/imports/", "/patients/merges/", "/privacy/", "/privacy/holds/", "/privacy/retention/",
        "/privacy/processors/", "/settings/programs/", "/accounts/protection/", "/accounts/second-factor/keys/",
    ):  # fmt: skip
        desk(path)
        outside = page.evaluate(
            "document.querySelector('main').scrollWidth > document.querySelector('main').clientWidth"
        )
        if (found := violations(page)) or outside:
            wrong[path] = (found, outside)
    assert wrong == {}
