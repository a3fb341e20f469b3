"""Drafts: saved while one types, read by colleagues, taken over; and who else is at a conversation."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contact_center.accounts.requests import person_of
from contact_center.common.answers import say, status_of
from contact_center.common.errors import Refused
from inbox.forms import DraftForm
from inbox.models import Draft
from inbox.selectors.conversation import latest_message_ids
from inbox.selectors.drafts import get_draft_for, people_present, round_of
from inbox.services import drafts
from inbox.views import traces
from inbox.views.answers import render_form
from inbox.views.interactions import find, show, show_refusal


def _answer(draft: Draft | None, **more: str) -> JsonResponse:
    state = {"text": draft.text, "mode": draft.mode} if draft else {"text": "", "mode": ""}
    return JsonResponse(state | more, headers={"Cache-Control": "no-store"})


@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: HttpRequest, pk: int) -> HttpResponse:
    """One's own draft: GET reads it, POST keeps it (409 when its text was sent meanwhile). JSON for the page's script,
    a redirect to the conversation without it."""
    interaction = find(request, pk)
    user = person_of(request)
    if request.method != "POST":
        mine = Draft.objects.filter(interaction=interaction, author=user).first()
        return _answer(mine, round=round_of(user, interaction))
    form = DraftForm(request.POST)
    if not form.is_valid():
        return JsonResponse({"errors": form.errors}, status=422)
    data = form.cleaned_data
    try:
        kept = drafts.keep_draft(
            actor=user,
            interaction_id=pk,
            mode=data["mode"],
            text=data["text"],
            seen_message_id=min(
                max(data["seen_message_id"] or 0, data["acknowledge"] or 0), latest_message_ids(user, interaction)[0]
            ),
            draft_round=data["draft_round"],
        )
    except Refused as error:
        return JsonResponse({"error": str(error)}, status=status_of(error))
    if request.headers.get("X-Requested-With") == "fetch":
        return _answer(kept)
    return say(request, redirect("inbox:interaction", pk), _("Draft saved.") if kept else _("Draft discarded."))


@require_safe
def colleague_draft(request: HttpRequest, pk: int, author_id: int) -> HttpResponse:
    """What a colleague has begun to write, read only."""
    interaction = find(request, pk)
    traces.leave_trace(request, interaction)
    try:
        found = get_draft_for(person_of(request), interaction, author_id)
    except Draft.DoesNotExist:
        raise Http404 from None
    return render_form(request, "draft", {"interaction": interaction, "shown": found})


@require_POST
def take_over(request: HttpRequest, pk: int, author_id: int) -> HttpResponse:
    """Take the conversation and go on with a colleague's draft."""
    find(request, pk)
    try:
        drafts.take_over_draft(actor=person_of(request), interaction_id=pk, author_id=author_id)
    except Draft.DoesNotExist:
        raise Http404 from None
    except Refused as error:
        return show_refusal(request, pk, error)
    return show(request, pk, _("The draft is in your reply box."))


@require_safe
def present(request: HttpRequest, pk: int) -> HttpResponse:
    """Who else is at a conversation, in words; the page knows their ids by its socket."""
    find(request, pk)
    people = people_present(
        person_of(request), **{name: _ids(request, name) for name in ("viewing", "writing", "noting")}
    )
    return render(request, "inbox/_present.html", people)


def _ids(request: HttpRequest, name: str) -> list[int]:
    given = request.GET.get(name, "")[:200].split(",")
    return [int(number) for number in given if number.isascii() and number.isdigit() and len(number) < 10]
