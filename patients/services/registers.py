"""Numbers that registers gave a patient, as staff write them down. No entry of the trail says a number."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.common.versions import refuse_unseen
from patients.models import Identifier
from patients.services.care import clean, conclude, remove_row, save_unless_known
from patients.services.intake import MOST_IDENTIFIER, normalise_identifier
from patients.services.locking import lock_patient, lock_row


@transaction.atomic
def add_number(*, actor: User, patient_id: int, system: str, value: str) -> Identifier:
    """A number that the register `system` gave this patient; one they have already is returned.

    Raises ValidationError (by field; at `value` for another patient's), PermissionDenied, Patient.DoesNotExist.
    """
    patient = lock_patient(actor, patient_id)
    known = patient.identifiers.filter(system=system, value=normalise_identifier(value)).first()
    if known is not None:
        return known
    number = _write(Identifier(patient=patient), system, value)
    conclude(actor, AuditAction.CREATED, number, patient, system=number.system)
    return number


@transaction.atomic
def change_number(
    *, actor: User, number_id: int, system: str, value: str, seen_version: str | None = None
) -> Identifier:
    """Write a number right; `seen_version` is the version that the writer saw.

    Raises as `add_number`, and Unseen, Identifier.DoesNotExist.
    """
    number = lock_row(Identifier, actor, number_id)
    refuse_unseen(number, seen_version)
    _write(number, system, value)
    conclude(actor, AuditAction.CHANGED, number, number.patient, fields=["system", "value"])
    return number


@transaction.atomic
def remove_number(*, actor: User, number_id: int) -> None:
    """It is not this patient's. Raises PermissionDenied, Identifier.DoesNotExist."""
    remove_row(Identifier, actor, number_id, "system")


def _write(number: Identifier, system: str, value: str) -> Identifier:
    number.system, number.value, number.raw = system, normalise_identifier(value), value
    if not number.value or len(value) > MOST_IDENTIFIER:
        raise ValidationError({"value": _("This is not a number of a register.")})
    clean(number, {"patient"})
    save_unless_known(number, "value", _("This number belongs to another record."))
    return number
