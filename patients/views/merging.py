"""Two records side by side, making them one, and undoing that."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contact_center.accounts.models import User
from contact_center.accounts.requests import person_of
from contact_center.common.errors import Refused
from patients.models import Patient, PatientMerge
from patients.policies import can_merge_patients
from patients.selectors.duplicates import merges_visible_to, reasons_of, suggestion_between
from patients.selectors.merging import additions, choices, contents, field_titles, what_moved
from patients.services import merging
from patients.services.merging import FIELD
from patients.services.records import open_patient_record, search_records
from patients.services.traces import note_shown
from patients.views.lists import go

GET_POST = ["GET", "HEAD", "POST"]


def _require(request: HttpRequest) -> User:
    user = person_of(request)
    if not can_merge_patients(user):
        raise PermissionDenied
    return user


def _open(user: User, pk: int) -> Patient:
    try:
        return open_patient_record(user, pk, "merge")
    except Patient.DoesNotExist:
        raise Http404 from None


@require_http_methods(GET_POST)
def find_other(request: HttpRequest, pk: int) -> HttpResponse:
    """Which record is the same person: a search for the other one."""
    user = _require(request)
    patient = _open(user, pk)
    text = request.POST.get("q", "")
    found = [row for row in search_records(user, text) if row.pk != pk] if text else []
    return render(request, "patients/merge_find.html", {"patient": patient, "q": text, "found": found})


@require_http_methods(GET_POST)
def pair(request: HttpRequest, pk: int, other_id: int) -> HttpResponse:
    """Both records side by side; a POST makes them one, the way and field by field as chosen."""
    user = _require(request)
    one, other = _open(user, pk), _open(user, other_id)
    error = ""
    if request.method == "POST":
        try:
            return _merge(request, user, one, other)
        except Refused as refusal:
            error = str(refusal)
        except Patient.DoesNotExist:
            raise Http404 from None
    context = _side_by_side(user, one, other) | {"error": error, "section": "duplicates"}
    return render(request, "patients/merge_pair.html", context, status=422 if error else 200)


def _merge(request: HttpRequest, user: User, one: Patient, other: Patient) -> HttpResponse:
    keep = request.POST.get("keep", "")
    if keep not in (str(one.pk), str(other.pk)):
        raise Refused(_("Choose which record goes on."))
    target, source = (one, other) if keep == str(one.pk) else (other, one)
    take = [choice.name for choice in choices(source, target) if request.POST.get(choice.name) == str(source.pk)]
    merge = merging.merge_patients(actor=user, source_id=source.pk, target_id=target.pk, take=take)
    return go(request, _("Merged. It can be undone here."), "patients:merge", merge.pk)


def _side_by_side(user: User, one: Patient, other: Patient) -> dict[str, Any]:
    counts = {patient.pk: contents(patient) for patient in (one, other)}
    weight = {pk: sum(entry.count for entry in found) for pk, found in counts.items()}
    keep = other if weight[other.pk] > weight[one.pk] else one
    source = one if keep is other else other
    chosen = {choice.name: source.pk if choice.is_suggested else keep.pk for choice in choices(source, keep)}
    suggestion = suggestion_between(user, one.pk, other.pk) if one.pk != other.pk else None
    return {
        "sides": [(one, counts[one.pk]), (other, counts[other.pk])],
        "one": one,
        "other": other,
        "keep": keep.pk,
        "choices": [(choice, chosen[choice.name]) for choice in choices(one, other)],
        "suggestion": suggestion,
        "reasons": reasons_of(suggestion) if suggestion else [],
    }


def _find_merge(user: User, pk: int) -> PatientMerge:
    try:
        return merges_visible_to(user).get(pk=pk)
    except PatientMerge.DoesNotExist:
        raise Http404 from None


@require_safe
def merge_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What a merge did, and what was added since."""
    user = _require(request)
    return _show(request, user, _find_merge(user, pk))


@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """The old record stands on its own again, with what it brought and what is chosen of what came since."""
    user = _require(request)
    merge = _find_merge(user, pk)
    try:
        merging.unmerge_patients(actor=user, merge_id=pk, give_back=request.POST.getlist("give_back"))
    except Refused as error:
        return _show(request, user, merge, error=str(error))
    except PatientMerge.DoesNotExist:
        raise Http404 from None
    return go(request, _("The merge is undone."), "patients:merge", pk)


def _show(request: HttpRequest, user: User, merge: PatientMerge, *, error: str = "") -> HttpResponse:
    note_shown(actor=user, patient_ids=[merge.source_id, merge.target_id])
    names = [item.link.removeprefix(FIELD) for item in merge.items.filter(what="field")]
    context = {
        "merge": merge,
        "moved": what_moved(merge),
        "fields": field_titles(names),
        "stayed": merge.items.filter(what="stayed").count(),
        "additions": [] if merge.undone_at else additions(merge),
        "error": error,
        "section": "merges",
    }
    return render(request, "patients/merge_page.html", context, status=422 if error else 200)
