"""Files that wait in a reply box: judged as inbound ones are, kept private, handed to the message that sends them."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import IO, Any

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.common.errors import Refused
from inbox import file_limits
from inbox.enums import AttachmentStatus, FileProblem, ScanStatus
from inbox.models import Attachment, Interaction, Message, Note, NoteFile, Upload
from inbox.policies import can_work
from inbox.services.attachments import FileRefused, file_name, is_kept, judge, kept_with_rows, note_written
from inbox.services.interactions import locked
from inbox.services.locks import hold_for_transaction
from inbox.services.scanning import scan_upload_now

MOST_WAITING = 10
KEPT_FOR = timedelta(days=7)


def keep_upload(*, actor: User, upload: Any, interaction_id: int | None = None, box: str = "") -> Upload:
    """Keep one uploaded file in the actor's reply box, or in the form `box` of a conversation that they begin.

    Raises Refused for what must not be sent, naming the file.
    """
    name = file_name(upload.name or "")
    with kept_with_rows(), transaction.atomic():
        place = _place(actor, interaction_id, box)
        if Upload.objects.filter(**place, author=actor, sent_with=None).count() >= MOST_WAITING:
            raise Refused(_("%(count)s files at most.") % {"count": MOST_WAITING})
        if not upload.size:
            raise Refused(_("“%(name)s” is empty.") % {"name": name})
        try:
            content_type = judge(upload, upload.content_type or "", upload.size, most=file_limits.MOST_BYTES)
        except FileRefused as error:
            sentence = FileProblem(error.problem).label
            raise Refused(_("“%(name)s” is not sent: %(why)s") % {"name": name, "why": sentence}) from error
        row = Upload(**place, author=actor, name=name, content_type=content_type, size=upload.size)
        row.digest = _digest(upload)
        upload.seek(0)
        row.file.save("unused", File(upload), save=False)
        note_written(str(row.file.name))
        if settings.SCAN_BACKEND:
            row.hold()
        row.save()
    scan_upload_now(row.pk)
    return row


def _place(actor: User, interaction_id: int | None, box: str) -> dict[str, Any]:
    """Where the file waits, held until the transaction ends."""
    if interaction_id is None:
        if not box or not can(actor, Action.WORK_INBOX):
            raise Refused(_("You may not start this conversation."))
        hold_for_transaction("upload-box", actor.pk, box)
        return {"interaction": None, "box": box}
    interaction = locked(interaction_id)
    if not can_work(actor, interaction):
        raise Refused(_("You may not work on this interaction."))
    return {"interaction": interaction}


def move_in(interaction: Interaction, *, actor: User, box: str, ids: Sequence[int]) -> None:
    """Put the files that wait in the form `box` into the actor's reply box, in the transaction that starts it."""
    rows = Upload.objects.filter(interaction=None, box=box, author=actor, sent_with=None, pk__in=ids)
    rows.update(interaction=interaction, box="")


def _digest(content: IO[bytes]) -> str:
    content.seek(0)
    digest = hashlib.sha256()
    while chunk := content.read(1 << 16):
        digest.update(chunk)
    return digest.hexdigest()


def drop_upload(*, actor: User, upload_id: int) -> None:
    """Take one waiting file out of the actor's reply box; one that is sent, gone or another person's is left alone."""
    with transaction.atomic():
        rows = Upload.objects.select_for_update().filter(pk=upload_id, author=actor, sent_with=None)
        for row in rows:
            _remove(row)


def mark_upload(*, actor: User, upload_id: int, is_sensitive: bool) -> None:
    """Say that a waiting file of the actor's carries health information, or that it does not."""
    Upload.objects.filter(pk=upload_id, author=actor, sent_with=None).update(is_sensitive=is_sensitive)


def chosen(actor: User, interaction: Interaction, ids: Sequence[int]) -> list[Upload]:
    """The waiting files with these ids, locked, in that order. Raises Refused when one is no longer there."""
    found = Upload.objects.select_for_update(of=("self",)).filter(interaction=interaction, author=actor, sent_with=None)
    rows = {row.pk: row for row in found.filter(pk__in=ids)}
    if set(ids) - set(rows):
        raise Refused(_("A file is no longer there. Look at the list, then send again."))
    found_rows = [rows[pk] for pk in dict.fromkeys(ids)]
    for row in found_rows:
        _refuse_unless_checked(row)
    return found_rows


def _refuse_unless_checked(row: Upload) -> None:
    if row.status == ScanStatus.CLEAN or (row.status == ScanStatus.UNSCANNED and not settings.SCAN_BACKEND):
        return
    if row.status == ScanStatus.INFECTED:
        raise Refused(_("“%(name)s” carries a virus. Remove it.") % {"name": row.name})
    if row.status == ScanStatus.UNCHECKED:
        raise Refused(
            _("“%(name)s” could not be checked for viruses. Remove it and add it again.") % {"name": row.name}
        )
    raise Refused(_("“%(name)s” is still being checked for viruses. Send again in a moment.") % {"name": row.name})


def attach(message: Message, files: Sequence[Upload]) -> None:
    """Make the files attachments of the message, in the caller's transaction. Their content is shared, not copied."""
    for row in files:
        attachment = Attachment(
            message=message,
            name=row.name,
            content_type=row.content_type,
            size=row.size,
            file=row.file.name,
            is_sensitive=row.is_sensitive,
        )
        attachment.accept()
        attachment.scanned_at = timezone.now() if row.status == ScanStatus.CLEAN else None
        attachment.save()
        row.sent_with = message
        row.save()


def keep_with_note(note: Note, *, actor: User, ids: Sequence[int]) -> None:
    """Let the files that wait in the actor's box stay with the note, in the caller's transaction.

    Raises Refused when one is no longer there. They leave the box for good: nothing of a note is sent.
    """
    for row in chosen(actor, note.interaction, ids):
        NoteFile.objects.create(
            note=note, name=row.name, content_type=row.content_type, size=row.size, file=row.file.name
        )
        row.delete()


def drop_repeated(actor: User, interaction: Interaction, ids: Sequence[int]) -> None:
    """Forget files of a form that came a second time: the first time sent them already."""
    for row in Upload.objects.filter(interaction=interaction, author=actor, sent_with=None, pk__in=ids):
        _remove(row)


def restage(message: Message) -> None:
    """Put the files of a message that was taken back into its author's reply box, in the caller's transaction."""
    waiting = list(Upload.objects.select_for_update().filter(sent_with=message))
    for row in waiting:
        row.sent_with = None
        row.save()
    known = {row.file.name for row in waiting}
    for attachment in message.attachments.filter(status=AttachmentStatus.CLEAN):
        if message.author_id is None or attachment.file.name in known:
            continue
        row = Upload(
            interaction_id=message.interaction_id, author_id=message.author_id, name=attachment.name,
            content_type=attachment.content_type, size=attachment.size or 0, file=attachment.file.name,
            is_sensitive=attachment.is_sensitive,
        )  # fmt: skip
        with attachment.file.open("rb") as content:
            row.digest = _digest(content)
        if attachment.scanned_at:
            row.hold()
            row.pass_scan()
        row.save()


def clear_uploads(*, limit: int = 500) -> int:
    """Remove what nobody sent within a week, and the rows of what was sent; returns how many rows went."""
    with transaction.atomic():
        old = Upload.objects.select_for_update(skip_locked=True).filter(created_at__lt=timezone.now() - KEPT_FOR)
        rows = list(old.order_by("created_at")[:limit])
        for row in rows:
            _remove(row)
        return len(rows)


def _remove(row: Upload) -> None:
    """Delete the row, and after commit the content unless another row shares it."""
    name = str(row.file.name)
    row.delete()
    transaction.on_commit(lambda: _delete_unshared(name))


def _delete_unshared(name: str) -> None:
    if not is_kept(name):
        default_storage.delete(name)
