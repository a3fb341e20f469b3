"""Merge two conversations of one person, undo that, split messages off."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from contact_center.accounts.requests import person_of
from contact_center.common.answers import is_partial, status_of
from contact_center.common.errors import Refused
from contact_center.common.numbers import numbers_in
from inbox.selectors.merging import MOST_MESSAGES, added_since, mergeable, messages_to_split
from inbox.services import merging, unmerging
from inbox.views import traces
from inbox.views.answers import go_to, render_form
from inbox.views.interactions import find, show_refusal

form_methods = require_http_methods(["GET", "HEAD", "POST"])
HERE, THERE = "here", "there"


@form_methods
def merge(request: HttpRequest, pk: int) -> HttpResponse:
    """Which conversation goes on in which: the choice with its preview, then the merge."""
    interaction, user = find(request, pk), person_of(request)
    traces.leave_trace(request, interaction)
    candidates = mergeable(user, interaction)
    chosen, way = request.POST.get("other", ""), request.POST.get("way", HERE)
    error, status = "", 200
    if request.method == "POST":
        other = next((row.interaction for row in candidates if str(row.interaction.pk) == chosen), None)
        source, target = (interaction, other) if way == THERE else (other, interaction)
        if source is None or target is None:
            error, status = _("Choose a conversation."), 422
        else:
            try:
                merged = merging.merge(actor=user, source_id=source.pk, target_id=target.pk)
                return go_to(request, merged.pk, _("Merged."))
            except Refused as refusal:
                error, status = str(refusal), status_of(refusal)
    context = {"interaction": interaction, "candidates": candidates, "chosen": chosen, "way": way, "error": error}
    return render_form(request, "merge", context, status=status)


@require_POST
def unmerge(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo a merge of today. Where something was added since, it is asked first what of it goes along (`sure`)."""
    interaction = find(request, pk)
    target = interaction.merged_into
    added = added_since(person_of(request), interaction, target) if target is not None else None
    if added is not None and added.has_choice and "sure" not in request.POST:
        response = render_form(request, "unmerge", {"interaction": interaction, "target": target, "added": added})
        if is_partial(request):
            response["HX-Retarget"], response["HX-Reswap"] = "#dialogs", "innerHTML"
        return response
    chosen = {f"{name}_ids": set(numbers_in(request.POST, f"{name}s")) for name in ("message", "note", "task")}
    try:
        source = unmerging.unmerge(actor=person_of(request), interaction_id=pk, **chosen)
    except Refused as error:
        return show_refusal(request, pk, error)
    return go_to(request, source.pk, _("The merge is undone."))


@form_methods
def split(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose the messages that are another matter; they become a conversation of their own."""
    interaction = find(request, pk)
    chosen = set(numbers_in(request.POST, "messages"))
    error, status = "", 200
    if request.method == "POST":
        try:
            new = merging.split(actor=person_of(request), interaction_id=pk, message_ids=chosen)
            return go_to(request, new.pk, _("Split off."))
        except Refused as refusal:
            error, status = str(refusal), status_of(refusal)
    traces.leave_trace(request, interaction)
    rows = messages_to_split(interaction)
    context = {
        "interaction": interaction,
        "rows": rows,
        "chosen": chosen,
        "error": error,
        "limit": MOST_MESSAGES if len(rows) == MOST_MESSAGES else 0,
    }
    return render_form(request, "split", context, status=status)
