"""How the desk's dialogs answer."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from contact_center.common.answers import is_partial, say
from inbox.views.traces import leave_trace


def close_dialog(response: HttpResponse) -> HttpResponse:
    """Let the answer of a dialog's form replace the workspace, and the dialog close."""
    response["HX-Retarget"] = "#workspace"
    response["HX-Reswap"] = "outerMorph"
    response["HX-Trigger"] = json.dumps({"dialog-done": {}})
    return response


def render_form(request: HttpRequest, name: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A form as a dialog for htmx, as a page of its own without JavaScript. `name` ends its templates; `page` in
    the context is another frame than that of a conversation.

    It names whom the conversation is with, so it leaves a trace as the conversation does; with `is_sealed` it does not.
    """
    if "interaction" in context and not context.get("is_sealed"):
        leave_trace(request, context["interaction"])
    if is_partial(request):
        return render(request, f"inbox/_dialog_{name}.html", context | {"is_dialog": True}, status=status)
    context |= {"form_template": f"inbox/_form_{name}.html", "is_dialog": False}
    return render(request, context.get("page", "inbox/interaction_form.html"), context, status=status)


def go_to(request: HttpRequest, interaction_id: int, said: str) -> HttpResponse:
    """Another conversation than the one on the screen: its own page, with its own address."""
    there = redirect("inbox:interaction", interaction_id)
    if is_partial(request):
        return HttpResponse(headers={"HX-Redirect": there.url})
    return say(request, there, said)
