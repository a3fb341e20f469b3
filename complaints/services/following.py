"""A complaint belongs to the patient of the conversation it came from."""

from django.db.models import F

from complaints.enums import ComplaintVerb
from complaints.models import Complaint
from complaints.services.concluding import conclude, trace
from contact_center.audit.enums import AuditAction
from contact_center.common.errors import Conflict
from inbox import realtime
from inbox.models import Interaction
from inbox.services import interactions
from inbox.services.linking import refuse_linked_meanwhile
from patients.models import Patient
from patients.services.locking import lock_current

FOLLOW = ComplaintVerb.FOLLOW_CONVERSATION


def hold_conversation(interaction_id: int) -> tuple[Interaction, Patient | None]:
    """A conversation and its patient, locked in the order in which merging locks them. Raises Conflict when it was
    linked otherwise, or the patient's record merged, at this moment."""
    patient_id = Interaction.objects.values_list("patient_id", flat=True).get(pk=interaction_id)
    patient = lock_current(patient_id) if patient_id else None
    interaction = interactions.locked(interaction_id)
    refuse_linked_meanwhile(interaction, patient_id)
    return interaction, patient


def follow_conversation(*, interaction_id: int) -> int:
    """Give the complaints of a conversation to the patient it is linked to now; how many moved. Both records keep it.

    A relative of the former patient stays as a name. What is over moves too: its words concern the other person.
    Single messages that move to another patient take no complaint along: it stays with the rest of the conversation.
    Raises Conflict as `hold_conversation`.
    """
    with realtime.atomic():
        _interaction, patient = hold_conversation(interaction_id)
        found = Complaint.objects.select_for_update(of=("self",)).filter(interaction=interaction_id)
        moved = 0
        for complaint in found.exclude(patient=patient).order_by("pk"):
            former_id, complaint.patient, complaint.relative = complaint.patient_id, patient, None
            if former_id:
                trace(complaint, actor=None, verb=FOLLOW, action=AuditAction.LINKED, patient_id=former_id)
            conclude(complaint, actor=None, verb=FOLLOW, note="", action=AuditAction.LINKED)
            moved += 1
        return moved


def follow_astray() -> int:
    """Let every complaint follow that has another patient than its conversation, where nobody heard of the move; how
    many moved. One whose conversation is being moved at this moment comes next time."""
    astray = Complaint.objects.exclude(interaction=None).exclude(patient_id=F("interaction__patient_id"))
    astray = astray.exclude(patient=None, interaction__patient=None).order_by("interaction_id")
    moved = 0
    for interaction_id in astray.values_list("interaction_id", flat=True).distinct():
        try:
            moved += follow_conversation(interaction_id=interaction_id)
        except Conflict:
            continue
    return moved
