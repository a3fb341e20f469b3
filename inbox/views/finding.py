"""What the search of the whole desk answers."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from contact_center.accounts.requests import person_of
from inbox.selectors.search import clean
from inbox.services.searching import search_desk
from inbox.views.lists import require_desk


@require_POST
def find(request: HttpRequest) -> HttpResponse:
    """Patients, conversations and cases that `q` means, as options of a listbox. The text stays out of addresses."""
    require_desk(request)
    typed = request.POST.get("q", "")
    found = search_desk(actor=person_of(request), text=typed)
    patients = [
        {"patient": patient, "interaction_id": found.newest_of.get(patient.pk), "points": patient.contact_points.all()}
        for patient in found.patients
    ]
    context = {
        "found": found,
        "patients": patients,
        "cases": [(case, found.newest_in.get(case.pk)) for case in found.cases],
        "asked": clean(typed),
        "is_short": bool(typed.strip("\x00 ")),
    }
    return render(request, "inbox/_find.html", context)
