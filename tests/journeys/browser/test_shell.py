"""The frame in a browser: keys, palette, choosing many, mentions, the bell; by keyboard alone, with no barrier."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from contact_center.accounts.models import Presence
from contact_center.jobs.models import Job
from inbox.enums import NotificationKind as K
from inbox.models import Interaction, Mention, NotificationPreference
from inbox.services.interactions import add_note
from inbox.services.notifications import notify
from tests.factories.accounts import UserFactory
from tests.factories.inbox import DispositionFactory, InteractionFactory, MessageFactory, NoteFactory, ReasonFactory
from tests.factories.patients import PatientFactory
from tests.simulator.fixtures import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# ---- what a stranger may write: markup, handlers, addresses, templates, control signs, other scripts ----
TAGS = ["img src=x", "svg", "iframe src=javascript:", "video src=x", "audio src=x", "body", "input autofocus"]
TAGS += ["details open"]
HANDLERS = ["onerror", "onload", "onfocus", "ontoggle", "onclick", "onmouseover", "onanimationstart", "onpointerenter"]
PAYLOADS = [f"<{tag} {handler}=window.broken=1>" for tag in TAGS for handler in HANDLERS]
PAYLOADS += [f"{quote}><{tag} onerror=window.broken=1>" for quote in ("'", '"', "`", "-->", "]]>") for tag in TAGS[:3]]
PAYLOADS += [
    "<script>window.broken=1</script>",
    "</textarea><script>window.broken=1</script>",
    "</title><script>window.broken=1</script>",
    "<ScRiPt>window.broken=1</sCrIpT>",
    "<scr<script>ipt>window.broken=1</scr</script>ipt>",
    "<a href=javascript:window.broken=1>x</a>",
    "javascript:window.broken=1",
    "data:text/html,<script>window.broken=1</script>",
    "{{constructor.constructor('window.broken=1')()}}",
    "${window.broken=1}",
    "{% if 1 %}window.broken{% endif %}",
    "<math><mi xlink:href=javascript:window.broken=1>x",
    "<svg><script>window.broken=1</script></svg>",
    "<svg><animate onbegin=window.broken=1 attributeName=x dur=1s>",
    "<style>*{background:url(javascript:window.broken=1)}</style>",
    "<link rel=stylesheet href=data:,*{}>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content=0;url=javascript:window.broken=1>",
    "<form action=javascript:window.broken=1><button>x",
    "<div hx-get=/x hx-trigger=load hx-on::load=window.broken=1>",
    "<div data-live=x:1 data-refetch-url=/evil>",
    "\u202e<img src=x onerror=window.broken=1>",
    "%3Cscript%3Ewindow.broken=1%3C/script%3E",
    "&lt;script&gt;window.broken=1&lt;/script&gt;",
]


@pytest.fixture
def conversation(transactional_db, agent, sms_channel):
    patient = PatientFactory(given_name="María", family_name="Quispe", phone="+13055550142")
    row = InteractionFactory(channel=sms_channel, owner=agent, patient=patient, contact_value="+13055550142")
    MessageFactory(interaction=row, text="Can I have breakfast before?")
    return row


@pytest.fixture
def three(transactional_db, agent, sms_channel):
    return [InteractionFactory(channel=sms_channel, owner=agent, contact_name=f"Row {n}") for n in range(3)]


def focused(page):
    return page.evaluate("document.activeElement === document.body ? 'body' : document.activeElement.tagName")


# ---- many at once ----


def test_rows_are_chosen_by_key_and_range_changed_and_taken_back(desk, three, console_errors):
    page = desk("/inbox/?view=mine")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-count]").first).to_have_text("1 selected")
    page.locator("[data-pick]").nth(2).click(modifiers=["Shift"])
    expect(page.locator("#bulk [data-count]")).to_have_text("3 selected")
    page.click("#bulk [value=priority]")
    page.select_option("#bulk-dialog [name=priority]", "1")
    page.click("#bulk-dialog [data-send]")
    expect(page.locator(".toast")).to_contain_text("3 conversations done.")
    assert set(Interaction.objects.values_list("priority", flat=True)) == {1}
    expect(page.locator("#bulk")).to_be_hidden()
    page.keyboard.press("Control+z")
    expect(page.locator(".toast", has_text="Taken back.")).to_have_count(1)
    assert set(Interaction.objects.values_list("priority", flat=True)) == {3}
    assert console_errors() == []


def test_what_was_chosen_survives_a_live_update_and_a_row_that_left_is_chosen_no_more(desk, three, second_agent):
    page = desk("/inbox/?view=mine")
    boxes = page.locator("[data-pick]")
    boxes.nth(0).check(force=True)
    boxes.nth(1).check(force=True)
    gone = boxes.nth(0).get_attribute("value")
    Interaction.objects.filter(pk=gone).update(owner=second_agent)
    page.evaluate(
        """() => { const list = document.getElementById("list");
        return htmx.ajax("GET", list.dataset.refetchUrl, {source: list, target: list, swap: "outerMorph"}); }"""
    )
    expect(page.locator("#bulk [data-count]")).to_have_text("1 selected")
    expect(page.locator("[data-pick]:checked")).to_have_count(1)


def test_more_than_twenty_go_on_in_the_background(desk, agent, sms_channel):
    InteractionFactory.create_batch(22, channel=sms_channel, owner=agent)
    page = desk("/inbox/?view=mine")
    page.locator("[data-pick]").first.check(force=True)
    page.click("[data-pick-all]")
    page.click("#bulk [value=priority]")
    page.select_option("#bulk-dialog [name=priority]", "2")
    page.click("#bulk-dialog [data-send]")
    expect(page.locator("#bulk-dialog")).to_contain_text("22 conversations are being changed in the background.")
    page.click("#bulk-dialog >> text=See how far it is")
    job = Job.objects.get()
    expect(page.locator(f"#job-{job.pk}")).to_contain_text("0 of 22 done")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(f"#job-{job.pk}")).to_contain_text("Stopped")


# ---- palette ----


def test_the_palette_finds_commands_and_patients_and_gives_the_focus_back(desk, conversation, console_errors):
    page = desk(f"/inbox/{conversation.pk}/")
    page.locator("#thread-" + str(conversation.pk)).focus()
    page.keyboard.press("Control+k")
    page.keyboard.type("wrap")
    expect(page.locator("#palette [aria-selected=true]")).to_contain_text("Wrap up")
    page.keyboard.press("Escape")
    expect(page.locator(f"#thread-{conversation.pk}")).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type("quis")
    expect(page.locator("#find-results [role=option]").first).to_contain_text("María Quispe")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/inbox/{conversation.pk}/$"))
    assert console_errors() == []


# ---- mentions ----


def test_a_colleague_is_named_with_the_keyboard_and_may_read_then(
    desk, conversation, second_agent, outsider, console_errors
):
    second_agent.first_name, second_agent.last_name = "Zoé", "Ferreira"
    second_agent.save()
    page = desk(f"/inbox/{conversation.pk}/")
    page.keyboard.press("n")
    page.keyboard.type("Please look, @zoe")
    expect(page.locator("#mentionable [role=option]")).to_have_count(1)
    page.keyboard.press("Enter")
    page.keyboard.type("thanks")
    page.keyboard.press("Control+Enter")
    note = page.locator(".entry--note")
    expect(note.locator(".mention")).to_have_text("@Zoé Ferreira")
    expect(note).to_contain_text("Please look, @Zoé Ferreira thanks")
    assert list(Mention.objects.values_list("user", flat=True)) == [second_agent.pk]
    assert console_errors() == []


# ---- bell ----


def test_the_bell_shows_what_is_new_and_leads_there(desk, conversation, agent, second_agent, console_errors):
    notify(user=agent, kind=K.ASSIGNED, interaction=conversation, actor=second_agent)
    page = desk("/outbox/")
    expect(page.locator(".bell__count")).to_have_text("1")
    page.click("[data-bell] > summary")
    entry = page.locator("#notices .notice")
    expect(entry).to_contain_text(f"{second_agent} assigned a conversation to you")
    expect(entry).to_contain_text("María Quispe")
    entry.click()
    expect(page).to_have_url(re.compile(f"/inbox/{conversation.pk}/$"))
    expect(page.locator(".bell__count")).to_have_count(0)
    assert console_errors() == []


def test_one_of_several_tabs_rings_and_it_rings_once(desk, conversation, agent, browser):
    NotificationPreference.objects.create(user=agent, kind=K.PATIENT_REPLIED, sound=True)
    page = desk("/outbox/")
    spy = "HTMLMediaElement.prototype.play = function () { window.rung += 1; return Promise.resolve(); };"
    spy = f"window.rung = 0; {spy}"
    page.context.add_init_script(spy)
    other = page.context.new_page()
    for tab in (page, other):
        tab.goto(page.url)
    notify(user=agent, kind=K.PATIENT_REPLIED, interaction=conversation)
    bell = """() => { const bell = document.getElementById("bell");
        return htmx.ajax("GET", bell.dataset.refetchUrl, {source: bell, target: bell, swap: "outerMorph"}); }"""
    for tab in (page, other, page, other):
        tab.evaluate(bell)
    for tab in (page, other):
        expect(tab.locator(".htmx-request")).to_have_count(0)
    wait_for(lambda: page.evaluate("window.rung") + other.evaluate("window.rung") >= 1)
    assert page.evaluate("window.rung") + other.evaluate("window.rung") == 1


# ---- A2: the keyboard alone ----


def test_the_main_flows_need_no_mouse_and_the_focus_is_never_lost(desk, conversation, agent, sms_channel):
    ReasonFactory(name="Preparation")
    DispositionFactory(name="Resolved now", is_resolved=True)
    names = ("Waits longest", "Came later")
    free, later = (InteractionFactory(channel=sms_channel, contact_name=name) for name in names)
    MessageFactory(interaction=free), MessageFactory(interaction=later)
    page = desk("/inbox/?view=mine")
    lost = []

    def press(*keys):
        for key in keys:
            page.keyboard.press(key)
            page.wait_for_timeout(250)
            if focused(page) == "body":
                lost.append(key)

    page.keyboard.press("j")
    press("k", "Enter")
    page.wait_for_selector(f"#talk-{conversation.pk}")
    press("r")
    page.keyboard.type("Until five.")
    press("Control+Enter")
    expect(page.locator(".item--out .bubble")).to_contain_text("Until five.")
    page.wait_for_timeout(400)
    press("Escape")
    press("Control+k", "Escape")
    press("?", "Escape")
    press("g")
    page.wait_for_selector(f"#talk-{free.pk}")
    press("[")
    assert page.evaluate("document.activeElement.closest('.side') !== null")
    press("]")
    assert page.evaluate("document.activeElement.closest('#sect-tasks') !== null")
    press("w")
    page.wait_for_selector("#wrap-up[open]")
    press("Escape")
    desk(f"/inbox/{later.pk}/?view=open")
    page.keyboard.press("a")
    expect(page.locator("[data-key=a]")).to_have_count(0)
    assert Interaction.objects.get(pk=later.pk).owner == agent
    assert lost == []


def test_single_keys_can_be_switched_off(desk, conversation):
    page = desk("/inbox/?view=mine")
    page.keyboard.press("?")
    page.locator("[data-keys-switch]").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    page.keyboard.press("?")
    assert (page.locator("dialog[open]").count(), page.locator("[data-pick]:checked").count()) == (0, 0)


SMALL = """() => {
  const targets = "a, button, summary, input:not([type=hidden]), select, textarea, [role=option]";
  const isSeen = (one) => one.checkVisibility({visibilityProperty: true, opacityProperty: true})
    && !one.closest(".vh") && !one.classList.contains("skip") && getComputedStyle(one).display !== "inline";
  return [...document.querySelectorAll(targets)].filter(isSeen)
    .map((one) => [one, (one.closest("label") || one).getBoundingClientRect()])
    .filter(([, box]) => box.width > 1 && (box.width < 24 || box.height < 24))
    .map(([one, box]) => `${one.tagName}.${one.className} ${Math.round(box.width)}x${Math.round(box.height)}`);
}"""


@pytest.mark.parametrize("width", [1440, 390])
def test_every_target_is_at_least_24_pixels(width, desk, conversation, agent, second_agent):
    notify(user=agent, kind=K.ASSIGNED, interaction=conversation, actor=second_agent)
    page = desk("/inbox/")
    page.set_viewport_size({"width": width, "height": 844})
    small = {}
    for path in (f"/inbox/{conversation.pk}/", "/inbox/", "/notifications/", "/notifications/preferences/", "/jobs/"):
        desk(path)
        small[path] = page.evaluate(SMALL)
    assert small == {path: [] for path in small}


# ---- A1: axe ----


@pytest.mark.parametrize(
    ("width", "theme", "direction"),
    [
        pytest.param(1440, "light", "ltr", marks=pytest.mark.slow),
        (390, "dark", "rtl"),
        pytest.param(1440, "dark", "rtl", marks=pytest.mark.slow),
        pytest.param(390, "light", "ltr", marks=pytest.mark.slow),
    ],
)
def test_the_frames_pages_have_no_barrier(
    direction, theme, width, desk, conversation, agent, second_agent, supervisor, live_server, signed_in
):
    notify(user=agent, kind=K.MENTIONED, interaction=conversation, actor=second_agent)
    add_note(actor=agent, interaction_id=conversation.pk, body=f"@{second_agent} please")
    Presence.objects.create(user=agent, state="away", reason="lunch")
    job = Job.objects.create(owner=agent, kind="bulk", title="Close (30)", total=30, status="done", failed_count=1)
    job.items.create(object_id=conversation.pk, status="failed", message="Take this interaction first.")
    page = desk("/inbox/")
    page.set_viewport_size({"width": width, "height": 844})
    page.context.add_cookies([{"name": "theme", "value": theme, "url": live_server.url}])
    found = {}

    def check(name):
        page.evaluate(f"document.documentElement.dir = '{direction}'")
        broken = [one["id"] for one in Axe().run(page).response["violations"]]
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        found[name] = broken + (["scrolls sideways"] if wide else [])

    for path in ("/notifications/", "/notifications/preferences/", "/jobs/", f"/jobs/{job.pk}/", "/inbox/"):
        desk(path)
        check(path)
    page.locator("[data-pick]").first.check(force=True)
    check("chosen")
    page.keyboard.press("Control+k")
    page.keyboard.type("mar")
    page.wait_for_selector("#find-results [role=option]")
    check("palette")
    page.keyboard.press("Escape")
    page.locator("#presence > summary").click()
    check("presence")
    page.locator("[data-bell] > summary").click()
    page.wait_for_selector("#notices .notice")
    check("bell")
    cookie = next(iter(signed_in(supervisor).cookies.values()))
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    desk("/inbox/team/")
    check("team")
    assert found == {name: [] for name in found}


# ---- X6 ----


def test_a_hundred_payloads_of_strangers_run_nowhere(
    desk, agent, second_agent, sms_channel, whatsapp_channel, email_channel, console_errors
):
    channels = [sms_channel, whatsapp_channel, email_channel]
    rows = []
    for number, payload in enumerate(PAYLOADS):
        channel = channels[number % 3]
        if number < 12:
            patient = PatientFactory(given_name=payload[:80], family_name=payload[:80])
            rows.append(InteractionFactory(channel=channel, owner=agent, contact_name=payload[:160], patient=patient))
            notify(user=agent, kind=K.ASSIGNED, interaction=rows[-1])
        target = rows[number % 12]
        extra = {"html": payload, "subject": payload} if channel == email_channel else {}
        MessageFactory(interaction=target, channel=channel, text=payload, quoted_text=payload, **extra)
        NoteFactory(interaction=target, author=agent, body=f"@{second_agent} {payload}")
        Interaction.objects.filter(pk=target.pk).update(snippet=payload[:160], subject=payload, next_step=payload)
    broken = []
    for path in ["/inbox/", "/notifications/", *(f"/inbox/{row.pk}/" for row in rows)]:
        page = desk(path)
        page.mouse.move(400, 400)
        if (
            page.evaluate("window.broken")
            or page.locator("#main script, #main [onerror], #main iframe[src^=java]").count()
        ):
            broken.append(path)
    page.keyboard.press("Control+k")
    page.keyboard.type("img")
    page.wait_for_selector("#find-results > *")
    page.locator("[data-bell] > summary").evaluate("bell => bell.click()")
    page.wait_for_timeout(500)
    assert (len(PAYLOADS) >= 100, broken, page.evaluate("window.broken")) == (True, [], None)
    assert console_errors() == []


def test_a_colleague_with_a_hostile_name_breaks_nothing(desk, conversation, team):
    UserFactory(first_name="<img src=x onerror=window.broken=1>", last_name="Zed", teams=[team])
    page = desk(f"/inbox/{conversation.pk}/")
    page.keyboard.press("n")
    page.keyboard.type("@zed")
    expect(page.locator("#mentionable [role=option]")).to_have_count(1)
    assert page.evaluate("window.broken") is None
