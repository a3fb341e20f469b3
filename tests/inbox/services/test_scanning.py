"""Files and the virus scanner: nothing is handed out before it was looked at, whatever the scanner does."""

import io
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from contact_center.audit.models import AuditEntry
from contact_center.common.errors import Refused
from inbox.adapters import scanner
from inbox.enums import AttachmentStatus, ScanStatus
from inbox.models import Attachment, Upload
from inbox.selectors.uploads import files_of, own_address
from inbox.services import scanning
from inbox.services.attachments import store_uploads
from inbox.services.uploads import chosen, keep_upload
from tests.factories.inbox import AttachmentFactory, InteractionFactory, MessageFactory
from tests.inbox.clamd import EICAR, running

pytestmark = pytest.mark.django_db
HIDDEN = b"plain words " * 600 + EICAR  # beyond what our own look at the beginning sees


@pytest.fixture
def clamd(settings):
    with running() as server:
        settings.SCAN_BACKEND, settings.SCAN_TIMEOUT_SECONDS = server.address, 5
        yield server


def text(content=b"plain words"):
    return SimpleUploadedFile("words.txt", content, "text/plain")


@pytest.fixture
def message(sms_channel, agent):
    return MessageFactory(interaction=InteractionFactory(channel=sms_channel, owner=agent))


def kept(message, content=b"plain words"):
    store_uploads(message, [text(content)])
    return Attachment.objects.latest("id")


def status_of(row):
    return type(row).objects.get(pk=row.pk).status


def get(browser, row):
    return browser.get(reverse("inbox:attachment", args=[row.pk]), follow=True).status_code


def test_without_a_scanner_a_file_is_available_and_says_that_nobody_looked(message, agent, signed_in):
    row = kept(message)
    assert (row.status, row.scanned_at, get(signed_in(agent), row)) == (AttachmentStatus.CLEAN, None, 200)
    assert "not scanned" in signed_in(agent).get(f"/inbox/{message.interaction_id}/").content.decode()
    assert scanning.scan_files() == 0


def test_a_file_waits_for_the_scanner_and_is_available_after_it(clamd, message, agent, signed_in):
    row, browser = kept(message), signed_in(agent)
    assert (row.status, get(browser, row), files_of(message)) == (AttachmentStatus.SCANNING, 404, [])
    assert (scanning.scan_files(), clamd.seen) == (1, [11])
    assert (status_of(row), get(browser, row), files_of(message)) == (AttachmentStatus.CLEAN, 200, [row])


def test_an_infected_file_is_moved_away_never_served_and_on_record(clamd, message, agent, signed_in):
    row = kept(message, HIDDEN)
    scanning.scan_files()
    after = Attachment.objects.get(pk=row.pk)
    assert (after.status, after.file.name[:11]) == (AttachmentStatus.INFECTED, "quarantine/")
    assert (get(signed_in(agent), row), files_of(message)) == (404, [])
    entry = AuditEntry.objects.get(object_type="attachment")
    assert (entry.object_id, entry.detail) == (row.pk, {"virus": "Eicar-Signature"})


def test_a_scanner_that_is_away_is_asked_again_and_nothing_is_served_meanwhile(settings, message, agent, signed_in):
    settings.SCAN_BACKEND = "clamd://127.0.0.1:1"
    row = kept(message)
    for _ in range(scanning.MAX_ATTEMPTS):
        assert status_of(row) == AttachmentStatus.SCANNING
        assert (scanning.scan_files(), scanning.scan_files()) == (1, 0)  # then it waits
        Attachment.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    assert (status_of(row), get(signed_in(agent), row)) == (AttachmentStatus.UNCHECKED, 404)
    with running() as server:
        settings.SCAN_BACKEND = server.address
        scanning.scan_again(attachment_id=row.pk)
        scanning.scan_files()
    assert status_of(row) == AttachmentStatus.CLEAN


@pytest.mark.parametrize("answer", [b"", b"stream: Something ERROR\0", b"nonsense\0"])
def test_an_answer_that_is_no_verdict_is_no_permission(clamd, message, answer):
    clamd.answer = answer
    row = kept(message)
    scanning.scan_files()
    assert status_of(row) == AttachmentStatus.SCANNING


def test_what_the_scanner_will_not_look_at_is_not_handed_out(clamd, message):
    clamd.limit = 5
    row = kept(message)
    scanning.scan_files()
    assert status_of(row) == AttachmentStatus.UNCHECKED


def test_files_from_before_the_scanner_are_looked_at_before_anybody_gets_them_again(message, settings):
    row = kept(message)
    with running() as server:
        settings.SCAN_BACKEND = server.address
        assert files_of(message) == []
        scanning.scan_files()
    assert files_of(message) == [row]


def test_a_file_in_the_reply_box_is_looked_at_at_once(clamd, message, agent):
    row = keep_upload(actor=agent, interaction_id=message.interaction_id, upload=text())
    assert (status_of(row), clamd.seen) == (ScanStatus.CLEAN, [11])
    assert chosen(agent, message.interaction, [row.pk]) == [row]


@pytest.mark.parametrize(
    ("content", "prepare", "words"),
    [
        (HIDDEN, lambda server: None, "carries a virus"),
        (b"plain", lambda server: setattr(server, "answer", b""), "still being checked"),
        (b"plain words", lambda server: setattr(server, "limit", 5), "could not be checked"),
    ],
)
def test_a_file_that_is_not_clean_is_not_sent(clamd, message, agent, content, prepare, words):
    prepare(clamd)
    row = keep_upload(actor=agent, interaction_id=message.interaction_id, upload=text(content))
    with pytest.raises(Refused, match=words):
        chosen(agent, message.interaction, [row.pk])
    assert Upload.objects.get(pk=row.pk).sent_with is None


def test_an_address_of_a_file_is_one_persons_and_a_minute_long(message, agent, second_agent, signed_in, time_machine):
    time_machine.move_to("2026-03-02 10:00:00+00:00", tick=False)
    row, browser = kept(message), signed_in(agent)
    address = own_address(agent, row, "download")
    assert [signed_in(who).get(address).status_code for who in (agent, second_agent)] == [200, 404]
    assert browser.get(f"{address[:-3]}xx/").status_code == 404
    time_machine.shift(61)
    assert browser.get(address).status_code == 404


def test_an_address_of_a_file_ends_with_the_right_to_the_conversation(message, agent, signed_in, other_queue, outsider):
    row = kept(message)
    address = own_address(agent, row, "download")
    message.interaction.__class__.objects.filter(pk=message.interaction_id).update(queue=other_queue, owner=outsider)
    assert signed_in(agent).get(address).status_code == 404


def test_a_picture_is_drawn_only_as_a_picture(message, agent, signed_in):
    page = AttachmentFactory(message=message, content_type="text/plain", status="clean", file="x")
    assert signed_in(agent).get(own_address(agent, page, "picture")).status_code == 404


def test_the_scanner_is_spoken_to_in_chunks_over_any_socket(clamd, tmp_path):
    assert scanner.scan(clamd.address, io.BytesIO(bytes(200_000)), timeout=5) == ""
    assert scanner.scan(clamd.address, io.BytesIO(bytes(200_000) + EICAR), timeout=5) == "Eicar-Signature"
    for wrong in (f"clamd://{tmp_path}/none.sock", "clamd://127.0.0.1:1"):
        with pytest.raises(scanner.ScannerUnavailable):
            scanner.scan(wrong, io.BytesIO(b"x"), timeout=1)
    with pytest.raises(scanner.ScannerRefused):
        scanner.scan("http://127.0.0.1/", io.BytesIO(b"x"), timeout=1)
