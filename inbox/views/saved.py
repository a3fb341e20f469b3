"""Saved views: the form with its preview, deleting and bringing back."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from contact_center.accounts.models import Team
from contact_center.accounts.requests import person_of, sent_once
from contact_center.common.answers import say, seen_of, status_of
from contact_center.common.errors import Refused
from inbox import policies
from inbox.forms import SavedViewForm
from inbox.models import SavedView
from inbox.selectors import choices, lists, pane
from inbox.selectors.conditions import Conditions, asked, composed, read
from inbox.services import views as service
from inbox.views.lists import filter_fields, require_desk

PREVIEWED = 5
DELETED = "deleted_view"


def _find(request: HttpRequest, pk: int) -> SavedView:
    require_desk(request)
    try:
        return pane.get_saved_view_for(person_of(request), pk)
    except SavedView.DoesNotExist:
        raise Http404 from None


def _form(request: HttpRequest, data: QueryDict | None, view: SavedView | None) -> SavedViewForm:
    audiences: list[tuple[str, Any]] = [(service.MINE, _("Only me"))]
    if policies.can_share_views(person_of(request)):
        audiences += [(f"team-{team.pk}", team.name) for team in Team.objects.all()]
        audiences.append((service.EVERYBODY, _("Everybody")))
    initial = {"order": lists.DUE, "audience": service.MINE}
    if view:
        whose = service.MINE if view.owner_id else f"team-{view.team_id}" if view.team_id else service.EVERYBODY
        initial = {"name": view.name, "order": view.order, "audience": whose}
    return SavedViewForm(data, orders=list(lists.ORDERS.items()), audiences=audiences, initial=initial)


def _page(
    request: HttpRequest,
    form: SavedViewForm,
    conditions: Conditions,
    view: SavedView | None,
    *,
    status: int = 200,
    error: Refused | None = None,
) -> HttpResponse:
    user = person_of(request)
    seen = seen_of(request, form, view, error)
    if seen["theirs"] is not None and view and conditions != read(view.conditions):
        words = [chip.label for chip in choices.chips_of(read(view.conditions), user)]
        seen["theirs"].append((_("Conversations that fit"), ", ".join(words)))
    context = seen | {
        "form": form,
        "saved": view,
        "can_edit": view is None or policies.can_edit_view(user, view),
        "match": conditions.match,
        "fields": filter_fields(choices.choices_for(user), conditions),
        "troubles": [chip.trouble for chip in choices.chips_of(conditions, user) if chip.trouble],
        "error": str(error) if error else "",
        **_preview(request, conditions, form["order"].value() or lists.DUE),
    }
    return render(request, "inbox/saved_view_form.html", context, status=status)


def _preview(request: HttpRequest, conditions: Conditions, order: str) -> dict[str, Any]:
    if not conditions:
        return {"preview_count": None, "preview_rows": []}
    count, found = pane.fitting(person_of(request), conditions, order if order in lists.ORDERS else lists.DUE)
    return {"preview_count": count, "preview_rows": list(found[:PREVIEWED])}


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Save a view; a filter in the address fills the form."""
    require_desk(request)
    if request.method != "POST":
        return _page(request, _form(request, None, None), asked(request.GET), None)
    return _kept(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Look at a saved view, and change it where the person may."""
    view = _find(request, pk)
    if request.method != "POST":
        return _page(request, _form(request, None, view), read(view.conditions), view)
    return _kept(request, view)


def _kept(request: HttpRequest, view: SavedView | None) -> HttpResponse:
    if view and not policies.can_edit_view(person_of(request), view):
        raise PermissionDenied
    form, conditions = _form(request, request.POST, view), composed(request.POST)
    if not form.is_valid():
        return _page(request, form, conditions, view, status=422)
    told: dict[str, Any] = {**form.cleaned_data, "conditions": conditions, "actor": person_of(request)}
    told["audience"] = told["audience"] or service.MINE
    try:
        if view:
            kept: int | None = view.pk
            service.change_view(view_id=view.pk, seen_version=request.POST.get("seen_version"), **told)
        else:
            kept = sent_once(request, lambda: service.save_view(**told))
    except Refused as error:
        return _page(request, form, conditions, view, status=status_of(error), error=error)
    response = redirect(f"{reverse('inbox:list')}?view=saved-{kept}")
    return say(request, response, _("The view is saved."))


@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """How many conversations fit what the form says, and the first of them."""
    require_desk(request)
    context = _preview(request, composed(request.POST), request.POST.get("order", ""))
    return render(request, "inbox/_saved_view_preview.html", context)


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a saved view away; it can be brought back from the next page."""
    _find(request, pk)
    try:
        request.session[DELETED] = service.delete_view(actor=person_of(request), view_id=pk)
    except Refused as error:
        return say(request, redirect("inbox:list"), str(error), is_error=True)
    return redirect(f"{reverse('inbox:list')}?undo=view")


@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Bring back the view that was deleted last."""
    require_desk(request)
    kept = request.session.pop(DELETED, None)
    if kept is None:
        return say(request, redirect("inbox:list"), _("There is nothing to bring back."), is_error=True)
    try:
        view = service.restore_view(actor=person_of(request), kept=kept)
    except Refused as error:
        return say(request, redirect("inbox:list"), str(error), is_error=True)
    return say(request, redirect(f"{reverse('inbox:list')}?view=saved-{view.pk}"), _("The view is back."))
