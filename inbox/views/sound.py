"""Sound in the conversation: recordings of calls, voicemails and voice messages, played from any moment on.

A player asks for many ranges while one person listens once: the trail gets one entry when it begins at the beginning,
and one for any range that is asked for when nobody has begun.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import IO, Any

from django.core.files.base import File
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_safe

from contact_center.accounts.models import User
from contact_center.accounts.requests import person_of
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from inbox.models import Attachment, Recording
from inbox.selectors.calls import get_recording_for
from inbox.selectors.interactions import interactions_visible_to
from inbox.selectors.uploads import SOUNDS, available

HEARD = "heard"
ANEW_AFTER, FORGOTTEN_AFTER = 5, 1800  # seconds
CHUNK = 64 * 1024


@require_safe
def recording(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The sound of a recording, for whoever may listen to it."""
    try:
        found = get_recording_for(person_of(request), pk)
    except Recording.DoesNotExist:
        raise Http404 from None
    _leave_trace(request, "recording", pk, found.call.interaction.patient_id, call=found.call_id)
    return ranged(request, found.file, SOUNDS.get(found.content_type, ""))


@require_safe
def sound(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A voicemail or voice message of a visible conversation."""
    found = _sound_for(person_of(request), pk)
    _leave_trace(request, "attachment", pk, found.message.interaction.patient_id)
    return ranged(request, found.file, SOUNDS[found.content_type])


def _sound_for(user: User, pk: int) -> Attachment:
    visible = interactions_visible_to(user).values("pk")
    rows = Attachment.objects.select_related("message__interaction").filter(available(), content_type__in=SOUNDS)
    found: Attachment | None = rows.filter(pk=pk, message__interaction__in=visible).first()
    if found is None or not found.file:
        raise Http404
    return found


def _leave_trace(request: HttpRequest, kind: str, pk: int, patient_id: int | None, **detail: Any) -> None:
    now, key = int(time.time()), f"{kind}:{pk}"
    heard = {name: at for name, at in request.session.get(HEARD, {}).items() if now - at < FORGOTTEN_AFTER}
    begins = (_range_of(request) or (0, None))[0] == 0
    if key in heard and not (begins and now - heard[key] >= ANEW_AFTER):
        return
    with transaction.atomic():
        record(
            actor=person_of(request), action=AuditAction.LISTENED, object_type=kind, object_id=pk,
            patient_id=patient_id, **detail,
        )  # fmt: skip
    request.session[HEARD] = heard | {key: now}


def _range_of(request: HttpRequest) -> tuple[int, int | None] | None:
    """First and last byte wanted, as `bytes=5-` or `bytes=5-9` say; None for all, and for what we do not read."""
    unit, _equals, wanted = request.headers.get("Range", "").partition("=")
    first, dash, last = wanted.partition("-")
    is_read = unit.strip() == "bytes" and dash and first.isdecimal() and (not last or last.isdecimal())
    if not is_read or len(first) > 15 or len(last) > 15:
        return None
    return int(first), int(last) if last else None


def ranged(request: HttpRequest, file: File[Any], content_type: str) -> HttpResponseBase:
    """The file, or the bytes that are asked for (206), for playing in a page; 416 beyond its end.

    Raises Http404 for a type that browsers do not play and for a file that is not in the store any more.
    """
    if not content_type:
        raise Http404
    try:
        size = file.size
        content: IO[bytes] = file.open("rb")
    except OSError:
        raise Http404 from None
    wanted = _range_of(request)
    if wanted is not None and (wanted[0] >= size or (wanted[1] is not None and wanted[1] < wanted[0])):
        content.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    first, last = (
        (0, size - 1) if wanted is None else (wanted[0], size - 1 if wanted[1] is None else min(wanted[1], size - 1))
    )
    response = StreamingHttpResponse(_bytes(content, first, last), status=206 if wanted else 200)
    sealed = {
        "Content-Type": content_type,
        "Content-Length": str(last - first + 1),
        "Accept-Ranges": "bytes",
        "Content-Disposition": "inline",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, no-store",
    }
    for name, value in sealed.items():
        response[name] = value
    if wanted is not None:
        response["Content-Range"] = f"bytes {first}-{last}/{size}"
    return response


def _bytes(content: IO[bytes], first: int, last: int) -> Iterator[bytes]:
    with content:
        content.seek(first)
        left = last - first + 1
        while left > 0 and (chunk := content.read(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk
