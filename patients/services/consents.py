"""The patient's word on what may be sent, by purpose and channel kind."""

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from patients import signals
from patients.enums import ConsentPurpose, ConsentStatus, ContactChannel
from patients.models import Consent, ConsentText
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
    text: ConsentText | None = None,
) -> Consent:
    """Keep the patient's latest word on one purpose and channel kind; earlier words stay as history.

    `source` says how we know (`form`, `phone call`, `patient page`), `text` what the patient was shown. A channel kind
    of "" is a word on all channels. Raises ValidationError, PermissionDenied, Patient.DoesNotExist.
    """
    if purpose not in ConsentPurpose.values or status not in ConsentStatus.values:
        raise ValidationError(_("Choose a purpose and whether consent was given or withdrawn."))
    if channel_kind and channel_kind not in ContactChannel.values:
        raise ValidationError(_("Choose the channel this is about."))
    if text is not None and text.purpose != purpose:
        raise ValidationError(_("This text is about another purpose."))
    patient = lock_patient(actor, patient_id)
    consent = Consent(
        patient=patient,
        purpose=purpose,
        channel_kind=channel_kind,
        status=status,
        source=source[:60],
        text_version=f"{text.language}-{text.version}" if text else text_version[:40],
        text=text,
        recorded_at=timezone.now(),
        recorded_by=actor,
    )
    consent.save()
    record_change(
        actor, AuditAction.CHANGED, consent, patient, purpose=purpose, channel_kind=channel_kind, status=status
    )
    signals.announce(signals.patient_changed, patient_id=patient.pk)
    return consent


@transaction.atomic
def publish_consent_text(*, actor: User | None, purpose: str, language: str, text: str) -> ConsentText:
    """Publish the next version of what patients are shown; the same words again give the version that is there.

    Raises ValidationError (by field), PermissionDenied unless the actor may configure.
    """
    if actor is not None and not can(actor, Action.CONFIGURE):
        raise PermissionDenied
    words = text.replace("\x00", "").strip()
    if purpose not in ConsentPurpose.values:
        raise ValidationError({"purpose": _("Choose a purpose.")})
    if language not in dict(settings.LANGUAGES):
        raise ValidationError({"language": _("Choose a language.")})
    if not words:
        raise ValidationError({"text": _("Write what patients are shown.")})
    with connection.cursor() as cursor:  # two people who publish at once get two versions
        cursor.execute("LOCK TABLE patients_consenttext IN SHARE ROW EXCLUSIVE MODE")
    last = ConsentText.objects.filter(purpose=purpose, language=language).order_by("-version").first()
    if last is not None and last.text == words:
        return last
    published = ConsentText(
        purpose=purpose,
        language=language,
        version=last.version + 1 if last else 1,
        text=words,
        published_at=timezone.now(),
        published_by=actor,
    )
    published.save()
    record(actor=actor, action=AuditAction.CREATED, object_type="consenttext", object_id=published.pk)
    return published
