"""Writing down somebody whom no record knows."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from contact_center.accounts.requests import person_of, sent_once
from contact_center.common.answers import status_of, tell_errors
from contact_center.common.numbers import numbers_in
from patients import policies
from patients.record_forms import NewPatientForm
from patients.services.newcomers import Alike, alike_context, create_newcomer
from patients.views.additions import sent


@require_http_methods(["GET", "HEAD", "POST"])
def new_patient(request: HttpRequest) -> HttpResponse:
    """The form; after a POST the new record, or the records that are much like it to look at first."""
    user = person_of(request)
    if not policies.can_create_patient(user):
        raise PermissionDenied
    form = NewPatientForm(sent(request))
    context: dict[str, Any] = {"form": form}
    status = 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        described, seen = form.described(), numbers_in(request.POST, "seen")
        try:
            patient_id = sent_once(request, lambda: create_newcomer(actor=user, described=described, seen=seen))
        except ValidationError as error:
            tell_errors(form, error)
        except Alike as error:
            status = status_of(error)
            context |= alike_context(actor=user, error=error)
        else:
            messages.success(request, _("The record is made."))
            return redirect("patients:record", patient_id)
    return render(request, "patients/new_patient.html", context, status=status)
