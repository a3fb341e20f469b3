"""What every verb on a complaint begins and ends with: the lock, and who did what and why."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _
from django_fsm import TransitionNotAllowed

from complaints.enums import ComplaintProtection, ComplaintVerb
from complaints.models import Complaint, ComplaintEvent
from complaints.policies import can_own, can_register, can_work
from complaints.selectors import handlers_of
from contact_center.accounts.models import Team, User
from contact_center.audit.enums import AuditAction
from contact_center.audit.selectors import SEALED
from contact_center.audit.services import record
from contact_center.common.errors import Conflict
from inbox import realtime
from inbox.enums import NotificationKind
from inbox.services.interactions import require
from inbox.services.notifications import notify

TOPIC = "complaints"
"""A complaint changed; followed by those who handle complaints."""


@dataclass(frozen=True, slots=True)
class Step:
    """What happens next with a complaint, and by which day."""

    title: str
    due_date: date


def locked(complaint_id: int) -> Complaint:
    """The complaint with its row locked until the caller's transaction ends. Raises DoesNotExist."""
    return Complaint.objects.select_for_update(of=("self",)).select_related("owner", "team").get(pk=complaint_id)


@contextmanager
def moving(actor: User, complaint_id: int, note: str) -> Iterator[Complaint]:
    """A transaction about one locked complaint that this person may work on, with a note that says why.

    Raises Refused for others and without a note, Conflict for a move that its present state does not know.
    """
    with realtime.atomic():
        complaint = locked(complaint_id)
        require(can_work(actor, complaint), _("Only its owner or somebody who handles complaints may do this."))
        require(bool(note.strip()), _("Say in a sentence what was done or why."))
        try:
            yield complaint
        except TransitionNotAllowed as error:
            state = complaint.get_status_display()
            raise Conflict(_("It is “%(state)s” meanwhile, so this cannot be done now.") % {"state": state}) from error


def require_owner(owner: User, protection: str, about_staff: Collection[User]) -> None:
    """Raises Refused for who could not be responsible for a complaint like that."""
    require(can_register(owner), _("%(name)s may not see complaints.") % {"name": owner})
    is_able = can_own(owner, protection, is_about=owner in about_staff)
    require(is_able, _("Choose somebody who handles complaints and of whom it does not speak."))


def require_protected(protection: str, about_staff: Collection[User]) -> None:
    """Raises Refused where one that speaks of staff would be seen by everybody at the desk."""
    is_safe = not about_staff or protection != ComplaintProtection.NONE
    require(is_safe, _("What speaks of somebody who works here is protected."))


def leave_unable_owner(complaint: Complaint) -> bool:
    """Leave it to those who handle complaints where its owner may not see to it any more; True then."""
    owner = complaint.owner
    if owner is None or can_own(owner, complaint.protection, is_about=complaint.is_about(owner)):
        return False
    complaint.owner = None
    return True


def promise(complaint: Complaint, step: Step | None) -> None:
    """Set what happens next; None keeps what is promised already, and promises nothing of what is over.

    Raises Refused without a step and a day to come.
    """
    if complaint.is_over:
        complaint.next_step, complaint.next_step_date = "", None
        return
    if step is not None:
        require(step.due_date >= timezone.localdate(), _("The date of the next step has passed."))
        complaint.next_step, complaint.next_step_date = step.title.strip()[:240], step.due_date
    require(bool(complaint.next_step and complaint.next_step_date), _("Say what happens next, and by when."))


def conclude(
    complaint: Complaint,
    *,
    actor: User | None,
    verb: ComplaintVerb,
    note: str,
    action: AuditAction = AuditAction.CHANGED,
    to_user: User | None = None,
    to_team: Team | None = None,
    was_open_to_all: bool | None = None,
    formerly: Collection[int | None] = (),
) -> Complaint:
    """Save it, keep who did what and why, and tell whoever may know: of a protected one nobody at a conversation.
    Its new owner gets a notice, and those who handle complaints one of what is escalated or given back.

    `was_open_to_all` says so of the time before, where protection changed; `formerly` are owners it had.
    """
    complaint.save()
    event = ComplaintEvent.objects.create(
        complaint=complaint, verb=verb, status=complaint.status, actor=actor, to_user=to_user, to_team=to_team,
        note=note.replace("\x00", "").strip(),
    )  # fmt: skip
    trace(complaint, actor=actor, verb=verb, action=action, patient_id=complaint.patient_id)
    topics = [TOPIC, *(realtime.agent_topic(pk) for pk in (complaint.owner_id, *formerly) if pk)]
    is_open_to_all = not complaint.is_protected if was_open_to_all is None else was_open_to_all
    if complaint.interaction_id and is_open_to_all:
        topics.append(realtime.interaction_topic(complaint.interaction_id))
    realtime.touch(*topics)
    if to_user is not None and to_user.pk not in formerly:
        notify(user=to_user, kind=NotificationKind.COMPLAINT_GIVEN, actor=actor, dedupe_key=f"complaint:{event.pk}")
    if verb in (ComplaintVerb.ESCALATE, ComplaintVerb.GIVE_BACK):
        for one in handlers_of(complaint):
            notify(user=one, kind=NotificationKind.COMPLAINT_ESCALATED, actor=actor, dedupe_key=f"complaint:{event.pk}")
    return complaint


def trace(
    complaint: Complaint, *, actor: User | None, verb: ComplaintVerb, action: AuditAction, patient_id: int | None
) -> None:
    """Put what was done with it into the trail of a patient's record."""
    record(
        actor=actor, action=action, object_type="complaint", object_id=complaint.pk, patient_id=patient_id,
        to=str(verb), **seal_of(complaint),
    )  # fmt: skip


def seal_of(complaint: Complaint) -> dict[str, bool]:
    """What entries about a protected complaint say beside, so that the record's own trail does not tell of it."""
    return {SEALED: True} if complaint.is_protected else {}
