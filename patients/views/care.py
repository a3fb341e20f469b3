"""A patient's preferences and consent, and the texts that patients are shown."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from contact_center.accounts.enums import Action
from contact_center.accounts.policies import can
from contact_center.accounts.requests import person_of, sent_once
from contact_center.common.answers import seen_of, tell_errors
from contact_center.common.versions import Unseen
from patients.care_forms import ConsentForm, ConsentTextForm, PreferencesForm, preferences_of
from patients.enums import ConsentPurpose
from patients.models import ConsentText, Patient
from patients.policies import can_edit_patient
from patients.selectors.consents import consent_grid, history_of, present_texts
from patients.services.consents import publish_consent_text, record_consent
from patients.services.records import update_patient
from patients.views.answers import back_to, opened_patient

HISTORY_SHOWN = 100
form_methods = require_http_methods(["GET", "HEAD", "POST"])


def page(
    request: HttpRequest, patient: Patient, template: str, *, section: str, status: int = 200, **context: Any
) -> HttpResponse:
    """One of the pages about a patient, with what the person may do there."""
    context |= {"patient": patient, "section": section, "may_edit": can_edit_patient(person_of(request), patient)}
    return render(request, template, context, status=status)


@form_methods
def preferences(request: HttpRequest, patient_id: int) -> HttpResponse:
    """How the patient wants to be reached and spoken with."""
    patient = opened_patient(request, patient_id)
    form = PreferencesForm(request.POST if request.method == "POST" else None, initial=preferences_of(patient))
    status, refusal = (422 if form.is_bound else 200), None
    if form.is_bound and form.is_valid():
        seen = request.POST.get("seen_version")
        try:
            update_patient(actor=person_of(request), patient_id=patient_id, seen_version=seen, **form.cleaned_data)
        except ValidationError as error:
            tell_errors(form, error)
        except Unseen as error:
            form.add_error(None, str(error))
            status, refusal = 409, error
        else:
            return back_to(request, _("Saved."), "patients:preferences", patient_id)
    context = {"form": form} | seen_of(request, form, patient, refusal)
    return page(request, patient, "patients/preferences_form.html", section="preferences", status=status, **context)


@form_methods
def consents(request: HttpRequest, patient_id: int) -> HttpResponse:
    """What the patient allowed and forbade, every word of it, and a new word."""
    patient = opened_patient(request, patient_id)
    texts = present_texts(patient.language)
    form = ConsentForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        data = dict(form.cleaned_data)
        text = texts.get(data["purpose"]) if data.pop("was_shown") else None
        try:
            sent_once(
                request,
                lambda: record_consent(actor=person_of(request), patient_id=patient_id, text=text, **data),
            )
        except ValidationError as error:
            tell_errors(form, error)
        else:
            return back_to(request, _("Saved."), "patients:consents", patient_id)
    context: dict[str, Any] = {
        "form": form,
        "grid": consent_grid(patient),
        "history": history_of(patient)[:HISTORY_SHOWN],
        "texts": [(purpose, texts[purpose]) for purpose in ConsentPurpose if purpose in texts],
    }
    status = 422 if form.is_bound else 200
    return page(request, patient, "patients/consents.html", section="consents", status=status, **context)


@form_methods
def consent_texts(request: HttpRequest) -> HttpResponse:
    """Every version of what patients are shown, and the next one. For those who configure."""
    actor = person_of(request)
    if not can(actor, Action.CONFIGURE):
        raise PermissionDenied
    form = ConsentTextForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            sent_once(request, lambda: publish_consent_text(actor=actor, **form.cleaned_data))
        except ValidationError as error:
            tell_errors(form, error)
        else:
            return back_to(request, _("Published. It is shown from now on."), "patients:consent-texts")
    rows = ConsentText.objects.select_related("published_by")
    context = {"form": form, "rows": rows, "section": "consent-texts"}
    return render(request, "patients/consent_texts.html", context, status=422 if form.is_bound else 200)
