"""Search inside a conversation, and the panels beside it."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from contact_center.accounts.requests import person_of
from contact_center.common.answers import is_partial
from inbox.models import Message, Note
from inbox.selectors.conversation import get_message_for
from inbox.selectors.interactions import readable_by
from inbox.selectors.moves import moved_away_from
from inbox.selectors.within import FEWEST, find_within
from inbox.views import traces
from inbox.views.answers import render_form
from inbox.views.interactions import find
from patients.models import Patient
from patients.selectors import shown
from patients.services.records import open_patient_record

FOLDED_AT = 2000  # letters, as `_message_text.html` cuts


@require_http_methods(["GET", "HEAD", "POST"])
def find_in(request: HttpRequest, pk: int) -> HttpResponse:
    """Where these words stand in the person's thread. They are posted, so that no address carries them."""
    interaction = find(request, pk, is_for_guests=True)
    query = request.POST.get("q", "").strip()[:100]
    traces.leave_trace(request, interaction)
    hits, has_more = find_within(person_of(request), interaction, query) if query else ([], False)
    context = {"interaction": interaction, "query": query, "hits": hits, "has_more": has_more}
    return render_form(request, "find", context | {"is_short": 0 < len(query) < FEWEST})


@require_safe
def consents(request: HttpRequest, patient_id: int) -> HttpResponse:
    """The patient's latest word on each purpose and channel, and what was moved away from this record."""
    user = person_of(request)
    try:
        patient = open_patient_record(user, patient_id, reason="panel")
    except Patient.DoesNotExist:
        raise Http404 from None
    context = {"patient": patient, "consents": shown.consents(user, patient), "moved": moved_away_from(patient)}
    return render(request, "inbox/_panel_consents.html", context)


@require_safe
def note_text(request: HttpRequest, pk: int) -> HttpResponse:
    """All of a long private note, as `message_text` shows messages, for whoever may read it."""
    readable = readable_by(person_of(request)).values("pk")
    note = Note.objects.select_related("interaction").filter(pk=pk, interaction__in=readable).first()
    if note is None:
        raise Http404
    traces.leave_trace(request, note.interaction)
    if is_partial(request):
        rest = {"rest": note.body[FOLDED_AT:], "anchor": f"rest-note-{pk}"}
        return render(request, "inbox/_message_rest.html", rest)
    return render(request, "inbox/message_text.html", {"message": note, "words": note.body})


@require_safe
def message_text(request: HttpRequest, pk: int, part: str) -> HttpResponse:
    """All of a long message: what the thread left out for htmx, the whole on a page of its own without it."""
    try:
        message = get_message_for(person_of(request), pk)
    except Message.DoesNotExist:
        raise Http404 from None
    if part not in ("text", "quoted"):
        raise Http404
    traces.leave_trace(request, message.interaction)
    words = message.quoted_text if part == "quoted" else message.text
    if is_partial(request):
        rest = {"rest": words[FOLDED_AT:], "anchor": f"rest-{part}-{pk}"}
        return render(request, "inbox/_message_rest.html", rest)
    return render(request, "inbox/message_text.html", {"message": message, "words": words})
