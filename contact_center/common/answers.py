"""How views answer: a partial for htmx, a page or a redirect without it, a toast or a message for both."""

import json

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from contact_center.common.errors import Conflict, Refused


def is_partial(request: HttpRequest) -> bool:
    """True when htmx asks for a piece of the page; False for whole pages, also when history is restored."""
    headers = request.headers
    return headers.get("HX-Request") == "true" and not headers.get("HX-Target", "body").startswith("body")


def say(request: HttpRequest, response: HttpResponse, text: str, *, is_error: bool = False) -> HttpResponse:
    """Tell the person: as a toast with an htmx answer, else on the next page."""
    if not is_partial(request):
        (messages.error if is_error else messages.success)(request, text)
        return response
    events = json.loads(response.headers.get("HX-Trigger", "{}"))
    events["toast"] = {"text": str(text), "kind": "danger" if is_error else "ok"}
    response["HX-Trigger"] = json.dumps(events)
    return response


def status_of(error: Refused) -> int:
    """409 where somebody else was faster, 422 for what is not allowed as it stands."""
    return 409 if isinstance(error, Conflict) else 422


def tell_errors(form: forms.Form, error: ValidationError) -> None:
    """Put a service's sentences at the fields they are about, the others above the form."""
    known = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
    for name, sentences in known.items():
        form.add_error(name if name in form.fields else None, sentences)
