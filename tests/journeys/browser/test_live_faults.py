"""R6 and R7 in a browser: typing through a hundred live updates, a hidden page, and what a page becomes bit by bit."""

import contextlib
import itertools
import random
import time

import pytest
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import expect

from contact_center.common.errors import Refused
from inbox.models import Draft, Interaction
from inbox.services import drafts, linking
from inbox.services import interactions as verbs
from inbox.services.replies import reply
from tests.factories.inbox import InteractionFactory, MessageFactory
from tests.factories.patients import PatientFactory
from tests.journeys.browser.test_stories import DRAFT, until_it_hears, window
from tests.simulator.fixtures import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.fault]
__all__ = ["window"]
HIDE = """(isHidden) => {
    Object.defineProperty(document, "visibilityState", {
        configurable: true, get: () => isHidden ? "hidden" : "visible"});
    document.dispatchEvent(new Event("visibilitychange")); }"""


@pytest.mark.parametrize("updates", [25, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.timeout(300)
def test_r6_whoever_types_through_live_updates_loses_no_character_and_no_focus(
    window, hire, somebody, interaction_of, updates
):
    agent, patient = hire(), somebody()
    patient.write("Message 0", "sms")
    row = interaction_of(patient.number)
    agent.post(f"/inbox/{row.pk}/take/")
    page = window(f"/inbox/{row.pk}/", agent)
    page.click(DRAFT)
    typed = ""
    for number in range(1, updates + 1):
        patient.write(f"Message {number}", "sms")
        word = "".join(random.choices("abcdefghij ñ", k=4))
        page.keyboard.type(word)
        typed += word
    wait_for(lambda: row.messages.count() == updates + 1, 60)
    expect(page.locator(".bubble__text")).to_have_count(updates + 1, timeout=40_000)
    page.keyboard.type("end")
    typed += "end"
    found, focus = page.input_value(DRAFT), page.evaluate("document.activeElement.id")
    wait_for(lambda: Draft.objects.filter(interaction=row, text=typed).exists())
    lost = len(typed) - len(found)
    print(f"R6: {updates} live updates under {len(typed)} characters: {lost} lost, focus on {focus}")
    assert (found, focus) == (typed, f"reply-{row.pk}")


def test_r6_a_hidden_page_hears_at_once_and_one_that_slept_is_true_again_when_it_is_looked_at(
    window, hire, somebody, interaction_of
):
    agent, patient = hire(), somebody()
    patient.write("First", "sms")
    row = interaction_of(patient.number)
    page = window(f"/inbox/{row.pk}/", agent)
    until_it_hears(page)
    page.evaluate(HIDE, True)
    patient.write("While hidden", "sms")
    row = interaction_of(patient.number, messages=2)
    begun = time.monotonic()
    page.wait_for_selector(".bubble:has-text('While hidden')")
    heard = time.monotonic() - begun
    page.context.set_offline(True)
    patient.write("While asleep", "sms")
    interaction_of(patient.number, messages=3)
    page.context.set_offline(False)
    begun = time.monotonic()
    page.evaluate(HIDE, False)
    page.wait_for_selector(".bubble:has-text('While asleep')")
    print(f"R6: hidden page heard after {heard:.1f} s; looked at again, true after {time.monotonic() - begun:.1f} s")
    assert heard <= 2


# ---- R7 ----
TRUTH = """() => {
    const passing = "[name=csrfmiddlewaretoken], script, noscript, [hx-morph-skip]";
    const ticking = "[data-since], [data-until]";
    const words = (text) => text.replace(/\\s+/g, " ").trim();
    const tell = (node) => node.nodeType === 3 ? words(node.data)
        : node.nodeType !== 1 || node.matches(passing) ? "" : [
        node.localName,
        [...node.attributes].map(({name, value}) => `${name}=${words(value)}`)
            .filter((one) => one !== "class=" && !one.startsWith("data-htmx-powered")).sort().join(" "),
        ...(node.matches(ticking) ? [] : [...node.childNodes].map(tell).filter((one) => one !== "")),
    ];
    return JSON.stringify(tell(document.querySelector(".inbox")), null, 1); }"""
REFRESH = """() => Promise.all([...document.querySelectorAll("[data-live][data-refetch-url]")].map((part) =>
    htmx.ajax("GET", part.dataset.refetchUrl,
        {source: part, target: part, swap: "outerMorph", quiet: true, push: "false"})))"""


def some_number():
    return f"+1305{next(numbers):07d}"


def act(name, row, agent, colleague):
    """One thing that can happen to a conversation; what is refused as things stand changes nothing."""
    acts = {
        "message": lambda: MessageFactory(interaction=row, text=f"Hello {random.random()}"),
        "mail": lambda: MessageFactory(interaction=row, text="Long", subject="A mail", html="<p>Long</p>"),
        "take": lambda: verbs.take(actor=agent, interaction_id=row.pk),
        "assign": lambda: verbs.assign(actor=agent, interaction_id=row.pk, assignee=colleague),
        "release": lambda: verbs.return_to_queue(actor=agent, interaction_id=row.pk),
        "note": lambda: verbs.add_note(actor=agent, interaction_id=row.pk, body="A note"),
        "reply": lambda: reply(actor=agent, interaction_id=row.pk, text="An answer"),
        "link": lambda: linking.link_patient(actor=agent, interaction_id=row.pk, patient=PatientFactory()),
        "unlink": lambda: linking.unlink_patient(actor=agent, interaction_id=row.pk),
        "wrap up": lambda: Interaction.objects.filter(pk=row.pk, status="active").update(status="wrap_up"),
        "reopen": lambda: verbs.reopen(actor=agent, interaction_id=row.pk),
        "draft": lambda: drafts.keep_draft(actor=colleague, interaction_id=row.pk, mode="note", text="Half"),
        "no draft": lambda: drafts.drop_draft(actor=colleague, interaction_id=row.pk),
        "newcomer": lambda: InteractionFactory(channel=row.channel, contact_value=some_number()),
        "urgent": lambda: Interaction.objects.filter(pk=row.pk).update(priority=random.choice([0, 1, 2, 3])),
        "gone": lambda: Interaction.objects.exclude(pk=row.pk).update(owner=colleague, status="active"),
    }
    with contextlib.suppress(Refused):
        acts[name]()


NAMES = [
    "message",
    "mail",
    "take",
    "assign",
    "release",
    "note",
    "reply",
    "link",
    "unlink",
    "wrap up",
    "reopen",
    "draft",
]
NAMES += ["no draft", "newcomer", "urgent", "gone"]
numbers = itertools.count(2_000_000)
STEPS = st.lists(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4), min_size=1, max_size=5)


@pytest.fixture
def follow(desk, transactional_db, agent, second_agent, sms_channel):
    """`follow(steps)`: the page after it followed every step part by part, and the same page loaded anew."""

    def run(steps):
        Interaction.objects.exclude(status="closed").update(status="closed")
        row = InteractionFactory(channel=sms_channel, contact_value=some_number())
        MessageFactory(interaction=row)
        page = desk(f"/inbox/{row.pk}/?view=open")
        for step in steps:
            for name in step:
                act(name, row, agent, second_agent)
            page.evaluate(REFRESH)
        expect(page.locator(".htmx-request")).to_have_count(0)  # the panels beside it have come
        followed = page.evaluate(TRUTH)
        page.reload()
        expect(page.locator(".htmx-request")).to_have_count(0)
        close_old_connections()
        return followed, page.evaluate(TRUTH)

    return run


@pytest.mark.timeout(900)  # sixty pages are followed and loaded, some seconds each on a busy machine
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("examples", [6, pytest.param(60, marks=pytest.mark.slow)])
def test_r7_a_page_that_followed_every_change_is_the_page_one_would_load(follow, examples):
    tried = []

    @settings(max_examples=examples, deadline=None, database=None, derandomize=examples < 10,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(STEPS)
    def compare(steps):
        tried.append(steps)
        followed, loaded = follow(steps)
        assert followed.splitlines() == loaded.splitlines()

    compare()
    print(f"R7: {len(tried)} sequences of changes: the page that followed was equal to the one loaded in all of them")
