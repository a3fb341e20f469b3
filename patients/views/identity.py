"""Who a patient is and how they are reached, as staff write it down."""

from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from contact_center.accounts.requests import person_of
from patients.models import ContactPoint
from patients.policies import can_edit_patient
from patients.record_forms import AddressForm, IdentityForm
from patients.selectors.care import get_row_for
from patients.services import addresses
from patients.services.records import update_patient
from patients.views.additions import act, done, form_methods, serve
from patients.views.answers import opened_patient

VERBS = {
    "verify": (addresses.verify_contact_point, gettext_lazy("Marked as verified.")),
    "prefer": (addresses.prefer_contact_point, gettext_lazy("It is tried first from now on.")),
    "remove": (addresses.remove_contact_point, gettext_lazy("Removed.")),
}


@form_methods
def identity(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Name, birth date and gender of a patient."""
    patient = opened_patient(request, patient_id)
    initial = {name: getattr(patient, name) for name in IdentityForm.base_fields}
    form = IdentityForm(request.POST if request.method == "POST" else None, initial=initial)

    def save(data: dict[str, Any]) -> None:
        seen = request.POST.get("seen_version")
        update_patient(actor=person_of(request), patient_id=patient_id, seen_version=seen, **data)

    title = _("Who this is")
    return serve(request, patient, form, save, _("Saved."), title=title, verb=_("Save"), edited=patient)


@form_methods
def add_address(request: HttpRequest, patient_id: int) -> HttpResponse:
    """One more phone number or e-mail address."""
    patient = opened_patient(request, patient_id)
    form = AddressForm(request.POST if request.method == "POST" else None)
    save = partial(_add, request, patient_id)
    return serve(request, patient, form, save, _("Added."), title=_("New way to reach them"), verb=_("Add"))


def _add(request: HttpRequest, patient_id: int, data: dict[str, Any]) -> None:
    addresses.add_contact_point(actor=person_of(request), patient_id=patient_id, **data)


@require_POST
def change_address(request: HttpRequest, pk: int) -> HttpResponse:
    """The patient was reached there, it is tried first, or it is theirs no more: `verb` says which."""
    try:
        point = get_row_for(person_of(request), ContactPoint, pk)
    except ContactPoint.DoesNotExist:
        raise Http404 from None
    if not can_edit_patient(person_of(request), point.patient):
        raise PermissionDenied
    found = VERBS.get(request.POST.get("verb", ""))
    if found is None:
        return done(request, point.patient_id, _("Say what has changed about it."), is_error=True)
    verb, said = found
    return act(request, point.patient_id, lambda: verb(actor=person_of(request), contact_point_id=pk), str(said))
