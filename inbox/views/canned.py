"""Canned replies: the picker beside the reply box, and the pages where they are kept."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.accounts.requests import person_of, sent_once
from contact_center.common.answers import say, seen_of, status_of
from contact_center.common.errors import Refused
from contact_center.common.versions import Unseen
from inbox import policies
from inbox.models import CannedReply
from inbox.selectors.canned import VARIABLES, canned_for, get_text_for, kept_texts, sample_of, teams_led_by
from inbox.services.canned import keep_canned_reply, switch_text
from inbox.variables import written
from inbox.views import traces
from inbox.views.interactions import find
from inbox.writing_forms import CannedReplyForm, keeper_of

form_methods = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def picker(request: HttpRequest, pk: int) -> HttpResponse:
    """The replies for one channel kind, filled in for this conversation."""
    interaction = find(request, pk)
    traces.leave_trace(request, interaction)
    offers = canned_for(person_of(request), interaction, request.GET.get("mode", "")[:12])
    return render(request, "inbox/_canned.html", {"interaction": interaction, "offers": offers})


def keeper(request: HttpRequest) -> User:
    """The signed-in person if they work the inbox. Raises PermissionDenied."""
    user = person_of(request)
    if not can(user, Action.WORK_INBOX):
        raise PermissionDenied
    return user


@require_safe
def settings_page(request: HttpRequest) -> HttpResponse:
    """The first page of the settings."""
    keeper(request)
    return redirect("inbox:canned-replies")


@require_safe
def canned_replies(request: HttpRequest) -> HttpResponse:
    """The replies this person may use, each with whether they may change it."""
    user = keeper(request)
    led = teams_led_by(user)
    rows = [(row, policies.can_keep_text(user, row, led)) for row in kept_texts(user, CannedReply)]
    return render(request, "inbox/canned_list.html", {"rows": rows, "section": "canned"})


@form_methods
def canned_reply(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Write a reply or change one, with a preview of what would be sent."""
    user = keeper(request)
    row = _row(user, pk)
    initial = {
        "title": row.title,
        "shortcode": row.shortcode,
        "body": row.body,
        "language": row.language,
        "channel_kinds": row.channel_kinds,
        "keeper": keeper_of(row) if row.pk else "own",
    }
    form = CannedReplyForm(request.POST or None, user=user, initial=initial)
    if request.POST.get("do") == "preview":
        return _shown(request, row, form, preview=sample_of(request.POST.get("body", "")[:4000]))
    status, refusal = 200, None
    if request.method == "POST":
        status = 422
        if form.is_valid():
            data = {name: value for name, value in form.cleaned_data.items() if name != "keeper"}
            data |= form.keeping() | {"actor": user, "reply_id": pk, "seen_version": request.POST.get("seen_version")}
            try:
                sent_once(request, lambda: keep_canned_reply(**data))
            except Refused as error:
                form.add_error(None if isinstance(error, Unseen) else "shortcode", str(error))
                status, refusal = status_of(error), error
            else:
                return say(request, redirect("inbox:canned-replies"), _("Saved."))
    preview = sample_of(form["body"].value() or "")
    return _shown(request, row, form, preview=preview, status=status, refusal=refusal)


def _row(user: User, pk: int | None) -> CannedReply:
    if pk is None:
        return CannedReply()
    try:
        row: CannedReply = get_text_for(user, CannedReply, pk)
    except CannedReply.DoesNotExist:
        raise Http404 from None
    return row


def _shown(
    request: HttpRequest,
    row: CannedReply,
    form: CannedReplyForm,
    *,
    preview: str,
    status: int = 200,
    refusal: Refused | None = None,
) -> HttpResponse:
    known = [(written(name), variable.label) for name, variable in VARIABLES.items()]
    context: dict[str, Any] = {"row": row, "form": form, "preview": preview, "variables": known, "section": "canned"}
    context |= seen_of(request, form, row, refusal)
    return render(request, "inbox/canned_form.html", context, status=status)


@require_POST
def canned_switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Offer a reply again, or no longer."""
    user = keeper(request)
    is_active = request.POST.get("is_active") == "1"
    try:
        switch_text(actor=user, model=CannedReply, text_id=pk, is_active=is_active)
    except CannedReply.DoesNotExist:
        raise Http404 from None
    return say(request, redirect("inbox:canned-replies"), _("Offered again.") if is_active else _("Switched off."))
