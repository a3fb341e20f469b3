"""The addresses of patients: adding, removing, verifying, and what bounces tell of them."""

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.common.rows import update_rows
from patients import signals
from patients.enums import ContactScheme, ContactUse
from patients.models import ContactPoint, Patient
from patients.numbers import normalise_email, normalise_phone, phone_variants
from patients.services.locking import lock_patient, lock_row, record_change


@dataclass(frozen=True, slots=True)
class NewAddress:
    """An address as it was written by a person."""

    scheme: str
    value: str
    use: str = ContactUse.MOBILE


@transaction.atomic
def add_contact_point(
    *, actor: User | None, patient_id: int, scheme: str, value: str, use: str = ContactUse.MOBILE, rank: int = 0
) -> ContactPoint:
    """Give a patient an address. The same line under another spelling is not added twice: the known one is returned.

    `rank` 1 is tried first; 0 puts it last. Raises ValidationError at `value`, PermissionDenied, Patient.DoesNotExist.
    """
    patient = lock_patient(actor, patient_id)
    point, is_new = put_contact_point(patient, NewAddress(scheme, value, use), rank)
    if is_new:
        record_change(actor, AuditAction.CREATED, point, patient, scheme=scheme)
        signals.announce(signals.contact_points_changed, patient_id=patient.pk)
    return point


def normalise_address(scheme: str, value: str) -> str:
    """The stored spelling of an address. Raises ValidationError at `value` or `scheme`, in words for a form."""
    if scheme == ContactScheme.PHONE:
        phone = normalise_phone(value, settings.DEFAULT_PHONE_REGION)
        if phone is None or not phone.is_valid:
            raise ValidationError({"value": _("This is not a complete phone number. Add the country code, as in +34.")})
        return phone.e164
    if scheme == ContactScheme.EMAIL:
        email = normalise_email(value)
        if email is None:
            raise ValidationError({"value": _("This is not a complete e-mail address.")})
        return email
    if scheme != ContactScheme.WHATSAPP_USER:
        raise ValidationError({"scheme": _("Choose phone, e-mail or WhatsApp user id.")})
    text = value.strip()
    if not text or len(text) > 254 or not text.isprintable():
        raise ValidationError({"value": _("This is not a WhatsApp user id.")})
    return text


def put_contact_point(patient: Patient, address: NewAddress, rank: int = 0) -> tuple[ContactPoint, bool]:
    value = normalise_address(address.scheme, address.value)
    if address.use not in ContactUse.values:
        raise ValidationError({"use": _("Choose what this address is used for.")})
    spellings = phone_variants(value) if address.scheme == ContactScheme.PHONE else (value,)
    known = list(patient.contact_points.all())
    for point in known:
        if point.scheme == address.scheme and point.value in spellings:
            return point, False
    point = ContactPoint(
        patient=patient,
        scheme=address.scheme,
        value=value,
        raw=address.value.strip()[:254],
        use=address.use,
        rank=rank or max((one.rank for one in known), default=0) + 1,
    )
    point.save()
    return point, True


@transaction.atomic
def remove_contact_point(*, actor: User, contact_point_id: int) -> None:
    """Take an address away from a patient; interactions keep it. Raises PermissionDenied, ContactPoint.DoesNotExist."""
    point = lock_row(ContactPoint, actor, contact_point_id)
    record_change(actor, AuditAction.DELETED, point, point.patient, scheme=point.scheme)
    point.delete()
    signals.announce(signals.contact_points_changed, patient_id=point.patient_id)


@transaction.atomic
def verify_contact_point(*, actor: User, contact_point_id: int) -> ContactPoint:
    """The person was reached there and proved to be the patient; an earlier bounce no longer counts.

    Raises PermissionDenied, ContactPoint.DoesNotExist.
    """
    point = lock_row(ContactPoint, actor, contact_point_id)
    point.verified_at = timezone.now()
    point.bounced_at, point.bounce_reason = None, ""
    point.save(update_fields=["verified_at", "bounced_at", "bounce_reason", "updated_at"])
    record_change(actor, AuditAction.CHANGED, point, point.patient, fields=["verified_at"])
    signals.announce(signals.contact_points_changed, patient_id=point.patient_id)
    return point


@transaction.atomic
def prefer_contact_point(*, actor: User, contact_point_id: int) -> ContactPoint:
    """Try this address of the patient first from now on; the others keep their order behind it.

    Raises PermissionDenied, ContactPoint.DoesNotExist.
    """
    point = lock_row(ContactPoint, actor, contact_point_id)
    others = [one for one in point.patient.contact_points.all() if one.pk != point.pk]
    ranked = [point, *others]
    for rank, one in enumerate(ranked, 1):
        one.rank = rank
    update_rows(ranked, "rank")
    record_change(actor, AuditAction.CHANGED, point, point.patient, fields=["rank"])
    signals.announce(signals.contact_points_changed, patient_id=point.patient_id)
    return point


@transaction.atomic
def mark_contact_point_bounced(*, scheme: str, value: str, reason: str) -> int:
    """Nothing arrives at this address any more, for every patient who has it. Returns how many rows changed.

    `reason` is the provider's code or sentence, cut to 120 characters. An address already marked keeps its first date.
    """
    points = ContactPoint.objects.select_for_update().filter(scheme=scheme, value=value, bounced_at=None).order_by("pk")
    marked = list(points)
    for point in marked:
        point.bounced_at, point.bounce_reason = timezone.now(), reason[:120]
        point.save(update_fields=["bounced_at", "bounce_reason", "updated_at"])
    for point in marked:
        record_change(None, AuditAction.CHANGED, point, None, patient_id=point.patient_id, fields=["bounced_at"])
        signals.announce(signals.contact_points_changed, patient_id=point.patient_id)
    return len(marked)


@transaction.atomic
def clear_bounce(*, scheme: str, value: str) -> int:
    """Somebody wrote from this address, so it exists: take the mark of a bounce off; returns how many had one."""
    marked = ContactPoint.objects.filter(scheme=scheme, value=value, bounced_at__isnull=False)
    return marked.update(bounced_at=None, bounce_reason="")
