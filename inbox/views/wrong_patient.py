"""Moving what lies in the wrong patient's record."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from contact_center.accounts.models import User
from contact_center.accounts.requests import person_of
from contact_center.common.answers import status_of
from contact_center.common.errors import Refused
from contact_center.common.numbers import number_of, numbers_in
from inbox import policies
from inbox.enums import WrongPatientReason
from inbox.models import Interaction
from inbox.selectors.merging import messages_to_split
from inbox.services.wrong_patient import move_to_right_patient
from inbox.views.answers import render_form
from inbox.views.dialogs import done
from inbox.views.interactions import find
from patients.models import Patient
from patients.selectors.people import get_patient_for
from patients.services.records import search_records


@require_http_methods(["GET", "HEAD", "POST"])
def wrong_patient(request: HttpRequest, pk: int) -> HttpResponse:
    """Find the right patient, choose what belongs there and say why; names are posted, never in an address."""
    interaction, user = find(request, pk), person_of(request)
    error, status = "", 200
    if request.method == "POST" and "search" not in request.POST:
        try:
            moved = move_to_right_patient(actor=user, interaction_id=pk, **_given(request, user))
            return done(request, moved.pk, _("Moved to the right patient."))
        except Refused as refusal:
            error, status = str(refusal), status_of(refusal)
    return render_form(request, "wrong_patient", _context(request, user, interaction) | {"error": error}, status=status)


def _given(request: HttpRequest, user: User) -> dict[str, Any]:
    number = number_of(request.POST.get("patient", ""))
    try:
        if number is None or not policies.can_search_patients(user):
            raise Patient.DoesNotExist
        patient = get_patient_for(user, number)
    except Patient.DoesNotExist:
        raise Refused(_("Choose the right patient from the list.")) from None
    return {
        "patient": patient,
        "reason": request.POST.get("reason", ""),
        "message_ids": set(numbers_in(request.POST, "messages")),
        "note": request.POST.get("note", "")[:2000],
    }


def _context(request: HttpRequest, user: User, interaction: Interaction) -> dict[str, Any]:
    query = request.POST.get("q", "").strip()[:100]
    found = search_records(user, query, limit=12) if len(query) > 1 and policies.can_search_patients(user) else []
    return {
        "interaction": interaction,
        "query": query,
        "results": [row for row in found if row.pk != interaction.patient_id],
        "patient_id": number_of(request.POST.get("patient", "")),
        "rows": messages_to_split(interaction),
        "chosen": set(numbers_in(request.POST, "messages")),
        "reasons": WrongPatientReason.choices,
        "reason": request.POST.get("reason", ""),
        "note": request.POST.get("note", "")[:2000],
    }
