"""Booking, moving and cancelling visits."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contact_center.accounts.requests import person_of
from contact_center.common.answers import say, status_of
from contact_center.common.errors import Refused
from patients.models import Patient
from patients.services.records import open_patient_record
from scheduling.enums import NeedKind
from scheduling.forms import BookForm, CancelForm, PointedForm, SearchForm, sealed, sealed_row
from scheduling.models import Appointment, HealthcareService, Occupancy
from scheduling.policies import can_book
from scheduling.selectors.appointments import current_of, get_appointment_for
from scheduling.selectors.openings import Offer, find_slots, offers_of
from scheduling.selectors.overbooking import overbooking_hints
from scheduling.selectors.rows import find_rows, missing_prerequisites, ordered
from scheduling.selectors.told import needs_of, told_about
from scheduling.services import attendance, booking, needs
from scheduling.services.booking import Wish
from scheduling.services.holds import hold_row, release_holds
from scheduling.services.proposals import Proposal, propose
from scheduling.services.reminders import may_send_again, send_again
from scheduling.slots import Slot

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
def visit(request: HttpRequest, appointment_id: int) -> HttpResponse:
    """One visit with what can be done with it."""
    return _show_visit(request, visible_visit(request, appointment_id), CancelForm())


@require_http_methods(["GET", "HEAD", "POST"])
def find_time(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Search with GET; with POST book one of the times, or by its `verb` keep it for a while or give it back."""
    patient = opened_patient(request, patient_id, "booking")
    require_booker(request)
    if request.method != "POST":
        return _show_times(request, patient)
    form = BookForm(request.POST)
    if not form.is_valid():
        return _show_times(request, patient, form=form, status=422)
    wishes = form.wishes()
    if request.POST.get("verb") in ("hold", "release"):
        return _keep(request, patient, form, wishes)
    try:
        made = booking.book(
            actor=person_of(request),
            patient_id=patient.pk,
            wishes=wishes,
            may_overlap=form.cleaned_data["may_overlap"],
            is_overbooking=form.cleaned_data["is_overbooking"],
            held_as=form.keys(),
        )
    except Refused as error:
        return _tell(request, patient, form, error)
    said = ngettext("The visit is booked.", "All %(count)s visits are booked.", len(made)) % {"count": len(made)}
    return say(request, redirect("scheduling:visit", made[0].pk), said)


@require_http_methods(["GET", "HEAD", "POST"])
def find_other_time(request: HttpRequest, appointment_id: int) -> HttpResponse:
    """As `find_time`, for a visit that is to take place at another time; `day`, `at`, `practitioner` and `room`
    name one that was pointed at in the calendar."""
    moved = visible_visit(request, appointment_id)
    require_booker(request)
    patient = opened_patient(request, moved.patient_id, "booking")
    if request.method != "POST":
        return _show_times(request, patient, moved=moved)
    form = BookForm(request.POST, is_single=True)
    if not form.is_valid():
        return _show_times(request, patient, moved=moved, form=form, status=422)
    given = form.cleaned_data
    try:
        made = booking.move(
            actor=person_of(request),
            appointment_id=moved.pk,
            wish=form.wishes()[0],
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
    found = visible_visit(request, appointment_id)
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
    visible_visit(request, appointment_id)
    service, said = VERBS[verb]
    try:
        service(actor=person_of(request), appointment_id=appointment_id)
    except Refused as error:
        return say(request, redirect("scheduling:visit", appointment_id), str(error), is_error=True)
    return say(request, redirect("scheduling:visit", appointment_id), str(said))


def require_booker(request: HttpRequest) -> None:
    """Raise PermissionDenied for who may not book."""
    if not can_book(person_of(request)):
        raise PermissionDenied


def opened_patient(request: HttpRequest, patient_id: int, reason: str) -> Patient:
    """The patient, with a trace of why the record was opened. Raises Http404."""
    try:
        return open_patient_record(person_of(request), patient_id, reason)
    except Patient.DoesNotExist:
        raise Http404 from None


def visible_visit(request: HttpRequest, appointment_id: int) -> Appointment:
    """A visit of a patient whom this person may see. Raises Http404."""
    try:
        return get_appointment_for(person_of(request), appointment_id)
    except Appointment.DoesNotExist:
        raise Http404 from None


def _keep(request: HttpRequest, patient: Patient, form: BookForm, wishes: list[Wish]) -> HttpResponse:
    """Keep the chosen times, or give back those that are kept; the form is the same and books them."""
    kept: list[Occupancy] = []
    if request.POST["verb"] == "release":
        release_holds(tokens=form.keys())
    else:
        try:
            if form.cleaned_data["is_overbooking"]:
                raise Refused(_("A time beside the agenda cannot be kept."))
            kept = hold_row(actor=person_of(request), wishes=wishes, held_as=form.keys())
        except Refused as error:
            return _tell(request, patient, form, error)
    return _show_times(request, patient, form=form, kept=kept[0].held_until_at if kept else None)


def _show_visit(request: HttpRequest, found: Appointment, form: CancelForm, *, status: int = 200) -> HttpResponse:
    patient = opened_patient(request, found.patient_id, "visit")
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
    kept: datetime | None = None,
    status: int = 200,
) -> HttpResponse:
    """The search, which stands in the address, and the times it finds now; what the form chose is `kept` so long."""
    proposal = _proposed(request, moved) if moved else None
    given: Any = request.GET if "service" in request.GET else None
    if moved and given is None:
        given = {"service": moved.service_id, "mode": moved.mode, "location": moved.location_id}
        given |= {"from_date": proposal.offer.starts_at.date()} if proposal else {}
    searching = SearchForm(given, is_single=moved is not None)
    is_searched = searching.is_bound and searching.is_valid()
    context = {
        "patient": patient,
        "moved": moved,
        "proposal": proposal,
        "proposed": sealed(proposal.offer.slot, moved.mode) if moved and proposal else "",
        "searching": searching,
        "is_searched": is_searched,
        "service": searching.cleaned_data["service"] if is_searched else None,
        "form": form or BookForm(initial={"key": uuid4()}),
        "kept": kept,
        "kept_visits": _chosen(form) if form and kept else [],
    }
    if is_searched:
        is_row = len(searching.services()) > 1
        context |= _rows(searching) if is_row else _times(searching, with_hints=moved is None)
    return render(request, "scheduling/times.html", context, status=status)


def _chosen(form: BookForm) -> list[tuple[HealthcareService, Offer]]:
    """What a valid form chose, as people read it."""
    visits = form.cleaned_data["visits"]
    services = HealthcareService.objects.in_bulk([service for service, _slot in visits])
    slots = [
        Slot(int(one["starts_at"].timestamp()), one["practitioner_id"], 0, one["location_id"], one["room_id"])
        for _service, one in visits
    ]
    return [(services[pk], offer) for (pk, _slot), offer in zip(visits, offers_of(slots), strict=True)]


def _times(searching: SearchForm, *, with_hints: bool) -> dict[str, Any]:
    """Free times for one visit, and where one beside the agenda makes sense."""
    search, mode, now = searching.search(), searching.cleaned_data["mode"], timezone.now()
    hints = overbooking_hints(search, now=now) if with_hints else []
    return {
        "times": [(sealed(one.slot, mode), one) for one in offers_of(find_slots(search, now=now, limit=SHOWN_TIMES))],
        "hints": [(sealed(hint.offer.slot, mode), hint) for hint in hints],
    }


def _rows(searching: SearchForm) -> dict[str, Any]:
    """Free times for several visits in one trip."""
    try:
        services, gaps = ordered(searching.services())
    except Refused as error:
        return {"problem": str(error)}
    searches = [searching.search(one) for one in services]
    found = find_rows(searches, gaps, now=timezone.now(), most_wait=searching.most_wait())
    mode, offers = searching.cleaned_data["mode"], iter(offers_of([slot for way in found for slot in way]))
    return {
        "rows": [(sealed_row(services, way, mode), [(service, next(offers)) for service in services]) for way in found],
        "missing": missing_prerequisites(services),
    }


def _proposed(request: HttpRequest, moved: Appointment) -> Proposal | None:
    pointed = PointedForm(request.GET)
    if not pointed.is_valid():
        return None
    at = pointed.moment(ZoneInfo(moved.location.time_zone))
    given = pointed.cleaned_data
    return propose(moved=moved, starts_at=at, practitioner=given["practitioner"], room=given["room"])


def _tell(
    request: HttpRequest, patient: Patient, form: BookForm, error: Refused, *, moved: Appointment | None = None
) -> HttpResponse:
    form.add_error(None, str(error))
    return _show_times(request, patient, moved=moved, form=form, status=status_of(error))
