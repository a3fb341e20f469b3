"""Privacy: what a patient is given or asks to be forgotten, what is held, and how long data is kept."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contact_center.accounts.requests import person_of, sent_once
from contact_center.common.answers import tell_errors
from contact_center.common.errors import Refused
from patients import policies
from patients.duties_forms import DeclineForm, ErasureForm, HoldForm, RetentionForm
from patients.models import ErasureRequest, LegalHold, Patient
from patients.selectors import duties as selectors
from patients.services import erasure, giving_out, holds, retention
from patients.views.answers import back_to, opened_patient

PAGE = require_http_methods(["GET", "HEAD", "POST"])
SHOWN = 200


def _see(request: HttpRequest, section: str) -> dict[str, Any]:
    user = person_of(request)
    if not policies.can_see_duties(user):
        raise PermissionDenied
    return {"section": section, "can_decide": policies.can_oversee_privacy(user)}


@require_safe
def requests_page(request: HttpRequest) -> HttpResponse:
    """Requests to be forgotten, with what became of each."""
    context = _see(request, "requests")
    rows = selectors.erasure_requests_visible_to(person_of(request))[:SHOWN]
    return render(request, "patients/duties_requests.html", context | {"rows": rows, "form": DeclineForm()})


@require_POST
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Agree to an erasure as a second person; the work shows its progress."""
    try:
        job = erasure.approve_erasure(actor=person_of(request), request_id=pk)
    except ErasureRequest.DoesNotExist:
        raise Http404 from None
    except Refused as error:
        messages.error(request, str(error))
        return redirect("patients:duties")
    return redirect("jobs:job", job.pk)


@require_POST
def decline(request: HttpRequest, pk: int) -> HttpResponse:
    """Say no to an erasure, and why."""
    try:
        erasure.decline_erasure(actor=person_of(request), request_id=pk, why=request.POST.get("why", ""))
    except ErasureRequest.DoesNotExist:
        raise Http404 from None
    except (Refused, ValidationError) as error:
        messages.error(request, " ".join(getattr(error, "messages", [str(error)])))
        return redirect("patients:duties")
    return back_to(request, _("Declined. Tell the patient why."), "patients:duties")


@PAGE
def holds_page(request: HttpRequest) -> HttpResponse:
    """Legal holds, and the form that places one."""
    context = _see(request, "holds")
    form = HoldForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            sent_once(request, lambda: holds.place_hold(actor=person_of(request), **form.cleaned_data))
        except ValidationError as error:
            tell_errors(form, error)
        else:
            return back_to(request, _("Held from now on."), "patients:holds")
    elif request.method == "POST" and not context["can_decide"]:
        raise PermissionDenied
    rows = selectors.holds_visible_to(person_of(request))[:SHOWN]
    status = 422 if form.errors else 200
    return render(request, "patients/duties_holds.html", context | {"rows": rows, "form": form}, status=status)


@require_POST
def lift(request: HttpRequest, pk: int) -> HttpResponse:
    """End a legal hold."""
    try:
        holds.lift_hold(actor=person_of(request), hold_id=pk)
    except LegalHold.DoesNotExist:
        raise Http404 from None
    except Refused as error:
        messages.error(request, str(error))
        return redirect("patients:holds")
    return back_to(
        request, _("The hold is lifted. What was asked to be erased can be approved again."), "patients:holds"
    )


@PAGE
def retention_page(request: HttpRequest) -> HttpResponse:
    """How long each class is kept; “count” says what a number of days would take away, “save” makes it the rule."""
    context = _see(request, "retention")
    form, counted = None, None
    if request.method == "POST":
        if not context["can_decide"]:
            raise PermissionDenied
        form = RetentionForm(request.POST)
        if form.is_valid() and "count" in request.POST:
            counted = retention.dry_run(form.cleaned_data["data_class"], form.cleaned_data["days"])
        elif form.is_valid():
            try:
                holds.set_retention(actor=person_of(request), **form.cleaned_data)
            except ValidationError as error:
                tell_errors(form, error)
            else:
                return back_to(request, _("Saved. The next night keeps to it."), "patients:retention")
    context |= {
        "rules": selectors.class_rules(), "runs": selectors.last_runs(), "form": form, "counted": counted,
        "chosen": form.data.get("data_class") if form else "", "days": form.data.get("days", "") if form else "",
        "counted_total": sum(due.count for due in counted or []),
        "is_held": any(due.is_held for due in counted or []),
    }  # fmt: skip
    return render(request, "patients/duties_retention.html", context, status=422 if form and form.errors else 200)


@PAGE
def patient_data(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Give a patient all their data, or ask that they be forgotten."""
    user = person_of(request)
    if not policies.can_handle_privacy(user):
        raise PermissionDenied
    patient = opened_patient(request, patient_id)
    form = ErasureForm(request.POST if "erase" in request.POST else None)
    if request.method == "POST" and "give" in request.POST:
        return redirect("jobs:job", giving_out.start_giving_out(actor=user, patient_id=patient.pk).pk)
    if form.is_bound and form.is_valid():
        try:
            erasure.request_erasure(actor=user, patient_id=patient.pk, reason=form.cleaned_data["reason"])
        except Patient.DoesNotExist:
            raise Http404 from None
        except Refused as error:
            form.add_error(None, str(error))
        else:
            return back_to(request, _("Asked for. Somebody else decides."), "patients:duties")
    requests = ErasureRequest.objects.filter(patient=patient)
    context = {"patient": patient, "form": form, "requests": requests}
    return render(request, "patients/patient_data.html", context, status=422 if form.errors else 200)
