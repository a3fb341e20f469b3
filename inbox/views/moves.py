"""Let it rest, hand it over, say what it is about."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from contact_center.accounts.requests import person_of
from inbox import realtime
from inbox.selectors.moves import way_back
from inbox.services import labels, snooze, transfers
from inbox.views.dialogs import posted, serve
from inbox.views.interactions import act, find
from inbox.working_forms import LabelsForm, SnoozeForm, TransferForm

form_methods = require_http_methods(["GET", "HEAD", "POST"])


@form_methods
def snooze_dialog(request: HttpRequest, pk: int) -> HttpResponse:
    """Until when it rests."""
    interaction = find(request, pk)

    def save(data: dict[str, Any]) -> None:
        rest = {"until_at": data["until_at"], "is_kept": data["is_kept"]}
        snooze.snooze(actor=person_of(request), interaction_id=pk, **rest)

    return serve(request, "snooze", interaction, SnoozeForm(posted(request)), save, _("Snoozed."))


@require_POST
def wake(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring it back now."""
    return act(request, pk, snooze.wake, _("Back from snooze."))


@form_methods
def transfer(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand it to a queue or a person, with the reason; `?back=1` fills in where it came from."""
    interaction = find(request, pk)
    back = way_back(interaction)
    initial = {}
    if back is not None and "back" in request.GET:
        initial = {"queue": back.queue.pk, "assignee": back.person.pk if back.person else None}
    form = TransferForm(posted(request), interaction=interaction, initial=initial)

    def save(data: dict[str, Any]) -> None:
        transfers.transfer(actor=person_of(request), interaction_id=pk, **data)

    return serve(request, "transfer", interaction, form, save, _("Transferred."), back=back)


@form_methods
def label(request: HttpRequest, pk: int) -> HttpResponse:
    """Reason, priority and tags; only what was changed is written."""
    interaction = find(request, pk)
    user = person_of(request)
    form = LabelsForm(posted(request), user=user, interaction=interaction)

    def save(data: dict[str, Any]) -> None:
        changed = set(form.changed_data)
        with realtime.atomic():
            if "reason" in changed and data["reason"] is not None:
                labels.set_reason(actor=user, interaction_id=pk, reason=data["reason"])
            if "priority" in changed:
                labels.set_priority(actor=user, interaction_id=pk, priority=data["priority"])
            if "tags" in changed:
                added, removed = form.tag_changes()
                labels.change_tags(actor=user, interaction_id=pk, added=added, removed=removed)

    return serve(request, "labels", interaction, form, save, _("Saved."))
