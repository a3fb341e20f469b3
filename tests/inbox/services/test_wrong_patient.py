"""What lies in the wrong patient's record: where it goes, what stays, who is told."""

import pytest
from django.urls import reverse
from django.utils import timezone

from contact_center.accounts.models import TeamMembership
from contact_center.audit.models import AuditEntry
from contact_center.common.errors import Refused
from inbox.enums import Direction, InteractionStatus
from inbox.models import Interaction, Note, Notification, TimelineEvent
from inbox.selectors.moves import moved_away_from
from inbox.services.wrong_patient import move_to_right_patient
from patients.timeline import Look, timeline_of
from tests.factories.inbox import AttachmentFactory, InteractionFactory, MessageFactory
from tests.factories.patients import PatientFactory
from tests.factories.voice import RecordingFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def wrong():
    return PatientFactory()


@pytest.fixture
def right():
    return PatientFactory(given_name="Rosa", family_name="Quiroga")


@pytest.fixture
def talk(sms_channel, agent, wrong):
    made = InteractionFactory(channel=sms_channel, patient=wrong, owner=agent)
    MessageFactory(interaction=made, text="About me")
    return made


def moved(actor, talk, patient, **more):
    given = {"reason": "same_name"} | more
    return move_to_right_patient(actor=actor, interaction_id=talk.pk, patient=patient, **given)


def test_a_whole_conversation_moves_and_the_record_it_leaves_keeps_the_fact_only(talk, agent, wrong, right):
    assert moved(agent, talk, right, note="They share a name.").pk == talk.pk
    talk.refresh_from_db()
    assert (talk.patient, Note.objects.get().interaction) == (right, talk)
    assert len(moved_away_from(wrong)) == 1
    told = AuditEntry.objects.filter(detail__to="right_patient").order_by("pk")
    assert [(entry.patient_id, entry.detail["reason"]) for entry in told] == [
        (wrong.pk, "same_name"),
        (right.pk, "same_name"),
    ]


def test_single_messages_go_with_their_files_and_the_rest_stays(talk, agent, wrong, right):
    document = MessageFactory(interaction=talk, text="Somebody else's document")
    file = AttachmentFactory(message=document)
    new = moved(agent, talk, right, message_ids=[document.pk], reason="wrong_document")
    file.refresh_from_db()
    talk.refresh_from_db()
    assert (new.patient, new.split_from, file.message.interaction) == (right, talk, new)
    assert (talk.patient, talk.messages.count()) == (wrong, 1)
    entries = timeline_of(agent, wrong, Look())
    assert "Somebody else's document" not in repr(entries)


def test_a_call_goes_with_its_recording(queue, agent, wrong, right):
    recording = RecordingFactory(
        call__channel__queue=queue, call__interaction__patient=wrong, call__interaction__owner=agent
    )
    moved(agent, recording.call.interaction, right)
    recording.refresh_from_db()
    assert recording.call.interaction.patient == right
    assert [[entry.channel for entry in timeline_of(agent, one, Look()).entries] for one in (wrong, right)] == [
        [""], ["voice"],
    ]  # fmt: skip


def test_what_was_found_in_a_closed_conversation_moves_too_and_stays_closed(talk, agent, right):
    wrong_one = MessageFactory(interaction=talk)
    Interaction.objects.filter(pk=talk.pk).update(status=InteractionStatus.CLOSED, closed_at=timezone.now())
    new = moved(agent, talk, right, message_ids=[wrong_one.pk])
    assert (new.status, new.patient, Interaction.objects.get(pk=talk.pk).messages.count()) == ("closed", right, 1)


def test_owner_leads_and_privacy_are_told_once_and_nobody_by_name(
    talk, agent, second_agent, supervisor, admin, right, team
):
    TeamMembership.objects.filter(user=second_agent).update(is_lead=True)
    moved(supervisor, talk, right)
    told = Notification.objects.filter(kind="wrong_patient").order_by("user_id")
    assert {notice.user for notice in told} == {agent, second_agent, admin}
    assert told.count() == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [({"reason": ""}, "Say how"), ({"message_ids": [10**9]}, "messages of this conversation")],
)
def test_without_a_reason_or_with_strange_messages_nothing_moves(talk, agent, wrong, right, change, words):
    with pytest.raises(Refused, match=words):
        moved(agent, talk, right, **change)
    assert (Interaction.objects.get(pk=talk.pk).patient, TimelineEvent.objects.count()) == (wrong, 0)


def test_the_same_patient_nobody_and_strangers_are_refused(talk, agent, outsider, wrong, right, sms_channel):
    with pytest.raises(Refused, match="already"):
        moved(agent, talk, wrong)
    with pytest.raises(Refused, match="Nobody is linked"):
        moved(agent, InteractionFactory(channel=sms_channel), right)


def test_the_form_finds_the_patient_moves_and_says_what_is_missing(talk, agent, wrong, right, signed_in):
    mine = MessageFactory(interaction=talk, direction=Direction.INBOUND, text="Not about me")
    desk, url = signed_in(agent), reverse("inbox:wrong-patient", args=[talk.pk])
    assert "Not about me" in desk.get(url).content.decode()
    found = desk.post(url, {"q": "Quiroga", "search": "1", "messages": [mine.pk]}).content.decode()
    assert (f'value="{right.pk}"' in found, "checked" in found) == (True, True)
    missing = desk.post(url, {"q": "Quiroga", "patient": right.pk})
    assert (missing.status_code, "Say how it came" in missing.content.decode()) == (422, True)
    nobody = desk.post(url, {"reason": "same_name"})
    assert (nobody.status_code, "Choose the right patient" in nobody.content.decode()) == (422, True)
    desk.post(url, {"patient": right.pk, "reason": "same_name", "messages": [mine.pk]})
    mine.refresh_from_db()
    assert (mine.interaction.patient, Interaction.objects.get(pk=talk.pk).patient) == (right, wrong)
