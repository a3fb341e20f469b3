"""Somebody writes whom no record knows yet."""

from collections.abc import Collection, Sequence
from typing import Unpack

from django.db import transaction

from contact_center.accounts.models import User
from inbox import realtime
from inbox.models import Interaction
from inbox.services.interactions import locked
from inbox.services.linking import ANYBODY, link_patient, refuse_linked_meanwhile
from inbox.services.locks import hold_for_transaction
from patients.enums import ContactScheme
from patients.models import Patient
from patients.selectors.access import may_open
from patients.selectors.people import match_patients
from patients.services.addresses import NewAddress
from patients.services.newcomers import refuse_alike
from patients.services.records import PatientFields, create_patient
from patients.tables.values import Described


def link_new_patient(
    *,
    actor: User,
    interaction_id: int,
    instead_of: int | None = ANYBODY,
    seen: Collection[int] = (),
    **fields: Unpack[PatientFields],
) -> Interaction:
    """Create a patient with the address of this conversation and link it to them, both or neither.

    Raises Alike while records other than those `seen` are much like them, and what `create_patient` and `link_patient`
    raise; with `instead_of` the same form sent twice makes one record.
    """
    with realtime.atomic():
        interaction = locked(interaction_id)
        refuse_linked_meanwhile(interaction, instead_of)
        addresses = []
        if interaction.contact_scheme and interaction.contact_value:
            addresses = [NewAddress(interaction.contact_scheme, interaction.contact_value)]
        patient = _create(actor, addresses, seen, fields)
        return link_patient(actor=actor, interaction_id=interaction_id, patient=patient, instead_of=instead_of)


def create_at_address(
    *, actor: User, addresses: Sequence[NewAddress], seen: Collection[int] = (), **fields: Unpack[PatientFields]
) -> Patient:
    """A new patient with these addresses; the one with this name and birth date who has the first of them already,
    so that the same form sent twice makes one record.

    Raises Alike while records other than those `seen` are much like them, and what `create_patient` raises.
    """
    with transaction.atomic():
        if addresses:
            first = addresses[0]
            hold_for_transaction("newcomer", first.scheme, first.value)
            for known in match_patients(first.scheme, first.value):
                if may_open(actor, known) and _is_named(known, fields):
                    return known
        return _create(actor, addresses, seen, fields)


def _create(actor: User, addresses: Sequence[NewAddress], seen: Collection[int], fields: PatientFields) -> Patient:
    phones = [(one.use, one.value) for one in addresses if one.scheme == ContactScheme.PHONE]
    emails = [one.value for one in addresses if one.scheme == ContactScheme.EMAIL]
    refuse_alike(actor=actor, described=Described(fields=dict(fields), phones=phones, emails=emails), seen=seen)
    return create_patient(actor=actor, addresses=list(addresses), **fields)


def _is_named(patient: Patient, fields: PatientFields) -> bool:
    names = [(patient.given_name, fields.get("given_name", "")), (patient.family_name, fields.get("family_name", ""))]
    is_same = all(one.casefold() == str(other).strip().casefold() for one, other in names)
    return is_same and patient.birth_date == fields.get("birth_date")
