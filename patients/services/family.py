"""Who belongs to a patient or may speak for one."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from patients import signals
from patients.enums import Relation
from patients.models import RelatedPerson
from patients.selectors.people import get_patient_for
from patients.services.locking import lock_patient, record_change


@transaction.atomic
def add_related_person(
    *,
    actor: User,
    patient_id: int,
    name: str,
    relation: str,
    relative_id: int | None = None,
    is_proxy: bool = False,
) -> RelatedPerson:
    """Note who may speak for, or belongs to, a patient.

    Raises ValidationError (by field), PermissionDenied, Patient.DoesNotExist, also for a hidden relative.
    """
    if relation not in Relation.values:
        raise ValidationError({"relation": _("Choose how this person is related.")})
    if relative_id == patient_id:
        raise ValidationError({"relative": _("Choose another person than the patient.")})
    patient = lock_patient(actor, patient_id)
    relative = get_patient_for(actor, relative_id) if relative_id else None
    person = RelatedPerson(patient=patient, relative=relative, name=name.strip(), relation=relation, is_proxy=is_proxy)
    person.clean_fields()
    person.save()
    record_change(actor, AuditAction.CREATED, person, patient, is_proxy=is_proxy)
    signals.announce(signals.patient_changed, patient_id=patient.pk)
    return person
