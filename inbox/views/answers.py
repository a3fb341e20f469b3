"""How the desk's views answer: a partial for htmx, a page or a redirect without it, a toast or a message for both."""

import json
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from contact_center.accounts.models import User
from contact_center.common.errors import Conflict, Refused


def is_partial(request: HttpRequest) -> bool:
    """True when htmx asks for a piece of the page; False for whole pages, also when history is restored."""
    headers = request.headers
    return headers.get("HX-Request") == "true" and not headers.get("HX-Target", "body").startswith("body")


def person_of(request: HttpRequest) -> User:
    """The signed-in person; the login middleware lets nobody else come here."""
    assert isinstance(request.user, User)
    return request.user


def say(request: HttpRequest, response: HttpResponse, text: str, *, is_error: bool = False) -> HttpResponse:
    """Tell the person: as a toast with an htmx answer, else on the next page."""
    if not is_partial(request):
        (messages.error if is_error else messages.success)(request, text)
        return response
    events = json.loads(response.headers.get("HX-Trigger", "{}"))
    events["toast"] = {"text": str(text), "kind": "danger" if is_error else "ok"}
    response["HX-Trigger"] = json.dumps(events)
    return response


def close_dialog(response: HttpResponse) -> HttpResponse:
    """Let the answer of a dialog's form replace the workspace, and the dialog close."""
    response["HX-Retarget"] = "#workspace"
    response["HX-Reswap"] = "outerMorph"
    response["HX-Trigger"] = json.dumps({"dialog-done": {}})
    return response


def status_of(error: Refused) -> int:
    """409 where somebody else was faster, 422 for what is not allowed as it stands."""
    return 409 if isinstance(error, Conflict) else 422


def render_form(request: HttpRequest, name: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A form as a dialog for htmx, as a page of its own without JavaScript. `name` ends its templates.

    It names whom the conversation is with, so it leaves a trace as the conversation does.
    """
    from inbox.views.traces import leave_trace  # knows this module

    if "interaction" in context:
        leave_trace(request, context["interaction"])
    if is_partial(request):
        return render(request, f"inbox/_dialog_{name}.html", context | {"is_dialog": True}, status=status)
    context |= {"form_template": f"inbox/_form_{name}.html", "is_dialog": False}
    return render(request, "inbox/interaction_form.html", context, status=status)


def go_to(request: HttpRequest, interaction_id: int, said: str) -> HttpResponse:
    """Another conversation than the one on the screen: its own page, with its own address."""
    there = redirect("inbox:interaction", interaction_id)
    if is_partial(request):
        return HttpResponse(headers={"HX-Redirect": there.url})
    return say(request, there, said)


def tell_errors(form: forms.Form, error: ValidationError) -> None:
    """Put a service's sentences at the fields they are about, the others above the form."""
    known = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
    for name, sentences in known.items():
        form.add_error(name if name in form.fields else None, sentences)
