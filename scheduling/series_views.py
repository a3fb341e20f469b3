"""Visits that come again: booking several of them, and changing one with those that follow it."""

from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from contact_center.accounts.requests import person_of
from contact_center.common.answers import say, status_of
from contact_center.common.errors import Refused
from patients.models import Patient
from scheduling.forms import CancelForm, MovingForm, sealed
from scheduling.models import Appointment
from scheduling.selectors.openings import Offer
from scheduling.series_forms import USUAL_COUNT, SeriesForm, begin_of, ticked
from scheduling.services import series as service
from scheduling.services.booking import Wish
from scheduling.services.holds import release_holds
from scheduling.views import opened_patient, require_booker, visible_visit

WHEN = ("day", "at", "practitioner")
IDS = {verb: f"{verb}_%s" for verb in ("cancel", "move")}  # the page has both forms
methods = require_http_methods(["GET", "HEAD", "POST"])


@methods
def series(request: HttpRequest, patient_id: int) -> HttpResponse:
    """POST looks at how a chosen time comes again, with the `verb` book it books what is ticked. GET leads to the
    search: nothing of this stands in an address."""
    patient = opened_patient(request, patient_id, "booking")
    require_booker(request)
    if request.method != "POST":
        return redirect("scheduling:book", patient.pk)
    data = request.POST.copy()
    if "every" not in data:  # from the search, where a time was chosen
        data.update({"every": "1", "unit": "week", "count": str(USUAL_COUNT)})
    form = SeriesForm(data)
    if not form.is_valid():
        if form.errors.keys() & {"slot", "service"}:
            return redirect("scheduling:book", patient.pk)
        return _show_series(request, patient, form, status=422)
    if request.POST.get("verb") != "book":
        release_holds(tokens=[form.cleaned_data["key"]])  # else the time that was kept would hinder itself
        return _show_series(request, patient, form)
    try:
        made = service.book_series(
            actor=person_of(request), patient_id=patient.pk, pattern=_pattern(form), key=form.cleaned_data["key"],
            wishes=form.chosen(request.POST), may_overlap=form.cleaned_data["may_overlap"],
        )  # fmt: skip
    except Refused as error:
        form.add_error(None, str(error))
        is_new = isinstance(error, service.OtherTimes)
        return _show_series(request, patient, form, status=status_of(error), is_new=is_new)
    visits = made.visits.order_by("series_number", "pk")
    count = visits.count()
    said = ngettext("The visit is booked.", "All %(count)s visits are booked.", count) % {"count": count}
    return say(request, redirect("scheduling:following", visits[0].pk), said)


@methods
def following(request: HttpRequest, appointment_id: int) -> HttpResponse:
    """A visit of a series with those after it. POST: `verb` cancel cancels them, preview looks at another time for
    all, move moves those that are ticked."""
    named = visible_visit(request, appointment_id)
    require_booker(request)
    opened_patient(request, named.patient_id, "booking")
    if named.series_id is None:
        raise Http404
    if request.method != "POST":
        return _show_following(request, named, {})
    verb = request.POST.get("verb", "")
    if verb == "cancel":
        return _cancel(request, named)
    if verb not in ("preview", "move"):
        raise Http404
    form = MovingForm(request.POST, auto_id=IDS["move"])
    if not form.is_valid():
        return _show_following(request, named, {"move": form}, status=422)
    return _move(request, named, form) if verb == "move" else _show_following(request, named, {"move": form})


def _cancel(request: HttpRequest, named: Appointment) -> HttpResponse:
    form = CancelForm(request.POST, auto_id=IDS["cancel"])
    if not form.is_valid():
        return _show_following(request, named, {"cancel": form}, status=422)
    try:
        count = service.cancel_following(actor=person_of(request), appointment_id=named.pk, **form.cleaned_data)
    except Refused as error:
        form.add_error(None, str(error))
        return _show_following(request, named, {"cancel": form}, status=status_of(error))
    said = ngettext("%(count)s visit is cancelled.", "%(count)s visits are cancelled.", count) % {"count": count}
    return say(request, redirect("scheduling:visit", named.pk), said)


def _move(request: HttpRequest, named: Appointment, form: MovingForm) -> HttpResponse:
    wishes = {pk: Wish(named.service_id, **slot) for pk, slot in ticked(request.POST).items()}
    why = {name: form.cleaned_data[name] for name in ("asked_by", "reason", "may_overlap")}
    try:
        service.require_as_foreseen(appointment=named, wishes=wishes, **_moved(form))
        count = service.move_following(actor=person_of(request), appointment_id=named.pk, wishes=wishes, **why)
    except Refused as error:
        form.add_error(None, str(error))
        return _show_following(request, named, {"move": form}, status=status_of(error))
    said = ngettext("%(count)s visit is moved.", "%(count)s visits are moved.", count) % {"count": count}
    return say(request, redirect("scheduling:visit", named.pk), said)


def _pattern(form: SeriesForm) -> Any:
    return form.pattern(ZoneInfo(form.terms().location.time_zone))


def _moved(form: MovingForm) -> dict[str, Any]:
    return {name: form.cleaned_data[name] for name in WHEN}


def _show_series(
    request: HttpRequest, patient: Patient, form: SeriesForm, *, status: int = 200, is_new: bool = False
) -> HttpResponse:
    """The days, those ticked that were ticked when they could not be booked; all of them at first and when they
    are new."""
    context: dict[str, Any] = {"patient": patient, "form": form}
    if not set(form.errors) - {"__all__", "note"}:
        kept = None
        if request.POST.get("verb") == "book" and not is_new:
            kept = set(map(begin_of, request.POST.getlist("visit")))
        terms = form.terms()
        context |= {"terms": terms, "key": form.cleaned_data["key"] or uuid4()}
        seen = service.foresee(terms=terms, pattern=_pattern(form), patient_id=patient.pk)
        context["rows"] = [(one, _boxes(one, terms.mode, kept)) for one in seen]
    return render(request, "scheduling/series.html", context, status=status)


def _boxes(one: service.Foreseen, mode: str, kept: set[str] | None) -> list[tuple[str, Offer, bool]]:
    """The times of a day to tick: value, offer, and whether it is ticked."""
    offers = [one.offer] if one.offer else one.others
    values = [f"{one.number}~{sealed(offer.slot, mode)}" for offer in offers]
    ticks = [bool(one.offer) if kept is None else begin_of(value) in kept for value in values]
    return list(zip(values, offers, ticks, strict=True))


def _show_following(
    request: HttpRequest, named: Appointment, forms: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    local = named.starts_at.astimezone(ZoneInfo(named.location.time_zone))
    when = {"day": local.date(), "at": local.time(), "practitioner": named.practitioner_id}
    moving = forms.get("move")
    seen = {}
    if moving is not None and not moving.errors.keys() & set(WHEN):
        seen = service.foresee_move(appointment=named, **_moved(moving))
    chosen = None
    if request.POST.get("verb") == "move":
        chosen = {value.partition("~")[0] for value in request.POST.getlist("visit")}
    rows = [
        (
            one, seen.get(one.pk), f"{one.pk}~{sealed(seen[one.pk].offer.slot, one.mode)}" if one.pk in seen else "",
            chosen is None or str(one.pk) in chosen,
        )
        for one in service.following(named)
    ]  # fmt: skip
    context = {
        "named": named,
        "patient": named.patient,
        "rows": rows,
        "is_foreseen": bool(seen),
        "moving": moving or MovingForm(initial=when, auto_id=IDS["move"]),
        "cancelling": forms.get("cancel") or CancelForm(auto_id=IDS["cancel"]),
    }
    return render(request, "scheduling/following.html", context, status=status)
