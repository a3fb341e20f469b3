"""Files are judged by content, fetched under a lease and never by more than one worker."""

import io

import pytest
from django.db import transaction

from inbox.adapters.base import AdapterError, FetchedMedia, MediaRefused
from inbox.adapters.events import Address, InboundFile, InboundMessage
from inbox.enums import AttachmentStatus
from inbox.models import Attachment
from inbox.services import attachments
from inbox.services.attachments import FileRefused, fetch_attachments, file_name, judge, kept_with_rows
from tests.factories.inbox import AttachmentFactory, MessageFactory

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
PDF = b"%PDF-1.7\n1 0 obj\n"


@pytest.mark.parametrize(
    ("content", "declared", "found"),
    [(PNG, "image/png", "image/png"), (PDF, "application/pdf", "application/pdf"), (b"plain words", "", "text/plain")],
)
def test_a_harmless_file_is_known_by_its_content(content, declared, found):
    assert judge(io.BytesIO(content), declared, len(content)) == found


@pytest.mark.parametrize(
    ("content", "declared"),
    [
        (b"<html><script>alert(1)</script>", "image/png"),
        (b"\xef\xbb\xbf  <!DOCTYPE html>", "text/plain"),
        (b'<svg xmlns="x" onload="alert(1)">', "image/svg+xml"),
        (b"MZ\x90\x00\x03\x00\x00\x00\x04\x00", "image/jpeg"),
        (b"\x7fELF\x02\x01\x01\x00\x00", "application/pdf"),
        (rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD", "text/plain"),
    ],
)
def test_an_active_or_disguised_file_is_refused(content, declared):
    with pytest.raises(FileRefused):
        judge(io.BytesIO(content), declared, len(content))


def test_a_file_beyond_the_limit_is_refused_unread(settings):
    settings.MAX_ATTACHMENT_BYTES = 10
    with pytest.raises(FileRefused, match="too_large"):
        judge(io.BytesIO(PNG), "image/png", 11)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("../../etc/passwd", "passwd"), ("C:\\Users\\x\\photo.jpg", "photo.jpg"), ("a\x00b\n.png", "ab.png")],
)
def test_a_name_keeps_no_path_and_no_control_characters(given, kept):
    assert file_name(given) == kept


class Provider:
    """An adapter whose media are what the test says, one per call."""

    def __init__(self, *outcomes):
        self.outcomes, self.calls = list(outcomes), 0

    def fetch_media(self, ref, max_bytes):
        self.calls += 1
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return FetchedMedia(io.BytesIO(outcome), "image/png", len(outcome))


@pytest.fixture
def provider(monkeypatch):
    def give(*outcomes):
        made = Provider(*outcomes)
        monkeypatch.setattr(attachments, "adapter_for", lambda key: made)
        return made

    return give


@pytest.mark.django_db
def test_a_silent_provider_is_asked_once_a_run_and_the_file_is_tried_again_later(provider):
    message = MessageFactory()
    for _ in range(3):
        AttachmentFactory(message=message, source_url="https://api.twilio.com/x")
    made = provider(AdapterError("down", permanent=False))
    assert (fetch_attachments(), made.calls) == (1, 1)
    assert Attachment.objects.filter(status=AttachmentStatus.PENDING).count() == 3
    assert Attachment.objects.filter(next_attempt_at__isnull=False).count() == 1


@pytest.mark.django_db
def test_each_outcome_ends_in_its_status(provider):
    message = MessageFactory()
    for _ in range(3):
        AttachmentFactory(message=message, name="photo.png", source_url="https://api.twilio.com/x")
    provider(PNG, MediaRefused("forbidden"), AdapterError("gone", permanent=True))
    fetch_attachments()
    found = list(Attachment.objects.order_by("id").values_list("status", flat=True))
    assert found == [AttachmentStatus.CLEAN, AttachmentStatus.REFUSED, AttachmentStatus.FAILED]


@pytest.mark.django_db
def test_a_file_that_ended_its_worker_five_times_is_given_up(provider):
    made = provider()
    AttachmentFactory(source_url="https://api.twilio.com/x", attempts=5)
    fetch_attachments()
    assert (Attachment.objects.get().status, made.calls) == (AttachmentStatus.FAILED, 0)


@pytest.fixture
def disk(settings, tmp_path):
    """The folder where files are kept."""
    settings.STORAGES = settings.STORAGES | {"default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}}
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def kept_files(folder):
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def mail_with(*files):
    sender = Address("email", "ana@example.org", "ana@example.org")
    return InboundMessage(
        provider="email",
        external_id="m1",
        channel_kind="email",
        sender=sender,
        recipient=sender,
        kind="text",
        files=files,
    )


@pytest.mark.django_db
def test_files_of_a_transaction_that_fails_leave_nothing_on_disk(disk):
    message = MessageFactory()

    def store(*, fails):
        with kept_with_rows(), transaction.atomic():
            attachments.store_inbound(message, mail_with(InboundFile("a.png", "image/png", PNG)))
            if fails:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store(fails=True)
    assert (kept_files(disk), Attachment.objects.count()) == ([], 0)
    store(fails=False)
    assert kept_files(disk) == [PNG]


@pytest.mark.django_db
def test_files_beyond_the_twentieth_are_named_as_left_out(disk):
    message = MessageFactory()
    attachments.store_inbound(message, mail_with(*(InboundFile(f"{n}.txt", "text/plain", b"x") for n in range(23))))
    found = list(message.attachments.order_by("id").values_list("name", "status", "error"))
    assert found[:20] == [(f"{n}.txt", "clean", "") for n in range(20)]
    assert found[20:] == [("20.txt", "refused", "left_out:3")]
