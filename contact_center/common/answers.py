"""How views answer: a partial for htmx, a page or a redirect without it, a toast or a message for both."""

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from contact_center.common.errors import Conflict, Refused
from contact_center.common.models import TimeStampedModel
from contact_center.common.moments import written
from contact_center.common.versions import Unseen, version_of


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


def seen_of(
    request: HttpRequest, form: forms.Form, row: TimeStampedModel | None, refusal: Refused | None = None
) -> dict[str, Any]:
    """The context of `_seen.html`: the version the form stands over, and after Unseen what differs now.

    `form.initial` is the row as it is now.
    """
    if row is None or request.method != "POST":
        return {"seen_version": version_of(row), "theirs": None}
    if not isinstance(refusal, Unseen):
        return {"seen_version": request.POST.get("seen_version", ""), "theirs": None}
    return {"seen_version": version_of(row), "theirs": differences(form, form.initial)}


def differences(form: forms.Form, present: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label and present words of each field that a bound form would change."""
    found = []
    for name, value in present.items():
        field = form.fields.get(name)
        if field is not None and field.label and field.has_changed(value, form[name].data):
            found.append((str(field.label), _words(field, value)))
    return found


def _words(field: forms.Field, value: Any) -> str:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if value in (None, "", []):
        return "–"
    if isinstance(field, forms.ChoiceField):
        chosen = {str(one) for one in (value if isinstance(value, list | tuple) else [value])}
        return ", ".join(label for key, label in _flat(field.choices) if key in chosen)
    return written(value, "date") if isinstance(field, forms.DateField) else str(value)


def _flat(choices: Any) -> list[tuple[str, str]]:
    found = []
    for key, label in choices:
        found += _flat(label) if isinstance(label, list | tuple) else [(str(key), str(label))]
    return found
