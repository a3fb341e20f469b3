"""A visit is carried to another time, with the keys and with the pointer; the schedule can be used by everybody."""

from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from scheduling.models import Appointment, FreedSlot
from tests.factories.patients import PatientFactory
from tests.factories.scheduling import (
    AppointmentFactory,
    LocationFactory,
    PractitionerFactory,
    ScheduleFactory,
    ServiceFactory,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ZONE = ZoneInfo("America/New_York")


@pytest.fixture
def visit():
    service, site = ServiceFactory(), LocationFactory(time_zone=ZONE.key)
    doctors = [PractitionerFactory(name=name, services=[service]) for name in ("Dr. Abad", "Dr. Brandt")]
    for doctor in doctors:
        ScheduleFactory(practitioner=doctor, location=site, hours=[(time(8), time(18))])
    at = (timezone.now().astimezone(ZONE) + timedelta(days=3)).replace(hour=10, minute=0, second=0, microsecond=0)
    patient = PatientFactory(given_name="Ana", family_name="Prado")
    return AppointmentFactory(
        patient=patient, service=service, practitioner=doctors[0], location=site, starts_at=at, visit_date=at.date()
    )


def barriers(page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    found = [broken["id"] for broken in Axe().run(page).response["violations"]]
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.set_viewport_size({"width": 1440, "height": 900})
    return found + (["scrolls sideways"] if wide else [])


def test_a_visit_is_carried_with_the_keys_or_the_pointer_to_a_page_that_moves_it(desk, visit, console_errors):
    day = f"/schedule/?site={visit.location_id}&day={visit.visit_date}"
    page = desk(f"{day}&range=week")
    found = {"week": barriers(page)}
    page.get_by_role("link", name="Dr. Abad").click()
    expect(page.locator("[data-move]")).to_have_count(1)

    gone = AppointmentFactory(
        service=visit.service, practitioner=visit.practitioner, location=visit.location, status="cancelled",
        starts_at=visit.starts_at + timedelta(hours=4), visit_date=visit.visit_date,
    )  # fmt: skip
    FreedSlot.objects.create(
        freed_by=gone, trigger="cancelled", service=gone.service, practitioner=gone.practitioner,
        location=gone.location, mode=gone.mode, starts_at=gone.starts_at, ends_at=gone.ends_at,
    )  # fmt: skip
    page = desk(day)
    page.set_viewport_size({"width": 1440, "height": 900})
    beside = page.get_by_label("Freed times and waitlist")
    expect(beside.get_by_role("button", name="Offer to the next")).to_be_visible()
    found["day"] = barriers(page)
    block, said = page.locator("[data-move]"), page.locator("[data-said]")
    block.press("Space")
    expect(said).to_contain_text("Carrying Ana Prado.")
    block.press("ArrowDown")
    block.press("Escape")
    expect(page.locator(".cal__ghost")).to_have_count(0)
    for key in ("Space", "ArrowDown", "ArrowDown", "ArrowRight"):
        block.press(key)
    expect(said).to_have_text("Dr. Brandt, 10:30")
    block.press("Enter")
    expect(page.locator("[name=slot]:checked")).to_have_count(1)
    found["move"] = barriers(page)

    page = desk(day)
    row = page.locator("[data-rows]").first.evaluate(
        "column => column.getBoundingClientRect().height / column.dataset.rows"
    )
    page.locator("[data-move]").drag_to(
        page.locator("[data-rows]").nth(1),
        source_position={"x": 40, "y": 5},
        target_position={"x": 40, "y": row * 4 + 5},
    )
    expect(page.get_by_text("Chosen in the schedule")).to_be_visible()
    page.get_by_label("Why it is moved").fill("Bus")
    page.get_by_role("button", name="Move to this time").click()
    expect(page.locator(".kv")).to_contain_text("Dr. Brandt")
    new = Appointment.objects.get(previous=visit)
    assert new.starts_at.astimezone(ZONE).time() == time(9)
    assert (found, console_errors()) == ({"week": [], "day": [], "move": []}, [])
