"""What must be known of a patient now: alerts, coverage, life events."""

from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.common.errors import Refused
from patients import signals
from patients.enums import AlertKind, AlertSeverity, CoverageStatus
from patients.models import Alert, Coverage, LifeEvent, Patient
from patients.services.locking import Row, lock_patient, lock_row, record_change


def conclude(actor: User, action: AuditAction, row: Row, patient: Patient, **detail: object) -> None:
    """Record a change of a row of this patient and announce it."""
    record_change(actor, action, row, patient, **detail)
    signals.announce(signals.patient_changed, patient_id=patient.pk)


def clean(row: Row, exclude: set[str]) -> None:
    """The row with its texts trimmed. Raises ValidationError by field, in words for a form."""
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        if isinstance(value, str) and not getattr(field, "protected", False):
            setattr(row, field.attname, value.replace("\x00", "").strip())
    row.clean_fields(exclude=exclude)


def save_unless_known(row: Row, field: str, why: str) -> None:
    """Save a row; ValidationError with this sentence at `field` where the database has one like it."""
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise ValidationError({field: why}) from None


def remove_row(model: type[Row], actor: User, pk: int, *said: str) -> None:
    """Take a row out of its patient's record; the trail keeps these fields of it.

    Raises PermissionDenied, `model.DoesNotExist`.
    """
    row = lock_row(model, actor, pk)
    conclude(actor, AuditAction.DELETED, row, row.patient, **{name: getattr(row, name) for name in said})  # type: ignore[attr-defined]
    row.delete()


@transaction.atomic
def add_alert(
    *, actor: User, patient_id: int, kind: str, text: str, severity: str, expires_date: date | None = None
) -> Alert:
    """Warn everybody who opens this record, until the end of `expires_date` or until somebody ends it.

    Raises ValidationError (by field), PermissionDenied, Patient.DoesNotExist.
    """
    if kind not in AlertKind.values:
        raise ValidationError({"kind": _("Choose what the alert is about.")})
    if severity not in AlertSeverity.values:
        raise ValidationError({"severity": _("Choose how serious it is.")})
    if expires_date is not None and expires_date < timezone.localdate():
        raise ValidationError({"expires_date": _("Enter today or a later day.")})
    patient = lock_patient(actor, patient_id)
    alert = Alert(patient=patient, kind=kind, severity=severity, text=text, expires_date=expires_date, created_by=actor)
    clean(alert, {"patient", "created_by"})
    alert.save()
    conclude(actor, AuditAction.CREATED, alert, patient, kind=kind, severity=severity)
    return alert


@transaction.atomic
def end_alert(*, actor: User, alert_id: int) -> Alert:
    """It holds no more; it stays in the timeline. Raises Refused when it has ended, PermissionDenied,
    Alert.DoesNotExist."""
    alert = lock_row(Alert, actor, alert_id)
    if alert.ended_at is not None:
        raise Refused(_("This alert has ended already."))
    alert.ended_at, alert.ended_by = timezone.now(), actor
    alert.save(update_fields=["ended_at", "ended_by", "updated_at"])
    conclude(actor, AuditAction.CLOSED, alert, alert.patient)
    return alert


@transaction.atomic
def add_coverage(
    *,
    actor: User | None,
    patient_id: int,
    payer: str,
    plan: str = "",
    member_number: str = "",
    valid_from_date: date | None = None,
    valid_until_date: date | None = None,
    status: str = CoverageStatus.ACTIVE,
) -> Coverage:
    """Note who pays. Raises ValidationError (by field), PermissionDenied, Patient.DoesNotExist."""
    if valid_from_date and valid_until_date and valid_until_date < valid_from_date:
        raise ValidationError({"valid_until_date": _("Enter a day that is not before the first one.")})
    patient = lock_patient(actor, patient_id)
    coverage = Coverage(
        patient=patient, payer=payer, plan=plan, member_number=member_number, status=status,
        valid_from_date=valid_from_date, valid_until_date=valid_until_date,
    )  # fmt: skip
    clean(coverage, {"patient"})
    coverage.save()
    record_change(actor, AuditAction.CREATED, coverage, patient, status=status)
    signals.announce(signals.patient_changed, patient_id=patient.pk)
    return coverage


@transaction.atomic
def end_coverage(*, actor: User, coverage_id: int, is_error: bool = False) -> Coverage:
    """It pays no more from today on; with `is_error` it never did and is shown no more.

    Raises Refused when it is over, PermissionDenied, Coverage.DoesNotExist.
    """
    coverage = lock_row(Coverage, actor, coverage_id)
    if coverage.status not in (CoverageStatus.ACTIVE, CoverageStatus.DRAFT):
        raise Refused(_("This coverage is over already."))
    yesterday = timezone.localdate() - timedelta(days=1)
    if is_error:
        coverage.status = CoverageStatus.ENTERED_IN_ERROR
    else:
        coverage.status = CoverageStatus.CANCELLED
        last = max(yesterday, coverage.valid_from_date or yesterday)
        coverage.valid_until_date = min(coverage.valid_until_date or last, last)
    coverage.save(update_fields=["status", "valid_until_date", "updated_at"])
    conclude(actor, AuditAction.CHANGED, coverage, coverage.patient, status=coverage.status)
    return coverage


@transaction.atomic
def add_life_event(*, actor: User, patient_id: int, text: str, happened_date: date | None = None) -> LifeEvent:
    """Something worth remembering. Raises ValidationError (by field), PermissionDenied, Patient.DoesNotExist."""
    if happened_date is not None and happened_date > timezone.localdate():
        raise ValidationError({"happened_date": _("Enter a date that is not in the future.")})
    patient = lock_patient(actor, patient_id)
    event = LifeEvent(patient=patient, text=text, happened_date=happened_date, recorded_by=actor)
    clean(event, {"patient", "recorded_by"})
    event.save()
    conclude(actor, AuditAction.CREATED, event, patient)
    return event


@transaction.atomic
def remove_life_event(*, actor: User, life_event_id: int) -> None:
    """It should not be remembered. Raises PermissionDenied, LifeEvent.DoesNotExist."""
    remove_row(LifeEvent, actor, life_event_id)
