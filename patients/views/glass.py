"""Opening a protected record, and saying which are protected."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from contact_center.accounts.requests import person_of
from contact_center.common.answers import tell_errors
from contact_center.common.errors import Refused
from contact_center.common.ratelimit import is_over
from patients import policies
from patients.models import BreakGlass, Patient
from patients.record_forms import GlassByIdentityForm, GlassForm, ProtectForm
from patients.selectors.access import protected_patient_known_to
from patients.services import glass
from patients.views.additions import done
from patients.views.record import is_part, page_behind

MOST_TRIES, TRIES_SECONDS = 10, 3600
form_methods = require_http_methods(["GET", "HEAD", "POST"])


def _require_right(request: HttpRequest) -> None:
    if not policies.can_break_glass(person_of(request)):
        raise PermissionDenied


def _form(request: HttpRequest, form: forms.Form, **context: object) -> HttpResponse:
    template = "patients/_glass_dialog.html" if is_part(request) else "patients/glass.html"
    context |= {"form": form, "is_dialog": is_part(request)}
    return render(request, template, context, status=422 if form.is_bound else 200)


@form_methods
def break_glass(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Open the protected record of a patient whom the person's own work names."""
    _require_right(request)
    try:
        patient = protected_patient_known_to(person_of(request), patient_id)
    except Patient.DoesNotExist:
        raise Http404 from None
    form = GlassForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            glass.break_glass(actor=person_of(request), patient_id=patient_id, **form.cleaned_data)
            return done(request, patient_id, _("Opened for an hour. The privacy officer was told."))
        except ValidationError as error:
            tell_errors(form, error)
    return _form(request, form, sensitivity=patient.get_sensitivity_display(), back=page_behind(request, patient_id))


@form_methods
def find_protected(request: HttpRequest) -> HttpResponse:
    """Open a protected record, which no list shows, by its record number and birth date."""
    _require_right(request)
    user = person_of(request)
    form = GlassByIdentityForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            grant = _opened_by_identity(request, form)
            messages.success(request, _("Opened for an hour. The privacy officer was told."))
            return redirect("patients:record", grant.patient_id)
        except ValidationError as error:
            tell_errors(form, error)
        except Refused as error:
            glass.note_missed_glass(actor=user)
            form.add_error(None, str(error))
    return _form(request, form)


def _opened_by_identity(request: HttpRequest, form: GlassByIdentityForm) -> BreakGlass:
    if is_over("glass", str(person_of(request).pk), limit=MOST_TRIES, seconds=TRIES_SECONDS):
        raise Refused(_("Too many attempts. Ask the privacy officer."))
    return glass.break_glass_by_identity(actor=person_of(request), **form.cleaned_data)


@form_methods
def protect(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Say whether and why a record is protected: for privacy officers, who see its number and nothing else."""
    user = person_of(request)
    if not policies.can_protect(user):
        raise PermissionDenied
    try:
        patient = Patient.objects.current().only("pk", "mrn", "sensitivity").get(pk=patient_id)
    except Patient.DoesNotExist:
        raise Http404 from None
    form = ProtectForm(request.POST if request.method == "POST" else None, initial={"sensitivity": patient.sensitivity})
    if form.is_bound and form.is_valid():
        glass.protect(actor=user, patient_id=patient_id, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("patients:accesses", patient_id)
    context = {"form": form, "patient": patient}
    return render(request, "patients/protect.html", context, status=422 if form.is_bound else 200)
