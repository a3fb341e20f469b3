"""A patient's visit from the booking page on the phone to the time that goes on to somebody who waits."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import requests
from django.utils import timezone
from playwright.sync_api import expect

from scheduling.models import Appointment, SlotOffer, WaitlistEntry
from tests.factories.scheduling import EntryFactory
from tests.journeys.browser.test_stories import PICTURES, barriers, window
from tests.journeys.people import Page

__all__ = ["window"]
pytestmark = pytest.mark.browser


def book(page, phone, practice):
    """Go through the public pages; the time that was booked."""
    page.locator("label", has_text=practice.service.name).click()
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("h1")).to_have_text("Where is easiest?")
    page.get_by_role("button", name="Continue").click()
    page.locator(".day-btn").nth(3).click()
    expect(page.locator(".day-btn").nth(3)).to_have_attribute("aria-current", "date")
    found = barriers(page)
    page.locator(".time-btn").first.click()
    page.screenshot(path=f"{PICTURES}/book-times.png")
    page.get_by_role("button", name="Continue").click()
    for name, value in (("given_name", "Ana"), ("family_name", "Prado"), ("address", phone.number)):
        page.fill(f"[name={name}]", value)
    for name, value in (("day", "14"), ("month", "3"), ("year", "1967")):
        page.fill(f"[name={name}]", value)
    found += barriers(page)
    page.get_by_role("button", name="Send me the digits").click()
    expect(page.locator("h1")).to_have_text("The digits we sent")
    page.fill("[name=code]", re.search(r"\b\d{6}\b", phone.until_told(""))[0])
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("h1")).to_have_text("Your visit is booked")
    page.screenshot(path=f"{PICTURES}/book-done.png")
    return found + barriers(page)


def link_in(words):
    return re.search(r"https?://\S+", words)[0]


def take(phone):
    """Take the time that was offered by its link; what the page says."""
    browser, url = requests.Session(), link_in(phone.until_told(f"{phone.patient.given_name}, a time is free"))
    token = Page(browser.get(url, timeout=20)).value("csrfmiddlewaretoken")
    answer = browser.post(url, {"answer": "yes", "csrfmiddlewaretoken": token}, timeout=20)
    return answer.status_code, Page(answer).text("//h1")


def test_a_patient_books_prepares_is_reminded_moves_and_one_of_three_who_wait_gets_the_time(window, practice):
    ana, waiting = practice.patient("Ana"), [practice.patient(name) for name in ("Bea", "Cleo", "Dora")]
    page = window("/book/", width=390)
    assert book(page, ana, practice) == []
    visit = Appointment.objects.get(patient=ana.patient)
    page.goto(link_in(ana.until_told("Ana, your visit is booked")))
    page.get_by_role("link", name="I have read it").click()
    page.check("[name=is_read]")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("h1")).to_have_text("Thank you, you are prepared")
    ana.next_day()
    page.goto(link_in(ana.until_told("Ana, you have a visit")))
    for phone in waiting:
        joined_at = timezone.now() - timedelta(days=9)
        EntryFactory(patient=phone.patient, service=practice.service, joined_at=joined_at)
    page.get_by_role("link", name="I need another time").click()
    page.locator(".radio-card").last.click()
    page.get_by_role("button", name="Change to this time").click()
    expect(page.locator("h1")).to_have_text("Your visit is moved")
    page.screenshot(path=f"{PICTURES}/moved.png")
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(take, waiting))
    (winner,) = [phone for phone, (status, _words) in zip(waiting, answers, strict=True) if status == 200]
    assert sorted(answers) == sorted(
        [(200, f"{winner.patient.given_name}, it is yours")] + [(409, "This time is not free any more")] * 2
    )
    visit.refresh_from_db()
    made = Appointment.objects.get(patient=winner.patient)
    assert (made.starts_at, made.status, visit.status) == (visit.starts_at, "booked", "cancelled")
    entries = dict(WaitlistEntry.objects.filter(service=practice.service).values_list("patient", "closed_for"))
    assert entries == {phone.patient.pk: "booked" if phone is winner else "" for phone in waiting}
    offers = SlotOffer.objects.filter(freed__filled_by=made).values_list("status", flat=True)
    assert sorted(offers) == ["accepted", "withdrawn", "withdrawn"]
