"""Freed times, the waitlist and missed visits: what is to be done, and doing it."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contact_center.accounts.models import User
from contact_center.accounts.requests import person_of, sent_once
from contact_center.common.answers import say, status_of
from contact_center.common.errors import Refused
from patients.models import Patient
from patients.services.records import open_patient_record
from scheduling.capacity_forms import BarrierForm, WishForm
from scheduling.policies import can_book
from scheduling.selectors.appointments import upcoming_of
from scheduling.selectors.recovery import results
from scheduling.selectors.waitlist import entries_visible_to
from scheduling.services import offers, recovery, waitlist
from scheduling.services.capacity import open_overview


def _leave(actor: User, entry_id: int) -> object:
    return waitlist.leave(actor=actor, entry_id=entries_visible_to(actor).values_list("pk", flat=True).get(pk=entry_id))


def _note_barrier(actor: User, recovery_id: int, **told: Any) -> object:
    return recovery.note_barrier(actor=actor, recovery_id=recovery_id, **told)


VERBS: dict[tuple[str, str], Callable[[User, int], object]] = {
    ("offer", "accept"): lambda actor, pk: offers.accept(actor=actor, offer_id=pk),
    ("offer", "decline"): lambda actor, pk: offers.decline(actor=actor, offer_id=pk),
    ("freed", "next"): lambda actor, pk: offers.offer_next(actor=actor, freed_id=pk),
    ("freed", "stop"): lambda actor, pk: offers.stop(actor=actor, freed_id=pk),
    ("entry", "leave"): _leave,
    ("recovery", "called"): lambda actor, pk: recovery.note_call(actor=actor, recovery_id=pk),
    ("recovery", "decline"): lambda actor, pk: recovery.decline(actor=actor, recovery_id=pk),
    ("recovery", "review"): lambda actor, pk: recovery.review(actor=actor, recovery_id=pk),
}

COUNTED = {("freed", "next"), ("recovery", "called")}
"""What does more when it is done twice; the others say that it is done, or change nothing."""


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Freed times with their offers, who waits, and missed visits to be made good."""
    _require(request)
    return _overview(request)


@require_POST
def change(request: HttpRequest, kind: str, row_id: int, verb: str) -> HttpResponse:
    """One verb on an offer, a freed time, an entry of the waitlist or a recovery."""
    _require(request)
    actor = person_of(request)
    do = VERBS.get((kind, verb))
    if (kind, verb) == ("recovery", "barrier"):
        form = BarrierForm(request.POST)
        if not form.is_valid():
            return _overview(request, barrier_form=form, status=422)
        do = partial(_note_barrier, **form.cleaned_data)
    if do is None:
        raise Http404
    try:
        if (kind, verb) in COUNTED:
            sent_once(request, lambda: do(actor, row_id))
        else:
            do(actor, row_id)
    except ObjectDoesNotExist:
        raise Http404 from None
    except Refused as error:
        return say(request, redirect("scheduling:capacity"), str(error), is_error=True)
    return say(request, redirect("scheduling:capacity"), _("It is noted."))


@require_http_methods(["GET", "HEAD", "POST"])
def wait(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Put a patient on the waitlist, with what they want."""
    try:
        patient = open_patient_record(person_of(request), patient_id, "booking")
    except Patient.DoesNotExist:
        raise Http404 from None
    _require(request)
    visits = upcoming_of(patient, timezone.now())
    given: Any = request.POST if request.method == "POST" else None
    form = WishForm(given, patient=patient, visits=visits)
    status = 200
    if given is not None:
        status = 422
        if form.is_valid():
            try:
                told: dict[str, Any] = {"actor": person_of(request), "patient_id": patient.pk, "wishes": form.wishes()}
                sent_once(request, lambda: waitlist.join(**told))
                return say(request, redirect("scheduling:capacity"), _("The patient is on the waitlist."))
            except Refused as error:
                form.add_error(None, str(error))
                status = status_of(error)
    return render(request, "scheduling/wait.html", {"patient": patient, "form": form}, status=status)


def _overview(request: HttpRequest, *, barrier_form: BarrierForm | None = None, status: int = 200) -> HttpResponse:
    context = {
        "found": open_overview(actor=person_of(request)),
        "results": results(),
        "barrier_form": barrier_form or BarrierForm(auto_id=False),
    }
    return render(request, "scheduling/capacity.html", context, status=status)


def _require(request: HttpRequest) -> None:
    if not can_book(person_of(request)):
        raise PermissionDenied
