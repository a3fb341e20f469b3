"""Who looked at whom and who changed what: for auditors. They see record numbers, never names."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from contact_center.accounts.requests import person_of
from contact_center.audit.selectors import Mark, Question
from contact_center.common.errors import Refused
from patients import policies
from patients.models import BreakGlass, Patient
from patients.record_forms import AuditForm
from patients.selectors.access import glass_of
from patients.services.trail import read_trail, record_numbers, start_trail_export
from patients.views.answers import back_to


def _require_auditor(request: HttpRequest) -> None:
    if not policies.can_read_audit(person_of(request)):
        raise PermissionDenied


def _question(form: AuditForm) -> Question | None:
    """What the form asks; None when it cannot be read. A record number nobody has asks for patient 0."""
    if not form.is_valid():
        return None
    asked = dict(form.cleaned_data)
    mrn, actor = asked.pop("mrn"), asked.pop("actor")
    if mrn:
        asked["patient_id"] = Patient.objects.filter(mrn__iexact=mrn).values_list("pk", flat=True).first() or 0
    return Question(actor_id=actor.pk if actor else None, **asked)


def _rows(request: HttpRequest, question: Question) -> dict[str, Any]:
    entries, older = read_trail(person_of(request), question, Mark.read(request.GET.get("before", "")))
    grants = {entry.detail["glass"] for entry in entries if "glass" in entry.detail}
    reasons = dict(BreakGlass.objects.filter(pk__in=grants).values_list("pk", "reason"))
    numbers = record_numbers(entries)
    rows = [
        {
            "entry": entry,
            "mrn": numbers.get(entry.patient_id or 0, ""),
            "reason": reasons.get(entry.detail.get("glass")),
        }
        for entry in entries
    ]
    return {"rows": rows, "older": older}


@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """The trail, narrowed by who, what, whom, when, and whether a protected record was opened."""
    _require_auditor(request)
    form = AuditForm(request.GET or None)
    question = _question(form) if form.is_bound else Question()
    shown = _rows(request, question) if question is not None else {"rows": [], "older": None}
    return render(request, "patients/audit.html", {"form": form, **shown}, status=200 if question is not None else 422)


@require_POST
def audit_export(request: HttpRequest) -> HttpResponse:
    """The same as a file, made in the background."""
    _require_auditor(request)
    question = _question(AuditForm(request.POST))
    try:
        if question is None:
            raise Refused(_("Correct what is asked for first."))
        job = start_trail_export(actor=person_of(request), question=question)
    except Refused as error:
        return back_to(request, str(error), "patients:audit")
    return redirect("jobs:job", job.pk)


@require_safe
def accesses(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Who looked at this patient's record, and who opened it while it was protected."""
    _require_auditor(request)
    patient = Patient.objects.filter(pk=patient_id).only("pk", "mrn", "sensitivity").first()
    if patient is None:
        raise Http404
    user = person_of(request)
    context = _rows(request, Question(patient_id=patient_id)) | {
        "patient": patient,
        "grants": list(glass_of(patient)[:20]),
        "may_protect": policies.can_protect(user),
    }
    return render(request, "patients/accesses.html", context)
