"""What a person told us before, of what the reader may see."""

from datetime import timedelta

import pytest
from django.utils import timezone

from contact_center.common.moments import moment_words
from inbox.models import FormSubmission
from inbox.selectors.interactions import get_interaction_for
from inbox.selectors.story import LastContact, last_contact_of, story_of
from tests.factories.inbox import (
    CaseFactory,
    DispositionFactory,
    InteractionFactory,
    MessageFactory,
    NoteFactory,
    ReasonFactory,
    WebFormFactory,
)
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db


def days_ago(days):
    return timezone.now() - timedelta(days=days)


@pytest.fixture
def patient():
    return PatientFactory(phone="+13055550123")


@pytest.fixture
def present(agent, sms_channel, patient):
    return InteractionFactory(channel=sms_channel, owner=agent, patient=patient)


def before(channel, patient, days=5, words="", **given):
    at = days_ago(days)
    status = given.pop("status", "closed")
    row = InteractionFactory(
        channel=channel, patient=patient, status=status, opened_at=at, last_message_at=at, last_inbound_at=at,
        closed_at=at if status == "closed" else None, **given,
    )  # fmt: skip
    if words:
        MessageFactory(interaction=row, text=words, occurred_at=at)
    return row


def told(user, interaction):
    return story_of(user, get_interaction_for(user, interaction.pk))


def test_a_first_contact_has_no_story(agent, present):
    assert told(agent, present) is None


def test_contacts_channels_and_people_are_counted_with_the_present_one(
    agent, second_agent, present, patient, whatsapp_channel, sms_channel
):
    before(whatsapp_channel, patient, owner=second_agent)
    before(sms_channel, patient, days=9, owner=agent)
    before(sms_channel, patient, days=200, owner=agent)
    before(sms_channel, PatientFactory(), owner=agent)
    story = told(agent, present)
    assert (story.contacts, story.channels, story.agents) == (3, 2, 2)


def test_the_last_contact_tells_reason_outcome_and_what_was_promised(agent, present, patient, whatsapp_channel):
    before(whatsapp_channel, patient, days=9, outcome="An older one")
    last = before(
        whatsapp_channel,
        patient,
        reason=ReasonFactory(name="MRI"),
        disposition=DispositionFactory(name="Follow-up"),
        outcome="Fasting explained",
        next_step="Call the insurer",
        next_step_owner=agent,
    )
    story = told(agent, present)
    assert (story.last, story.summary) == (last, "MRI · Fasting explained · promised: Call the insurer")


@pytest.mark.parametrize("status, is_unfinished", [("waiting", True), ("closed", False)])
def test_the_last_contact_is_the_newest_that_the_reader_sees_with_its_unfinished_case(
    agent, present, patient, whatsapp_channel, email_channel, clinical_queue, status, is_unfinished
):
    case = CaseFactory(patient=patient, status=status, owner=agent)
    before(whatsapp_channel, patient, days=9)
    last = before(email_channel, patient, days=4, case=case)
    before(whatsapp_channel, patient, days=2, queue=clinical_queue)
    shown = last_contact_of(agent, get_interaction_for(agent, present.pk))
    assert shown == LastContact(last.last_message_at, "email", case if is_unfinished else None)


def test_whoever_is_new_has_no_last_contact(agent, present):
    assert last_contact_of(agent, get_interaction_for(agent, present.pk)) is None


def test_the_last_words_stand_once_per_channel_newest_first(agent, present, patient, whatsapp_channel, email_channel):
    before(whatsapp_channel, patient, days=2, words="I am afraid of the tube")
    before(whatsapp_channel, patient, days=8, words="Older words")
    before(email_channel, patient, days=4, words="See  the\nletter")
    assert [(word.channel_kind, word.text) for word in told(agent, present).words] == [
        ("whatsapp", "I am afraid of the tube"),
        ("email", "See the letter"),
    ]


def test_very_long_words_are_cut(agent, present, patient, whatsapp_channel):
    before(whatsapp_channel, patient, words="x" * 100_000)
    assert [len(word.text) for word in told(agent, present).words] == [161]


def test_answers_of_a_form_and_of_the_record_need_not_be_asked_again(agent, present, patient):
    answers = [
        {"key": "i", "label": "Insurer", "value": "Rímac", "type": "choice"},
        {"key": "m", "label": "Metal in the body", "value": ["Pacemaker", "Screw"], "type": "choices"},
        {"key": "q", "label": "Your question", "value": "A long story", "type": "textarea"},
        {"key": "e", "label": "Empty", "value": "", "type": "text"},
        {"key": "c", "label": "I agree", "value": True, "type": "consent"},
    ]
    FormSubmission.objects.create(form=WebFormFactory(), interaction=present, reference="F-1", answers=answers)
    assert told(agent, present).known == [
        ("Insurer", "Rímac"),
        ("Metal in the body", "Pacemaker, Screw"),
        ("Birth date", moment_words(patient.birth_date, "date")),
        ("Phone", "+13055550123"),
    ]


def test_a_case_narrows_the_story_to_its_own_contacts(agent, present, patient, whatsapp_channel):
    case = CaseFactory(patient=patient, title="MRI result", owner=agent)
    present.case = case
    present.save()
    old = before(whatsapp_channel, patient, days=300, case=case, outcome="Ordered")
    before(whatsapp_channel, patient, days=2, outcome="Parking")
    story = told(agent, present)
    assert (story.contacts, story.case, story.last) == (2, case, old)
    assert story.summary == "MRI result · Ordered"


def test_an_unknown_person_has_the_contacts_of_their_address_and_a_shared_one_none(
    agent, sms_channel, whatsapp_channel
):
    now = InteractionFactory(channel=sms_channel, owner=agent, contact_value="+13055550999")
    before(whatsapp_channel, None, contact_value="+13055550999", words="Hello")
    assert told(agent, now).contacts == 2
    now.is_contact_shared = True
    now.save()
    assert told(agent, now) is None


def test_nothing_is_told_that_the_reader_may_not_see(
    partner_agent, partner_queue, patient, sms_channel, whatsapp_channel
):
    now = InteractionFactory(channel=sms_channel, queue=partner_queue, owner=partner_agent, patient=patient)
    before(whatsapp_channel, patient, words="In another queue")
    hidden = before(whatsapp_channel, patient, queue=partner_queue, reason=ReasonFactory(is_sensitive=True))
    NoteFactory(interaction=hidden)
    assert told(partner_agent, now) is None


def test_the_last_note_of_an_earlier_contact_is_part_of_it(agent, present, patient, whatsapp_channel):
    NoteFactory(interaction=present, body="Of now")
    note = NoteFactory(interaction=before(whatsapp_channel, patient), body="Speaks slowly")
    assert told(agent, present).note == note


@pytest.mark.parametrize("contacts", [1, 20])
def test_the_number_of_queries_does_not_grow(
    contacts, agent, present, patient, whatsapp_channel, django_assert_num_queries
):
    for number in range(contacts):
        row = before(whatsapp_channel, patient, days=number + 1, words="Hello", outcome="Done")
        FormSubmission.objects.create(form=WebFormFactory(), interaction=row, reference=f"F-{number}")
        NoteFactory(interaction=row)
    interaction = get_interaction_for(agent, present.pk)
    with django_assert_num_queries(6):
        story_of(agent, interaction)
