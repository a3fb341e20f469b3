"""A file of patients in a browser: columns, dry run, duplicate report, import; then a merge, and its undo."""

from datetime import date

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from contact_center.accounts.enums import Role
from contact_center.jobs import worker
from patients.models import ContactPoint, Patient, PatientMerge
from patients.selectors.matching import forget_rarity
from patients.services import duplicates
from tests.factories.patients import PatientFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HEAD = "Nombre,Apellidos,Fecha de nacimiento,Móvil"
FILE = f"{HEAD}\nInigo,Arregui,09/03/1984,+34 600 11 22 33\nZoe,Wexler,soon,\nEva,Prado,17/05/1990,\n".encode()


@pytest.fixture
def lead_desk(desk, agent):
    agent.role = Role.SUPERVISOR
    agent.save()
    forget_rarity()
    yield desk
    forget_rarity()


def violations(page):
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]})
    return [(rule["id"], [node["html"][:120] for node in rule["nodes"]]) for rule in found.response["violations"]]


def check_fits(page, width, theme):
    """No barrier and no sideways scrolling at this width and in this theme."""
    page.set_viewport_size({"width": width, "height": 800})
    page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert (violations(page), wide) == ([], False)


def test_a_file_is_taken_in_its_duplicate_merged_and_the_merge_undone(lead_desk, console_errors):
    known = PatientFactory(given_name="Íñigo", family_name="Arregui", birth_date=date(1984, 3, 9), email="i@x.example")
    duplicates.refresh_profiles([known.pk])

    page = lead_desk("/patients/imports/")
    check_fits(page, 1280, "light")
    page.set_input_files("[name=file]", {"name": "patients.csv", "mimeType": "text/csv", "buffer": FILE})
    page.click("#upload-form [data-send]")
    page.wait_for_selector("#columns-form")
    expect(page.locator("[name=column_2]")).to_have_value("birth_date")
    check_fits(page, 390, "dark")
    page.click("#columns-form [data-send]")
    page.wait_for_selector("text=Nothing is written yet")
    worker.run_jobs()
    page.wait_for_selector("#run-form")
    expect(page.locator("#wrong-title")).to_have_text("Rows with errors")
    expect(page.locator("#import")).to_contain_text("Write a date such as 1984-03-09")
    expect(page.locator("#import")).to_contain_text("Certain")
    check_fits(page, 1440, "light")
    page.select_option("[name=alike]", "create")
    page.click("#run-form [data-send]")
    page.wait_for_selector("text=The rows are taken in.")
    worker.run_jobs()
    page.wait_for_selector("text=What became of the rows")
    assert Patient.objects.count() == 3
    duplicates.compare_waiting()

    page = lead_desk("/patients/duplicates/")
    check_fits(page, 390, "dark")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.click("a:has-text('Compare')")
    page.wait_for_selector("#merge-form")
    check_fits(page, 1440, "light")
    page.check(f"[name=keep][value='{known.pk}']")
    page.click("#merge-form [type=submit]")
    page.wait_for_selector("#undo-form")
    merge = PatientMerge.objects.get()
    assert (merge.target, known.contact_points.count()) == (known, 2)
    ContactPoint.objects.create(patient=known, scheme="phone", value="+34600998877")
    page.reload()
    check_fits(page, 390, "dark")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.check("[name=give_back]")
    page.click("#undo-form [type=submit]")
    page.wait_for_selector("text=Undone by")
    values = set(ContactPoint.objects.filter(patient=merge.source).values_list("value", flat=True))
    assert values == {"+34600112233", "+34600998877"}
    assert console_errors() == []
