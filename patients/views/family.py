"""Family and proxies of a patient, and when patients come of age."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contact_center.accounts.enums import Action
from contact_center.accounts.policies import can
from contact_center.accounts.requests import person_of, sent_once
from contact_center.common.answers import tell_errors
from contact_center.common.numbers import number_of
from patients.care_forms import CareRuleForm, FamilyForm
from patients.models import CareRule, Patient, RelatedPerson
from patients.selectors.family import family_of, get_related_person_for
from patients.selectors.people import patients_visible_to
from patients.services.family import add_related_person, change_related_person, end_related_person
from patients.services.rules import remove_care_rule, save_care_rule
from patients.views.answers import back_to, opened_patient
from patients.views.care import form_methods, page

KEPT = ("name", "relation", "is_proxy", "scopes", "valid_from_date", "valid_until_date", "proof", "proof_note")


@form_methods
def family(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Who belongs to the patient and may act for them, and somebody new."""
    patient = opened_patient(request, patient_id)
    form = FamilyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        data = dict(form.cleaned_data)
        try:
            data["relative_id"] = _relative(request, data.pop("relative_mrn"))
            sent_once(
                request,
                lambda: add_related_person(actor=person_of(request), patient_id=patient_id, **data),
            )
        except ValidationError as error:
            tell_errors(form, error)
        else:
            return back_to(request, _("Added."), "patients:family", patient_id)
    members = family_of(person_of(request), patient)
    status = 422 if form.is_bound else 200
    return page(request, patient, "patients/family.html", section="family", status=status, form=form, members=members)


def _relative(request: HttpRequest, mrn: str) -> int | None:
    """Id of the visible patient with that record number. Raises ValidationError at `relative_mrn`."""
    if not mrn.strip():
        return None
    found = patients_visible_to(person_of(request)).filter(mrn__iexact=mrn.strip()).values_list("pk", flat=True).first()
    if found is None:
        raise ValidationError({"relative_mrn": _("There is no patient with this record number.")})
    return int(found)


def _link(request: HttpRequest, related_person_id: int) -> RelatedPerson:
    try:
        return get_related_person_for(person_of(request), related_person_id)
    except RelatedPerson.DoesNotExist:
        raise Http404 from None


@form_methods
def family_member(request: HttpRequest, related_person_id: int) -> HttpResponse:
    """Change what one person may do for the patient."""
    link = _link(request, related_person_id)
    patient = opened_patient(request, link.patient_id)
    initial: dict[str, Any] = {name: getattr(link, name) for name in KEPT}
    initial["is_for_minor"] = ("yes" if link.is_for_minor else "no") if link.is_proxy else ""
    form = FamilyForm(request.POST if request.method == "POST" else None, initial=initial)
    del form.fields["relative_mrn"]
    if request.method == "POST" and form.is_valid():
        try:
            change_related_person(actor=person_of(request), related_person_id=related_person_id, **form.cleaned_data)
        except ValidationError as error:
            tell_errors(form, error)
        else:
            return back_to(request, _("Saved."), "patients:family", patient.pk)
    status = 422 if form.is_bound else 200
    return page(request, patient, "patients/family_form.html", section="family", status=status, form=form, link=link)


@require_POST
def end_family_member(request: HttpRequest, related_person_id: int) -> HttpResponse:
    """This person may do nothing for the patient from now on."""
    link = _link(request, related_person_id)
    try:
        end_related_person(actor=person_of(request), related_person_id=related_person_id)
    except (Patient.DoesNotExist, RelatedPerson.DoesNotExist):
        raise Http404 from None
    return back_to(request, _("Ended. It is kept as history."), "patients:family", link.patient_id)


@form_methods
def care_rules(request: HttpRequest) -> HttpResponse:
    """When patients come of age, by site. For those who configure."""
    actor = person_of(request)
    if not can(actor, Action.CONFIGURE):
        raise PermissionDenied
    removed = number_of(request.POST.get("remove", ""))
    if removed is not None:
        try:
            remove_care_rule(actor=actor, rule_id=removed)
        except CareRule.DoesNotExist:
            raise Http404 from None
        return back_to(request, _("Removed."), "patients:care-rules")
    form = CareRuleForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        save_care_rule(actor=actor, **form.cleaned_data)
        return back_to(request, _("Saved."), "patients:care-rules")
    context = {"form": form, "rows": CareRule.objects.all(), "section": "care-rules"}
    return render(request, "patients/care_rules.html", context, status=422 if form.is_bound else 200)
