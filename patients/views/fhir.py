"""FHIR on pages: take in a JSON file and read what became of each resource; fetch one patient as a bundle."""

import json

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from contact_center.accounts.requests import person_of
from contact_center.audit.enums import AuditAction
from patients.importing_forms import FhirForm
from patients.models import Patient
from patients.policies import can_import_patients
from patients.selectors.fhir import bundle, everything
from patients.services.fhir import take_in
from patients.services.records import open_patient_record


@require_http_methods(["GET", "HEAD", "POST"])
def fhir_import(request: HttpRequest) -> HttpResponse:
    """A file with a resource or a bundle; the answer names each resource with its OperationOutcome in words."""
    user = person_of(request)
    if not can_import_patients(user):
        raise PermissionDenied
    form, taken = FhirForm(request.POST or None, request.FILES or None), None
    if request.method == "POST" and form.is_valid():
        try:
            data = json.loads(form.cleaned_data["file"].read())
            taken = take_in(actor=user, data=data, source=form.cleaned_data["source"])
        except (ValueError, RecursionError):
            form.add_error("file", _("This is not JSON. FHIR as XML is not read."))
    context = {"form": form, "taken": taken, "section": "fhir"}
    return render(request, "patients/fhir_import.html", context, status=422 if form.errors else 200)


@require_safe
def fhir_export(request: HttpRequest, pk: int) -> HttpResponse:
    """The patient with relatives, consents and coverage as a FHIR bundle; leaves a trace."""
    user = person_of(request)
    try:
        patient = open_patient_record(user, pk, "fhir", AuditAction.EXPORTED)
    except Patient.DoesNotExist:
        raise Http404 from None
    response = JsonResponse(bundle(everything(patient)), content_type="application/fhir+json")
    response["Content-Disposition"] = f'attachment; filename="patient-{pk}.json"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
