"""Legal holds and rules of retention: who says what is kept, and for how long."""

from collections.abc import Collection

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict
from patients import policies
from patients.enums import DataClass
from patients.models import LegalHold, Patient, RetentionRule

MOST_DAYS = 36_500


def held_classes(patient_ids: Collection[int]) -> set[str]:
    """Classes of data of these patients that a hold keeps now."""
    holds = LegalHold.objects.filter(lifted_at=None).filter(Q(patient=None) | Q(patient__in=list(patient_ids)))
    return {name for hold in holds for name in DataClass.values if hold.covers(name)}


def held_patients(data_class: str) -> list[int] | None:
    """Patients whose data of this class is held now; None when everybody's is."""
    holds = [hold for hold in LegalHold.objects.filter(lifted_at=None) if hold.covers(data_class)]
    if any(hold.patient_id is None for hold in holds):
        return None
    return sorted({hold.patient_id for hold in holds if hold.patient_id is not None})


@transaction.atomic
def place_hold(*, actor: User, reason: str, mrn: str = "", data_classes: Collection[str] = ()) -> LegalHold:
    """Keep a patient's data, or everybody's without `mrn`, whatever erasures and rules say.

    Raises PermissionDenied, ValidationError at `reason` or `mrn`.
    """
    _allowed(actor)
    if not reason.strip():
        raise ValidationError({"reason": _("Say why it must be kept.")})
    patient = Patient.objects.filter(mrn__iexact=mrn.strip()).first() if mrn.strip() else None
    if mrn.strip() and patient is None:
        raise ValidationError({"mrn": _("There is no record with this number.")})
    hold = LegalHold.objects.create(
        patient=patient, reason=reason.strip()[:240], placed_by=actor,
        data_classes=[name for name in DataClass.values if name in data_classes],
    )  # fmt: skip
    _record(actor, AuditAction.CREATED, hold)
    return hold


@transaction.atomic
def lift_hold(*, actor: User, hold_id: int) -> LegalHold:
    """End a hold. Raises PermissionDenied, Conflict when it ended already, LegalHold.DoesNotExist."""
    _allowed(actor)
    hold = LegalHold.objects.select_for_update().get(pk=hold_id)
    if hold.lifted_at is not None:
        raise Conflict(_("This hold was lifted already."))
    hold.lifted_at, hold.lifted_by = timezone.now(), actor
    hold.save()
    _record(actor, AuditAction.CHANGED, hold)
    return hold


@transaction.atomic
def set_retention(*, actor: User, data_class: str, days: int | None) -> RetentionRule:
    """Keep a class of data so many days; None for ever. Raises PermissionDenied, ValidationError at `days`."""
    _allowed(actor)
    if data_class not in DataClass.values or data_class == DataClass.AUDIT:
        raise ValidationError({"days": _("This is kept whatever the rules say.")})
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise ValidationError({"days": _("Enter a number of days from 1 to 36,500, or nothing.")})
    rule, _made = RetentionRule.objects.select_for_update().get_or_create(data_class=data_class)
    before, rule.days, rule.changed_by = rule.days, days, actor
    rule.save()
    record(
        actor=actor,
        action=AuditAction.CHANGED,
        object_type="retention_rule",
        object_id=rule.pk,
        before=before,
        after=days,
    )
    return rule


def _allowed(actor: User) -> None:
    if not policies.can_oversee_privacy(actor):
        raise PermissionDenied


def _record(actor: User, action: AuditAction, hold: LegalHold) -> None:
    record(
        actor=actor, action=action, object_type="legal_hold", object_id=hold.pk, patient_id=hold.patient_id,
        classes=hold.data_classes,
    )  # fmt: skip
