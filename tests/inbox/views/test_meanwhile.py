"""What happened meanwhile: closed, given away, merged, grown too long. It is said in words; nothing typed is lost."""

import pytest
from django.urls import reverse

from inbox.models import Draft, Interaction, Message
from patients.services.merging import merge_patients
from tests.factories.inbox import DraftFactory, InteractionFactory, MessageFactory, ReasonFactory
from tests.factories.patients import PatientFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "div#workspace"}
PHONE = "+13055550142"


def url(name, pk):
    return reverse(f"inbox:{name}", args=[pk])


@pytest.fixture
def mine(agent, sms_channel):
    row = InteractionFactory(channel=sms_channel, owner=agent, contact_value=PHONE, patient=PatientFactory(phone=PHONE))
    MessageFactory(interaction=row, text="Can I eat before?")
    return row


def send(client, row, text="Until five.", **given):
    return client.post(url("compose", row.pk), {"mode": "sms", "text": text, "form_key": "k", **given}, headers=HTMX)


@pytest.mark.parametrize(
    ("change", "status", "sentence"),
    [
        ({"status": "closed"}, 422, "This interaction is closed. Reopen it first."),
        ({"status": "abandoned"}, 422, "This interaction is closed. Reopen it first."),
        ({"owner": "second"}, 409, "{second} has taken this interaction already."),
    ],
)
def test_a_reply_to_what_was_closed_or_given_away_meanwhile_is_refused_and_kept_as_a_draft(
    agent, second_agent, mine, signed_in, change, status, sentence
):
    client = signed_in(agent)
    client.get(url("interaction", mine.pk))
    known = {name: second_agent if value == "second" else value for name, value in change.items()}
    Interaction.objects.filter(pk=mine.pk).update(**known)
    answer = send(client, mine)
    assert (answer.status_code, answer.context["composer_errors"]) == (status, sentence.format(second=second_agent))
    assert Draft.objects.get(interaction=mine, author=agent).text == "Until five."
    assert not Message.objects.filter(direction="outbound").exists()
    shown = client.get(url("interaction", mine.pk)).content.decode()
    assert "Until five." in shown


def test_wrapping_up_what_was_given_away_meanwhile_is_refused_and_keeps_the_form(
    agent, second_agent, mine, signed_in, supervisor
):
    from tests.factories.inbox import DispositionFactory

    Interaction.objects.filter(pk=mine.pk).update(owner=second_agent)
    given = {"reason": ReasonFactory().pk, "disposition": DispositionFactory().pk, "outcome": "She may eat"}
    answer = signed_in(agent).post(url("wrap-up", mine.pk), given, headers=HTMX)
    assert (answer.status_code, answer.context["form"].non_field_errors()) == (
        422,
        ["Only its owner or a supervisor may wrap this up."],
    )
    assert "She may eat" in answer.content.decode()
    assert Interaction.objects.get(pk=mine.pk).status == "active"


def test_one_whose_patient_was_merged_meanwhile_goes_on_with_the_record_that_stayed(agent, supervisor, mine, signed_in):
    client = signed_in(agent)
    client.get(url("interaction", mine.pk))
    old, kept = mine.patient, PatientFactory(given_name="Kept", family_name="Record")
    merge_patients(actor=supervisor, source_id=old.pk, target_id=kept.pk)
    answer = send(client, mine)
    assert (answer.status_code, answer.context["patient"]) == (200, kept)
    assert Message.objects.get(direction="outbound").address == PHONE
    refused = client.post(url("link", mine.pk), {"patient": old.pk}, headers=HTMX)
    assert (refused.status_code, "Choose a patient from the list." in refused.headers["HX-Trigger"]) == (422, True)
    begun = client.get(f"{reverse('inbox:start')}?patient={old.pk}", headers=HTMX)
    assert begun.context["patient"] is None


def test_a_reply_into_what_was_merged_meanwhile_says_where_it_goes_on(agent, mine, whatsapp_channel, signed_in):
    from inbox.services.merging import merge

    other = InteractionFactory(channel=whatsapp_channel, owner=agent, patient=mine.patient)
    client = signed_in(agent)
    merge(actor=agent, source_id=mine.pk, target_id=other.pk)
    answer = send(client, mine)
    page = answer.content.decode()
    assert (answer.status_code, "This conversation goes on in another one." in page) == (422, True)
    assert url("interaction", other.pk) in page


@pytest.mark.parametrize("mode", ["sms", "email", "note"])
def test_a_megabyte_is_refused_in_words_and_comes_back_whole(agent, mine, signed_in, mode):
    text = "A long story. " * 75_000
    answer = signed_in(agent).post(url("compose", mine.pk), {"mode": mode, "text": text}, headers=HTMX)
    said = "This message is too long: 100000 characters at most."
    assert (answer.status_code, answer.context["composer_errors"]) == (422, said)
    assert answer.context["composer_text"] == text


def test_a_draft_begun_before_the_newest_words_says_so_wherever_it_is_opened(agent, mine, signed_in):
    DraftFactory(interaction=mine, author=agent, text="Half", seen_message_id=mine.messages.get().pk)
    MessageFactory.create_batch(2, interaction=mine)
    page = signed_in(agent).get(url("interaction", mine.pk)).content.decode()
    assert "2 newer messages since you began." in page
    assert send(signed_in(agent), mine, seen_message_id=mine.messages.first().pk).status_code == 409
