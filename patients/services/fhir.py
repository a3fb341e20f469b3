"""Taking in FHIR R4 resources: each is taken in whole or answered with an OperationOutcome that says why not."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from patients import signals
from patients.fhir.reading import MRN_SYSTEM, READ, Issue, Read, outcome, read, resources_in
from patients.models import Identifier, Patient
from patients.policies import can_edit_patient, can_import_patients
from patients.selectors.people import patients_visible_to
from patients.services.care import add_coverage
from patients.services.consents import record_consent
from patients.services.duplicates import refresh_profiles
from patients.services.family import add_related_person
from patients.services.intake import Draft, create_many, draft, normalise_identifier, update_from
from patients.tables.values import Described

HARD = {"given_name", "family_name", "mrn"}
MOST_RESOURCES = 5000
SOURCE = "Import (FHIR)"


@dataclass(slots=True)
class Taken:
    """What became of one resource; `status` is created, updated, unchanged or refused."""

    address: str
    kind: str
    status: str
    patient_id: int | None
    issues: list[Issue]

    @property
    def outcome(self) -> dict[str, Any]:
        """The OperationOutcome of it."""
        return outcome(self.issues)


def take_in(*, actor: User, data: Any, source: str = "") -> list[Taken]:
    """Take in the Patient, RelatedPerson, Consent and Coverage resources of a bundle, or one resource.

    Patients come first, so that the others find theirs: in the same bundle, by an identifier, or, with `source` (the
    name of the system they come from, where ids are unique), by their id there. Each stands in a transaction of its
    own. Other types are passed over in a bundle. Raises PermissionDenied.
    """
    if not can_import_patients(actor):
        raise PermissionDenied
    found = resources_in(data)
    if not found or len(found) > MOST_RESOURCES:
        words = _("This is not a FHIR resource, or a bundle of at most %(most)s.") % {"most": MOST_RESOURCES}
        return [Taken("", "", "refused", None, [Issue("error", "structure", words)])]
    if len(found) > 1 or (isinstance(data, dict) and data.get("resourceType") == "Bundle"):
        found = [entry for entry in found if entry[1].get("resourceType") in READ]
    known: dict[str, int] = {}
    taken = []
    for address, resource in sorted(found, key=lambda entry: entry[1].get("resourceType") != "Patient"):
        one = _take_one(actor, address, resource, known, source)
        if one.kind == "Patient" and one.patient_id:
            known[address] = known[f"Patient/{resource.get('id', '')}"] = one.patient_id
        taken.append(one)
    return taken


def _take_one(actor: User, address: str, resource: dict[str, Any], known: dict[str, int], source: str) -> Taken:
    found = read(resource)
    taken = Taken(address, found.kind, "refused", None, found.issues)
    if found.is_wrong:
        return taken
    try:
        with transaction.atomic():
            if found.kind == "Patient":
                taken.patient_id, taken.status = _patient(actor, found, str(resource.get("id", "")), source)
            else:
                taken.patient_id = _patient_of(found, known, source)
                if taken.patient_id:
                    taken.status = _about_patient(actor, found, taken.patient_id)
    except Patient.DoesNotExist:
        found.error("forbidden", _("You may not change this record."))
    except PermissionDenied:
        found.error("forbidden", _("You may not change this record."))
    except IntegrityError:
        found.error("duplicate", _("A number in it belongs to another record."))
    except ValidationError as error:
        for name, words in (error.message_dict if hasattr(error, "error_dict") else {"": error.messages}).items():
            found.error("value", " ".join(words), name)
    if found.is_wrong:
        taken.status, taken.patient_id = "refused", None
    return taken


def _patient(actor: User, found: Read, logical_id: str, source: str) -> tuple[int | None, str]:
    said = found.described
    if source and logical_id:
        said.identifiers.append((_system_of(source), logical_id))
    known = _known(said)
    if len(known) > 1:
        found.error("conflict", _("Its numbers belong to different records."), "Patient.identifier")
        return None, "refused"
    made = _lenient(found, is_update=bool(known))
    if found.is_wrong:
        return None, "refused"
    if known:
        patient = Patient.objects.select_for_update().get(pk=known.pop())
        if not patients_visible_to(actor).filter(pk=patient.pk).exists() or not can_edit_patient(actor, patient):
            raise Patient.DoesNotExist
        changed = update_from(actor=actor, patient=patient, made=made, described=said, via="fhir")
        status = "updated" if changed else "unchanged"
    else:
        patient, status = create_many(actor=actor, drafts=[made], via="fhir")[0], "created"
        refresh_profiles([patient.pk])
        signals.announce(signals.patient_created, patient_id=patient.pk)
    for person in found.relatives:
        _relative(actor, patient.pk, person.name, person.relation)
    return patient.pk, status


def _system_of(source: str) -> str:
    return f"fhir-id:{source}"[:120]


def _known(said: Described) -> set[int]:
    """Current records that have one of these numbers."""
    found = set()
    for system, value in said.identifiers:
        rows = Identifier.objects.filter(system=system, value=normalise_identifier(value))
        found |= set(rows.values_list("patient", flat=True))
    if said.mrn:
        for pk, merged in Patient.objects.filter(mrn=said.mrn).values_list("pk", "merged_into"):
            found.add(merged or pk)
    return found


def _lenient(found: Read, *, is_update: bool) -> Draft:
    """A draft without what is wrong in it, each as a warning; a missing name is an error."""
    said = found.described
    made = draft(said, is_update=is_update)
    for where, words in made.problems:
        if where in HARD:
            found.error("required", words, f"Patient.{where}")
        else:
            said.fields.pop(where, None)
            found.warn(words, f"Patient.{where}")
    if made.problems and not found.is_wrong:
        made = draft(said, is_update=is_update)
    return made


def _patient_of(found: Read, known: dict[str, int], source: str) -> int | None:
    """Whose it is; an issue when nobody is found."""
    reference = found.about
    if reference in known:
        return known[reference]
    kind, _slash, logical_id = reference.rpartition("/")
    match reference.split("|"):
        case ["identifier", system, value]:
            said = Described(mrn=value) if system == MRN_SYSTEM else Described(identifiers=[(system, value)])
        case _:
            said = (
                Described(identifiers=[(_system_of(source), logical_id)])
                if source and kind == "Patient"
                else Described()
            )
    people = _known(said)
    if len(people) == 1:
        return people.pop()
    found.error(
        "not-found", _("Its patient is not here. Take in the patient first, or both in one bundle."), found.kind
    )
    return None


def _about_patient(actor: User, found: Read, patient_id: int) -> str:
    if found.kind == "RelatedPerson":
        person = found.relatives[0]
        return "created" if _relative(actor, patient_id, person.name, person.relation) else "unchanged"
    patient = Patient.objects.get(pk=patient_id)
    if found.kind == "Consent":
        words = found.values | {"source": SOURCE}
        latest = patient.consents.filter(purpose=words["purpose"], channel_kind=words["channel_kind"]).first()
        if latest is not None and latest.status == words["status"]:
            return "unchanged"
        record_consent(actor=actor, patient_id=patient_id, **words)
        return "created"
    values = found.values
    same_payer = patient.coverages.filter(payer=values["payer"])
    if any(row.member_number == values["member_number"] for row in same_payer):  # encrypted: not to be looked for
        return "unchanged"
    add_coverage(actor=actor, patient_id=patient_id, **values)
    return "created"


def _relative(actor: User, patient_id: int, name: str, relation: str) -> bool:
    """Note a relative once; True when it is new."""
    if Patient.objects.get(pk=patient_id).related_persons.filter(name=name, relation=relation).exists():
        return False
    add_related_person(actor=actor, patient_id=patient_id, name=name, relation=relation)
    return True
