"""What the desk shows while something is on its way, and when it does not come."""

import re

import pytest
from playwright.sync_api import expect

from inbox.enums import Direction
from inbox.models import Message
from tests.factories.inbox import InteractionFactory, MessageFactory
from tests.factories.patients import PatientFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ROWS, TALK = re.compile(r"/inbox/rows/"), re.compile(r"/inbox/\d+/\?")
CANNED = re.compile(r"/inbox/\d+/canned/")


def test_what_takes_long_is_drawn_what_fails_is_tried_again_and_nothing_written_is_lost(desk, page, agent, sms_channel):
    row = InteractionFactory(channel=sms_channel, owner=agent, patient=PatientFactory(given_name="Lucía"))
    MessageFactory(interaction=row, text="May I eat?")
    page.clock.install()
    held = []
    desk("/inbox/?view=mine")  # where no socket answers
    wait, lose = (lambda route: held.append(route)), (lambda route: (route.fetch(), route.abort()))
    cover, failed, toast = page.locator(".loading"), page.locator("#list-failed"), page.locator("[data-toast=request]")

    page.route(ROWS, wait)
    page.click("#show-unread")
    expect(page.locator("#list[aria-busy] .loading")).to_contain_text("Loading conversations")
    held.pop().abort()
    expect(failed).to_contain_text("What you see is from before.")
    expect(cover).to_have_count(0)
    expect(page.locator(f"#row-{row.pk}")).to_be_visible()
    page.unroute(ROWS)
    page.route(ROWS, lambda route: route.fulfill(status=404, body=""))
    failed.get_by_role("button", name="Try again").click()
    expect(failed).not_to_contain_text("What you see is from before.")
    expect(failed.locator("[data-again]")).to_be_hidden()
    page.unroute(ROWS)
    page.click("#show-unread")
    expect(page.locator("#show-unread")).to_have_attribute("aria-current", "true")
    expect(failed).to_be_hidden()

    page.set_viewport_size({"width": 390, "height": 844})
    page.route(TALK, wait)
    page.click("#show-all")
    page.click(f"#row-{row.pk} [data-row]")
    expect(page.locator("#workspace > .loading")).to_be_visible()
    held.pop().fulfill(status=500, body="")
    expect(page.locator(f"#row-{row.pk}")).to_be_visible()
    page.unroute(TALK)
    toast.get_by_role("button", name="Try again").click()
    box = page.locator("[data-composer] textarea[data-draft]")
    expect(box).to_be_visible()
    expect(toast).to_have_count(0)

    page.route(CANNED, wait)
    with page.expect_request(CANNED):
        box.press("/")
    page.clock.fast_forward(1_000)
    assert cover.count() == 0  # at once: the next refetch would take a wrong one away
    held.pop().abort()
    page.unroute(CANNED)

    page.route("**/compose/**", lose)
    box.fill("Until five.")
    box.press("Control+Enter")
    expect(toast).to_contain_text("Your text is still here")
    expect(box).to_have_value("Until five.")
    page.unroute("**/compose/**")
    toast.get_by_role("button", name="Try again").click()
    expect(page.locator(".item--out .bubble")).to_contain_text("Until five.")
    expect(box).to_have_value("")
    page.clock.fast_forward(16_000)
    expect(page.locator("#live-state")).to_be_visible()
    lost = page.locator("[data-toast=connection]")
    expect(lost).to_contain_text("Connection lost. You see the data of")
    lost.get_by_role("button", name="Try again").click()
    expect(lost).to_have_count(0)
    assert Message.objects.filter(direction=Direction.OUTBOUND).count() == 1
