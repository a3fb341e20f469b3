"""Views, filters, saved views and the search in a browser, also beside an open conversation."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from inbox.models import SavedView
from inbox.services.indexing import index_messages
from tests.factories.inbox import InteractionFactory, MessageFactory
from tests.factories.patients import PatientFactory
from tests.journeys.browser.screens import SCREENS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
XSS = "<img src=x onerror=window.broken=1> metformina <script>window.broken=1</script>"


@pytest.fixture
def desk_rows(transactional_db, agent, sms_channel, whatsapp_channel):
    """Three conversations of the agent's, by name."""
    made = {}
    for name, channel, language, text in (
        ("María", sms_channel, "es", "¿Puedo tomar la metformina?"),
        ("Kwame", sms_channel, "en", "May I eat before?"),
        ("Lucía", whatsapp_channel, "es", XSS),
    ):
        row = InteractionFactory(
            channel=channel, owner=agent, language=language, unread_count=1 if name == "Kwame" else 0,
            patient=PatientFactory(given_name=name, family_name="Quispe"),
        )  # fmt: skip
        MessageFactory(interaction=row, text=text)
        made[name] = row
    index_messages()
    return made


def names(page):
    return sorted(text.split()[0] for text in page.locator("#rows .conv__name .truncate").all_inner_texts())


def test_segments_orders_and_filters_change_the_list_beside_an_open_conversation(desk, desk_rows, console_errors):
    page = desk(f"/inbox/{desk_rows['María'].pk}/?view=mine")
    page.fill("[data-draft]", "Half a thought")
    page.click("#show-unread")
    expect(page.locator("#rows [data-row]")).to_have_count(1)
    assert (names(page), page.input_value("[data-draft]")) == (["Kwame"], "Half a thought")
    expect(page).to_have_url(re.compile(rf"/inbox/{desk_rows['María'].pk}/\?view=mine&show=unread$"))
    page.click("#show-all")
    expect(page.locator("#rows [data-row]")).to_have_count(3)
    page.click("#list-sort summary")
    page.click("#list-sort a:has-text('Newest first')")
    page.wait_for_selector("#list-sort summary:has-text('Newest first')")
    assert page.input_value("[data-draft]") == "Half a thought"
    assert console_errors() == []


def test_a_filter_is_set_by_keyboard_shown_as_chips_and_taken_away(desk, desk_rows, console_errors):
    page = desk(f"/inbox/{desk_rows['María'].pk}/?view=mine")
    page.focus("#list-filter")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog#filter[open]")
    page.focus("#filter-language summary")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.locator("#filter-language input[value=es]").focus()
    page.keyboard.press("Space")
    page.click("dialog#filter button:has-text('Show')")
    page.wait_for_selector(".list__chips")
    assert (names(page), page.locator(f"#talk-{desk_rows['María'].pk}").count()) == (["Lucía", "María"], 1)
    page.click(".list__chips .chip:has-text('Spanish')")
    expect(page.locator("#rows [data-row]")).to_have_count(3)
    expect(page.locator(".list__chips")).to_have_count(0)
    assert console_errors() == []


def test_a_view_is_saved_with_a_preview_opened_deleted_and_brought_back(desk, desk_rows, console_errors):
    page = desk("/inbox/saved-views/new/")
    page.fill("[name=name]", "Spanish")
    page.click("#filter-language summary")
    page.check("#filter-language input[value=es]")
    page.wait_for_selector("#saved-view-preview:has-text('2 open conversations fit now.')")
    page.click("button:has-text('Save view')")
    page.wait_for_selector(".view[aria-current=page]:has-text('Spanish')")
    view = SavedView.objects.get()
    expect(page.locator(f"#view-saved-{view.pk} .view__n")).to_have_text("2")
    assert names(page) == ["Lucía", "María"]
    page.click("[aria-label='Edit this view']")
    page.click("button:has-text('Delete')")
    page.click(".list__notice button:has-text('Undo')")
    page.wait_for_selector(".view[aria-current=page]:has-text('Spanish')")
    assert (SavedView.objects.count(), console_errors()) == (1, [])


def test_a_search_shows_where_it_hits_and_runs_nothing_that_people_write(desk, desk_rows, console_errors):
    page = desk("/inbox/?view=mine")
    page.fill("#list-search", "metformin")
    page.keyboard.press("Enter")
    page.wait_for_selector("#rows mark")
    assert names(page) == ["Lucía", "María"]
    assert page.locator("#rows mark").all_inner_texts() == ["metformina", "metformina"]
    assert ("metformin" in page.url, page.evaluate("window.broken")) == (False, None)
    assert console_errors() == []


@pytest.mark.parametrize(("width", "theme"), SCREENS)
def test_the_pages_are_accessible(theme, width, desk, desk_rows, page):
    page.set_viewport_size({"width": width, "height": 900})
    paths, found = ["/inbox/?view=mine&language=es", "/inbox/filter/?view=mine", "/inbox/saved-views/new/"], {}
    for path in paths:
        desk(path)
        page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        ran = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]})
        barriers = [(one["id"], one["nodes"][0]["html"][:120]) for one in ran.response["violations"]]
        found[path] = (barriers, page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
    assert found == dict.fromkeys(paths, ([], True))
