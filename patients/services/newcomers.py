"""Somebody comes whom no record knows: compared with those that are here before anything is written."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.common.errors import Conflict
from patients.models import Patient
from patients.policies import can_create_patient
from patients.selectors.duplicates import Why, words_for
from patients.selectors.likeness import Likeness, alike
from patients.selectors.people import patients_visible_to
from patients.services.addresses import NewAddress
from patients.services.intake import Draft, draft, person_from
from patients.services.records import create_patient
from patients.services.registers import add_number
from patients.services.traces import note_shown
from patients.tables.values import Described


class Alike(Conflict):
    """Records that the writer may open and has not seen yet are much like the person: nothing was written."""

    def __init__(self, found: list[Likeness]) -> None:
        super().__init__(_("Somebody like this is here already. Look whether it is the same person."))
        self.found = found


def refuse_alike(*, actor: User, described: Described, seen: Collection[int] = ()) -> Draft:
    """The record that this description would make, where nobody whom the actor may open and has not `seen` is much
    like it. Raises as `create_newcomer`."""
    if not can_create_patient(actor):
        raise PermissionDenied
    made = draft(described)
    if made.problems:
        raise ValidationError(dict(made.problems))
    found = alike({0: person_from(0, described, made)}).get(0, [])
    rows = patients_visible_to(actor).filter(pk__in=[one.patient_id for one in found])
    visible = set(rows.values_list("pk", flat=True))
    if visible - set(seen):
        raise Alike([one for one in found if one.patient_id in visible])
    return made


@transaction.atomic
def create_newcomer(*, actor: User, described: Described, seen: Collection[int] = ()) -> Patient:
    """A new record of this person, unless records other than those `seen` are much like them. Records that the actor
    may not open are compared afterwards, for those who may.

    Raises Alike, ValidationError (by the fields of ImportField), PermissionDenied.
    """
    made = refuse_alike(actor=actor, described=described, seen=seen)
    addresses = [NewAddress(point.scheme, point.raw, point.use) for point in made.points]
    patient = create_patient(actor=actor, addresses=addresses, **described.fields)  # type: ignore[arg-type]
    for system, value in described.identifiers:
        try:
            add_number(actor=actor, patient_id=patient.pk, system=system, value=value)
        except ValidationError as error:
            raise ValidationError({"identifier": error.messages}) from None
    return patient


@dataclass(frozen=True, slots=True)
class Shown:
    """A record that may be the newcomer's own, with its level and the reasons in words."""

    patient: Patient
    level: str
    reasons: list[Why]


def alike_context(*, actor: User, error: Alike) -> dict[str, Any]:
    """The context of `patients/_alike.html`: the sentence, and the records, the surest first; the trail keeps that
    they were shown."""
    return {"why": str(error), "alike": _shown(actor, error.found)}


def _shown(actor: User, found: list[Likeness]) -> list[Shown]:
    people = patients_visible_to(actor).prefetch_related("contact_points").in_bulk([one.patient_id for one in found])
    note_shown(actor=actor, patient_ids=people, what="newcomer")
    return [
        Shown(people[one.patient_id], one.level, words_for(one.reasons)) for one in found if one.patient_id in people
    ]
