"""Writing a complaint down, from a conversation or from the patient's page."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _

from complaints import terms
from complaints.enums import (
    Complainant,
    ComplaintCategory,
    ComplaintKind,
    ComplaintProtection,
    ComplaintVerb,
    ReceivedBy,
    Severity,
)
from complaints.models import Complaint, ComplaintTerm
from complaints.policies import can_register
from complaints.services.concluding import conclude, require_owner, require_protected
from complaints.services.following import hold_conversation
from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.common.business_time import BusinessCalendar
from inbox import realtime
from inbox.models import Interaction
from inbox.selectors.hours import setup
from inbox.services.interactions import new_reference, require
from patients.models import Patient, RelatedPerson
from patients.selectors.duties import is_erased_or_about_to_be
from patients.services.locking import lock_current


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody complains of, as it was told. `received_at` None is now."""

    words: str
    category: str = ComplaintCategory.OTHER
    kind: str = ComplaintKind.COMPLAINT
    severity: str = Severity.MODERATE
    wanted: str = ""
    received_by: str = ReceivedBy.IN_PERSON
    complainant: str = Complainant.PATIENT
    relative: RelatedPerson | None = None
    complainant_name: str = ""
    protection: str = ComplaintProtection.NONE
    received_at: datetime | None = None
    about_staff: Collection[User] = ()


def register_complaint(
    *,
    actor: User,
    told: Told,
    patient: Patient | None = None,
    interaction_id: int | None = None,
    owner: User | None = None,
) -> Complaint:
    """Write a complaint down; without `owner` the actor sees to it. From a conversation it is about its patient and
    came the way of its channel.

    The first step is to acknowledge it, within the working days promised to its kind. Raises Refused without words,
    for a moment to come, for a relative of somebody else, where one that speaks of staff is not protected, for an
    owner who could not see it, and for a patient who is to be forgotten; Conflict when the conversation was linked
    otherwise or the record merged at this moment.
    """
    with realtime.atomic():
        require(can_register(actor), _("You may not register complaints."))
        if interaction_id:
            interaction, patient = hold_conversation(interaction_id)
        else:
            interaction, patient = None, lock_current(patient.pk) if patient else None
        is_forgotten = patient is not None and is_erased_or_about_to_be(patient.pk)
        require(not is_forgotten, _("This record is erased or about to be, so nothing can be added to it."))
        owner = owner or actor
        _check(told, patient, owner)
        received_at = told.received_at or timezone.now()
        due_at = acknowledge_by(told.kind, received_at, interaction)
        is_relative = told.complainant == Complainant.RELATIVE
        complaint = Complaint(
            reference=new_reference("Q"), patient=patient, interaction=interaction, registered_by=actor, owner=owner,
            received_by=interaction.channel_kind if interaction else told.received_by, received_at=received_at,
            complainant=told.complainant, relative=told.relative if is_relative else None,
            complainant_name=_name_of(told), kind=told.kind, category=told.category, severity=told.severity,
            protection=told.protection, words=_clean(told.words), wanted=_clean(told.wanted),
            acknowledge_by_at=due_at, next_step=_("Acknowledge the complaint"),
            next_step_date=max(terms.last_day(due_at), timezone.localdate()),
        )  # fmt: skip
        complaint.save()
        complaint.about_staff.set(told.about_staff)
        return conclude(
            complaint, actor=actor, verb=ComplaintVerb.REGISTER, note="", action=AuditAction.CREATED, to_user=owner
        )


def acknowledge_by(kind: str, received_at: datetime, interaction: Interaction | None) -> datetime:
    """Until when a complaint of this kind is to be acknowledged: by the calendar of its terms, else of the queue it
    came in through, else by the weekdays of the house."""
    term = ComplaintTerm.objects.filter(kind=kind).first()
    hours = setup()
    calendar = hours.calendar(term.calendar_id) if term and term.calendar_id else None
    if calendar is None and interaction is not None:
        calendar = hours.of_queue(interaction.queue_id)
    days = term.acknowledge_days if term else terms.USUAL_DAYS[kind]
    counted = calendar if isinstance(calendar, BusinessCalendar) else None
    zone = timezone.get_default_timezone()
    assert isinstance(zone, ZoneInfo)
    return terms.acknowledge_by(received_at, days, counted, zone)


def _check(told: Told, patient: Patient | None, owner: User) -> None:
    require(bool(_clean(told.words)), _("Write down what they say."))
    came = told.received_at is None or terms.may_have_come(told.received_at, timezone.now())
    require(came, _("Enter a moment of the last ten years, not in the future."))
    require_owner(owner, told.protection, told.about_staff)
    require_protected(told.protection, told.about_staff)
    if told.complainant == Complainant.RELATIVE:
        is_theirs = told.relative is not None and patient is not None and told.relative.patient_id == patient.pk
        require(is_theirs, _("Choose who of the patient's relatives complains."))


def _name_of(told: Told) -> str:
    if told.complainant == Complainant.RELATIVE and told.relative is not None:
        return told.relative.name[:160]
    return _clean(told.complainant_name)[:160] if told.complainant == Complainant.OTHER else ""


def _clean(text: str) -> str:
    return text.replace("\x00", "").strip()
