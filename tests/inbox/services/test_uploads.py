"""Files of a reply: judged, limited per channel, sent once, fetched by the provider only while it is due."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.core import mail as outgoing
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from contact_center.common.errors import Refused
from inbox import file_limits
from inbox.enums import Direction, MessageKind, MessageStatus
from inbox.file_limits import MEGABYTE, OneFile, problem_of, problem_of_all
from inbox.models import Attachment, Message, Upload
from inbox.selectors.uploads import public_address, waiting_uploads
from inbox.services.outbox import drain_outboxes, retry_message
from inbox.services.replies import reply
from inbox.services.uploads import MOST_WAITING, clear_uploads, drop_upload, keep_upload
from tests.factories.inbox import InteractionFactory, MessageFactory
from tests.inbox.services.test_attachments import PDF, PNG

pytestmark = pytest.mark.django_db
PERSON = "+13055550123"


def file(name="rash.png", content=PNG, content_type="image/png"):
    return SimpleUploadedFile(name, content, content_type)


def outbound():
    return list(Message.objects.filter(direction=Direction.OUTBOUND).order_by("pk"))


@pytest.fixture
def by_sms(sms_channel, agent):
    return InteractionFactory(channel=sms_channel, contact_value=PERSON, owner=agent)


@pytest.fixture
def by_whatsapp(whatsapp_channel, agent):
    row = InteractionFactory(channel=whatsapp_channel, contact_value=PERSON, owner=agent)
    MessageFactory(interaction=row, address=PERSON)
    return row


@pytest.fixture
def by_mail(email_channel, agent):
    return InteractionFactory(channel=email_channel, contact_value="ana@example.org", owner=agent)


def keep(interaction, *files):
    found = files or [file()]
    return [keep_upload(actor=interaction.owner, interaction_id=interaction.pk, upload=each).pk for each in found]


def send(interaction, ids, text="See here", **given):
    return reply(actor=interaction.owner, interaction_id=interaction.pk, text=text, upload_ids=ids, **given)


LIMITS = [
    ("whatsapp", "image/png", 5 * MEGABYTE, True),
    ("whatsapp", "image/png", 5 * MEGABYTE + 1, False),
    ("whatsapp", "image/heic", 10, False),
    ("whatsapp", "video/mp4", 16 * MEGABYTE, True),
    ("whatsapp", "audio/ogg", 16 * MEGABYTE + 1, False),
    ("whatsapp", "application/pdf", 100 * MEGABYTE, True),
    ("whatsapp", "application/pdf", 100 * MEGABYTE + 1, False),
    ("sms", "application/pdf", 5 * MEGABYTE, True),
    ("sms", "image/png", 5 * MEGABYTE + 1, False),
    ("email", "application/zip", 25 * MEGABYTE, True),
    ("email", "application/zip", 25 * MEGABYTE + 1, False),
    ("webchat", "image/png", 10, False),
]


@pytest.mark.parametrize(("kind", "content_type", "size", "is_carried"), LIMITS)
def test_each_channel_carries_files_up_to_its_own_limit(kind, content_type, size, is_carried):
    assert (problem_of(kind, OneFile("x", content_type, size)) == "") == is_carried


def test_what_fits_alone_may_be_too_much_together():
    half = OneFile("x", "image/png", 3 * MEGABYTE)
    small = OneFile("x", "image/png", 10)
    assert problem_of_all("sms", [half, half]) == "Together these files are too large: 5 MB at most."
    assert problem_of_all("sms", [small] * 11) == "An SMS carries 10 files at most."
    assert problem_of_all("whatsapp", [half, half]) == ""


@pytest.mark.parametrize(
    ("name", "content", "declared", "why"),
    [
        ("x.png", b"<html><script>alert(1)</script>", "image/png", "This type of file is not accepted."),
        ("x.svg", b'<svg onload="alert(1)">', "image/svg+xml", "This type of file is not accepted."),
        ("x.txt", rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR", "text/plain", "The file carries a virus signature."),
        ("x.exe", b"MZ\x90\x00\x03", "application/pdf", "This type of file is not accepted."),
    ],
)
def test_a_hostile_file_is_refused_by_its_name_and_not_kept(name, content, declared, why, by_sms):
    with pytest.raises(Refused, match=f"^“{name}” is not sent: {why}$"):
        keep(by_sms, file(name, content, declared))
    assert not Upload.objects.exists()


def test_a_name_with_a_path_is_only_a_name_and_an_empty_file_is_refused(by_sms):
    (pk,) = keep(by_sms, file("../../etc/pass\nwd.png"))
    assert (Upload.objects.get(pk=pk).name, Upload.objects.get(pk=pk).file.name[:12]) == ("passwd.png", "attachments/")
    with pytest.raises(Refused, match="is empty"):
        keep(by_sms, file(content=b""))


def test_a_file_over_the_most_of_any_channel_is_refused_unread(by_sms, monkeypatch):
    monkeypatch.setattr(file_limits, "MOST_BYTES", 10)
    with pytest.raises(Refused, match="too large"):
        keep(by_sms)


def test_only_so_many_files_wait_in_one_box(by_sms):
    keep(by_sms, *[file() for _ in range(MOST_WAITING)])
    with pytest.raises(Refused, match="10 files at most"):
        keep(by_sms)


def test_a_box_is_ones_own(by_sms, second_agent):
    (pk,) = keep(by_sms)
    drop_upload(actor=second_agent, upload_id=pk)
    assert (waiting_uploads(second_agent, by_sms), len(waiting_uploads(by_sms.owner, by_sms))) == ([], 1)
    drop_upload(actor=by_sms.owner, upload_id=pk)
    assert waiting_uploads(by_sms.owner, by_sms) == []


def test_the_box_says_which_channel_does_not_carry_a_file(by_sms):
    keep(by_sms, file("cat.gif", b"GIF89a" + bytes(20), "image/gif"))
    (waiting,) = waiting_uploads(by_sms.owner, by_sms)
    assert [kind for kind, _sentence in waiting.problems] == ["whatsapp"]


def test_the_provider_is_told_addresses_of_all_files_of_an_sms(by_sms, twilio_accepts):
    message = send(by_sms, keep(by_sms, file(), file("plan.pdf", PDF, "application/pdf")))
    drain_outboxes()
    told = parse_qs(twilio_accepts[0])
    names = [attachment.name for attachment in message.attachments.order_by("pk")]
    assert (told["Body"], len(told["MediaUrl"]), names) == (["See here"], 2, ["rash.png", "plan.pdf"])
    answer = Client().get(urlsplit(told["MediaUrl"][1]).path)
    assert (b"".join(answer.streaming_content), answer["Content-Type"]) == (PDF, "application/pdf")
    assert (answer["Content-Disposition"], answer["X-Content-Type-Options"]) == (
        'attachment; filename="plan.pdf"',
        "nosniff",
    )


def test_on_whatsapp_every_file_is_a_message_and_the_text_stands_below_the_first(by_whatsapp, twilio_accepts):
    first = send(by_whatsapp, keep(by_whatsapp, file(), file("plan.pdf", PDF, "application/pdf")), idempotency_key="k")
    again = send(by_whatsapp, [], idempotency_key="k")
    drain_outboxes()
    sent = outbound()
    assert [(row.text, row.kind, row.attachments.get().name) for row in sent] == [
        ("See here", MessageKind.TEXT, "rash.png"),
        ("", MessageKind.MEDIA, "plan.pdf"),
    ]
    assert ([len(parse_qs(body)["MediaUrl"]) for body in twilio_accepts], first, again) == ([1, 1], sent[0], sent[0])


def test_on_whatsapp_a_text_goes_before_a_sound_which_shows_none(by_whatsapp):
    sound = file("voice.ogg", b"OggS" + bytes(40), "audio/ogg")
    send(by_whatsapp, keep(by_whatsapp, sound))
    assert [(row.text, row.attachments.count()) for row in outbound()] == [("See here", 0), ("", 1)]


def test_a_mail_carries_its_files_as_they_are(by_mail):
    send(by_mail, keep(by_mail, file("plan.pdf", PDF, "application/pdf"), file("notes.txt", b"line\nline", "")))
    drain_outboxes()
    (mail,) = outgoing.outbox
    assert mail.attachments == [
        ("plan.pdf", PDF, "application/pdf"),
        ("notes.txt", b"line\nline", "application/octet-stream"),
    ]


def test_a_file_alone_is_a_message_and_the_gate_lets_it_leave(by_sms, twilio_accepts):
    message = send(by_sms, keep(by_sms), text="")
    drain_outboxes()
    message.refresh_from_db()
    assert (message.status, message.kind, len(twilio_accepts)) == (MessageStatus.SENT, MessageKind.MEDIA, 1)


def test_neither_text_nor_file_is_nothing_to_send(by_sms):
    with pytest.raises(Refused, match="Write a message first"):
        send(by_sms, [], text=" ")


def test_a_file_the_channel_does_not_carry_keeps_everything_where_it_is(by_whatsapp):
    ids = keep(by_whatsapp, file("cat.gif", b"GIF89a" + bytes(20), "image/gif"))
    with pytest.raises(Refused, match="WhatsApp does not take"):
        send(by_whatsapp, ids)
    assert (outbound(), len(waiting_uploads(by_whatsapp.owner, by_whatsapp))) == ([], 1)


def test_a_file_that_was_removed_meanwhile_or_is_anothers_stops_the_reply(by_sms, second_agent):
    other = keep_upload(actor=second_agent, interaction_id=by_sms.pk, upload=file()).pk
    for ids in ([other], [999_999]):
        with pytest.raises(Refused, match="no longer there"):
            send(by_sms, ids)
    assert outbound() == []


def test_the_same_form_twice_sends_once_and_leaves_no_file_behind(by_sms):
    first = send(by_sms, keep(by_sms), idempotency_key="form")
    repeated = keep(by_sms)
    again = send(by_sms, repeated, idempotency_key="form")
    assert (first, Attachment.objects.count(), waiting_uploads(by_sms.owner, by_sms)) == (again, 1, [])


def fetched(message):
    return Client().get(urlsplit(public_address(message.attachments.get())).path).status_code


def test_a_provider_fetches_only_what_is_leaving_or_left_within_a_day(by_sms, twilio_accepts):
    message = send(by_sms, keep(by_sms))
    waiting = fetched(message)
    drain_outboxes()
    address = urlsplit(public_address(message.attachments.get())).path
    found = [Client().get(address).status_code, Client().post(address).status_code, Client().head(address).status_code]
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        later = (Client().get(address).status_code, fetched(message))
    assert (waiting, found, later) == (404, [200, 405, 405], (404, 404))


def test_an_address_for_providers_cannot_be_guessed_or_changed(by_sms, twilio_accepts):
    message = send(by_sms, keep(by_sms))
    drain_outboxes()
    address = urlsplit(public_address(message.attachments.get())).path
    forged = [address[:-2] + "x/", "/media/1/", f"/media/{message.attachments.get().pk}/", address.replace(":", ".", 1)]
    assert [Client().get(path).status_code for path in forged] == [404] * 4


def test_an_inbound_file_has_no_public_address(by_sms):
    message = MessageFactory(interaction=by_sms)
    attachment = Attachment(message=message, name="x.png", content_type="image/png")
    attachment.accept()
    attachment.save()
    assert fetched(message) == 404


def test_a_message_whose_file_is_gone_fails_in_words_and_the_next_one_leaves(by_sms, twilio_accepts):
    message = send(by_sms, keep(by_sms))
    default_storage.delete(message.attachments.get().file.name)
    mailed = send(by_sms, [], text="next")
    by_sms.channel.refresh_from_db()
    drain_outboxes()
    message.refresh_from_db()
    mailed.refresh_from_db()
    # Only a mail needs the bytes; for other providers the address is enough, and they tell that it is empty.
    assert (message.status, mailed.status) == (MessageStatus.SENT, MessageStatus.SENT)
    assert fetched(message) == 404


def test_a_mail_whose_file_is_gone_fails_in_words(by_mail):
    message = send(by_mail, keep(by_mail))
    default_storage.delete(message.attachments.get().file.name)
    drain_outboxes()
    message.refresh_from_db()
    assert (message.status, message.error_code, outgoing.outbox) == (MessageStatus.FAILED, "file_missing", [])


def test_trying_again_takes_the_files_along(by_sms, twilio_api, twilio_accepts):
    message = send(by_sms, keep(by_sms))
    drain_outboxes()
    Message.objects.filter(pk=message.pk).update(status=MessageStatus.FAILED)
    retry_message(actor=by_sms.owner, message_id=message.pk)
    drain_outboxes()
    assert [len(parse_qs(body)["MediaUrl"]) for body in twilio_accepts] == [1, 1]


def test_what_nobody_sent_goes_after_a_week_and_what_was_sent_stays(by_sms, django_capture_on_commit_callbacks):
    sent, waiting = keep(by_sms)[0], keep(by_sms)[0]
    message = send(by_sms, [sent])
    names = [Upload.objects.get(pk=pk).file.name for pk in (sent, waiting)]
    with django_capture_on_commit_callbacks(execute=True):
        assert clear_uploads() == 0
    Upload.objects.update(created_at=timezone.now() - timedelta(days=8))
    with django_capture_on_commit_callbacks(execute=True):
        assert clear_uploads() == 2
    assert [default_storage.exists(name) for name in names] == [True, False]
    assert message.attachments.get().file.read() == PNG
