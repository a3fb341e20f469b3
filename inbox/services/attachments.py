"""Files of messages: fetched with our credentials, limited in type and size, kept private, served as downloads."""

import io
import mimetypes
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import timedelta
from typing import IO, Any

import puremagic
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import DatabaseError
from django.utils import timezone

from contact_center.common.deadline import Deadline
from contact_center.common.wake import wake_on_commit
from inbox import realtime
from inbox.adapters.base import AdapterError, MediaRefused
from inbox.adapters.events import InboundMessage, MediaRef
from inbox.enums import AttachmentStatus, FileProblem
from inbox.models import Attachment, Message, NoteFile, Recording, Upload
from inbox.services.locks import try_held
from inbox.services.providers import adapter_for
from inbox.services.scanning import admit

FETCH_TASK, FETCH_QUEUE = "inbox.fetch_attachments", "default"
MAX_FILES = 20
LEFT_OUT = "left_out"
MAX_ATTEMPTS = 5
FETCH_BACKOFF = [timedelta(seconds=s) for s in (5, 30, 120, 600, 1800)]
ALLOWED_TYPES = (
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "image/heic",
    "image/tiff",
    "image/bmp",
    "audio/",
    "video/",
    "application/pdf",
    "text/plain",
    "text/csv",
    "text/calendar",
    "text/vcard",
    "text/x-vcard",
    "message/rfc822",
    "application/msword",
    "application/vnd.ms-",
    "application/vnd.openxmlformats-officedocument.",
    "application/vnd.oasis.opendocument.",
    "application/rtf",
    "application/dicom",
    "application/zip",
    "application/ms-tnef",
)
ACTIVE_MARKS = (b"<script", b"<html", b"<!doctype html", b"<svg", b"<?xml", b"<iframe", b"<body")
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR"


_written: ContextVar[list[str] | None] = ContextVar("attachments_written", default=None)


class FileRefused(Exception):
    """The file must not be kept; `problem` says why."""

    def __init__(self, problem: FileProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


@contextmanager
def kept_with_rows() -> Iterator[None]:
    """Stand around a transaction: when it fails, the files written in it go as its rows do.

    A file whose row exists after all, or whose row cannot be looked up, stays: a commit may succeed unheard.
    """
    written: list[str] = []
    token = _written.set(written)
    try:
        yield
    except BaseException:
        for name in written:
            with suppress(DatabaseError, OSError):
                if not is_kept(name):
                    default_storage.delete(name)
        raise
    finally:
        _written.reset(token)


def is_kept(name: str) -> bool:
    """Whether any row shares the content of this name."""
    return any(model.objects.filter(file=name).exists() for model in (Attachment, Upload, NoteFile, Recording))


def note_written(name: str) -> None:
    """Let `kept_with_rows` know of a file that was written."""
    if (written := _written.get()) is not None:
        written.append(name)


def store_inbound(message: Message, item: InboundMessage) -> None:
    """Keep the files that came with a message and note those to be fetched, in the caller's transaction."""
    for file in item.files[:MAX_FILES]:
        attachment = Attachment(message=message, name=file_name(file.name), content_type=file.content_type[:120])
        _keep(attachment, io.BytesIO(file.content), file.content_type, len(file.content))
        attachment.save()
    _tell_left_out(message, [file.name for file in item.files[MAX_FILES:]])
    for ref in item.media[:MAX_FILES]:
        Attachment.objects.create(
            message=message,
            name=file_name(ref.name or ""),
            content_type=(ref.content_type or "")[:120],
            size=ref.size,
            source_url=ref.url[:500],
        )
    _tell_left_out(message, [ref.name or "" for ref in item.media[MAX_FILES:]])
    if item.media:
        wake_on_commit(FETCH_TASK, FETCH_QUEUE)


def store_uploads(message: Message, uploads: list[Any]) -> None:
    """Keep files uploaded through a form, in the caller's transaction; refused ones are named with the reason."""
    for upload in uploads[:MAX_FILES]:
        attachment = Attachment(message=message, name=file_name(upload.name or ""))
        _keep(attachment, upload, upload.content_type or "", upload.size)
        attachment.save()
    _tell_left_out(message, [upload.name or "" for upload in uploads[MAX_FILES:]])


def _tell_left_out(message: Message, names: list[str]) -> None:
    """One refused row that says how many files beyond MAX_FILES were not kept; their raw source is."""
    if names:
        attachment = Attachment(message=message, name=file_name(names[0]))
        attachment.refuse(f"{LEFT_OUT}:{len(names)}")
        attachment.save()


def file_name(name: str) -> str:
    """A name without path, control characters or length to fear; "attachment" when nothing is left."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    clean = "".join(ch for ch in last if ch.isprintable() and ch not in '<>:"|?*').strip(". ")
    return clean[-120:] or "attachment"


def _keep(attachment: Attachment, content: IO[bytes], declared: str, size: int) -> None:
    """Judge the content and store it; a refused file is not kept (its raw source is)."""
    try:
        attachment.content_type = judge(content, declared, size)
    except FileRefused as error:
        attachment.size = size
        attachment.refuse(str(error))
        return
    content.seek(0)
    attachment.size = size
    attachment.file.save("unused", File(content), save=False)
    note_written(str(attachment.file.name))
    if "." not in attachment.name:
        attachment.name += mimetypes.guess_extension(attachment.content_type) or ""
    admit(attachment)


def judge(content: IO[bytes], declared: str, size: int, *, most: int | None = None) -> str:
    """The content type by content, not by claim. `most` bytes are allowed, else MAX_ATTACHMENT_BYTES.

    Raises FileRefused for what is too large, active or unknown.
    """
    if size > (most or settings.MAX_ATTACHMENT_BYTES):
        raise FileRefused(FileProblem.TOO_LARGE)
    content.seek(0)
    head = content.read(4096)
    if EICAR in head:
        raise FileRefused(FileProblem.VIRUS)
    content_type = _sniff(head, declared)
    if not content_type.startswith(ALLOWED_TYPES):
        raise FileRefused(FileProblem.TYPE)
    return content_type


def _sniff(head: bytes, declared: str) -> str:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(ACTIVE_MARKS) or b"<script" in start:
        return "text/html"
    declared = declared.split(";", maxsplit=1)[0].strip().lower()
    try:
        found = {match.mime_type for match in puremagic.magic_string(head) if match.mime_type}
    except (puremagic.PureError, ValueError):
        found = set()
    if declared in found:
        return declared
    if _is_text(head):
        return declared if declared.startswith(("text/", "message/rfc822")) else "text/plain"
    known = sorted(kind for kind in found if kind.startswith(ALLOWED_TYPES))
    if known and not any(kind.startswith("application/x-") for kind in found):
        same_family = [kind for kind in known if kind.split("/")[0] == declared.split("/")[0]]
        return (same_family or known)[0]
    return "application/octet-stream"


def _is_text(head: bytes) -> bool:
    if b"\x00" in head:
        return False
    try:
        head[:4000].decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(head) - 8
    return True


def fetch_attachments(*, limit: int = 100) -> int:
    """Fetch what still lies with providers and is due, for a minute; returns how many were tried.

    One worker at a time, and not after a provider failed to answer, so that a slow one never holds up the others.
    """
    with try_held("fetch-attachments") as is_mine:
        if not is_mine:
            return 0
        due = Attachment.objects.filter(status=AttachmentStatus.PENDING).exclude(next_attempt_at__gt=timezone.now())
        deadline = Deadline(FETCH_TASK, FETCH_QUEUE)
        tried, silent = 0, set()
        for attachment_id, provider in due.order_by("id").values_list("pk", "message__provider")[:limit]:
            if deadline.is_over:
                break
            if provider not in silent:
                tried += 1
                if not fetch_attachment(attachment_id):
                    silent.add(provider)
        return tried


def fetch_attachment(attachment_id: int) -> bool:
    """Fetch one file from its provider; False when the provider did not answer as it should.

    The row is leased first, so a second worker leaves it alone.
    """
    attachment = _lease(attachment_id)
    if attachment is None:
        return True
    if attachment.attempts > MAX_ATTEMPTS:
        _settle(attachment_id, failed=AdapterError("It stopped its worker several times.", permanent=True))
        return True
    adapter = adapter_for(attachment.message.provider)
    ref = MediaRef(attachment.source_url, attachment.content_type or None, attachment.name, attachment.size)
    try:
        fetched = adapter.fetch_media(ref, settings.MAX_ATTACHMENT_BYTES)
    except MediaRefused as error:
        _settle(attachment_id, refused=str(error))
    except AdapterError as error:
        _settle(attachment_id, failed=error)
        return error.permanent
    else:
        with fetched.content as content:
            _settle(attachment_id, content=content, declared=fetched.content_type, size=fetched.size)
    return True


def _lease(attachment_id: int) -> Attachment | None:
    with realtime.atomic():
        attachment = (
            Attachment.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("message")
            .filter(pk=attachment_id, status=AttachmentStatus.PENDING)
            .first()
        )
        if attachment is None or (attachment.next_attempt_at and attachment.next_attempt_at > timezone.now()):
            return None
        attachment.attempts += 1
        attachment.next_attempt_at = timezone.now() + timedelta(minutes=2)
        attachment.save()
        return attachment


def _settle(
    attachment_id: int,
    *,
    refused: str = "",
    failed: AdapterError | None = None,
    content: IO[bytes] | None = None,
    declared: str = "",
    size: int = 0,
) -> None:
    with kept_with_rows(), realtime.atomic():
        attachment = Attachment.objects.select_for_update(of=("self",)).select_related("message").get(pk=attachment_id)
        if attachment.status != AttachmentStatus.PENDING:
            return
        if refused:
            attachment.refuse(refused)
        elif failed is not None:
            if failed.permanent or attachment.attempts >= MAX_ATTEMPTS:
                attachment.fail(failed.message)
            else:
                attachment.next_attempt_at = timezone.now() + FETCH_BACKOFF[attachment.attempts - 1]
        elif content is not None:
            _keep(attachment, content, declared, size)
        attachment.save()
        realtime.touch(realtime.interaction_topic(attachment.message.interaction_id))
