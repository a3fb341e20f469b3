"""Drafts over HTTP: kept while one types, back on the next page, refused with the words kept."""

import pytest
from django.urls import reverse

from inbox.enums import Direction
from inbox.models import Draft, Message
from inbox.selectors.drafts import round_of
from tests.factories.inbox import DraftFactory, InteractionFactory, MessageFactory

pytestmark = pytest.mark.django_db
FETCH = {"X-Requested-With": "fetch"}
HTMX = {"HX-Request": "true", "HX-Target": "div#workspace"}


@pytest.fixture
def conversation(sms_channel, agent):
    row = InteractionFactory(channel=sms_channel, owner=agent, contact_value="+13055550142")
    MessageFactory(interaction=row, text="May I eat?")
    return row


def url(name, *args):
    return reverse(f"inbox:{name}", args=args)


def save(client, row, text, **more):
    form = {"mode": "sms", "text": text, "seen_message_id": 0} | more
    return client.post(url("draft", row.pk), form, headers=FETCH)


def test_what_was_typed_stands_in_the_box_of_the_next_page(agent, signed_in, conversation):
    client = signed_in(agent)
    answer = save(client, conversation, "Until <five>")
    page = signed_in(agent).get(url("interaction", conversation.pk))
    assert answer.json() == {"text": "Until <five>", "mode": "sms"}
    assert page.context["composer_text"] == "Until <five>"
    assert ">Until &lt;five&gt;</textarea>" in page.content.decode()
    read = client.get(url("draft", conversation.pk)).json()
    assert read == {"text": "Until <five>", "mode": "sms", "round": round_of(agent, conversation)}


def test_sending_takes_the_draft_away_in_the_same_breath(agent, signed_in, conversation):
    client = signed_in(agent)
    save(client, conversation, "Until five")
    newest = conversation.messages.get().pk
    form = {"mode": "sms", "text": "Until five.", "seen_message_id": newest, "form_key": "a"}
    client.post(url("compose", conversation.pk), form, headers=HTMX)
    sent = Message.objects.filter(direction=Direction.OUTBOUND).values_list("text", flat=True)
    assert (list(sent), list(Draft.objects.all())) == (["Until five."], [])


def test_a_late_save_of_what_was_sent_is_refused(agent, signed_in, conversation):
    client = signed_in(agent)
    before = round_of(agent, conversation)
    newest = conversation.messages.get().pk
    client.post(url("compose", conversation.pk), {"mode": "sms", "text": "Yes", "seen_message_id": newest})
    assert save(client, conversation, "Ye", draft_round=before).status_code == 409
    assert not Draft.objects.exists()


def test_a_draft_older_than_the_thread_is_not_sent_until_its_writer_has_read_on(agent, signed_in, conversation):
    client = signed_in(agent)
    save(client, conversation, "You may eat", seen_message_id=conversation.messages.get().pk)
    newest = [MessageFactory(interaction=conversation, text="I am allergic to eggs") for _ in range(2)][-1]
    page = client.get(url("interaction", conversation.pk))
    assert "2 newer messages since you began." in page.content.decode()
    form = {"mode": "sms", "text": "You may eat", "form_key": "a"}
    refused = client.post(
        url("compose", conversation.pk), form | {"seen_message_id": page.context["seen_message_id"]}, headers=HTMX
    )
    assert (refused.status_code, refused.context["composer_text"]) == (409, "You may eat")
    assert (refused.context["seen_message_id"], refused.context["draft_newer"]) == (newest.pk, 0)
    assert Draft.objects.get().text == "You may eat"
    again = client.post(url("compose", conversation.pk), form | {"seen_message_id": newest.pk}, headers=HTMX)
    assert (again.status_code, Draft.objects.count()) == (200, 0)


def test_without_javascript_one_says_i_have_read_it_and_saves_a_draft(agent, signed_in, conversation):
    client = signed_in(agent)
    save(client, conversation, "Wait", seen_message_id=1)
    newest = MessageFactory(interaction=conversation).pk
    form = {"mode": "sms", "text": "Wait, please", "seen_message_id": 1, "acknowledge": newest}
    answer = client.post(url("draft", conversation.pk), form, follow=True)
    assert (answer.context["composer_text"], answer.context["draft_newer"]) == ("Wait, please", 0)
    assert answer.context["seen_message_id"] == newest
    assert "Draft saved." in answer.content.decode()


def test_nobody_claims_to_have_seen_what_is_not_there(agent, signed_in, conversation):
    save(signed_in(agent), conversation, "Hm", seen_message_id=10**12)
    assert Draft.objects.get().seen_message_id == conversation.messages.get().pk


@pytest.mark.parametrize(
    "form", [{"mode": "pigeon", "text": "x"}, {"text": "x"}, {"mode": "sms", "text": "x" * 100_001}]
)
def test_a_draft_that_cannot_be_kept_is_refused_with_a_reason(agent, signed_in, conversation, form):
    answer = signed_in(agent).post(url("draft", conversation.pk), form, headers=FETCH)
    assert (answer.status_code, set(answer.json()) <= {"error", "errors"}) == (422, True)
    assert not Draft.objects.exists()


def test_my_words_stay_in_sight_when_a_colleague_took_the_conversation(agent, second_agent, signed_in, conversation):
    save(signed_in(agent), conversation, "I was writing this")
    type(conversation).objects.filter(pk=conversation.pk).update(owner=second_agent)
    page = signed_in(agent).get(url("talk", conversation.pk)).content.decode()
    assert 'class="draft-kept__text" dir="auto">I was writing this</p>' in page
    assert "data-composer" not in page


def test_a_colleague_reads_my_draft_with_its_author_and_cannot_change_it(agent, second_agent, signed_in, conversation):
    DraftFactory(interaction=conversation, author=agent, text="Dear <María>")
    client = signed_in(second_agent)
    page = client.get(url("talk", conversation.pk)).content.decode()
    shown = client.get(url("colleague-draft", conversation.pk, agent.pk), headers=HTMX).content.decode()
    assert f'href="{url("colleague-draft", conversation.pk, agent.pk)}"' in page
    assert url("take-over-draft", conversation.pk, agent.pk) not in page
    assert ("Dear &lt;María&gt;" in shown, str(agent) in shown, "<textarea" in shown) == (True, True, False)
    assert client.get(url("colleague-draft", conversation.pk, second_agent.pk)).status_code == 404


def test_taking_over_puts_the_colleagues_words_into_my_box(agent, second_agent, signed_in, sms_channel):
    row = InteractionFactory(channel=sms_channel, contact_value="+13055550143")
    DraftFactory(interaction=row, author=second_agent, text="Dear María")
    answer = signed_in(agent).post(url("take-over-draft", row.pk, second_agent.pk), headers=HTMX)
    row.refresh_from_db()
    assert (row.owner, answer.context["composer_text"]) == (agent, "Dear María")


def test_the_list_marks_my_drafts_with_one_more_question_however_many_rows(
    agent, signed_in, conversation, django_assert_num_queries
):
    save(signed_in(agent), conversation, "Hm")
    page = signed_in(agent).get(url("list"))
    assert (page.context["draft_ids"], page.content.decode().count("You have a draft here")) == ({conversation.pk}, 2)


def test_the_bar_names_colleagues_and_never_oneself(agent, second_agent, signed_in, conversation):
    page = signed_in(agent).get(
        url("present", conversation.pk), {"writing": f"{second_agent.pk},{agent.pk}", "viewing": "x,99999999999999"}
    )
    assert " ".join(page.content.decode().split()).count(f"<b>{second_agent}</b> is writing a reply") == 1
    assert str(agent) not in page.content.decode()
    assert signed_in(agent).get(url("present", conversation.pk)).content.strip() == b""
