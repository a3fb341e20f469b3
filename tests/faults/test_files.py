"""X8: whatever file somebody sends, it is served only after it was judged, and only as a download."""

import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from inbox.enums import AttachmentStatus
from inbox.models import Attachment
from inbox.services.attachments import store_uploads
from inbox.services.scanning import scan_files
from tests.factories.inbox import AttachmentFactory, InteractionFactory, MessageFactory
from tests.inbox.clamd import running

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def zip_bomb():
    """100 MB of zeros in 100 kB."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(100_000_000))
    return packed.getvalue()


def hostile_files():
    """(name, claimed type, content, the status it must get)."""
    refused, clean = AttachmentStatus.REFUSED, AttachmentStatus.CLEAN
    return [
        ("eicar.txt", "text/plain", EICAR, refused),
        ("bomb.zip", "application/zip", zip_bomb(), clean),
        ("drawing.svg", "image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", refused),
        ("photo.svg.png", "image/png", b"<?xml version='1.0'?><svg onload='alert(1)'/>", refused),
        ("photo.png", "image/png", b"<html><script>alert(1)</script></html>", refused),
        ("page.txt", "text/plain", b"hello <script>alert(1)</script>", refused),
        ("large.png", "image/png", PNG + bytes(26 * 1024 * 1024), refused),
        ("program.pdf", "application/pdf", b"MZ\x90\x00\x03\x00\x00\x00\x04\x00", refused),
        ("../../../etc/cron.d/job", "text/plain", b"* * * * * root true", clean),
        ("..\\..\\windows\\win.ini", "text/plain", b"plain words", clean),
        ("photo\x00.png\r\nX-Evil: 1", "image/png", PNG, clean),
    ]


@pytest.mark.fault
@pytest.mark.django_db
def test_hostile_files_are_never_served_before_they_are_clean_and_never_shown(
    sms_channel, agent, signed_in, settings, tmp_path, monkeypatch
):
    settings.STORAGES = settings.STORAGES | {"default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}}
    settings.MEDIA_ROOT = tmp_path
    files = hostile_files()

    def refuse(*args, **kwargs):
        raise AssertionError("An archive was opened.")

    monkeypatch.setattr(zipfile.ZipFile, "__init__", refuse)
    message = MessageFactory(interaction=InteractionFactory(channel=sms_channel, owner=agent))
    waiting = AttachmentFactory(message=message, source_url="https://api.twilio.com/x")
    store_uploads(message, [upload_of(name, kind, content) for name, kind, content, _status in files])
    rows = list(Attachment.objects.exclude(pk=waiting.pk).order_by("id"))
    assert [row.status for row in rows] == [status for *_rest, status in files]
    browser = signed_in(agent)
    answers = {row.pk: browser.get(f"/inbox/attachments/{row.pk}/", follow=True) for row in (waiting, *rows)}
    served = {pk for pk, answer in answers.items() if answer.status_code == 200}
    early = served - {row.pk for row in rows if row.status == AttachmentStatus.CLEAN}
    print(f"X8: {len(answers)} files, {len(served)} served as downloads, {len(early)} before they were clean")
    assert (early, len(served)) == (set(), 4)
    for row in rows:
        if row.pk in served:
            check_download(row, answers[row.pk], tmp_path)
    assert sum(1 for path in tmp_path.rglob("*") if path.is_file()) == 4


def upload_of(name, kind, content):
    """Django cleans the name of a real upload; here it comes as hostile as it was sent."""
    upload = SimpleUploadedFile("x", content, kind)
    upload._name = name
    return upload


def check_download(row, answer, root):
    disposition = answer.headers["Content-Disposition"]
    assert (disposition.startswith("attachment;"), answer.headers["X-Content-Type-Options"]) == (True, "nosniff")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert [mark for mark in ("/", "\\", "..", "\r", "\n", "\x00") if mark in row.name] == []
    assert row.file.path.startswith(f"{root}/attachments/")
    assert sum(len(chunk) for chunk in answer.streaming_content) == row.size


@pytest.mark.fault
@pytest.mark.django_db
def test_with_a_scanner_none_is_served_before_it_has_looked_and_no_virus_ever(sms_channel, agent, signed_in, settings):
    message = MessageFactory(interaction=InteractionFactory(channel=sms_channel, owner=agent))
    hidden = ("hidden.txt", "text/plain", b"plain words " * 600 + EICAR, AttachmentStatus.INFECTED)
    with running() as clamd:
        settings.SCAN_BACKEND = clamd.address
        files = [*hostile_files(), hidden]
        store_uploads(message, [upload_of(name, kind, content) for name, kind, content, _status in files])
        rows, browser = list(Attachment.objects.order_by("id")), signed_in(agent)
        early = [row.pk for row in rows if is_served(browser, row)]
        scan_files()
    rows = list(Attachment.objects.order_by("id"))
    served = [row.pk for row in rows if is_served(browser, row)]
    print(f"X8: with a scanner {len(early)} served before it looked, {len(served)} after, {len(rows)} files")
    assert ([row.status for row in rows], early) == ([status for *_rest, status in files], [])
    assert served == [row.pk for row in rows if row.status == AttachmentStatus.CLEAN]


def is_served(browser, row):
    return browser.get(f"/inbox/attachments/{row.pk}/", follow=True).status_code == 200
