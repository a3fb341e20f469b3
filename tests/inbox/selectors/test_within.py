"""Words in one person's thread, also where they are not loaded."""

from datetime import timedelta

import pytest
from django.utils import timezone

from inbox.models import Message
from inbox.selectors.within import find_within
from tests.factories.inbox import InteractionFactory, MessageFactory, NoteFactory, ReasonFactory
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def mine(agent, sms_channel):
    return InteractionFactory(channel=sms_channel, owner=agent, patient=PatientFactory())


def anchors(user, interaction, text):
    return [hit.anchor for hit in find_within(user, interaction, text)[0]]


def test_case_and_accents_make_no_difference_in_messages_and_notes(agent, mine):
    word = MessageFactory(interaction=mine, text="La RESONANCIA magnética", occurred_at=timezone.now())
    note = NoteFactory(interaction=mine, body="Resonancía moved")
    MessageFactory(interaction=mine, text="Another thing")
    assert anchors(agent, mine, "resonancia") == [f"note-{note.pk}", f"message-{word.pk}"]
    assert anchors(agent, mine, "MAGNETICA") == [f"message-{word.pk}"]


def test_the_words_are_marked_and_everything_is_escaped(agent, mine):
    MessageFactory(interaction=mine, text="<script>alert(1)</script> fasting & more")
    hit = find_within(agent, mine, "fasting")[0][0]
    assert hit.excerpt == "&lt;script&gt;alert(1)&lt;/script&gt; <mark>fasting</mark> &amp; more"


@pytest.mark.parametrize("text", ["100%", "a_b", "\\d", "' OR 1=1", "🙂🙂"])
def test_signs_of_patterns_and_of_sql_are_only_signs(agent, mine, text):
    MessageFactory(interaction=mine, text="1000 aXb d")
    hit = MessageFactory(interaction=mine, text=f"it says {text} here")
    assert anchors(agent, mine, text) == [f"message-{hit.pk}"]


@pytest.mark.parametrize("text", ["", " ", "x", "\x00"])
def test_less_than_two_letters_find_nothing(agent, mine, text):
    MessageFactory(interaction=mine, text="x x x")
    assert find_within(agent, mine, text) == ([], False)


def test_other_conversations_of_the_patient_are_searched_and_other_patients_never(agent, mine, whatsapp_channel):
    other = InteractionFactory(channel=whatsapp_channel, patient=mine.patient)
    hit = MessageFactory(interaction=other, text="fasting")
    MessageFactory(interaction=InteractionFactory(channel=whatsapp_channel, patient=PatientFactory()), text="fasting")
    assert anchors(agent, mine, "fasting") == [f"message-{hit.pk}"]


def test_what_the_reader_may_not_see_is_not_found(partner_agent, partner_queue, mine, sms_channel):
    here = InteractionFactory(queue=partner_queue, owner=partner_agent, patient=mine.patient)
    MessageFactory(interaction=mine, text="fasting")
    hidden = InteractionFactory(
        channel=sms_channel, queue=partner_queue, patient=mine.patient, reason=ReasonFactory(is_sensitive=True)
    )
    MessageFactory(interaction=hidden, text="fasting")
    assert anchors(partner_agent, here, "fasting") == []


def test_fifty_places_of_five_thousand_in_four_queries(agent, mine, django_assert_num_queries):
    start = timezone.now() - timedelta(days=30)
    template = MessageFactory(interaction=mine, text="first")
    Message.objects.bulk_create(
        Message(
            interaction=mine, channel=mine.channel, channel_kind="sms", direction="inbound", status="received",
            text=f"word {n}", occurred_at=start + timedelta(minutes=n), provider="twilio", external_id=f"x{n}",
        )
        for n in range(5000)
    )  # fmt: skip
    with django_assert_num_queries(4):
        hits, has_more = find_within(agent, mine, "word")
    assert (len(hits), has_more, hits[0].excerpt) == (50, True, "<mark>word</mark> 4999")
    assert anchors(agent, mine, "first") == [f"message-{template.pk}"]
