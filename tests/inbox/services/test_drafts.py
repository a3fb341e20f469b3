"""What somebody has begun to write is kept until it is sent, and never comes back after that."""

import pytest

from contact_center.audit.models import AuditEntry
from contact_center.common.errors import Conflict, Refused
from inbox.enums import Direction
from inbox.models import Draft, Interaction, TopicSequence
from inbox.selectors.drafts import drafted_by, round_of, writing_context
from inbox.services import interactions as desk
from inbox.services.drafts import StaleRound, drop_draft, keep_draft, move_drafts, take_over_draft
from inbox.services.merging import merge
from tests.factories.inbox import DraftFactory, InteractionFactory, MessageFactory
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation(sms_channel):
    return InteractionFactory(channel=sms_channel)


def keep(actor, interaction, text, **more):
    return keep_draft(actor=actor, interaction_id=interaction.pk, **{"mode": "sms", "text": text} | more)


def told(topic):
    found = TopicSequence.objects.filter(topic=topic).first()
    return found.sequence if found else 0


def test_the_last_words_are_kept_once_per_person_and_others_keep_theirs(agent, second_agent, conversation):
    for text in ("I", "I will", "I will call\x00 you"):
        keep(agent, conversation, text)
    keep(second_agent, conversation, "Me too", mode="note")
    kept = Draft.objects.order_by("id").values_list("author_id", "mode", "text")
    assert list(kept) == [(agent.pk, "sms", "I will call you"), (second_agent.pk, "note", "Me too")]


def test_an_emptied_box_leaves_no_draft(agent, conversation):
    keep(agent, conversation, "No")
    assert keep(agent, conversation, "  \n") is None
    assert not Draft.objects.exists()
    assert list(AuditEntry.objects.filter(object_type="draft").order_by("id").values_list("action", flat=True)) == [
        "created",
        "deleted",
    ]


def test_colleagues_are_told_that_a_draft_came_or_went_but_not_of_every_word(agent, conversation):
    topic = f"interaction.{conversation.pk}"
    for text in ("a", "ab", "abc"):
        keep(agent, conversation, text)
    after_writing = told(topic), told(f"agent.{agent.pk}")
    drop_draft(actor=agent, interaction_id=conversation.pk)
    assert (after_writing, told(topic), told(f"agent.{agent.pk}")) == ((1, 1), 2, 2)


def test_a_save_that_comes_after_the_text_was_sent_does_not_bring_it_back(agent, conversation):
    before = round_of(agent, conversation)
    MessageFactory(interaction=conversation, direction=Direction.OUTBOUND, author=agent)
    with pytest.raises(StaleRound):
        keep(agent, conversation, "Already sent", draft_round=before)
    in_between = round_of(agent, conversation)
    desk.add_note(actor=agent, interaction_id=conversation.pk, body="Private")
    with pytest.raises(StaleRound):
        keep(agent, conversation, "Already noted", draft_round=in_between)
    keep(agent, conversation, "New", draft_round=round_of(agent, conversation))
    assert [draft.text for draft in Draft.objects.all()] == ["New"]


def test_what_a_colleague_sends_does_not_end_my_round(agent, second_agent, conversation):
    before = round_of(agent, conversation)
    MessageFactory(interaction=conversation, direction=Direction.OUTBOUND, author=second_agent)
    assert round_of(agent, conversation) == before


@pytest.mark.parametrize("status", ["closed", "abandoned"])
def test_words_outlive_the_conversation_that_was_closed_meanwhile(agent, conversation, status):
    Interaction.objects.filter(pk=conversation.pk).update(status=status)
    assert keep(agent, conversation, "But I was not done").text == "But I was not done"


def test_who_may_not_work_there_keeps_nothing(auditor, agent, conversation):
    with pytest.raises(Refused):
        keep(auditor, conversation, "Hello")
    with pytest.raises(Refused):
        keep(agent, conversation, "Hello", mode="pigeon")
    assert not Draft.objects.exists()


def test_the_message_that_was_seen_only_moves_forward(agent, conversation):
    keep(agent, conversation, "a", seen_message_id=7)
    assert keep(agent, conversation, "ab", seen_message_id=3).seen_message_id == 7
    assert keep(agent, conversation, "abc", seen_message_id=9).seen_message_id == 9


def test_taking_over_copies_the_words_below_mine_and_leaves_the_colleague_theirs(agent, second_agent, conversation):
    DraftFactory(interaction=conversation, author=second_agent, text="Dear María,", seen_message_id=3)
    keep(agent, conversation, "Mine", seen_message_id=9)
    mine = take_over_draft(actor=agent, interaction_id=conversation.pk, author_id=second_agent.pk)
    again = take_over_draft(actor=agent, interaction_id=conversation.pk, author_id=second_agent.pk)
    conversation.refresh_from_db()
    assert (mine.text, mine.seen_message_id, again.text) == ("Mine\n\nDear María,", 3, mine.text)
    assert conversation.owner == agent
    assert Draft.objects.get(author=second_agent).text == "Dear María,"


def test_nobody_takes_over_what_a_colleague_owns_and_the_draft_stays(agent, second_agent, conversation):
    desk.take(actor=second_agent, interaction_id=conversation.pk)
    DraftFactory(interaction=conversation, author=second_agent, text="Mine")
    with pytest.raises(Conflict):
        take_over_draft(actor=agent, interaction_id=conversation.pk, author_id=second_agent.pk)
    with pytest.raises(Draft.DoesNotExist):
        take_over_draft(actor=agent, interaction_id=conversation.pk, author_id=agent.pk)
    assert [draft.author for draft in Draft.objects.all()] == [second_agent]


def test_a_draft_outlives_assignment_and_transfer(agent, second_agent, conversation, partner_queue):
    desk.take(actor=agent, interaction_id=conversation.pk)
    keep(agent, conversation, "Half")
    desk.assign(actor=agent, interaction_id=conversation.pk, assignee=second_agent)
    desk.return_to_queue(actor=second_agent, interaction_id=conversation.pk, queue=partner_queue, why="Night")
    assert Draft.objects.get(author=agent).text == "Half"


def test_drafts_follow_a_conversation_that_goes_on_elsewhere(agent, second_agent, conversation, sms_channel):
    target = InteractionFactory(channel=sms_channel, contact_value="+13055559999")
    keep(agent, conversation, "From here")
    keep(second_agent, conversation, "Only here")
    keep(agent, target, "There already")
    move_drafts(source=conversation, target=target)
    kept = Draft.objects.order_by("author_id").values_list("author_id", "interaction_id", "text")
    assert list(kept) == [
        (agent.pk, target.pk, "There already\n\nFrom here"),
        (second_agent.pk, target.pk, "Only here"),
    ]


def test_a_draft_follows_its_conversation_into_the_one_it_is_merged_with(
    agent, conversation, sms_channel, email_channel
):
    patient = PatientFactory()
    type(conversation).objects.filter(pk=conversation.pk).update(patient=patient)
    target = InteractionFactory(channel=email_channel, patient=patient, contact_value="maria@mail.example")
    keep(agent, conversation, "Not lost")
    merge(actor=agent, source_id=conversation.pk, target_id=target.pk)
    assert [(draft.interaction_id, draft.text) for draft in Draft.objects.all()] == [(target.pk, "Not lost")]


def test_the_box_says_how_many_messages_came_since_it_was_begun(agent, second_agent, conversation):
    first = MessageFactory(interaction=conversation)
    keep(agent, conversation, "Begun", seen_message_id=first.pk)
    DraftFactory(interaction=conversation, author=second_agent)
    newest = [MessageFactory(interaction=conversation) for _ in range(2)][-1]
    shown = writing_context(agent, conversation, newest=newest.pk, draft_round="0-0", modes=["sms", "note"])
    assert (shown["draft_newer"], shown["seen_message_id"], shown["composer_text"], shown["mode"]) == (
        2,
        first.pk,
        "Begun",
        "sms",
    )
    assert [other["draft"].author for other in shown["other_drafts"]] == [second_agent]
    keep(agent, conversation, "Begun", seen_message_id=newest.pk)
    shown = writing_context(agent, conversation, newest=newest.pk, draft_round="0-0", modes=["note"])
    assert (shown["draft_newer"], "seen_message_id" in shown, "mode" in shown) == (0, False, False)


def test_only_my_own_drafts_are_marked_in_the_list(agent, second_agent, conversation, sms_channel):
    other = InteractionFactory(channel=sms_channel, contact_value="+13055550999")
    keep(agent, conversation, "Mine")
    keep(second_agent, other, "Theirs")
    assert drafted_by(agent, [conversation.pk, other.pk]) == {conversation.pk}
