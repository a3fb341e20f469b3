"""The picker, and the pages where canned replies are kept."""

import pytest
from django.urls import reverse

from inbox.models import CannedReply, Message
from tests.factories.inbox import InteractionFactory
from tests.factories.patients import PatientFactory
from tests.factories.writing import CannedReplyFactory

pytestmark = pytest.mark.django_db
FIELDS = {"title": "Fasting", "shortcode": "fasting", "body": "Only water.", "keeper": "own", "language": "es"}


@pytest.fixture
def conversation(sms_channel, agent):
    return InteractionFactory(channel=sms_channel, owner=agent, patient=PatientFactory(given_name="María"))


def compose(client, interaction, **data):
    return client.post(reverse("inbox:compose", args=[interaction.pk]), {"mode": "sms", "text": "", **data})


def test_the_picker_lists_what_fits_the_channel_already_filled_in(signed_in, agent, conversation):
    CannedReplyFactory(body="Hello {{ patient.given_name }}", channel_kinds=["sms"])
    CannedReplyFactory(channel_kinds=["email"])
    answer = signed_in(agent).get(reverse("inbox:canned", args=[conversation.pk]), {"mode": "sms"})
    assert [offer.text for offer in answer.context["offers"]] == ["Hello María"]


def test_without_javascript_a_reply_is_chosen_and_put_behind_what_is_written(signed_in, agent, conversation):
    row = CannedReplyFactory(body="Hello {{ patient.given_name }}")
    client = signed_in(agent)
    choice = compose(client, conversation, do="canned", text="Good morning")
    assert [offer.reply for offer in choice.context["canned_offers"]] == [row]
    answer = compose(client, conversation, do="insert", canned=row.pk, text="Good morning")
    texts = (choice.context["composer_text"], answer.context["composer_text"])
    assert (texts, Message.objects.count()) == (("Good morning", "Good morning\nHello María"), 0)


@pytest.mark.parametrize("canned", ["", "999999", "x"])
def test_a_reply_that_is_not_there_keeps_the_text_and_says_so(canned, signed_in, agent, conversation):
    answer = compose(signed_in(agent), conversation, do="insert", canned=canned, text="Good morning")
    assert (answer.status_code, answer.context.get("composer_text")) == (422, "Good morning")


def test_another_persons_reply_cannot_be_inserted(signed_in, agent, second_agent, conversation):
    row = CannedReplyFactory(owner=second_agent)
    assert compose(signed_in(agent), conversation, do="insert", canned=row.pk).status_code == 422


def test_a_reply_is_kept_changed_and_switched_off_by_its_owner(signed_in, agent):
    client = signed_in(agent)
    client.post(reverse("inbox:canned-new"), {**FIELDS, "channel_kinds": ["sms", "email"]})
    row = CannedReply.objects.get()
    assert (row.owner, row.shortcode, row.channel_kinds, row.language) == (agent, "fasting", ["sms", "email"], "es")
    client.post(reverse("inbox:canned-edit", args=[row.pk]), {**FIELDS, "body": "Water, {{ patient.given_name }}."})
    client.post(reverse("inbox:canned-switch", args=[row.pk]), {"is_active": "0"})
    row.refresh_from_db()
    assert (row.body, row.channel_kinds, row.is_active) == ("Water, {{ patient.given_name }}.", [], False)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": ""}, "title"),
        ({"shortcode": "two words"}, "shortcode"),
        ({"shortcode": "taken"}, "shortcode"),
        ({"body": "{{ patient.secret }}"}, "body"),
        ({"keeper": "everybody"}, "keeper"),
        ({"channel_kinds": ["pigeon"]}, "channel_kinds"),
    ],
)
def test_a_mistake_is_said_at_its_field_and_what_was_typed_stays(wrong, field, signed_in, agent):
    CannedReplyFactory(owner=agent, shortcode="taken", language="es")
    answer = signed_in(agent).post(reverse("inbox:canned-new"), {**FIELDS, **wrong})
    form = answer.context["form"]
    assert (answer.status_code, list(form.errors)) == (422, [field])
    assert form["title"].value() == wrong.get("title", "Fasting")
    assert CannedReply.objects.count() == 1


def test_the_preview_shows_invented_values_and_saves_nothing(signed_in, agent):
    answer = signed_in(agent).post(
        reverse("inbox:canned-new"), {"do": "preview", "body": "Hi {{ patient.given_name }}, {{ what }}"}
    )
    assert (answer.status_code, answer.context["preview"]) == (200, "Hi María Fernanda, {{ what }}")
    assert not CannedReply.objects.exists()


def test_what_is_not_ones_own_is_as_good_as_absent(signed_in, agent, second_agent):
    row = CannedReplyFactory(owner=second_agent)
    client = signed_in(agent)
    edit, switch = (reverse(f"inbox:canned-{name}", args=[row.pk]) for name in ("edit", "switch"))
    assert [client.get(edit).status_code, client.post(edit, FIELDS).status_code, client.post(switch).status_code] == [
        404
    ] * 3


def test_the_list_says_who_may_change_what(signed_in, agent, supervisor, team):
    CannedReplyFactory(title="mine", owner=agent)
    CannedReplyFactory(title="team", team=team)
    answers = {
        user: [(row.title, may) for row, may in signed_in(user).get(reverse("inbox:canned-replies")).context["rows"]]
        for user in (agent, supervisor)
    }
    assert answers == {agent: [("mine", True), ("team", False)], supervisor: [("team", True)]}
