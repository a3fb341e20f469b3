"""Who a patient is and how they are reached, as staff write it down."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from contact_center.accounts.requests import person_of
from patients.models import ContactPoint, Identifier, Patient, PostalAddress
from patients.policies import can_edit_patient
from patients.record_forms import AddressForm, HomeForm, IdentityForm, NumberForm
from patients.services import addresses, homes, registers
from patients.services.records import update_patient
from patients.views.additions import Save, act, done, form_methods, opened_row, row_for, sent, serve, take_away
from patients.views.answers import opened_patient

VERBS = {
    "verify": (addresses.verify_contact_point, gettext_lazy("Marked as verified.")),
    "prefer": (addresses.prefer_contact_point, gettext_lazy("It is tried first from now on.")),
}


@form_methods
def identity(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Name, birth date and gender of a patient."""
    patient = opened_patient(request, patient_id)
    initial = {name: getattr(patient, name) for name in IdentityForm.base_fields}
    form = IdentityForm(sent(request), initial=initial)
    return _edit(request, patient, form, partial(update_patient, patient_id=patient_id), _("Who this is"))


@form_methods
def add_address(request: HttpRequest, patient_id: int) -> HttpResponse:
    """One more phone number or e-mail address."""
    patient = opened_patient(request, patient_id)
    form = AddressForm(sent(request))
    save = partial(_add, request, patient_id)
    return serve(request, patient, form, save, _("Added."), title=_("New way to reach them"), verb=_("Add"))


def _add(request: HttpRequest, patient_id: int, data: dict[str, Any]) -> None:
    addresses.add_contact_point(actor=person_of(request), patient_id=patient_id, **data)


@require_POST
def change_address(request: HttpRequest, pk: int) -> HttpResponse:
    """The patient was reached there, it is tried first, or it is theirs no more: `verb` says which."""
    if request.POST.get("verb") == "remove":
        remove = partial(addresses.remove_contact_point, actor=person_of(request), contact_point_id=pk)
        return take_away(request, ContactPoint, pk, remove)
    point: ContactPoint = row_for(request, ContactPoint, pk)
    if not can_edit_patient(person_of(request), point.patient):
        raise PermissionDenied
    found = VERBS.get(request.POST.get("verb", ""))
    if found is None:
        return done(request, point.patient_id, _("Say what has changed about it."), is_error=True)
    verb, said = found
    return act(request, point.patient_id, lambda: verb(actor=person_of(request), contact_point_id=pk), str(said))


@form_methods
def add_home(request: HttpRequest, patient_id: int) -> HttpResponse:
    """One more postal address."""
    patient = opened_patient(request, patient_id)
    save: Save = lambda data: homes.add_home(actor=person_of(request), patient_id=patient_id, **data)  # noqa: E731
    return serve(
        request, patient, HomeForm(sent(request)), save, _("Added."), title=_("New postal address"), verb=_("Add")
    )


@form_methods
def change_home(request: HttpRequest, pk: int) -> HttpResponse:
    """Another spelling of a postal address; a POST with the verb `remove` takes it away."""
    if request.POST.get("verb") == "remove":
        return take_away(request, PostalAddress, pk, partial(homes.remove_home, actor=person_of(request), home_id=pk))
    home = opened_row(request, PostalAddress, pk)
    form = HomeForm(sent(request), initial={name: getattr(home, name) for name in HomeForm.base_fields})
    return _edit(request, home, form, partial(homes.change_home, home_id=pk), _("Postal address"))


@form_methods
def add_number(request: HttpRequest, patient_id: int) -> HttpResponse:
    """One more number of a register."""
    patient = opened_patient(request, patient_id)
    save: Save = lambda data: registers.add_number(actor=person_of(request), patient_id=patient_id, **data)  # noqa: E731
    title = _("New number of a register")
    return serve(request, patient, NumberForm(sent(request)), save, _("Added."), title=title, verb=_("Add"))


@form_methods
def change_number(request: HttpRequest, pk: int) -> HttpResponse:
    """Write a number of a register right; a POST with the verb `remove` takes it away."""
    if request.POST.get("verb") == "remove":
        return take_away(
            request, Identifier, pk, partial(registers.remove_number, actor=person_of(request), number_id=pk)
        )
    number = opened_row(request, Identifier, pk)
    form = NumberForm(sent(request), initial={"system": number.system})
    title = _("Number that ends in %(end)s") % {"end": number.value[-4:]}
    return _edit(request, number, form, partial(registers.change_number, number_id=pk), title)


def _edit(request: HttpRequest, row: Any, form: forms.Form, change: Callable[..., object], title: str) -> HttpResponse:
    """The form over a row of a record, or over the record itself, with the version that the writer saw."""
    seen, patient = request.POST.get("seen_version"), row if isinstance(row, Patient) else row.patient
    save: Save = lambda data: change(actor=person_of(request), seen_version=seen, **data)  # noqa: E731
    return serve(request, patient, form, save, _("Saved."), title=title, verb=_("Save"), edited=row)
