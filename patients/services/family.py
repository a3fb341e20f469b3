"""Who belongs to a patient or may speak for one."""

from collections.abc import Collection
from datetime import date
from typing import TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from patients import signals
from patients.enums import ProofKind, ProxyScope, Relation
from patients.models import Patient, RelatedPerson
from patients.policies import comes_of_age_on, last_day_of
from patients.selectors.family import rule_for
from patients.selectors.people import get_patient_for
from patients.services.locking import lock_patient, record_change

MINORS_PROXIES = (Relation.PARENT, Relation.GUARDIAN)


class ProxyFields(TypedDict, total=False):
    """What a proxy may do, from when to when, and what proved it. `is_for_minor` None: as age and relation say."""

    is_proxy: bool
    scopes: Collection[str]
    is_for_minor: bool | None
    valid_from_date: date | None
    valid_until_date: date | None
    proof: str
    proof_note: str


@transaction.atomic
def add_related_person(
    *,
    actor: User,
    patient_id: int,
    name: str,
    relation: str,
    relative_id: int | None = None,
    **proxy: Unpack[ProxyFields],
) -> RelatedPerson:
    """Note who may speak for, or belongs to, a patient. A proxy without scopes named may do everything.

    A parent's or guardian's right over a minor ends by itself when the patient comes of age.
    Raises ValidationError (by field), PermissionDenied, Patient.DoesNotExist, also for a hidden relative.
    """
    if relative_id == patient_id:
        raise ValidationError({"relative": _("Choose another person than the patient.")})
    patient = lock_patient(actor, patient_id)
    relative = get_patient_for(actor, relative_id) if relative_id else None
    person = RelatedPerson(patient=patient, relative=relative)
    if proxy.get("is_proxy") and "scopes" not in proxy:
        proxy["scopes"] = ProxyScope.values
    _fill(person, name, relation, proxy)
    person.save()
    record_change(actor, AuditAction.CREATED, person, patient, is_proxy=person.is_proxy, scopes=sorted(person.scopes))
    signals.announce(signals.patient_changed, patient_id=patient.pk)
    return person


@transaction.atomic
def change_related_person(
    *, actor: User, related_person_id: int, name: str, relation: str, **proxy: Unpack[ProxyFields]
) -> RelatedPerson:
    """Write anew what this person may do; what was over stays over.

    Raises ValidationError (by field), PermissionDenied, RelatedPerson.DoesNotExist.
    """
    person = _locked(actor, related_person_id)
    if person.ended_at is not None:
        raise ValidationError(_("This has ended. Add the person anew."))
    before = sorted(person.scopes)
    _fill(person, name, relation, proxy)
    person.warned_date = None
    person.save()
    scopes = {"before": before, "scopes": sorted(person.scopes)}
    record_change(actor, AuditAction.CHANGED, person, person.patient, is_proxy=person.is_proxy, **scopes)
    signals.announce(signals.patient_changed, patient_id=person.patient_id)
    return person


@transaction.atomic
def end_related_person(*, actor: User | None, related_person_id: int) -> RelatedPerson:
    """From now on this person may do nothing for the patient; the row stays as history. Ending twice changes nothing.

    Raises PermissionDenied, RelatedPerson.DoesNotExist.
    """
    person = _locked(actor, related_person_id)
    if person.ended_at is None:
        person.ended_at = timezone.now()
        person.save(update_fields=["ended_at", "updated_at"])
        record_change(actor, AuditAction.CHANGED, person, person.patient, fields=["ended_at"])
        signals.announce(signals.patient_changed, patient_id=person.patient_id)
    return person


@transaction.atomic
def note_warning(*, related_person_id: int) -> RelatedPerson | None:
    """Claim the warning that a proxy ends; None when another process was faster or the proxy was ended meanwhile."""
    rows = RelatedPerson.objects.select_for_update(skip_locked=True, of=("self",)).select_related("patient")
    person = rows.filter(pk=related_person_id, warned_date=None, ended_at=None).first()
    if person is not None:
        person.warned_date = timezone.localdate()
        person.save(update_fields=["warned_date", "updated_at"])
    return person


def _locked(actor: User | None, related_person_id: int) -> RelatedPerson:
    patient_id = RelatedPerson.objects.values_list("patient_id", flat=True).get(pk=related_person_id)
    try:
        lock_patient(actor, patient_id)
    except Patient.DoesNotExist:
        raise RelatedPerson.DoesNotExist from None
    rows = RelatedPerson.objects.select_for_update(of=("self",)).select_related("patient")
    return rows.get(pk=related_person_id)


def _fill(person: RelatedPerson, name: str, relation: str, proxy: ProxyFields) -> None:
    if relation not in Relation.values:
        raise ValidationError({"relation": _("Choose how this person is related.")})
    person.name, person.relation = name.replace("\x00", "").strip(), relation
    person.is_proxy = bool(proxy.get("is_proxy"))
    person.scopes = sorted(set(proxy.get("scopes", ()))) if person.is_proxy else []
    person.valid_from_date, person.valid_until_date = proxy.get("valid_from_date"), proxy.get("valid_until_date")
    person.proof, person.proof_note = proxy.get("proof", ""), proxy.get("proof_note", "").strip()
    stated = proxy.get("is_for_minor")
    person.is_for_minor = person.is_proxy and (_is_minors_proxy(person) if stated is None else stated)
    errors = _mistakes(person)
    try:
        person.clean_fields(exclude={"patient", "relative"})
    except ValidationError as error:
        errors = error.message_dict | errors
    if errors:
        raise ValidationError(errors)


def _is_minors_proxy(person: RelatedPerson) -> bool:
    born = person.patient.birth_date
    if person.relation not in MINORS_PROXIES or born is None:
        return False
    return timezone.localdate() < comes_of_age_on(born, rule_for(person.patient).adult_age)


def _mistakes(person: RelatedPerson) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if not person.is_proxy:
        return errors
    begins, ends = person.valid_from_date, person.valid_until_date
    if not set(person.scopes) or set(person.scopes) - set(ProxyScope.values):
        errors["scopes"] = [_("Choose what this person may do for the patient.")]
    if person.proof and person.proof not in ProofKind.values:
        errors["proof"] = [_("Choose what proved it.")]
    if begins and ends and ends < begins:
        errors["valid_until_date"] = [_("This is before it begins.")]
    if person.is_for_minor and person.patient.birth_date is None:
        errors["is_for_minor"] = [_("Write down the patient's birth date first: it says when this ends.")]
    last = last_day_of(person, rule_for(person.patient).adult_age)
    if "valid_until_date" not in errors and last is not None and last < timezone.localdate():
        errors["valid_until_date"] = [_("This would be over already.")]
    return errors
