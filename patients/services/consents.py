"""The patient's word on what may be sent, by purpose and channel kind."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from patients import signals
from patients.enums import ConsentPurpose, ConsentStatus
from patients.models import Consent
from patients.services.locking import lock_patient, record_change


@transaction.atomic
def record_consent(
    *,
    actor: User | None,
    patient_id: int,
    purpose: str,
    channel_kind: str,
    status: str,
    source: str,
    text_version: str = "",
) -> Consent:
    """Keep the patient's latest word on one purpose and channel kind; earlier words stay as history.

    `source` says how we know (`form`, `phone call`, `keyword`). Raises ValidationError, PermissionDenied,
    Patient.DoesNotExist.
    """
    if purpose not in ConsentPurpose.values or status not in ConsentStatus.values:
        raise ValidationError(_("Choose a purpose and whether consent was given or withdrawn."))
    patient = lock_patient(actor, patient_id)
    consent = Consent(
        patient=patient,
        purpose=purpose,
        channel_kind=channel_kind,
        status=status,
        source=source[:60],
        text_version=text_version[:40],
        recorded_at=timezone.now(),
        recorded_by=actor,
    )
    consent.save()
    record_change(
        actor, AuditAction.CHANGED, consent, patient, purpose=purpose, channel_kind=channel_kind, status=status
    )
    signals.announce(signals.patient_changed, patient_id=patient.pk)
    return consent
