"""What the pages about patients begin and end with: the opened record, the word after a change."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from contact_center.accounts.requests import person_of
from patients.models import Patient
from patients.selectors.people import get_patient_for
from patients.services.records import open_patient_record


def opened_patient(request: HttpRequest, patient_id: int) -> Patient:
    """The record this page shows, with its entry in the trail; before a change it is only found. 404 when hidden."""
    try:
        if request.method in ("GET", "HEAD"):
            return open_patient_record(person_of(request), patient_id, reason="page")
        return get_patient_for(person_of(request), patient_id)
    except Patient.DoesNotExist:
        raise Http404 from None


def back_to(request: HttpRequest, said: str, name: str, *args: Any) -> HttpResponse:
    """To a page after a change, which says what was done."""
    messages.success(request, said)
    return redirect(name, *args)
