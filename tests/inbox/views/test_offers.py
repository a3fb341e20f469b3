"""The card of an offer, its answers, and the settings of queues and rules, over HTTP."""

import pytest

from inbox.enums import DeclineReason, Sharing
from inbox.models import AgentState, Interaction, Notification, Offer, QueueSettings, QueueSkill, RoutingRule
from inbox.selectors.distribution import handing
from inbox.selectors.notifications import title_of
from inbox.services import escalations
from tests.factories.accounts import SkillFactory
from tests.factories.distribution import OfferFactory, RoutingRuleFactory
from tests.factories.inbox import InteractionFactory

pytestmark = pytest.mark.django_db
PARTIAL = {"HX-Request": "true", "HX-Target": "offers", "HX-Current-URL": "http://testserver/inbox/"}
TERMS = {
    "sharing": Sharing.PUSH, "offer_seconds": 20, "again_after_seconds": 60, "most_missed": 3,
    "stale_after_hours": 48, "acknowledge_seconds": 300, "answer_within_seconds": 30, "on_time_percent": 90,
    "short_abandon_seconds": 5, "alert_waiting": 4, "alert_wait_seconds": "",
}  # fmt: skip


@pytest.fixture
def offer(agent, sms_channel):
    return OfferFactory(interaction=InteractionFactory(channel=sms_channel, contact_name="Kwame"), agent=agent)


def test_every_page_shows_the_card_to_whom_it_is_offered_and_to_nobody_else(offer, agent, second_agent, signed_in):
    for user, shown in ((agent, True), (second_agent, False)):
        browser = signed_in(user)
        for answer in (browser.get("/inbox/"), browser.get("/inbox/offers/", headers=PARTIAL)):
            page = answer.content.decode()
            assert (
                f'id="offer-{offer.pk}"' in page,
                "Kwame" in page.split('id="offers"')[1].split("</section>")[0],
            ) == (
                shown,
                shown,
            )
    assert set(AgentState.objects.values_list("user", flat=True)) == {agent.pk, second_agent.pk}


def test_accepting_opens_the_conversation_with_and_without_scripts(offer, agent, signed_in, sms_channel):
    browser = signed_in(agent)
    answer = browser.post("/inbox/offers/", {"offer": offer.pk, "answer": "accept"}, headers=PARTIAL)
    there = f"/inbox/{offer.interaction_id}/"
    assert (answer["HX-Push-Url"], answer["HX-Retarget"]) == (there, "#workspace")
    again = browser.post("/inbox/offers/", {"offer": offer.pk, "answer": "accept"})
    assert (again.status_code, again.url) == (302, there)
    assert Interaction.objects.get(pk=offer.interaction_id).owner == agent


def test_declining_needs_a_reason_and_clears_the_card(offer, agent, signed_in):
    browser = signed_in(agent)
    bare = browser.post("/inbox/offers/", {"offer": offer.pk, "answer": "decline"}, headers=PARTIAL)
    assert (bare.status_code, "Say why you decline." in bare["HX-Trigger"]) == (422, True)
    said = {"offer": offer.pk, "answer": "decline", "reason": DeclineReason.BUSY}
    answer = browser.post("/inbox/offers/", said, headers=PARTIAL)
    assert (answer.status_code, "data-offer=" in answer.content.decode()) == (200, False)
    late = browser.post("/inbox/offers/", {"offer": offer.pk, "answer": "accept"}, headers=PARTIAL)
    assert (late.status_code, Offer.objects.get().status) == (409, "declined")


@pytest.mark.parametrize("text", ["", "x", "99999", "9" * 30])
def test_an_offer_that_is_not_theirs_does_not_exist(offer, second_agent, signed_in, text):
    browser = signed_in(second_agent)
    for pk in (text, str(offer.pk)):
        assert browser.post("/inbox/offers/", {"offer": pk, "answer": "accept"}).status_code == 404


def test_a_queue_is_told_how_to_hand_out_its_work(admin, signed_in, queue):
    browser, skill = signed_in(admin), SkillFactory()
    path = f"/settings/queues/{queue.pk}/"
    wrong = browser.post(path, TERMS | {"offer_seconds": 2, "overflow_after_seconds": 60})
    assert (wrong.status_code, sorted(wrong.context["form"].errors)) == (422, ["offer_seconds", "overflow_queue"])
    saved = browser.post(path, TERMS | {f"level_{skill.pk}": "3", f"relax_{skill.pk}": "45"})
    assert (saved.status_code, saved.url) == (302, "/settings/queues/")
    kept = QueueSettings.objects.get()
    assert (handing().pushed, kept.offer_seconds) == ([queue.pk], 20)
    assert (kept.answer_within_seconds, kept.alert_waiting, kept.alert_wait_seconds) == (30, 4, None)
    assert list(QueueSkill.objects.values_list("skill", "level", "relax_seconds")) == [(skill.pk, 3, 45)]
    assert queue.name in browser.get("/settings/queues/").content.decode()


def test_rules_are_made_moved_switched_and_previewed(admin, signed_in, queue, clinical_queue, sms_channel):
    browser, first = signed_in(admin), RoutingRuleFactory(name="Closed", queue=queue, hours="closed", position=0)
    made = {"name": "Spanish", "queue": clinical_queue.pk, "languages": ["es"]}
    assert browser.post("/settings/routing/new/", made).url == "/settings/routing/"
    assert browser.post("/settings/routing/new/", made).context["form"].errors == {
        "name": ["Another rule has this name."]
    }
    asked = {"channel": sms_channel.pk, "language": "es", "priority": 3, "hours": "open"}
    page = browser.get("/settings/routing/", asked)
    assert (page.context["goes_to"], page.context["passed_over"]) == (clinical_queue, [("Closed", "Other hours")])
    rule = RoutingRule.objects.get(name="Spanish")
    browser.post(f"/settings/routing/{rule.pk}/", {"do": "up"})
    assert list(RoutingRule.objects.values_list("name", flat=True)) == ["Spanish", "Closed"]
    browser.post(f"/settings/routing/{rule.pk}/", {"do": "off"})
    assert browser.get("/settings/routing/", asked).context["goes_to"] == queue
    assert browser.get(f"/settings/routing/{first.pk}/").context["form"].initial["hours"] == "closed"


def test_the_page_of_rules_says_where_new_work_went_and_why(
    admin, signed_in, queue, clinical_queue, sms_channel, patient_writes
):
    RoutingRuleFactory(name="Mail", queue=queue, channel_kinds=["email"], position=0)
    RoutingRuleFactory(name="Texts", queue=clinical_queue, channel_kinds=["sms"], position=1)
    work = patient_writes("Hello", to=sms_channel)
    page = signed_in(admin).get("/settings/routing/")
    shown = [(run.interaction, run.queue, run.rule_name, why) for run, why in page.context["runs"]]
    assert shown == [(work, clinical_queue, "Texts", [("Mail", "Another channel")])]
    assert f'href="/inbox/{work.pk}/"' in page.content.decode()


def test_an_escalation_is_shown_and_answered(agent, clinical_agent, signed_in, sms_channel, clinical_queue):
    work = InteractionFactory(channel=sms_channel, owner=agent)
    path = f"/inbox/{work.pk}/escalation/"
    asking = signed_in(agent)
    assert list(asking.get(path).context["form"].fields["queue"].queryset) == [clinical_queue]
    bare = asking.post(path, {"queue": clinical_queue.pk, "why": " "}, headers={"HX-Request": "true"})
    assert (bare.status_code, list(bare.context["form"].errors)) == (422, ["why"])
    assert bare.context["form"]["queue"].value() == str(clinical_queue.pk)
    asking.post(path, {"queue": clinical_queue.pk, "why": "Fever"})
    browser = signed_in(clinical_agent)
    assert "Escalated by General" in browser.get(f"/inbox/{work.pk}/").content.decode()
    browser.post(path, {"do": "acknowledge"})
    assert escalations.open_escalation(work) is None
    told = Notification.objects.filter(user=agent).values_list("dedupe_key", flat=True)
    assert [key.split(":")[0] for key in told] == ["seen"]
    bare = browser.post(path, {"do": "back", "why": ""})
    assert (bare.status_code, list(bare.context["form"].errors)) == (422, ["why"])
    browser.post(path, {"do": "back", "why": "Not ours"})
    assert [title_of(row) for row in Notification.objects.filter(user=agent).order_by("pk")] == [
        f"{clinical_agent}, General, sees to what you escalated",
        "What was escalated came back to General",
    ]
    assert Interaction.objects.get(pk=work.pk).queue == sms_channel.queue
