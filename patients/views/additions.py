"""Adding to a record, moving on what is in it, ending it: one form or one button each."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from contact_center.accounts.requests import person_of, sent_once
from contact_center.common.answers import seen_of, tell_errors
from contact_center.common.errors import Conflict, Refused
from contact_center.common.models import TimeStampedModel
from patients import policies
from patients import record_forms as forms_of
from patients.models import Alert, Coverage, LifeEvent, Patient, PendingResult, ProgramEnrolment
from patients.selectors.care import get_row_for
from patients.services import care, glass, pending, programs
from patients.views.answers import opened_patient
from patients.views.record import is_part, page_behind

form_methods = require_http_methods(["GET", "HEAD", "POST"])
Save = Callable[[dict[str, Any]], object]


def done(request: HttpRequest, patient_id: int, said: str, *, is_error: bool = False) -> HttpResponse:
    """Back to where the change was asked for, which says what was done or why not."""
    (messages.error if is_error else messages.success)(request, said)
    away = page_behind(request, patient_id)
    return HttpResponse(headers={"HX-Redirect": away}) if is_part(request) else redirect(away)


def serve(
    request: HttpRequest, patient: Patient, form: forms.Form, save: Save, said: str, *, title: str, verb: str,
    edited: TimeStampedModel | None = None, **context: Any,
) -> HttpResponse:  # fmt: skip
    """The form, as a dialog for htmx and a page without it; after a POST the page behind it, or why not (422, 409).

    Sent twice it is saved once. `edited` is the row that the form stands over, with its version (common.versions).
    """
    if not policies.can_edit_patient(person_of(request), patient):
        raise PermissionDenied
    status, refusal = 200, None
    if form.is_bound:
        status = 422
        if form.is_valid():
            try:
                sent_once(request, lambda: save(form.cleaned_data))
                return done(request, patient.pk, said)
            except ValidationError as error:
                tell_errors(form, error)
            except Refused as error:
                form.add_error(None, str(error))
                status = 409 if isinstance(error, Conflict) else 422
                refusal = error
    context |= {
        "patient": patient,
        "form": form,
        "title": title,
        "verb": verb,
        "back": page_behind(request, patient.pk),
    }
    if edited is not None:
        context |= seen_of(request, form, edited, refusal)
    template = "patients/_form_dialog.html" if is_part(request) else "patients/form_page.html"
    return render(request, template, context | {"is_dialog": is_part(request)}, status=status)


def act(request: HttpRequest, patient_id: int, verb: Callable[[], object], said: str) -> HttpResponse:
    """One verb without a form; a refusal is told on the page behind it."""
    try:
        verb()
    except Refused as error:
        return done(request, patient_id, str(error), is_error=True)
    return done(request, patient_id, said)


def take_away(request: HttpRequest, model: type[Model], pk: int, remove: Callable[[], object]) -> HttpResponse:
    """Remove a row of a record. Sent twice, or while somebody else removes it, it is gone all the same."""

    def work() -> Patient:
        patient: Patient = row_for(request, model, pk).patient
        with suppress(model.DoesNotExist):  # type: ignore[attr-defined]
            remove()
        return patient

    patient_id = sent_once(request, work)
    assert patient_id is not None
    return done(request, patient_id, _("Removed."))


def sent(request: HttpRequest) -> Any:
    """What a form is bound to: what was posted, else nothing."""
    return request.POST if request.method == "POST" else None


def row_for(request: HttpRequest, model: type[Model], pk: int) -> Any:
    """A row of a record that this person may open; 404 for every other."""
    try:
        return get_row_for(person_of(request), model, pk)
    except model.DoesNotExist:  # type: ignore[attr-defined]
        raise Http404 from None


@form_methods
def add_alert(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Warn everybody who opens this record."""
    patient = opened_patient(request, patient_id)
    form = forms_of.AlertForm(sent(request))
    save: Save = lambda data: care.add_alert(actor=person_of(request), patient_id=patient_id, **data)  # noqa: E731
    return serve(request, patient, form, save, _("Alert added."), title=_("New alert"), verb=_("Add"))


@require_POST
def end_alert(request: HttpRequest, pk: int) -> HttpResponse:
    """The alert holds no more."""
    row = row_for(request, Alert, pk)
    return act(
        request, row.patient_id, lambda: care.end_alert(actor=person_of(request), alert_id=pk), _("Alert ended.")
    )


@form_methods
def enrol(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Begin a program."""
    patient = opened_patient(request, patient_id)
    form = forms_of.EnrolForm(sent(request), patient=patient)
    save: Save = lambda data: programs.enrol(actor=person_of(request), patient_id=patient_id, **data)  # noqa: E731
    return serve(request, patient, form, save, _("Program begun."), title=_("Begin a program"), verb=_("Begin"))


def opened_row(request: HttpRequest, model: type[Model], pk: int) -> Any:
    """The same with its opened record, for a page that shows it."""
    row = row_for(request, model, pk)
    row.patient = opened_patient(request, row.patient_id)
    return row


@form_methods
def advance(request: HttpRequest, pk: int) -> HttpResponse:
    """The present step of a program is done."""
    row: ProgramEnrolment = opened_row(request, ProgramEnrolment, pk)
    form = forms_of.StepForm(sent(request), initial={"step": row.step_id})

    def save(data: dict[str, Any]) -> None:
        programs.advance(actor=person_of(request), enrolment_id=pk, step_id=data["step"], note=data["note"])

    title = _("Step done: %(step)s") % {"step": row.step or row.program}
    return serve(request, row.patient, form, save, _("Step done."), title=title, verb=_("Done"))


@form_methods
def change_enrolment(request: HttpRequest, pk: int) -> HttpResponse:
    """Another owner or day for the present step."""
    row: ProgramEnrolment = opened_row(request, ProgramEnrolment, pk)
    form = forms_of.OwnerAndDayForm(sent(request), initial={"owner": row.owner_id, "day": row.step_due_date})

    def save(data: dict[str, Any]) -> None:
        programs.change_enrolment(
            actor=person_of(request), enrolment_id=pk, owner=data["owner"], step_due_date=data["day"]
        )

    title = _("Change: %(step)s") % {"step": row.step or row.program}
    return serve(request, row.patient, form, save, _("Saved."), title=title, verb=_("Save"))


@form_methods
def leave(request: HttpRequest, pk: int) -> HttpResponse:
    """The patient does not go on with a program."""
    row: ProgramEnrolment = opened_row(request, ProgramEnrolment, pk)
    save: Save = lambda data: programs.leave(actor=person_of(request), enrolment_id=pk, **data)  # noqa: E731
    title = _("Leave %(program)s") % {"program": row.program}
    return serve(
        request, row.patient, forms_of.LeaveForm(sent(request)), save, _("Program ended."), title=title, verb=_("End")
    )


@form_methods
def add_pending(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Wait for a result or an authorisation."""
    patient = opened_patient(request, patient_id)
    form = forms_of.PendingForm(sent(request))
    save: Save = lambda data: pending.add_pending(actor=person_of(request), patient_id=patient_id, **data)  # noqa: E731
    return serve(
        request, patient, form, save, _("Added."), title=_("Result or authorisation that is waited for"), verb=_("Add")
    )


@form_methods
def change_pending(request: HttpRequest, pk: int) -> HttpResponse:
    """Another owner or day for what is waited for."""
    row: PendingResult = opened_row(request, PendingResult, pk)
    form = forms_of.OwnerAndDayForm(sent(request), initial={"owner": row.owner_id, "day": row.expected_date})

    def save(data: dict[str, Any]) -> None:
        given = {"owner": data["owner"], "expected_date": data["day"]}
        pending.change_pending(actor=person_of(request), pending_id=pk, **given)

    title = _("Change: %(step)s") % {"step": row.title}
    return serve(request, row.patient, form, save, _("Saved."), title=title, verb=_("Save"))


@require_POST
def move_pending(request: HttpRequest, pk: int) -> HttpResponse:
    """It arrived, the patient was told, or nobody waits any more: `verb` says which."""
    row: PendingResult = row_for(request, PendingResult, pk)
    verb = request.POST.get("verb", "")
    move = lambda: pending.move_pending(actor=person_of(request), pending_id=pk, verb=verb)  # noqa: E731
    return act(request, row.patient_id, move, _("Saved."))


@form_methods
def add_coverage(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Note who pays."""
    patient = opened_patient(request, patient_id)
    form = forms_of.CoverageForm(sent(request))
    save: Save = lambda data: care.add_coverage(actor=person_of(request), patient_id=patient_id, **data)  # noqa: E731
    return serve(request, patient, form, save, _("Coverage added."), title=_("New coverage"), verb=_("Add"))


@require_POST
def end_coverage(request: HttpRequest, pk: int) -> HttpResponse:
    """It pays no more, or never did (`is_error`)."""
    row: Coverage = row_for(request, Coverage, pk)
    is_error = bool(request.POST.get("is_error"))
    end = lambda: care.end_coverage(actor=person_of(request), coverage_id=pk, is_error=is_error)  # noqa: E731
    return act(request, row.patient_id, end, _("Coverage ended."))


@form_methods
def add_life_event(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Something worth remembering."""
    patient = opened_patient(request, patient_id)
    form = forms_of.LifeEventForm(sent(request))
    save: Save = lambda data: care.add_life_event(actor=person_of(request), patient_id=patient_id, **data)  # noqa: E731
    return serve(request, patient, form, save, _("Remembered."), title=_("Worth remembering"), verb=_("Add"))


@require_POST
def remove_life_event(request: HttpRequest, pk: int) -> HttpResponse:
    """It should not be remembered."""
    remove = partial(care.remove_life_event, actor=person_of(request), life_event_id=pk)
    return take_away(request, LifeEvent, pk, remove)


@require_POST
def close_glass(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Give the access to a protected record back."""
    opened_patient(request, patient_id)
    glass.close_glass(actor=person_of(request), patient_id=patient_id)
    messages.success(request, _("The record is closed again."))
    return redirect("patients:list")
