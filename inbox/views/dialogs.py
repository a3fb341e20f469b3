"""One pattern for every form about a conversation: a dialog with htmx, a page without it, errors at the field."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from contact_center.accounts.requests import sent_once
from contact_center.common.answers import is_partial, say, seen_of, status_of
from contact_center.common.errors import Refused
from contact_center.common.models import TimeStampedModel
from inbox.models import Interaction
from inbox.views.answers import close_dialog, render_form
from inbox.views.interactions import find, show


def serve(
    request: HttpRequest,
    name: str,
    interaction: Interaction,
    form: forms.Form,
    save: Callable[[dict[str, Any]], object],
    said: str,
    row: TimeStampedModel | None = None,
    **context: Any,
) -> HttpResponse:
    """Show the form; after a POST save it and show the conversation, or the form with why not (422, 409).

    A form with a `form_key` is saved once. `row` is what the form edits: over a version of it that its writer did not
    see nothing is written, and they are shown it.
    """
    status, refusal = 200, None
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                sent_once(request, lambda: save(form.cleaned_data))
                return done(request, interaction.pk, said)
            except Refused as error:
                form.add_error(None, str(error))
                status, refusal = status_of(error), error
    context |= {"interaction": interaction, "form": form, **seen_of(request, form, row, refusal)}
    return render_form(request, name, context, status=status)


def posted(request: HttpRequest) -> Any:
    """What a form is bound to: what was sent, be it nothing at all, or None when the form is only asked for."""
    return request.POST if request.method == "POST" else None


def done(request: HttpRequest, pk: int, said: str) -> HttpResponse:
    """After a change: the conversation with what was done, or the list when the person may not see it any more."""
    try:
        find(request, pk)
    except Http404:
        away = redirect("inbox:list")
        return HttpResponse(headers={"HX-Redirect": away.url}) if is_partial(request) else say(request, away, said)
    response = show(request, pk)
    return say(request, close_dialog(response) if is_partial(request) else response, said)
