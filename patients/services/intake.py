"""People as files and other systems describe them become records: many at once, checked as by hand."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import PastEntry, record_past
from contact_center.common.rows import insert_rows
from patients import signals
from patients.enums import ContactScheme, ContactUse
from patients.matching.people import Person, person, place
from patients.models import ContactPoint, Identifier, Patient, PostalAddress
from patients.services import stops
from patients.services.addresses import NewAddress, normalise_address, put_contact_point
from patients.services.locking import record_change
from patients.services.records import check_fields
from patients.tables.values import Described

MOST_IDENTIFIER = 64


def normalise_identifier(value: str) -> str:
    """A number of a register in capitals and digits only."""
    return re.sub(r"[^0-9A-Z]", "", value.upper())[:MOST_IDENTIFIER]


@dataclass(slots=True)
class Draft:
    """A record about to be written, or with the `problems` (field, sentence) that stand against it."""

    patient: Patient
    points: list[ContactPoint] = field(default_factory=list)
    numbers: list[Identifier] = field(default_factory=list)
    homes: list[PostalAddress] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)


def draft(described: Described, *, is_update: bool = False) -> Draft:
    """The record that this description would make, checked; asks no database. A change may leave names out."""
    made = Draft(Patient(mrn=described.mrn), problems=list(described.problems))
    fields = dict(described.fields)
    if not is_update:
        made.problems += missing_names(made, described)
    try:
        check_fields(made.patient, {name: value for name, value in fields.items() if value})
    except ValidationError as error:
        made.problems += [(name, " ".join(words)) for name, words in error.message_dict.items() if name in fields]
    if len(described.mrn) > 32:
        made.problems.append(("mrn", _("A record number has at most 32 letters.")))
    _add_points(made, described)
    _add_numbers(made, described)
    _add_homes(made, described)
    first: dict[str, str] = {}
    for where, why in made.problems:
        first.setdefault(where, why)
    made.problems = list(first.items())
    return made


def missing_names(made: Draft, described: Described) -> list[tuple[str, str]]:
    """What a new record lacks and a change does not need, but for what is wrong with it already."""
    wrong = {where for where, _why in made.problems}
    names = [name for name in ("given_name", "family_name") if not described.fields.get(name) and name not in wrong]
    return [(name, _("A name is needed.")) for name in names]


def _add_points(made: Draft, described: Described) -> None:
    given = [(ContactScheme.PHONE, value, use, "phone") for use, value in described.phones]
    given += [(ContactScheme.EMAIL, value, ContactUse.HOME, "email") for value in described.emails]
    for scheme, value, use, where in given:
        try:
            address = normalise_address(scheme, value)
        except ValidationError as error:
            made.problems.append((where, " ".join(error.messages)))
            continue
        if all((point.scheme, point.value) != (scheme, address) for point in made.points):
            rank = len(made.points) + 1
            made.points.append(ContactPoint(scheme=scheme, value=address, raw=value[:254], use=use, rank=rank))


def _add_numbers(made: Draft, described: Described) -> None:
    for system, value in described.identifiers:
        number = normalise_identifier(value)
        if number:
            made.numbers.append(Identifier(system=system[:120], value=number, raw=value[:MOST_IDENTIFIER]))
        else:
            made.problems.append(("identifier", _("This is not a number of a register.")))


def _add_homes(made: Draft, described: Described) -> None:
    for home in described.homes:
        row = PostalAddress(**home)  # type: ignore[misc]
        try:
            row.clean_fields(exclude={"patient"})
        except ValidationError as error:
            made.problems += [(name, " ".join(words)) for name, words in error.message_dict.items()]
        else:
            made.homes.append(row)


def person_from(number: int, described: Described, made: Draft) -> Person:
    """The person of a draft in the form that is compared, under this number."""
    fields = described.fields
    return person(
        number,
        given=str(fields.get("given_name", "")),
        family=str(fields.get("family_name", "")),
        birth_date=made.patient.birth_date,
        gender=str(fields.get("gender", "")),
        contacts=[(point.scheme, point.value) for point in made.points],
        identifiers=[(one.system, one.value) for one in made.numbers],
        places=[
            place(line=home.line, extra=home.extra_line, city=home.city, region=home.region, postcode=home.postal_code)
            for home in made.homes
        ],
    )


def create_many(*, actor: User, drafts: Sequence[Draft], **detail: object) -> list[Patient]:
    """Write these records in the caller's transaction, each with its entry in the trail; their order is kept.

    They are announced neither one by one nor compared yet: whoever calls makes their profiles. Raises IntegrityError
    when a record number or identity number is taken.
    """
    fresh = [one for one in drafts if not one.patient.mrn]
    for one, mrn in zip(fresh, _next_mrns(len(fresh)), strict=True):
        one.patient.mrn = mrn
    patients = [one.patient for one in drafts]
    insert_rows(patients)
    for one in drafts:
        for row in (*one.points, *one.numbers, *one.homes):
            row.patient = one.patient  # type: ignore[attr-defined]
    insert_rows([point for one in drafts for point in one.points])
    insert_rows([number for one in drafts for number in one.numbers])
    insert_rows([home for one in drafts for home in one.homes])
    now = timezone.now()
    record_past(
        [PastEntry(now, actor.pk, AuditAction.CREATED, "patient", row.pk, row.pk, dict(detail)) for row in patients]
    )
    return patients


def _next_mrns(count: int) -> list[str]:
    """As `records.next_mrn`, for many: nobody has them or ever had."""
    found: list[str] = []
    while len(found) < count:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval('patients_mrn_sequence') FROM generate_series(1, %s)", [count - len(found)])
            numbers = [f"P{number:07d}" for (number,) in cursor.fetchall()]
        taken = set(Patient.objects.filter(mrn__in=numbers).values_list("mrn", flat=True))
        found += [number for number in numbers if number not in taken]
    return found


@transaction.atomic
def update_from(*, actor: User, patient: Patient, made: Draft, described: Described, **detail: object) -> list[str]:
    """Write what the description says into a locked record: fields that differ, addresses and numbers it lacks.

    What it does not mention stays. Returns the names of what changed. Raises ValidationError when a number belongs to
    another record.
    """
    changed = []
    for name, value in described.fields.items():
        if value and getattr(patient, name) != value:
            setattr(patient, name, value)
            changed.append(name)
    check_fields(patient, {})
    if changed:
        patient.save(update_fields=[*changed, "updated_at"])
    if {"deceased_date", "is_do_not_contact"} & set(changed):
        stops.hold_back(patient)
        stops.stop_all(patient, actor)
    for point in made.points:
        if put_contact_point(patient, NewAddress(point.scheme, point.value, point.use))[1]:
            changed.append(point.scheme)
    changed += _add_missing(patient, made)
    if changed:
        record_change(actor, AuditAction.CHANGED, patient, patient, fields=sorted(set(changed)), **detail)
        signals.announce(signals.patient_changed, patient_id=patient.pk)
    return changed


def _add_missing(patient: Patient, made: Draft) -> list[str]:
    changed = []
    for number in made.numbers:
        owner = Identifier.objects.filter(system=number.system, value=number.value).first()
        if owner is not None and owner.patient_id != patient.pk:
            raise ValidationError({"identifier": _("This number belongs to another record.")})
        if owner is None:
            number.patient = patient
            number.save()
            changed.append("identifier")
    for home in made.homes:
        known = patient.postal_addresses.filter(line=home.line, extra_line=home.extra_line, city=home.city)
        if not known.filter(postal_code=home.postal_code).exists():
            home.patient = patient
            home.save()
            changed.append("postal_address")
    return changed
