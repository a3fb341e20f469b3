"""Canned replies: whose they are, what they are filled with, and what is refused."""

import pytest

from contact_center.accounts.models import TeamMembership
from contact_center.common.errors import Refused
from inbox import variables
from inbox.enums import Direction
from inbox.models import CannedReply, Message
from inbox.selectors.canned import canned_for, kept_texts
from inbox.services.canned import keep_canned_reply, switch_text
from inbox.services.replies import reply
from tests.factories.inbox import CaseFactory, InteractionFactory
from tests.factories.patients import PatientFactory
from tests.factories.writing import CannedReplyFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation(sms_channel, agent):
    patient = PatientFactory(given_name="María", family_name="Quispe", language="es")
    return InteractionFactory(channel=sms_channel, owner=agent, patient=patient)


def titles(user, interaction, kind="sms"):
    return [offer.reply.title for offer in canned_for(user, interaction, kind)]


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("Hi {{ a }}, {{b}}!", {"a": "x", "b": "y"}, "Hi x, y!"),
        ("Hi {{ a }}", {"a": ""}, "Hi {{ a }}"),
        ("Hi {{ nobody }}", {}, "Hi {{ nobody }}"),
        ("{{ a }}", {"a": "{{ b }}", "b": "never"}, "{{ b }}"),
        ("{ a } {{ }} {{{a}}}", {"a": "x"}, "{ a } {{ }} {x}"),
    ],
)
def test_variables_are_filled_once_and_those_without_value_stay(text, values, expected):
    assert variables.fill(text, values) == expected


def test_a_reply_is_offered_with_the_words_of_this_conversation(conversation, agent, settings):
    settings.ORGANISATION_NAME = "Aurora Health"
    conversation.case = CaseFactory(reference="K-2345678", patient=conversation.patient)
    CannedReplyFactory(
        body="{{ patient.full_name }}, {{ agent.name }} of {{ clinic.name }}, "
        "{{ interaction.reference }}: {{ next_visit }}"
    )
    (offer,) = canned_for(agent, conversation, "sms")
    whole = (
        f"{conversation.patient.full_name}, {agent.get_full_name()} of Aurora Health, K-2345678: {{{{ next_visit }}}}"
    )
    assert (offer.text, offer.missing) == (whole, ["{{ next_visit }}"])


def test_the_patients_language_comes_first_then_texts_without_one(conversation, agent):
    for title, language in (("A", "en"), ("B", ""), ("C", "es")):
        CannedReplyFactory(title=title, language=language)
    assert titles(agent, conversation) == ["C", "B", "A"]


def test_only_replies_of_the_channel_and_active_ones_are_offered(conversation, agent):
    CannedReplyFactory(title="mail", channel_kinds=["email"])
    CannedReplyFactory(title="both", channel_kinds=["sms", "email"])
    CannedReplyFactory(title="off", is_active=False)
    assert (titles(agent, conversation), titles(agent, conversation, "email")) == (["both"], ["both", "mail"])


def test_others_own_and_other_teams_replies_are_offered_to_nobody_else(
    conversation, agent, second_agent, supervisor, team, other_team
):
    CannedReplyFactory(title="mine", owner=agent)
    CannedReplyFactory(title="team", team=team)
    CannedReplyFactory(title="other team", team=other_team)
    CannedReplyFactory(title="shared")
    assert titles(agent, conversation) == ["mine", "shared", "team"]
    assert titles(second_agent, conversation) == ["shared", "team"]
    assert titles(supervisor, conversation) == ["shared", "team"]
    listed = {user: sorted(row.title for row in kept_texts(user, CannedReply)) for user in (second_agent, supervisor)}
    assert listed == {second_agent: ["shared", "team"], supervisor: ["other team", "shared", "team"]}


def test_auditors_are_offered_nothing(conversation, auditor):
    CannedReplyFactory()
    assert (titles(auditor, conversation), list(kept_texts(auditor, CannedReply))) == ([], [])


def test_the_server_names_the_variable_that_is_still_open_and_sends_nothing(conversation, agent):
    with pytest.raises(Refused, match=r"^Fill in {{ next_visit }}, {{ x }} before you send\.$"):
        reply(actor=agent, interaction_id=conversation.pk, text="On {{ next_visit }} or {{x}} or {{ next_visit }}")
    assert not Message.objects.filter(direction=Direction.OUTBOUND).exists()


def keep(actor, **given):
    fields = {"title": "Fasting", "shortcode": "fasting", "body": "Only water.", "owner": actor}
    return keep_canned_reply(actor=actor, **{**fields, **given})


def test_an_agent_keeps_own_replies_a_lead_those_of_the_team_and_a_supervisor_all(agent, supervisor, team, other_team):
    with pytest.raises(Refused):
        keep(agent, owner=None)
    with pytest.raises(Refused):
        keep(agent, owner=None, team=team)
    with pytest.raises(Refused):
        keep(agent, owner=supervisor)
    TeamMembership.objects.filter(user=agent, team=team).update(is_lead=True)
    with pytest.raises(Refused):
        keep(agent, owner=None, team=other_team)
    kept = [keep(agent), keep(agent, owner=None, team=team), keep(supervisor, owner=None)]
    assert [(row.owner, row.team) for row in kept] == [(agent, None), (None, team), (None, None)]


def test_nobody_changes_what_is_not_theirs_to_keep(agent, second_agent, supervisor):
    mine, shared = keep(agent), keep(supervisor, owner=None)
    for actor, row in ((second_agent, mine), (supervisor, mine), (agent, shared)):
        with pytest.raises(CannedReply.DoesNotExist):
            keep(actor, reply_id=row.pk, title="Taken over")
        with pytest.raises(CannedReply.DoesNotExist):
            switch_text(actor=actor, model=CannedReply, text_id=row.pk, is_active=False)
    assert sorted(CannedReply.objects.values_list("title", "is_active")) == [("Fasting", True), ("Fasting", True)]


def test_a_shortcode_is_taken_once_per_keeper_and_language(agent):
    keep(agent)
    keep(agent, language="es")
    with pytest.raises(Refused, match="shortcode"):
        keep(agent)
    assert CannedReply.objects.count() == 2


def test_a_text_with_an_unknown_variable_is_not_kept(agent):
    with pytest.raises(Refused, match=r"There is no variable {{ patient.diagnosis }}"):
        keep(agent, body="Your {{ patient.diagnosis }}")


def test_a_switched_off_reply_is_offered_again_when_it_is_switched_on(conversation, agent):
    row = keep(agent)
    switch_text(actor=agent, model=CannedReply, text_id=row.pk, is_active=False)
    off = titles(agent, conversation)
    switch_text(actor=agent, model=CannedReply, text_id=row.pk, is_active=True)
    assert (off, titles(agent, conversation)) == ([], ["Fasting"])


@pytest.mark.parametrize("count", [1, 40])
def test_offering_costs_the_same_for_one_and_for_many(count, conversation, agent, django_assert_num_queries):
    CannedReplyFactory.create_batch(count)
    with django_assert_num_queries(2):
        assert len(canned_for(agent, conversation, "sms")) == count
