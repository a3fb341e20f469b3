"""Files of a reply: into the box and out of it, pictures in the thread, and what a provider fetches."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST, require_safe

from contact_center.accounts.requests import person_of
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.answers import is_partial
from contact_center.common.errors import Refused
from contact_center.common.numbers import number_of, numbers_in
from inbox import realtime
from inbox.models import Attachment, Interaction, NoteFile
from inbox.selectors.interactions import interactions_visible_to, readable_by
from inbox.selectors.uploads import (
    PICTURES,
    available,
    get_public_file,
    own_address,
    read_own_address,
    waiting_uploads,
)
from inbox.services.uploads import drop_upload, keep_upload, mark_upload
from inbox.views import traces
from inbox.views.interactions import find

DOWNLOAD, PICTURE = "download", "picture"
NOTE_USES = NOTE_DOWNLOAD, NOTE_PICTURE = "note download", "note picture"


@require_POST
def upload(request: HttpRequest, pk: int) -> HttpResponse:
    """Put files into the reply box; answers with the list, and at its top why one was not taken."""
    interaction = find(request, pk)
    _kept, problems = keep_files(request, interaction_id=interaction.pk)
    return _list(request, interaction, problems)


def keep_files(request: HttpRequest, **place: Any) -> tuple[list[int], list[str]]:
    """Keep the files of this request where `keep_upload` is told; ids of those kept, and why the others were not."""
    kept, problems = [], []
    for file in request.FILES.getlist("files"):
        try:
            kept.append(keep_upload(actor=person_of(request), upload=file, **place).pk)
        except Refused as error:
            problems.append(str(error))
    return kept, problems


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a file out of the reply box."""
    interaction = find(request, pk)
    change_upload(request, is_removed=True)
    return _list(request, interaction, [])


@require_POST
def mark(request: HttpRequest, pk: int) -> HttpResponse:
    """Say of a file in the reply box whether it carries health information."""
    interaction = find(request, pk)
    change_upload(request, is_removed=False)
    return _list(request, interaction, [])


def change_upload(request: HttpRequest, *, is_removed: bool) -> None:
    """Take the file `upload_id` of this person's out of its box, or mark it as `is_sensitive` says."""
    for number in numbers_in(request.POST, "upload_id")[:1]:
        if is_removed:
            drop_upload(actor=person_of(request), upload_id=number)
        else:
            is_sensitive = request.POST.get("is_sensitive") == "1"
            mark_upload(actor=person_of(request), upload_id=number, is_sensitive=is_sensitive)


def is_about_a_file(request: HttpRequest) -> bool:
    """Whether a button beside a file was pressed without JavaScript; then it is done: taken out, or marked."""
    for number in numbers_in(request.POST, "remove")[:1]:
        drop_upload(actor=person_of(request), upload_id=number)
        return True
    text, _colon, is_sensitive = request.POST.get("mark", "").partition(":")
    if (marked := number_of(text)) is not None:
        mark_upload(actor=person_of(request), upload_id=marked, is_sensitive=is_sensitive == "1")
    return bool(text)


def _list(request: HttpRequest, interaction: Interaction, problems: list[str]) -> HttpResponse:
    if not is_partial(request):
        return redirect("inbox:interaction", interaction.pk)
    context = {
        "interaction": interaction,
        "uploads": waiting_uploads(person_of(request), interaction),
        "upload_problems": problems,
    }
    response = render(request, "inbox/_uploads.html", context, status=422 if problems else 200)
    response["X-Composer"] = "keep"  # the text beside the files is not sent by this
    return response


@require_safe
def attachment(request: HttpRequest, pk: int) -> HttpResponse:
    """To a file of a visible conversation, at an address of this person's that is good for a minute."""
    return redirect(own_address(person_of(request), _find_file(request, pk, DOWNLOAD), DOWNLOAD))


@require_safe
def picture(request: HttpRequest, pk: int) -> HttpResponse:
    """To a picture of a visible conversation, for the page to draw; opened as an address it is a download."""
    return redirect(own_address(person_of(request), _find_file(request, pk, PICTURE), PICTURE))


@require_safe
def file(request: HttpRequest, token: str) -> HttpResponseBase:
    """The content behind an address that this person was just given; rights are asked once more; it is on record."""
    try:
        pk, use = read_own_address(person_of(request), token)
    except Attachment.DoesNotExist:
        raise Http404 from None
    found = _find_note_file(request, pk, use) if use in NOTE_USES else _find_file(request, pk, use)
    talk = found.note.interaction if isinstance(found, NoteFile) else found.message.interaction
    if use in (PICTURE, NOTE_PICTURE):
        traces.leave_trace(request, talk)
        return sealed(found)
    kind = "note_file" if isinstance(found, NoteFile) else "attachment"
    with realtime.atomic():
        record(
            actor=person_of(request), action=AuditAction.DOWNLOADED, object_type=kind, object_id=pk,
            patient_id=talk.patient_id,
        )  # fmt: skip
    return sealed(found, content_type="application/octet-stream")


def _find_file(request: HttpRequest, pk: int, use: str) -> Attachment:
    visible = (interactions_visible_to if use == PICTURE else readable_by)(person_of(request)).values("pk")
    rows = Attachment.objects.select_related("message__interaction__patient")
    rows = rows.filter(available(), pk=pk, message__interaction__in=visible)
    found = (rows.filter(content_type__in=PICTURES) if use == PICTURE else rows).first()
    if found is None or not found.file:
        raise Http404
    return found


def _find_note_file(request: HttpRequest, pk: int, use: str) -> NoteFile:
    readable = readable_by(person_of(request)).values("pk")
    rows = NoteFile.objects.select_related("note__interaction__patient").filter(pk=pk, note__interaction__in=readable)
    found = (rows.filter(content_type__in=PICTURES) if use == NOTE_PICTURE else rows).first()
    if found is None:
        raise Http404
    return found


@require_safe
def note_file(request: HttpRequest, pk: int) -> HttpResponse:
    """To a file of a private note, for whoever may read the note, as to other files."""
    return redirect(own_address(person_of(request), _find_note_file(request, pk, NOTE_DOWNLOAD), NOTE_DOWNLOAD))


@require_safe
def note_picture(request: HttpRequest, pk: int) -> HttpResponse:
    """To a picture of a private note, for the page to draw."""
    return redirect(own_address(person_of(request), _find_note_file(request, pk, NOTE_PICTURE), NOTE_PICTURE))


def sealed(file: Attachment | NoteFile, *, content_type: str = "") -> FileResponse:
    """The file as a download of its true type or the one given, which no browser runs or guesses at."""
    response = FileResponse(
        file.file.open("rb"), as_attachment=True, filename=file.name, content_type=content_type or file.content_type
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response


@login_not_required
@require_GET
def media(request: HttpRequest, token: str) -> HttpResponseBase:
    """For the provider that delivers a message: its file, at an address nobody can guess, for a day."""
    try:
        file = get_public_file(token)
        return sealed(file)
    except (Attachment.DoesNotExist, FileNotFoundError):
        raise Http404 from None
