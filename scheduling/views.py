"""The agenda of a day, and booking, moving and cancelling visits."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contact_center.accounts.requests import person_of
from contact_center.common.answers import say, status_of
from contact_center.common.errors import Refused
from patients.models import Patient
from patients.services.records import open_patient_record
from scheduling.enums import NeedKind
from scheduling.forms import BookForm, CancelForm, SearchForm, sealed
from scheduling.models import Appointment
from scheduling.policies import can_book
from scheduling.selectors.agenda import locations, next_open_day
from scheduling.selectors.appointments import current_of, get_appointment_for
from scheduling.selectors.openings import find_slots, offers_of
from scheduling.selectors.overbooking import overbooking_hints
from scheduling.selectors.told import needs_of, told_about
from scheduling.services import attendance, booking, needs
from scheduling.services.agenda import open_day
from scheduling.services.reminders import may_send_again, send_again

SHOWN_TIMES = 24
VERBS: dict[str, tuple[Callable[..., object], Any]] = {
    "confirm": (attendance.confirm, gettext_lazy("The visit is confirmed.")),
    "decline": (attendance.decline, gettext_lazy("It is noted that the patient will not come at that time.")),
    "arrive": (attendance.arrive, gettext_lazy("The patient has arrived.")),
    "check-in": (attendance.check_in, gettext_lazy("The patient is checked in.")),
    "fulfil": (attendance.fulfil, gettext_lazy("The visit took place.")),
    "miss": (attendance.mark_missed, gettext_lazy("It is noted that the patient did not come.")),
    "take-back-miss": (attendance.take_back_missed, gettext_lazy("The visit stands as before.")),
    "discard": (attendance.discard, gettext_lazy("The visit is marked as entered in error.")),
    "remind": (send_again, gettext_lazy("The patient is being told once more.")),
    **{
        f"{word}-{kind}": (partial(service, kind=kind), said)
        for kind in NeedKind
        for word, service, said in (
            ("settle", needs.settle_need, gettext_lazy("It is noted as arranged.")),
            ("reopen", needs.reopen_need, gettext_lazy("It is to be arranged.")),
        )
    },
}


@require_safe
def day(request: HttpRequest) -> HttpResponse:
    """One day of one site by practitioner; `day` (ISO) and `site` choose, `skip` leaves out the first practitioners."""
    _require_booker(request)
    sites = locations()
    site = next((one for one in sites if str(one.pk) == request.GET.get("site")), sites[0] if sites else None)
    try:
        chosen = date.fromisoformat(request.GET.get("day", ""))
    except ValueError:
        chosen = timezone.localdate()
    skip, near = request.GET.get("skip", ""), timezone.localdate()
    skipped = int(skip) if skip.isdecimal() and len(skip) < 6 else 0
    chosen = min(max(chosen, near - timedelta(days=3660)), near + timedelta(days=3660))
    shown = open_day(actor=person_of(request), location=site, day=chosen, skipped=skipped) if site else None
    context = {
        "sites": sites,
        "site": site,
        "chosen": chosen,
        "before": chosen - timedelta(days=1),
        "after": chosen + timedelta(days=1),
        "day": shown,
        "next_open": next_open_day(site, chosen) if site and shown and not shown.columns else None,
    }
    return render(request, "scheduling/day.html", context)


@require_safe
def visit(request: HttpRequest, appointment_id: int) -> HttpResponse:
    """One visit with what can be done with it."""
    return _show_visit(request, _visible(request, appointment_id), CancelForm())


@require_http_methods(["GET", "HEAD", "POST"])
def find_time(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Search with GET, book one of the times with POST."""
    patient = _opened(request, patient_id, "booking")
    _require_booker(request)
    if request.method != "POST":
        return _show_times(request, patient)
    form = BookForm(request.POST)
    if not form.is_valid():
        return _show_times(request, patient, form=form, status=422)
    try:
        made = booking.book(
            actor=person_of(request),
            patient_id=patient.pk,
            wishes=[form.wish()],
            may_overlap=form.cleaned_data["may_overlap"],
            is_overbooking=form.cleaned_data["is_overbooking"],
        )
    except Refused as error:
        return _tell(request, patient, form, error)
    return say(request, redirect("scheduling:visit", made[0].pk), _("The visit is booked."))


@require_http_methods(["GET", "HEAD", "POST"])
def find_other_time(request: HttpRequest, appointment_id: int) -> HttpResponse:
    """As `find_time`, for a visit that is to take place at another time."""
    moved = _visible(request, appointment_id)
    _require_booker(request)
    patient = _opened(request, moved.patient_id, "booking")
    if request.method != "POST":
        return _show_times(request, patient, moved=moved)
    form = BookForm(request.POST)
    if not form.is_valid():
        return _show_times(request, patient, moved=moved, form=form, status=422)
    given = form.cleaned_data
    try:
        made = booking.move(
            actor=person_of(request),
            appointment_id=moved.pk,
            wish=form.wish(),
            asked_by=given["asked_by"],
            reason=given["reason"],
            may_overlap=given["may_overlap"],
        )
    except Refused as error:
        return _tell(request, patient, form, error, moved=moved)
    return say(request, redirect("scheduling:visit", made.pk), _("The visit is moved."))


@require_POST
def cancel_visit(request: HttpRequest, appointment_id: int) -> HttpResponse:
    """Cancel with who asked and why."""
    found = _visible(request, appointment_id)
    form = CancelForm(request.POST)
    if not form.is_valid():
        return _show_visit(request, found, form, status=422)
    try:
        booking.cancel(actor=person_of(request), appointment_id=appointment_id, **form.cleaned_data)
    except Refused as error:
        form.add_error(None, str(error))
        return _show_visit(request, found, form, status=status_of(error))
    return say(request, redirect("scheduling:visit", appointment_id), _("The visit is cancelled and its time is free."))


@require_POST
def change(request: HttpRequest, appointment_id: int, verb: str) -> HttpResponse:
    """One verb on one visit."""
    if verb not in VERBS:
        raise Http404
    _visible(request, appointment_id)
    service, said = VERBS[verb]
    try:
        service(actor=person_of(request), appointment_id=appointment_id)
    except Refused as error:
        return say(request, redirect("scheduling:visit", appointment_id), str(error), is_error=True)
    return say(request, redirect("scheduling:visit", appointment_id), str(said))


def _require_booker(request: HttpRequest) -> None:
    if not can_book(person_of(request)):
        raise PermissionDenied


def _opened(request: HttpRequest, patient_id: int, reason: str) -> Patient:
    try:
        return open_patient_record(person_of(request), patient_id, reason)
    except Patient.DoesNotExist:
        raise Http404 from None


def _visible(request: HttpRequest, appointment_id: int) -> Appointment:
    try:
        return get_appointment_for(person_of(request), appointment_id)
    except Appointment.DoesNotExist:
        raise Http404 from None


def _show_visit(request: HttpRequest, found: Appointment, form: CancelForm, *, status: int = 200) -> HttpResponse:
    patient = _opened(request, found.patient_id, "visit")
    current = current_of(found)
    context = {
        "visit": found,
        "patient": patient,
        "current": current if current != found else None,
        "form": form,
        "may_book": can_book(person_of(request)),
        "is_over": found.starts_at <= timezone.now(),
        "preparation": found.service.preparation_in(patient.language),
        "is_other_language": found.service.lacks_preparation_in(patient.language),
        "told": told_about(found),
        "needs": needs_of(found),
        "may_remind": may_send_again(found),
    }
    return render(request, "scheduling/visit.html", context, status=status)


def _show_times(
    request: HttpRequest,
    patient: Patient,
    *,
    moved: Appointment | None = None,
    form: BookForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The search, which stands in the address, and the times it finds now."""
    given: Any = request.GET or None
    if moved and not given:
        given = {"service": moved.service_id, "mode": moved.mode, "location": moved.location_id}
    searching = SearchForm(given) if given else SearchForm()
    is_searched = bool(given) and searching.is_valid()
    now = timezone.now()
    slots = find_slots(searching.search(), now=now, limit=SHOWN_TIMES) if is_searched else []
    hints = overbooking_hints(searching.search(), now=now) if is_searched and moved is None else []
    mode = searching.cleaned_data["mode"] if is_searched else ""
    context = {
        "patient": patient,
        "moved": moved,
        "searching": searching,
        "is_searched": is_searched,
        "service": searching.cleaned_data["service"] if is_searched else None,
        "times": [(sealed(offer.slot, mode), offer) for offer in offers_of(slots)],
        "hints": [(sealed(hint.offer.slot, mode), hint) for hint in hints],
        "form": form or BookForm(initial={"key": uuid4()}),
    }
    return render(request, "scheduling/times.html", context, status=status)


def _tell(
    request: HttpRequest, patient: Patient, form: BookForm, error: Refused, *, moved: Appointment | None = None
) -> HttpResponse:
    form.add_error(None, str(error))
    return _show_times(request, patient, moved=moved, form=form, status=status_of(error))
