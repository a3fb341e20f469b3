"""Mentions: whom a note names, what it gives them, and what it does not."""

import pytest

from contact_center.common.errors import Refused
from inbox.models import Interaction, Mention, Notification
from inbox.selectors.interactions import get_readable_for, interactions_visible_to
from inbox.selectors.mentions import suggestions
from inbox.selectors.topics import allowed_topics
from inbox.services.interactions import add_note
from inbox.templatetags.desk import note_body
from tests.factories.accounts import UserFactory
from tests.factories.inbox import InteractionFactory, NoteFactory, ReasonFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def interaction(sms_channel, agent):
    return InteractionFactory(channel=sms_channel, owner=agent)


@pytest.fixture
def daniel(other_team):
    """A colleague of another team."""
    return UserFactory(first_name="Daniel", last_name="Ferreira", teams=[other_team])


def say(agent, interaction, body, **options):
    return add_note(actor=agent, interaction_id=interaction.pk, body=body, **options)


def mentioned(note):
    return sorted(note.mentions.values_list("user_id", flat=True))


@pytest.mark.parametrize(
    "body",
    [
        "@Daniel Ferreira please look",
        "Ask @daniel ferreira.",
        "(@Daniel Ferreira)",
        "two @Daniel Ferreira @Daniel Ferreira",
    ],
)
def test_a_note_names_a_colleague_and_tells_them_once(body, agent, interaction, daniel):
    note = say(agent, interaction, body)
    told = Notification.objects.values_list("user_id", "kind", "interaction_id", "actor_id")
    assert (mentioned(note), list(told)) == ([daniel.pk], [(daniel.pk, "mentioned", interaction.pk, agent.pk)])


@pytest.mark.parametrize("body", ["daniel@ferreira.example", "@Daniel", "@Nobody Here", "@", "@@@ @"])
def test_other_words_name_nobody(body, agent, interaction, daniel):
    assert mentioned(say(agent, interaction, body)) == []


def test_of_two_with_one_name_the_chosen_one_is_meant(agent, interaction, daniel, team):
    twin = UserFactory(first_name="Daniel", last_name="Ferreira", teams=[team])
    assert mentioned(say(agent, interaction, "@Daniel Ferreira", mention_ids=[twin.pk])) == [twin.pk]
    assert mentioned(say(agent, interaction, "@Daniel Ferreira")) == sorted([daniel.pk, twin.pk])


def test_the_mentioned_may_open_that_conversation_as_a_guest_and_no_list_shows_it(agent, interaction, daniel):
    with pytest.raises(Interaction.DoesNotExist):
        get_readable_for(daniel, interaction.pk)
    say(agent, interaction, "@Daniel Ferreira")
    assert get_readable_for(daniel, interaction.pk).is_guest
    assert allowed_topics(daniel, [f"interaction.{interaction.pk}"]) == {f"interaction.{interaction.pk}"}
    assert not interactions_visible_to(daniel).exists()


def test_a_guest_reads_and_adds_notes_and_changes_nothing(agent, interaction, daniel, signed_in):
    say(agent, interaction, "@Daniel Ferreira")
    browser = signed_in(daniel)
    page = browser.get(f"/inbox/{interaction.pk}/").content.decode()
    note = browser.post(f"/inbox/{interaction.pk}/compose/", {"mode": "note", "text": "Looked at it."})
    others = {
        name: browser.post(f"/inbox/{interaction.pk}/{name}/").status_code
        for name in ("take", "release", "assign", "wrap-up", "link", "reopen")
    }
    reply = browser.post(f"/inbox/{interaction.pk}/compose/", {"mode": "sms", "text": "Hello"}).status_code
    assert "A colleague mentioned you here" in page
    assert (note.status_code, interaction.notes.count()) == (302, 2)
    assert (set(others.values()), reply) == ({404}, 404)


def test_a_partner_agent_is_not_mentioned_where_it_is_sensitive(agent, interaction, partner_agent):
    name = f"@{partner_agent}"
    assert mentioned(say(agent, interaction, name)) == [partner_agent.pk]
    interaction.reason = ReasonFactory(is_sensitive=True)
    interaction.save()
    assert mentioned(say(agent, interaction, name)) == []
    with pytest.raises(Interaction.DoesNotExist):  # what was opened to them before is closed again
        get_readable_for(partner_agent, interaction.pk)


def test_auditors_and_those_who_left_are_not_mentioned(agent, interaction, auditor):
    gone = UserFactory(first_name="Gone", last_name="Away", is_active=False)
    assert mentioned(say(agent, interaction, f"@{auditor} @{gone}")) == []


def test_colleagues_of_the_queue_are_suggested_first_whatever_the_accents(agent, interaction, team, other_team):
    far = UserFactory(first_name="José", last_name="Alba", teams=[other_team])
    near = UserFactory(first_name="Zoé", last_name="Josephs", teams=[team])
    assert suggestions(agent, interaction, "jos") == [near, far]
    assert suggestions(agent, interaction, "JOSÉ A") == [far]


def test_a_mention_is_marked_and_everything_else_is_escaped(agent, interaction, daniel):
    note = say(agent, interaction, "<b>@Daniel Ferreira</b> & <script>")
    assert note_body(note) == ('&lt;b&gt;<b class="mention">@Daniel Ferreira</b>&lt;/b&gt; &amp; &lt;script&gt;')
    assert note_body(NoteFactory(body="<i>")) == "&lt;i&gt;"


def test_opening_the_conversation_is_seeing_the_mention(agent, interaction, daniel, signed_in):
    say(agent, interaction, "@Daniel Ferreira")
    signed_in(daniel).get(f"/inbox/{interaction.pk}/")
    assert Mention.objects.get().seen_at is not None
    assert Notification.objects.get().read_at is not None


def test_no_mention_remains_of_a_note_that_was_refused(agent, interaction, daniel):
    with pytest.raises(Refused, match="Write something"):
        say(agent, interaction, "  ")
    assert Mention.objects.count() == 0
