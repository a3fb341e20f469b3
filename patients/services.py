"""Changing patients, and opening their records. Every verb leaves its audit entry in the same transaction."""

from dataclasses import dataclass
from datetime import date
from typing import Any, TypedDict, Unpack
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from patients import policies, signals
from patients.enums import ConsentPurpose, ConsentStatus, ContactScheme, ContactUse, Relation
from patients.models import Consent, ContactPoint, Patient, RelatedPerson
from patients.numbers import normalise_email, normalise_phone, phone_variants
from patients.selectors import get_patient_for, patients_visible_to, search_patients

EARLIEST_BIRTH = date(1890, 1, 1)


class PatientFields(TypedDict, total=False):
    """What may be set on a patient by hand. The record number, search key and merge are set elsewhere."""

    given_name: str
    family_name: str
    preferred_name: str
    birth_date: date | None
    gender: str
    language: str
    time_zone: str
    site_name: str
    is_sensitive: bool
    is_do_not_contact: bool
    deceased_date: date | None


@dataclass(frozen=True, slots=True)
class NewAddress:
    """An address as it was written by a person."""

    scheme: str
    value: str
    use: str = ContactUse.MOBILE


def next_mrn() -> str:
    """A record number that nobody has or ever had. Safe among parallel callers: the database counts."""
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval('patients_mrn_sequence')")
            mrn = f"P{cursor.fetchone()[0]:07d}"
        if not Patient.objects.filter(mrn=mrn).exists():
            return mrn


@transaction.atomic
def create_patient(
    *, actor: User | None, addresses: list[NewAddress] | None = None, **fields: Unpack[PatientFields]
) -> Patient:
    """A new patient with a fresh record number and these addresses; `actor` None stands for the system.

    Raises ValidationError (by field) for wrong values, PermissionDenied.
    """
    if actor is not None and not policies.can_create_patient(actor):
        raise PermissionDenied
    patient = Patient(mrn=next_mrn())
    _fill(patient, fields)
    patient.save()
    for address in addresses or []:
        _put_contact_point(patient, address)
    _record(actor, AuditAction.CREATED, patient, patient, fields=sorted(fields))
    signals.announce(signals.patient_created, patient_id=patient.pk)
    return patient


@transaction.atomic
def update_patient(*, actor: User, patient_id: int, **fields: Unpack[PatientFields]) -> Patient:
    """Set these fields; the trail keeps which ones changed, not their values. Nothing changed: nothing is written.

    Raises ValidationError (by field), PermissionDenied, Patient.DoesNotExist.
    """
    patient = _locked(actor, patient_id)
    before = {name: getattr(patient, name) for name in fields}
    _fill(patient, fields)
    changed = sorted(name for name, old in before.items() if getattr(patient, name) != old)
    if changed:
        patient.save(update_fields=[*changed, "updated_at"])
        _record(actor, AuditAction.CHANGED, patient, patient, fields=changed)
        signals.announce(signals.patient_changed, patient_id=patient.pk)
    return patient


def _fill(patient: Patient, fields: PatientFields) -> None:
    unknown = set(fields) - set(PatientFields.__annotations__)
    if unknown:
        raise TypeError(f"not fields of a patient: {sorted(unknown)}")
    for name, value in fields.items():
        setattr(patient, name, value.strip() if isinstance(value, str) else value)
    errors: dict[str, list[str]] = {}
    today = timezone.localdate()
    if patient.birth_date and not EARLIEST_BIRTH <= patient.birth_date <= today:
        errors["birth_date"] = [_("Enter a date between 1890 and today.")]
    if patient.deceased_date and patient.deceased_date > today:
        errors["deceased_date"] = [_("Enter a date that is not in the future.")]
    if patient.time_zone and patient.time_zone not in available_timezones():
        errors["time_zone"] = [_("Enter a time zone such as America/New_York.")]
    try:
        patient.clean_fields(exclude={"search_name", "mrn"})
    except ValidationError as error:
        errors = error.message_dict | errors
    if errors:
        raise ValidationError(errors)


@transaction.atomic
def add_contact_point(
    *, actor: User | None, patient_id: int, scheme: str, value: str, use: str = ContactUse.MOBILE, rank: int = 0
) -> ContactPoint:
    """Give a patient an address. The same line under another spelling is not added twice: the known one is returned.

    `rank` 1 is tried first; 0 puts it last. Raises ValidationError at `value`, PermissionDenied, Patient.DoesNotExist.
    """
    patient = _locked(actor, patient_id)
    point, is_new = _put_contact_point(patient, NewAddress(scheme, value, use), rank)
    if is_new:
        _record(actor, AuditAction.CREATED, point, patient, scheme=scheme)
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


def _put_contact_point(patient: Patient, address: NewAddress, rank: int = 0) -> tuple[ContactPoint, bool]:
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
    point = _locked_point(actor, contact_point_id)
    _record(actor, AuditAction.DELETED, point, point.patient, scheme=point.scheme)
    point.delete()
    signals.announce(signals.contact_points_changed, patient_id=point.patient_id)


@transaction.atomic
def verify_contact_point(*, actor: User, contact_point_id: int) -> ContactPoint:
    """The person was reached there and proved to be the patient; an earlier bounce no longer counts.

    Raises PermissionDenied, ContactPoint.DoesNotExist.
    """
    point = _locked_point(actor, contact_point_id)
    point.verified_at = timezone.now()
    point.bounced_at, point.bounce_reason = None, ""
    point.save(update_fields=["verified_at", "bounced_at", "bounce_reason", "updated_at"])
    _record(actor, AuditAction.CHANGED, point, point.patient, fields=["verified_at"])
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
        _record(None, AuditAction.CHANGED, point, None, patient_id=point.patient_id, fields=["bounced_at"])
        signals.announce(signals.contact_points_changed, patient_id=point.patient_id)
    return len(marked)


@transaction.atomic
def clear_bounce(*, scheme: str, value: str) -> int:
    """Somebody wrote from this address, so it exists: take the mark of a bounce off; returns how many had one."""
    marked = ContactPoint.objects.filter(scheme=scheme, value=value, bounced_at__isnull=False)
    return marked.update(bounced_at=None, bounce_reason="")


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
    patient = _locked(actor, patient_id)
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
    _record(actor, AuditAction.CHANGED, consent, patient, purpose=purpose, channel_kind=channel_kind, status=status)
    signals.announce(signals.patient_changed, patient_id=patient.pk)
    return consent


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
    patient = _locked(actor, patient_id)
    relative = get_patient_for(actor, relative_id) if relative_id else None
    person = RelatedPerson(patient=patient, relative=relative, name=name.strip(), relation=relation, is_proxy=is_proxy)
    person.clean_fields()
    person.save()
    _record(actor, AuditAction.CREATED, person, patient, is_proxy=is_proxy)
    signals.announce(signals.patient_changed, patient_id=patient.pk)
    return person


@transaction.atomic
def open_patient_record(actor: User, patient_id: int, reason: str = "") -> Patient:
    """The full record for the eyes of `actor`, leaving exactly one VIEWED entry; pages and the API get it only here.

    `reason` is a word of ours (`page`, `api`, `interaction`), never text about the patient.
    Raises Patient.DoesNotExist when there is none or it is hidden from this person.
    """
    patient = get_patient_for(actor, patient_id)
    _record(actor, AuditAction.VIEWED, patient, patient, reason=reason)
    return patient


@transaction.atomic
def search_records(actor: User, text: str, limit: int = 20) -> list[Patient]:
    """Search as `selectors.search_patients` does and leave one SEARCHED entry with the ids found, not the text."""
    found = search_patients(actor, text, limit)
    record(actor=actor, action=AuditAction.SEARCHED, object_type="patient", found=[patient.pk for patient in found])
    return found


def _locked(actor: User | None, patient_id: int) -> Patient:
    patient = Patient.objects.select_for_update().get(pk=patient_id)
    if actor is not None:
        if not patients_visible_to(actor).filter(pk=patient_id).exists():
            raise Patient.DoesNotExist
        if not policies.can_edit_patient(actor, patient):
            raise PermissionDenied
    return patient


def _locked_point(actor: User, contact_point_id: int) -> ContactPoint:
    patient_id = ContactPoint.objects.values_list("patient_id", flat=True).get(pk=contact_point_id)
    try:
        _locked(actor, patient_id)
    except Patient.DoesNotExist:
        raise ContactPoint.DoesNotExist from None
    return ContactPoint.objects.select_for_update(of=("self",)).select_related("patient").get(pk=contact_point_id)


def _record(actor: User | None, action: AuditAction, row: Any, patient: Patient | None, **detail: object) -> None:
    concerned = {"patient_id": patient.pk} if patient else {}
    record(actor=actor, action=action, object_type=row._meta.model_name, object_id=row.pk, **concerned | detail)  # type: ignore[arg-type]
