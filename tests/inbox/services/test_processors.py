"""Who may carry health information: registered, under an agreement, and kept to by the reply box and the gate."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from contact_center.common.errors import Refused
from inbox.enums import GateDecision
from inbox.gate import GateReason, decide
from inbox.models import Attachment, Channel, Message, Processor, Upload
from inbox.selectors.gate_facts import facts_for
from inbox.services.processors import save_processor
from inbox.services.replies import reply
from inbox.services.uploads import keep_upload, mark_upload
from tests.factories.inbox import InteractionFactory

pytestmark = pytest.mark.django_db


def register(actor, channel, **fields):
    given = {"name": "Carrier", "region": "EU", "agreement_date": None, "may_carry_patient_data": False} | fields
    return save_processor(actor=actor, channels=[channel], **given)


@pytest.fixture
def conversation(sms_channel, agent):
    return InteractionFactory(channel=sms_channel, owner=agent)


def upload(agent, conversation, *, is_sensitive):
    file = SimpleUploadedFile("result.txt", b"plain words", "text/plain")
    row = keep_upload(actor=agent, interaction_id=conversation.pk, upload=file)
    mark_upload(actor=agent, upload_id=row.pk, is_sensitive=is_sensitive)
    return row


def send(agent, conversation, row):
    return reply(
        actor=agent,
        interaction_id=conversation.pk,
        channel_id=conversation.channel_id,
        text="Here",
        upload_ids=[row.pk],
        is_unchecked_taken_on=True,
    )


def test_it_carries_health_information_only_under_an_agreement(admin, supervisor, sms_channel):
    with pytest.raises(ValidationError):
        register(admin, sms_channel, may_carry_patient_data=True)
    with pytest.raises(PermissionDenied):
        register(supervisor, sms_channel)
    made = register(admin, sms_channel, may_carry_patient_data=True, agreement_date=timezone.localdate())
    assert Channel.objects.get(pk=sms_channel.pk).processor == made


@pytest.mark.parametrize(("may_carry", "is_sensitive"), [(False, True), (False, False), (True, True)])
def test_a_reply_with_health_information_leaves_only_where_it_may(
    admin, agent, sms_channel, conversation, may_carry, is_sensitive
):
    register(admin, sms_channel, may_carry_patient_data=may_carry, agreement_date=timezone.localdate())
    row = upload(agent, conversation, is_sensitive=is_sensitive)
    if is_sensitive and not may_carry:
        with pytest.raises(Refused, match="may not carry health information"):
            send(agent, conversation, row)
        assert Message.objects.exclude(direction="inbound").count() == 0
    else:
        send(agent, conversation, row)
        assert Attachment.objects.get().is_sensitive == is_sensitive


def test_what_was_queued_before_the_processor_lost_its_permission_is_held_by_the_gate(
    admin, agent, sms_channel, conversation
):
    send(agent, conversation, upload(agent, conversation, is_sensitive=True))
    register(admin, sms_channel)
    verdict = decide(facts_for(Message.objects.get(direction="outbound")))
    assert (verdict.decision, verdict.reason) == (GateDecision.SUPPRESS, GateReason.PATIENT_DATA)


def test_a_file_is_marked_in_the_reply_box_by_its_author_only(agent, second_agent, conversation, signed_in):
    row = upload(agent, conversation, is_sensitive=False)
    address = reverse("inbox:upload-mark", args=[conversation.pk])
    for who in (second_agent, agent):
        signed_in(who).post(address, {"upload_id": row.pk, "is_sensitive": "1"})
        assert Upload.objects.get(pk=row.pk).is_sensitive == (who == agent)


def test_the_register_shows_what_nobody_is_registered_for(admin, auditor, agent, sms_channel, signed_in):
    browser = signed_in(admin)
    assert "Nobody is registered for these channels" in browser.get("/privacy/processors/").content.decode()
    wrong = browser.post("/privacy/processors/new/", {"name": "C", "region": "EU", "may_carry_patient_data": "on"})
    assert (wrong.status_code, "Without an agreement" in wrong.content.decode()) == (422, True)
    browser.post("/privacy/processors/new/", {"name": "Carrier", "region": "EU", "channels": [sms_channel.pk]})
    made = Processor.objects.get()
    page = signed_in(auditor).get("/privacy/processors/").content.decode()
    assert ("Carrier" in page, "Nobody is registered for" in page) == (True, False)
    browser.post(f"/privacy/processors/{made.pk}/", {"name": "Carrier & Co", "region": "US"})
    assert (Processor.objects.get().name, made.channels.count()) == ("Carrier & Co", 0)
    assert signed_in(agent).get("/privacy/processors/").status_code == 403
