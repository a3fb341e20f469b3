"""The page of one patient, its pieces and its timeline, and the page where patients are found."""

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_safe

from contact_center.accounts.enums import Action
from contact_center.accounts.policies import can
from contact_center.accounts.requests import person_of
from contact_center.common.budget import OutOfTime, within
from patients import pieces, policies
from patients.journey import next_steps_for
from patients.models import Patient
from patients.record_forms import LookForm
from patients.selectors.access import open_glass
from patients.selectors.duplicates import merged_goal
from patients.services.records import open_patient_record, recent_records, search_records
from patients.timeline import Look, Place, kinds, timeline_of

SEARCH_BUDGET = 2_000  # milliseconds
FOUND = 50


def opened(request: HttpRequest, patient_id: int, reason: str) -> Patient:
    """The record, with its entry in the trail. 404 when there is none or it is hidden."""
    try:
        return open_patient_record(person_of(request), patient_id, reason=reason)
    except Patient.DoesNotExist:
        raise Http404 from None


def is_part(request: HttpRequest) -> bool:
    """True when htmx asks for a piece of a page."""
    headers = request.headers
    return headers.get("HX-Request") == "true" and not headers.get("HX-Target", "body").startswith("body")


def page_behind(request: HttpRequest, patient_id: int) -> str:
    """The path of ours that a change leads back to: the one it came from, else the patient's page."""
    asked = request.POST.get("back") or request.GET.get("back") or request.headers.get("HX-Current-URL", "")
    path = urlsplit(asked).path
    if url_has_allowed_host_and_scheme(path, allowed_hosts=None) and path.startswith(("/patients/", "/inbox/")):
        return path
    return reverse("patients:record", args=[patient_id])


class Narrowed(dict[str, str]):
    """What narrows the line, as the page shows it; nothing is said of the rest, which a template asks a dozen times."""

    def __missing__(self, name: str) -> str:
        return ""


def _look(request: HttpRequest) -> tuple[Look, Narrowed]:
    form = LookForm(request.GET)
    form.is_valid()
    given = {name: value for name, value in form.cleaned_data.items() if value}
    shown = Narrowed((name, str(value)) for name, value in given.items())
    return Look(before=Place.read(request.GET.get("before", "")), **given), shown


def line_context(request: HttpRequest, patient: Patient) -> dict[str, Any]:
    """A page of the timeline as the address narrows it."""
    look, shown = _look(request)
    return {
        "patient": patient,
        "line": timeline_of(person_of(request), patient, look),
        "kinds": kinds(),
        "look": shown,
        "is_later_page": look.before is not None,
    }


@require_safe
def record(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Everything an authorised person must know of one patient, on one page."""
    if goes_on := merged_goal(person_of(request), patient_id):
        return redirect("patients:record", goes_on)
    patient = opened(request, patient_id, "page")
    user = person_of(request)
    context = line_context(request, patient) | {
        "places": pieces.pieces_for(user, patient),
        "next_steps": next_steps_for(user, patient),
        "may_edit": policies.can_edit_patient(user, patient),
        "may_merge": policies.can_merge_patients(user) and patient.merged_into_id is None,
        "may_protect": policies.can_protect(user),
        "may_read_audit": policies.can_read_audit(user),
        "may_give_out": policies.can_handle_privacy(user),
        "glass": open_glass(user, patient.pk) if patient.is_sensitive else None,
    }
    return render(request, "patients/record.html", context)


@require_safe
def line(request: HttpRequest, patient_id: int) -> HttpResponse:
    """One more page of the timeline: for htmx the entries, else a page of its own."""
    patient = opened(request, patient_id, "timeline")
    context = line_context(request, patient)
    if is_part(request):
        return render(request, "patients/_line.html", context)
    return render(request, "patients/line_page.html", context)


@require_safe
def piece(request: HttpRequest, patient_id: int, key: str) -> HttpResponse:
    """One subject of the record, as a panel beside a conversation."""
    found = pieces.piece_of(key)
    if found is None or not found.is_panel:
        raise Http404
    patient = opened(request, patient_id, "panel")
    user = person_of(request)
    context = {
        "patient": patient,
        "piece": pieces.drawn(found, user, patient),
        "back": page_behind(request, patient_id),
        "may_edit": policies.can_edit_patient(user, patient),
    }
    return render(request, "patients/_panel.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def patient_list(request: HttpRequest) -> HttpResponse:
    """The records this person opened last, or those a text means; the text is posted, so no address carries it."""
    user = person_of(request)
    if not can(user, Action.WORK_INBOX):
        raise PermissionDenied
    query = request.POST.get("q", "").strip()[:200] if request.method == "POST" else ""
    found: list[Patient] = []
    is_slow = False
    try:
        with within(SEARCH_BUDGET):
            found = search_records(user, query, limit=FOUND) if query else recent_records(user)
    except OutOfTime:
        is_slow = True
    context = {
        "query": query,
        "found": found,
        "is_slow": is_slow,
        "has_more": bool(query) and len(found) == FOUND,
        "may_break_glass": policies.can_break_glass(user),
        "may_create": policies.can_create_patient(user),
    }
    return render(request, "patients/patient_list.html", context)
