"""Whose interaction this is: it is linked to a patient's record, moves to another one, or to none again."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict
from inbox import realtime, signals
from inbox.enums import TimelineKind
from inbox.models import Case, Interaction
from inbox.policies import can_work
from inbox.services.interactions import conclude, locked, require
from inbox.services.shared_phones import name_patient
from patients.models import Patient

ANYBODY = -1
"""In the place of a patient's id: it does not matter who is linked."""


def link_patient(
    *, actor: User, interaction_id: int, patient: Patient, instead_of: int | None = ANYBODY
) -> Interaction:
    """Say whose interaction this is. The address is not attached to the patient, so a shared phone stays shared.

    What was merged into it goes along. One that was linked to another patient moves away from there: its case stays
    with that patient, both records get an audit entry, and the other record keeps the fact without the content.
    `instead_of` is the patient the actor saw linked (None: nobody); Conflict when it is another one meanwhile.
    """
    with realtime.atomic():
        interaction = _held_with_merged(interaction_id)
        require(can_work(actor, interaction), _("You may not work on this interaction."))
        refuse_linked_meanwhile(interaction, instead_of)
        before = interaction.patient_id
        moved_from = before if before != patient.pk else None
        case = Case.objects.select_for_update().filter(pk=interaction.case_id).first()
        if case is not None and case.patient_id is None:
            case.patient = patient
            case.save()
        elif case is not None and case.patient_id != patient.pk:
            interaction.case = None  # the case stays with the patient it belongs to
        interaction.patient = patient
        interaction.language = interaction.language or patient.language
        moved_ids = _move_merged(interaction, before, patient=patient, **({"case": None} if moved_from else {}))
        if moved_from:
            _leave_record(interaction, actor, moved_from, TimelineKind.MOVED)
        kind, detail = (TimelineKind.MOVED, f"patient:{moved_from}") if moved_from else (TimelineKind.LINKED, "")
        conclude(interaction, actor=actor, kind=kind, action=AuditAction.LINKED, detail=detail)
        name_patient(interaction, patient, actor)
        _announce([interaction.pk, *moved_ids], patient.pk)
        return interaction


def refuse_linked_meanwhile(interaction: Interaction, seen: int | None) -> None:
    """Raises Conflict when it is linked to another patient than the one seen (None: nobody)."""
    if seen not in (ANYBODY, interaction.patient_id):
        raise Conflict(_("Somebody has linked this conversation meanwhile. Look at it before you change it."))


def _held_with_merged(interaction_id: int) -> Interaction:
    """The interaction, locked after what was merged into it, as merging and its undo lock them."""
    list(Interaction.objects.select_for_update(of=("self",)).filter(merged_into=interaction_id).order_by("pk"))
    return locked(interaction_id)


def _move_merged(interaction: Interaction, patient_id: int | None, **to: Any) -> list[int]:
    """Let what was merged into it, of the same patient, go along; ids."""
    merged = Interaction.objects.filter(merged_into=interaction, patient_id=patient_id)
    ids = list(merged.order_by("pk").values_list("pk", flat=True))
    Interaction.objects.filter(pk__in=ids).update(**to)
    return ids


def _announce(interaction_ids: Iterable[int], patient_id: int | None) -> None:
    for pk in interaction_ids:
        signals.announce(signals.interaction_linked, interaction_id=pk, patient_id=patient_id)


def _leave_record(interaction: Interaction, actor: User, patient_id: int, kind: TimelineKind) -> None:
    record(
        actor=actor,
        action=AuditAction.LINKED,
        object_type="interaction",
        object_id=interaction.pk,
        patient_id=patient_id,
        to=str(kind),
    )


def unlink_patient(*, actor: User, interaction_id: int) -> Interaction:
    """Undo a wrong link: the interaction, with what was merged into it, is unidentified again.

    The record it leaves gets an audit entry. One that is linked to nobody stays as it is.
    """
    with realtime.atomic():
        interaction = _held_with_merged(interaction_id)
        require(can_work(actor, interaction), _("You may not work on this interaction."))
        if interaction.patient_id is None:
            return interaction
        _leave_record(interaction, actor, interaction.patient_id, TimelineKind.UNLINKED)
        moved_ids = _move_merged(interaction, interaction.patient_id, patient=None, case=None)
        interaction.patient, interaction.case = None, None
        conclude(interaction, actor=actor, kind=TimelineKind.UNLINKED, action=AuditAction.LINKED)
        _announce([interaction.pk, *moved_ids], None)
        return interaction
