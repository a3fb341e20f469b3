"""What the pages about patients begin and end with: the person, the opened record, the word after a change."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from contact_center.accounts.models import User
from patients.models import Patient
from patients.selectors.people import get_patient_for
from patients.services.records import open_patient_record


def person_of(request: HttpRequest) -> User:
    """The signed-in person; the login middleware lets nobody else come here."""
    assert isinstance(request.user, User)
    return request.user


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


def note_errors(form: forms.Form, error: ValidationError) -> None:
    """Put what a service refused at the fields it names, and above the form what concerns all of it."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, problems in error.message_dict.items():
        form.add_error(name if name in form.fields and name != NON_FIELD_ERRORS else None, problems)
