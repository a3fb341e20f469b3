"""Somebody writes whom no record knows yet."""

from typing import Unpack

from contact_center.accounts.models import User
from inbox import realtime
from inbox.models import Interaction
from inbox.services.interactions import ANYBODY, link_patient, locked
from patients.services.addresses import NewAddress
from patients.services.records import PatientFields, create_patient


def link_new_patient(
    *, actor: User, interaction_id: int, instead_of: int | None = ANYBODY, **fields: Unpack[PatientFields]
) -> Interaction:
    """Create a patient with the address of this conversation and link it to them, both or neither.

    Raises what `create_patient` and `link_patient` raise; with `instead_of` the same form sent twice makes one record.
    """
    with realtime.atomic():
        interaction = locked(interaction_id)
        addresses = []
        if interaction.contact_scheme and interaction.contact_value:
            addresses = [NewAddress(interaction.contact_scheme, interaction.contact_value)]
        patient = create_patient(actor=actor, addresses=addresses, **fields)
        return link_patient(actor=actor, interaction_id=interaction_id, patient=patient, instead_of=instead_of)
