"""Messages that wait: another moment, at once after all, taken back into the reply box."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from contact_center.accounts.requests import person_of
from contact_center.common.answers import is_partial, say, status_of
from contact_center.common.errors import Refused
from contact_center.common.moments import moment_words
from inbox import policies
from inbox.later_forms import OTHER, LaterForm
from inbox.models import Draft, Message
from inbox.models.writing import SENSITIVE
from inbox.selectors.conversation import get_message_for
from inbox.services.drafts import keep_draft
from inbox.services.later import reschedule, send_now, take_back
from inbox.views.answers import close_dialog, render_form
from inbox.views.interactions import show, show_refusal, workspace


def _message(request: HttpRequest, pk: int) -> Message:
    try:
        message = get_message_for(person_of(request), pk)
    except Message.DoesNotExist:
        raise Http404 from None
    if not policies.can_handle_message(person_of(request), message.interaction):
        raise PermissionDenied
    return message


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose another moment for a message that is put off."""
    message = _message(request, pk)
    interaction = message.interaction
    form = LaterForm(request.POST or None, interaction=interaction)
    if message.scheduled_at is not None:
        at = message.scheduled_at.astimezone(form.zone)
        form.initial = {"when": OTHER, "on_date": at.date(), "at_time": at.time()}
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                moved = reschedule(actor=person_of(request), message_id=pk, at=form.moment())
            except Refused as error:
                form.add_error(None, str(error))
                status = status_of(error)
            else:
                assert moved.scheduled_at is not None
                response = show(request, interaction.pk)
                response = close_dialog(response) if is_partial(request) else response
                said = _("It will be sent on %(moment)s.") % {"moment": moment_words(moved.scheduled_at)}
                return say(request, response, said)
    context = {"interaction": interaction, "form": form, "form_url": reverse("inbox:message-later", args=[pk])}
    return render_form(request, "later", context, status=status)


@require_POST
def now(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a message that waits at once."""
    return _settled(request, pk, send_now, _("It is being sent."))


def _settled(request: HttpRequest, pk: int, verb: Callable[..., Message], said: str) -> HttpResponse:
    message = _message(request, pk)
    try:
        verb(actor=person_of(request), message_id=pk)
    except Refused as error:
        return show_refusal(request, message.interaction_id, error)
    return show(request, message.interaction_id, said)


@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a message back before it leaves; its text and files are in the reply box again."""
    message = _message(request, pk)
    user, place = person_of(request), message.interaction_id
    try:
        message = take_back(actor=user, message_id=pk)
    except Refused as error:
        return show_refusal(request, place, error)
    typed = Draft.objects.filter(interaction_id=place, author=user).values_list("text", flat=True).first() or ""
    text = "\n\n".join(part for part in (message.text, typed) if part)
    with suppress(Refused):
        mode = message.channel_kind + (SENSITIVE if message.is_sensitive else "")
        keep_draft(actor=user, interaction_id=place, mode=mode, text=text)
    kept: dict[str, Any] = {"composer_text": text, "mode": message.channel_kind, "composer_cc": ", ".join(message.cc)}
    kept["composer_sensitive"] = message.is_sensitive
    response = say(request, workspace(request, place, **kept), _("Taken back. The text is in the reply box."))
    if is_partial(request):
        events = json.loads(response.headers.get("HX-Trigger", "{}"))
        response["HX-Trigger"] = json.dumps(events | {"composer-filled": {"interaction": place}})
    return response
