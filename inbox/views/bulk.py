"""One change to many rows of the list, its way back, and the export of a view."""

import json
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from contact_center.accounts.requests import person_of
from contact_center.common.answers import is_partial, say
from contact_center.common.errors import Refused
from contact_center.common.numbers import numbers_in
from contact_center.jobs.services import MOST_ITEMS
from inbox import policies
from inbox.bulkforms import FORMS
from inbox.models import Interaction
from inbox.selectors.shown import rows_of_look, without_search
from inbox.services import bulk, exports
from inbox.services.next import take_next
from inbox.views import traces
from inbox.views.interactions import show
from inbox.views.lists import require_desk

UNDOS, MOST_UNDOS = "bulk_undos", 5


def _picked(request: HttpRequest) -> list[int]:
    """Ids of the rows that were chosen; with `scope=view` all that the view, or the search in it, shows, as many as a
    job takes."""
    if request.POST.get("scope") == "view":
        return list(_shown(request).values_list("pk", flat=True)[:MOST_ITEMS])
    return numbers_in(request.POST, "pick")


def _shown(request: HttpRequest) -> QuerySet[Interaction]:
    user, look = person_of(request), _look(request)
    key = QueryDict(look).get("s", "")
    if not key:
        return rows_of_look(user, look)
    text = traces.text_of_search(request, key)
    if not text:
        return Interaction.objects.none()
    return rows_of_look(user, look, text=text, patient_ids=traces.searched_patients(request, text))


def _look(request: HttpRequest) -> str:
    return request.POST.get("look", "")[:2000]


@require_POST
def bulk_change(request: HttpRequest) -> HttpResponse:
    """The form of an action for the chosen rows; with `sure` it is carried out."""
    require_desk(request)
    user, action, ids = person_of(request), request.POST.get("action", ""), _picked(request)
    if action not in bulk.ACTIONS or not ids:
        sentence = _("Nothing is selected.") if action in bulk.ACTIONS else _("Choose what to do.")
        return _say_only(request, sentence, status=422)
    is_sure = "sure" in request.POST
    form = FORMS[action](request.POST if is_sure else None, user=user) if action in FORMS else None
    if form is not None and not (is_sure and form.is_valid()):
        context = {"form": form, "action": action, "title": bulk.ACTIONS[action], "ids": ids, "count": len(ids)}
        context["scope"] = request.POST.get("scope", "")
        context["look"] = request.POST.get("look", "")
        return _dialog(request, "change", context, status=422 if is_sure else 200)
    order = form.order() if form else {"action": action}
    try:
        result = bulk.carry_out(actor=user, order=order, ids=ids)
    except Refused as error:
        return _say_only(request, str(error), status=422)
    return _tell(request, action, result)


def _tell(request: HttpRequest, action: str, result: bulk.Result) -> HttpResponse:
    """All done: a toast with its undo. Otherwise what was not, and why, as a list. A job: where it can be followed."""
    key = _keep_undo(request, result.undo)
    if result.job is None and not result.refused:
        text = ngettext("%(n)s conversation done.", "%(n)s conversations done.", len(result.done))
        return _say_only(request, text % {"n": len(result.done)}, undo=key)
    names = bulk.describe(person_of(request), [pk for pk, _why in result.refused])
    context = {
        "job": result.job,
        "done": len(result.done),
        "refused": [(*names.get(pk, ("", "")), why) for pk, why in result.refused],
        "undo": key,
        "title": bulk.ACTIONS[action],
    }
    return _dialog(request, "result", context)


def _keep_undo(request: HttpRequest, steps: list[bulk.Undo]) -> str:
    if not steps:
        return ""
    key = get_random_string(8)
    kept = list(request.session.get(UNDOS, {}).items())[1 - MOST_UNDOS :]
    request.session[UNDOS] = dict([*kept, (key, steps)])
    return key


@require_POST
def bulk_undo(request: HttpRequest) -> HttpResponse:
    """Take the named change back, once."""
    require_desk(request)
    kept = dict(request.session.get(UNDOS, {}))
    steps = kept.pop(request.POST.get("key", ""), None)
    if steps is None:
        return _say_only(request, _("That cannot be undone any more."), status=422)
    request.session[UNDOS] = kept
    result = bulk.take_back(actor=person_of(request), steps=steps)
    if result.refused:
        names = bulk.describe(person_of(request), [pk for pk, _why in result.refused])
        refused = [(*names.get(pk, ("", "")), why) for pk, why in result.refused]
        return _dialog(request, "result", {"done": len(result.done), "refused": refused, "title": _("Undo")})
    return _say_only(request, _("Taken back."))


@require_POST
def export_view(request: HttpRequest) -> HttpResponse:
    """Start an export of what the view shows."""
    require_desk(request)
    user = person_of(request)
    if not policies.can_export(user):
        raise PermissionDenied
    look = without_search(_look(request))
    total = rows_of_look(user, look).order_by()[:MOST_ITEMS].count()
    try:
        job = exports.start_export(actor=user, look=look, total=total)
    except Refused as error:
        return _say_only(request, str(error), status=422)
    return redirect("jobs:job", job.pk)


def _dialog(request: HttpRequest, name: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    if is_partial(request):
        answer = render(request, "inbox/_dialog_bulk.html", context | {"piece": name, "is_dialog": True}, status=status)
        answer["HX-Retarget"], answer["HX-Reswap"] = "#dialogs", "innerHTML"
        if name == "result":
            answer["HX-Trigger"] = json.dumps({"bulk-done": {}})
        return answer
    return render(request, "inbox/bulk_form.html", context | {"piece": name, "is_dialog": False}, status=status)


def _say_only(request: HttpRequest, text: str, *, status: int = 200, undo: str = "") -> HttpResponse:
    if not is_partial(request):
        return say(request, redirect("inbox:list"), text, is_error=status >= 400)
    answer = HttpResponse(status=status)
    answer["HX-Reswap"] = "none"
    toast = {"text": text, "kind": "danger" if status >= 400 else "ok", "undo": undo}
    events: dict[str, Any] = {"toast": toast}
    if status < 400:
        events |= {"bulk-done": {}, "dialog-done": {}}
    answer["HX-Trigger"] = json.dumps(events)
    return answer


@require_POST
def next_one(request: HttpRequest) -> HttpResponse:
    """Take what is most urgent and waits longest in one's queues, and open it."""
    require_desk(request)
    interaction = take_next(actor=person_of(request))
    if interaction is None:
        return _say_only(request, _("Nothing waits in your queues."))
    answer = show(request, interaction.pk)
    if is_partial(request):
        answer["HX-Push-Url"] = reverse("inbox:interaction", args=[interaction.pk])
    return answer
