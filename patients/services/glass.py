"""Protecting records, and opening a protected one for an hour. The privacy officers are told."""

from datetime import date, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Refused
from patients import policies, signals
from patients.enums import Sensitivity
from patients.models import BreakGlass, Patient
from patients.selectors.access import open_glass, protected_patient_known_to
from patients.services.locking import record_change

GRANTED = timedelta(hours=1)
SHORTEST_REASON = 10


@transaction.atomic
def protect(*, actor: User, patient_id: int, sensitivity: str) -> Patient:
    """Say that a record is protected, and why, or that it is not any more; the trail keeps both words.

    Grants end with the protection they were given for. Raises PermissionDenied, ValidationError, Patient.DoesNotExist.
    """
    if not policies.can_protect(actor):
        raise PermissionDenied
    if sensitivity not in Sensitivity.values:
        raise ValidationError({"sensitivity": _("Choose why the record is protected.")})
    patient = Patient.objects.select_for_update().get(pk=patient_id)
    before = patient.sensitivity
    if before != sensitivity:
        patient.sensitivity = sensitivity
        patient.save(update_fields=["sensitivity", "updated_at"])
        BreakGlass.objects.open_now().filter(patient=patient).update(ended_at=timezone.now())
        record_change(
            actor, AuditAction.CHANGED, patient, patient, fields=["sensitivity"], before=before, after=sensitivity
        )
        signals.announce(signals.patient_changed, patient_id=patient.pk)
    return patient


@transaction.atomic
def break_glass(*, actor: User, patient_id: int, reason: str) -> BreakGlass:
    """Open a protected record for this person for an hour; once more while it is open gives a new hour.

    Only a record the person already knows of: through a conversation entrusted to them, or found by
    `find_protected`. Raises PermissionDenied, ValidationError at `reason`, Patient.DoesNotExist.
    """
    if not policies.can_break_glass(actor):
        raise PermissionDenied
    patient = protected_patient_known_to(actor, patient_id)
    return _grant(actor, patient, reason)


@transaction.atomic
def break_glass_by_identity(*, actor: User, mrn: str, birth_date: date, reason: str) -> BreakGlass:
    """Open the protected record with this record number and birth date: who knows both knows whom they ask for.

    A miss is on record too. Raises PermissionDenied, ValidationError at `reason`, Refused when no protected record
    has both.
    """
    if not policies.can_break_glass(actor):
        raise PermissionDenied
    require_reason(reason)
    found = Patient.objects.current().exclude(sensitivity=Sensitivity.NONE)
    patient = found.filter(mrn__iexact=mrn.strip(), birth_date=birth_date).first()
    if patient is None:
        raise Refused(_("No protected record has this record number and birth date."))
    return _grant(actor, patient, reason)


@transaction.atomic
def break_glass_on(*, actor: User, patient: Patient, reason: str) -> BreakGlass:
    """Open for an hour what an app above keeps sealed of a patient, whose matter the person named to that app.

    Raises PermissionDenied, ValidationError at `reason`.
    """
    if not policies.can_break_glass(actor):
        raise PermissionDenied
    return _grant(actor, patient, reason)


def note_missed_glass(*, actor: User) -> None:
    """Leave an entry for an attempt that found nothing; apart, because a refused attempt is rolled back."""
    with transaction.atomic():
        record(actor=actor, action=AuditAction.SEARCHED, object_type="patient", found=[], reason="glass")


def require_reason(reason: str) -> None:
    """Raises ValidationError at `reason` for one that says nothing."""
    if len(reason.strip()) < SHORTEST_REASON:
        raise ValidationError({"reason": _("Say in a sentence why you need this record now.")})


def _grant(actor: User, patient: Patient, reason: str) -> BreakGlass:
    require_reason(reason)
    expires_at = timezone.now() + GRANTED
    grant = BreakGlass.objects.create(user=actor, patient=patient, reason=reason.strip()[:500], expires_at=expires_at)
    record_change(actor, AuditAction.BROKE_GLASS, grant, patient, sensitivity=patient.sensitivity, glass=grant.pk)
    signals.announce(signals.glass_broken, grant_id=grant.pk, patient_id=patient.pk, user_id=actor.pk)
    return grant


@transaction.atomic
def close_glass(*, actor: User, patient_id: int) -> None:
    """Give the access back before its hour is over. Nothing open: nothing is written."""
    grant = open_glass(actor, patient_id)
    if grant is None:
        return
    now = timezone.now()
    BreakGlass.objects.open_now().filter(user=actor, patient_id=patient_id).update(ended_at=now, updated_at=now)
    record_change(actor, AuditAction.CLOSED, grant, grant.patient)
