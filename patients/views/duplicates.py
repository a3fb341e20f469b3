"""The worklist of records that may be one person."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from contact_center.accounts.requests import person_of
from contact_center.common.errors import Refused
from patients.enums import SuggestionLevel, SuggestionStatus
from patients.models import DuplicateSuggestion
from patients.policies import can_merge_patients
from patients.selectors.duplicates import merges_visible_to, open_counts, reasons_of, worklist
from patients.services import duplicates
from patients.services.traces import note_shown
from patients.views.lists import go, page_of

SHOWN = {SuggestionStatus.OPEN, SuggestionStatus.DISMISSED}


@require_safe
def duplicate_list(request: HttpRequest) -> HttpResponse:
    """What waits for a decision, the surest first; or what was decided to be two people."""
    user = person_of(request)
    if not can_merge_patients(user):
        raise PermissionDenied
    level, status = request.GET.get("level", ""), request.GET.get("status", "")
    status = status if status in SHOWN else SuggestionStatus.OPEN
    counts = open_counts(user)
    page = page_of(request, worklist(user, level=level, status=status))
    rows = [(row, reasons_of(row)) for row in page.object_list]
    note_shown(actor=user, patient_ids=[pk for row, _why in rows for pk in (row.first_id, row.second_id)])
    context = {
        "page": page,
        "rows": rows,
        "level": level if level in SuggestionLevel.values else "",
        "status": status,
        "levels": [(value, label, counts[value]) for value, label in SuggestionLevel.choices],
        "total": sum(counts.values()),
        "section": "duplicates",
    }
    return render(request, "patients/duplicate_list.html", context)


@require_POST
def scan(request: HttpRequest) -> HttpResponse:
    """Compare all records, in the background."""
    try:
        job = duplicates.start_scan(actor=person_of(request))
    except Refused as error:
        return go(request, str(error), "patients:duplicates", is_error=True)
    return redirect("jobs:job", job.pk)


@require_POST
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    """These are two people."""
    return _decide(request, pk, duplicates.dismiss, _("Kept as two people."))


@require_POST
def reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Perhaps they are one after all."""
    return _decide(request, pk, duplicates.reopen, _("It waits for a decision again."))


def _decide(request: HttpRequest, pk: int, verb: object, said: str) -> HttpResponse:
    try:
        verb(actor=person_of(request), suggestion_id=pk)  # type: ignore[operator]
    except DuplicateSuggestion.DoesNotExist:
        raise Http404 from None
    except Refused as error:
        return go(request, str(error), "patients:duplicates", is_error=True)
    return go(request, said, "patients:duplicates")


@require_safe
def merge_list(request: HttpRequest) -> HttpResponse:
    """What was merged, newest first."""
    user = person_of(request)
    if not can_merge_patients(user):
        raise PermissionDenied
    page = page_of(request, merges_visible_to(user))
    note_shown(actor=user, patient_ids=[pk for row in page.object_list for pk in (row.source_id, row.target_id)])
    return render(request, "patients/merge_list.html", {"page": page, "section": "merges"})
