"""What every verb on a patient begins and ends with: the lock on the record, and the entry in the trail."""

from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict
from patients import policies
from patients.models import Patient
from patients.selectors.people import patients_visible_to

Row = TypeVar("Row", bound=Model)


def lock_patient(actor: User | None, patient_id: int) -> Patient:
    patient = Patient.objects.select_for_update().get(pk=patient_id)
    if actor is not None:
        if not patients_visible_to(actor).filter(pk=patient_id).exists():
            raise Patient.DoesNotExist
        if not policies.can_edit_patient(actor, patient):
            raise PermissionDenied
    return patient


def lock_current(patient_id: int) -> Patient:
    """The record in which this one goes on, neither merged nor erased until the caller's transaction ends. Lock it
    before rows that are merged along with it, as merging does. Rows that name the patient are written meanwhile: their
    writers may hold a conversation already. Raises Patient.DoesNotExist, and Conflict for one merged at this moment."""
    goes_on_in = Patient.objects.values_list("merged_into_id", flat=True).get(pk=patient_id)
    patient = Patient.objects.select_for_update(no_key=True).get(pk=goes_on_in or patient_id)
    if patient.merged_into_id is not None:
        raise Conflict(_("This record was merged with another one meanwhile. Try again."))
    return patient


def record_change(actor: User | None, action: AuditAction, row: Any, patient: Patient | None, **detail: object) -> None:
    concerned = {"patient_id": patient.pk} if patient else {}
    record(actor=actor, action=action, object_type=row._meta.model_name, object_id=row.pk, **concerned | detail)  # type: ignore[arg-type]


def lock_row(model: type[Row], actor: User, pk: int) -> Row:
    """One row of a patient's record with its lock, after the patient's. Raises `model.DoesNotExist`, also when the
    patient is hidden, and PermissionDenied."""
    patient_id = model._default_manager.values_list("patient_id", flat=True).get(pk=pk)
    try:
        patient = lock_patient(actor, patient_id)
    except Patient.DoesNotExist:
        raise model.DoesNotExist from None  # type: ignore[attr-defined]
    row = model._default_manager.select_for_update(of=("self",)).get(pk=pk)
    row.patient = patient  # type: ignore[attr-defined]
    return row
