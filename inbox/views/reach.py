"""Would a message reach this patient, and the switches that stop all of them."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from contact_center.accounts.requests import person_of
from contact_center.common.answers import seen_of
from contact_center.common.versions import Unseen
from inbox.selectors.gate_facts import time_zone_of
from inbox.selectors.reach import reach_matrix, stopped_messages
from inbox.working_forms import MOMENT
from patients.care_forms import SwitchesForm
from patients.models import Patient
from patients.policies import can_edit_patient
from patients.selectors.people import get_patient_for
from patients.services.records import open_patient_record, update_patient


class MomentForm(forms.Form):
    """A moment in the clinic's zone; now without one."""

    at = forms.DateTimeField(
        label=gettext_lazy("At which moment"), required=False,
        widget=forms.DateTimeInput(MOMENT, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip


def _opened(request: HttpRequest, patient_id: int) -> Patient:
    try:
        if request.method == "POST":
            return get_patient_for(person_of(request), patient_id)
        return open_patient_record(person_of(request), patient_id, reason="page")
    except Patient.DoesNotExist:
        raise Http404 from None


@require_safe
def matrix(request: HttpRequest, patient_id: int) -> HttpResponse:
    """For every purpose and way: would a message go at that moment, when else, and why not."""
    patient = _opened(request, patient_id)
    form = MomentForm(request.GET if request.GET.get("at") else None, initial={"at": timezone.localtime()})
    at: datetime = timezone.now()
    if form.is_bound and form.is_valid():
        at = form.cleaned_data["at"] or at
    columns, rows = reach_matrix(patient, at)
    context: dict[str, Any] = {"patient": patient, "section": "reach", "form": form, "at": at}
    context |= {"columns": columns, "rows": rows, "zone": time_zone_of(patient)}
    return render(request, "inbox/reach_matrix.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def switches(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Do not contact, and deceased: both stop at once what waits; below is what was stopped."""
    patient = _opened(request, patient_id)
    user = person_of(request)
    may_edit = can_edit_patient(user, patient)
    present = {"is_do_not_contact": patient.is_do_not_contact, "deceased_date": patient.deceased_date}
    form = SwitchesForm(request.POST if request.method == "POST" else None, initial=present)
    status, refusal = (422 if form.is_bound else 200), None
    if form.is_bound:
        if not may_edit:
            raise PermissionDenied
        if form.is_valid():
            seen = request.POST.get("seen_version")
            try:
                update_patient(actor=user, patient_id=patient_id, seen_version=seen, **form.cleaned_data)
            except ValidationError as error:
                form.add_error(None, error.messages)
            except Unseen as error:
                form.add_error(None, str(error))
                status, refusal = 409, error
            else:
                messages.success(request, _("Saved."))
                return redirect("inbox:switches", patient_id)
    context = {"patient": patient, "section": "switches", "form": form, "may_edit": may_edit}
    context |= {"stopped": stopped_messages(user, patient)} | seen_of(request, form, patient, refusal)
    return render(request, "inbox/switches.html", context, status=status)
