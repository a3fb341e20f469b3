"""Creating, changing, opening and finding records. Every verb leaves its audit entry in the same transaction."""

from collections.abc import Mapping
from datetime import date, time
from typing import TypedDict, Unpack
from zoneinfo import available_timezones

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.versions import refuse_unseen
from patients import policies, signals
from patients.models import Patient
from patients.selectors.access import open_glass
from patients.selectors.people import get_patient_for
from patients.selectors.search import recently_opened_by, search_patients
from patients.services import stops
from patients.services.addresses import NewAddress, put_contact_point
from patients.services.locking import lock_patient, record_change

EARLIEST_BIRTH = date(1890, 1, 1)
SWITCHES = ("is_do_not_contact", "deceased_date")


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
    preferred_channel: str
    contact_from: time | None
    contact_until: time | None
    interpreter_language: str
    access_needs: list[str]
    access_note: str
    communication_style: str
    is_do_not_contact: bool
    deceased_date: date | None


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
    check_fields(patient, fields)
    patient.save()
    for address in addresses or []:
        put_contact_point(patient, address)
    record_change(actor, AuditAction.CREATED, patient, patient, fields=sorted(fields))
    signals.announce(signals.patient_created, patient_id=patient.pk)
    return patient


@transaction.atomic
def update_patient(
    *, actor: User | None, patient_id: int, seen_version: str | None = None, **fields: Unpack[PatientFields]
) -> Patient:
    """Set these fields; the trail keeps which ones changed, not their values. Nothing changed: nothing is written.

    Where it says that the patient died or does not want to be contacted, everything that waits to be sent is stopped
    in the same transaction, and nothing leaves after it.
    `seen_version` is the version that the writer saw (common.versions).
    Raises ValidationError (by field), Unseen, PermissionDenied, Patient.DoesNotExist.
    """
    patient = lock_patient(actor, patient_id)
    refuse_unseen(patient, seen_version)
    before = {name: getattr(patient, name) for name in fields}
    check_fields(patient, fields)
    changed = sorted(name for name, old in before.items() if getattr(patient, name) != old)
    if changed:
        is_stop = any(not before[name] and getattr(patient, name) for name in SWITCHES if name in changed)
        patient.save(update_fields=[*changed, "updated_at"])
        if is_stop:
            stops.hold_back(patient)
        record_change(actor, AuditAction.CHANGED, patient, patient, fields=changed)
        signals.announce(signals.patient_changed, patient_id=patient.pk)
        if is_stop:
            stops.stop_all(patient, actor)
    return patient


def check_fields(patient: Patient, fields: Mapping[str, object]) -> None:
    """Set these fields on a record that is not saved yet; raises ValidationError (by field) for wrong values."""
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
    if bool(patient.contact_from) != bool(patient.contact_until):
        errors["contact_until"] = [_("Give both times, or none.")]
    elif patient.contact_from and patient.contact_from == patient.contact_until:
        errors["contact_until"] = [_("Choose two different times.")]
    try:
        patient.clean_fields(exclude={"search_name", "mrn"})
    except ValidationError as error:
        errors = error.message_dict | errors
    if errors:
        raise ValidationError(errors)


@transaction.atomic
def open_patient_record(
    actor: User, patient_id: int, reason: str = "", action: AuditAction = AuditAction.VIEWED
) -> Patient:
    """The full record for the eyes of `actor`, leaving exactly one entry: VIEWED, or EXPORTED where it leaves the house
    as a file. Pages and the API get it only here.

    `reason` is a word of ours (`page`, `api`, `interaction`), never text about the patient. The entry of a protected
    record names the grant by which it was opened.
    Raises Patient.DoesNotExist when there is none or it is hidden from this person.
    """
    patient = get_patient_for(actor, patient_id)
    glass = open_glass(actor, patient_id) if patient.is_sensitive else None
    under = {"glass": glass.pk} if glass else {}
    record_change(actor, action, patient, patient, reason=reason, **under)
    return patient


@transaction.atomic
def search_records(actor: User, text: str, limit: int = 20) -> list[Patient]:
    """Search as `selectors.search_patients` does and leave one SEARCHED entry with the ids found, not the text."""
    found = search_patients(actor, text, limit)
    record(actor=actor, action=AuditAction.SEARCHED, object_type="patient", found=[patient.pk for patient in found])
    return found


@transaction.atomic
def recent_records(actor: User) -> list[Patient]:
    """The records this person opened last, of those they still may open, with one SEARCHED entry for showing them."""
    found = recently_opened_by(actor)
    ids = [patient.pk for patient in found]
    record(actor=actor, action=AuditAction.SEARCHED, object_type="patient", found=ids, reason="recent")
    return found
