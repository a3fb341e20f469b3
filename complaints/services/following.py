"""Whom a complaint concerns: the patient of the conversation it came from, else whoever somebody says."""

from django.db.models import F
from django.utils.translation import gettext as _

from complaints.enums import ComplaintVerb
from complaints.models import Complaint
from complaints.policies import can_handle
from complaints.services.concluding import conclude, moving, trace
from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.common.errors import Conflict, Refused
from inbox import realtime
from inbox.models import Interaction
from inbox.services import interactions
from inbox.services.interactions import require
from inbox.services.linking import refuse_linked_meanwhile
from patients.models import Patient
from patients.selectors.duties import is_erased_or_about_to_be
from patients.selectors.people import get_patient_for
from patients.services.locking import lock_current

FOLLOW, LINK = ComplaintVerb.FOLLOW_CONVERSATION, ComplaintVerb.LINK


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


def link_complaint(*, actor: User, complaint_id: int, note: str, patient: Patient) -> Complaint:
    """Say whom one without a conversation concerns, or that it is another patient; both records keep it.

    A relative of the former patient stays as a name. Raises Refused for who does not handle complaints, for one that
    goes with its conversation, and for a record that is hidden from the actor, erased or about to be; Conflict when it
    is merged at this moment.
    """
    with realtime.atomic():
        patient = lock_current(patient.pk)
        _check_record(actor, patient)
        with moving(actor, complaint_id, note) as complaint:
            require(can_handle(actor), _("Only those who handle complaints say whom they concern."))
            require(complaint.interaction_id is None, _("It goes with its conversation: link that to the patient."))
            require(complaint.patient_id != patient.pk, _("It concerns this patient already."))
            former_id, complaint.patient, complaint.relative = complaint.patient_id, patient, None
            if former_id:
                trace(complaint, actor=actor, verb=LINK, action=AuditAction.LINKED, patient_id=former_id)
            return conclude(complaint, actor=actor, verb=LINK, note=note, action=AuditAction.LINKED)


def _check_record(actor: User, patient: Patient) -> None:
    try:
        get_patient_for(actor, patient.pk, related=())
    except Patient.DoesNotExist:
        raise Refused(_("No patient has this number.")) from None
    is_forgotten = is_erased_or_about_to_be(patient.pk)
    require(not is_forgotten, _("This record is erased or about to be, so nothing can be added to it."))
