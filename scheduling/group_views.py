"""One group session: who comes, and what can be done with all of them at once."""

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from contact_center.accounts.requests import person_of
from contact_center.common.answers import say, status_of
from contact_center.common.errors import Refused
from inbox.forms import TEXT
from scheduling.enums import Party
from scheduling.forms import CancelForm, MovingForm
from scheduling.models import GroupSession
from scheduling.models.catalogue import MOST_PLACES
from scheduling.services import sessions
from scheduling.services.sessions import Roster

IDS = {verb: f"{verb}_%s" for verb in ("cancel", "move", "places")}  # the page has all three forms
NUMBER = TEXT | {"inputmode": "numeric"}


class PlacesForm(forms.Form):
    """How many places this one session has."""

    places = forms.IntegerField(
        label=gettext_lazy("Places"), min_value=1, max_value=MOST_PLACES, widget=forms.TextInput(NUMBER)
    )


@require_http_methods(["GET", "HEAD", "POST"])
def group(request: HttpRequest, pk: int) -> HttpResponse:
    """Who comes to a group. POST does what its `verb` says with all of it: cancel, move, places."""
    try:
        if request.method == "POST":
            return _change(request, pk)
        return _show(request, _opened(request, pk), {})
    except GroupSession.DoesNotExist:
        raise Http404 from None


def _opened(request: HttpRequest, pk: int) -> Roster:
    return sessions.open_session(actor=person_of(request), session_id=pk)


def _change(request: HttpRequest, pk: int) -> HttpResponse:
    verb = request.POST.get("verb", "")
    kinds: dict[str, type[forms.Form]] = {"cancel": CancelForm, "move": MovingForm, "places": PlacesForm}
    if verb not in kinds:
        raise Http404
    roster = _opened(request, pk)
    form = kinds[verb](request.POST, auto_id=IDS[verb])
    if not form.is_valid():
        return _show(request, roster, {verb: form}, status=422)
    try:
        shown, said = _do(request, roster.session, verb, form)
    except Refused as error:
        form.add_error(None, str(error))
        return _show(request, roster, {verb: form}, status=status_of(error))
    return say(request, redirect("scheduling:group", shown), said)


def _do(request: HttpRequest, session: GroupSession, verb: str, form: forms.Form) -> tuple[int, str]:
    """Which session to show now, and what was done."""
    given: dict[str, Any] = {"actor": person_of(request), "session_id": session.pk}
    if verb == "places":
        sessions.change_places(**given, places=form.cleaned_data["places"])
        return session.pk, _("The group has other places now.")
    why = {name: form.cleaned_data[name] for name in ("asked_by", "reason")}
    if verb == "cancel":
        count = sessions.cancel_session(**given, **why)
        words = ngettext(
            "The group and %(count)s visit are cancelled.", "The group and %(count)s visits are cancelled.", count
        )
        return session.pk, words % {"count": count}
    assert isinstance(form, MovingForm)
    at, whom = form.moment(ZoneInfo(session.location.time_zone)), form.cleaned_data["practitioner"]
    moved = sessions.move_session(
        **given, **why, starts_at=at, practitioner_id=whom.pk, may_overlap=form.cleaned_data["may_overlap"]
    )
    return moved.pk, _("The group is moved, and everybody in it is told.")


def _show(request: HttpRequest, roster: Roster, forms_: dict[str, forms.Form], *, status: int = 200) -> HttpResponse:
    session = roster.session
    local = session.starts_at.astimezone(ZoneInfo(session.location.time_zone))
    when = {"day": local.date(), "at": local.time(), "practitioner": session.practitioner_id}
    context = {
        "roster": roster,
        "session": session,
        "cancelling": forms_.get("cancel")
        or CancelForm(initial={"asked_by": Party.ORGANISATION}, auto_id=IDS["cancel"]),
        "moving": forms_.get("move") or MovingForm(initial=when, auto_id=IDS["move"]),
        "placing": forms_.get("places") or PlacesForm(initial={"places": session.places}, auto_id=IDS["places"]),
    }
    return render(request, "scheduling/group.html", context, status=status)
