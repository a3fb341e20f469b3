"""Moving a complaint on. Every verb keeps a note that says what was done or why, and says what happens next."""

from collections.abc import Collection

from django.utils.translation import gettext as _

from complaints.enums import ComplaintProtection, ComplaintStatus, ComplaintVerb
from complaints.models import Complaint
from complaints.policies import can_approve, can_handle
from complaints.services.concluding import (
    Step,
    conclude,
    leave_unable_owner,
    moving,
    promise,
    require_owner,
    require_protected,
)
from contact_center.accounts.models import Team, User
from contact_center.audit.enums import AuditAction
from inbox.services.interactions import require

V = ComplaintVerb


def acknowledge(*, actor: User, complaint_id: int, note: str, step: Step) -> Complaint:
    """The complainant was told that we have it, and who sees to it; also once it has moved on without
    that. Raises Refused, Conflict, as all these verbs do: without a note, without a step to come, for who may not, and
    in a state that does not know the move."""
    with moving(actor, complaint_id, note) as complaint:
        if complaint.status == ComplaintStatus.RECEIVED:
            complaint.acknowledge()
        else:
            complaint.acknowledge_late()
        promise(complaint, step)
        return conclude(complaint, actor=actor, verb=V.ACKNOWLEDGE, note=note)


def triage(
    *, actor: User, complaint_id: int, note: str, step: Step, kind: str, category: str, severity: str
) -> Complaint:
    """Say what it is, what it is about and how grave."""
    with moving(actor, complaint_id, note) as complaint:
        complaint.kind, complaint.category, complaint.severity = kind, category, severity
        complaint.triage()
        promise(complaint, step)
        return conclude(complaint, actor=actor, verb=V.TRIAGE, note=note)


def start_investigation(*, actor: User, complaint_id: int, note: str, step: Step) -> Complaint:
    """Begin to find out what happened."""
    with moving(actor, complaint_id, note) as complaint:
        complaint.start_investigation()
        promise(complaint, step)
        return conclude(complaint, actor=actor, verb=V.START_INVESTIGATION, note=note)


def propose_response(*, actor: User, complaint_id: int, note: str, step: Step, response: str) -> Complaint:
    """Write what the complainant shall be told. Refused without a text."""
    text = response.replace("\x00", "").strip()
    with moving(actor, complaint_id, note) as complaint:
        require(bool(text), _("Write the response."))
        complaint.propose_response(actor, text)
        promise(complaint, step)
        return conclude(complaint, actor=actor, verb=V.PROPOSE_RESPONSE, note=note)


def send_back(*, actor: User, complaint_id: int, note: str, step: Step) -> Complaint:
    """The response needs more work; the note says which."""
    with moving(actor, complaint_id, note) as complaint:
        complaint.send_back()
        promise(complaint, step)
        return conclude(complaint, actor=actor, verb=V.SEND_BACK, note=note)


def approve_response(*, actor: User, complaint_id: int, note: str, step: Step) -> Complaint:
    """The response goes as it is. Refused for its own author where it takes a second person."""
    with moving(actor, complaint_id, note) as complaint:
        complaint.approve_response(actor)
        require(
            can_approve(actor, complaint),
            _("Somebody else who handles complaints has to approve this response."),
        )
        promise(complaint, step)
        return conclude(complaint, actor=actor, verb=V.APPROVE_RESPONSE, note=note)


def answer(*, actor: User, complaint_id: int, note: str, step: Step) -> Complaint:
    """The complainant has the response; the note says how it was given. Conflict while it is not approved."""
    with moving(actor, complaint_id, note) as complaint:
        complaint.answer()
        promise(complaint, step)
        return conclude(complaint, actor=actor, verb=V.ANSWER, note=note)


def follow_up(*, actor: User, complaint_id: int, note: str, step: Step) -> Complaint:
    """Do what was promised, and ask whether it is good now."""
    with moving(actor, complaint_id, note) as complaint:
        complaint.follow_up()
        promise(complaint, step)
        return conclude(complaint, actor=actor, verb=V.FOLLOW_UP, note=note)


def close(*, actor: User, complaint_id: int, note: str) -> Complaint:
    """Nothing more is expected. A concern or thanks need no answer before; a complaint does, else Conflict."""
    with moving(actor, complaint_id, note) as complaint:
        is_early = complaint.status in (ComplaintStatus.ACKNOWLEDGED, ComplaintStatus.TRIAGED)
        if is_early:
            complaint.settle()
        else:
            complaint.close()
        promise(complaint, None)
        return conclude(complaint, actor=actor, verb=V.CLOSE, note=note, action=AuditAction.CLOSED)


def reopen(*, actor: User, complaint_id: int, note: str, step: Step) -> Complaint:
    """It is not good after all. An owner who may not see to it any more has it no longer."""
    with moving(actor, complaint_id, note) as complaint:
        complaint.reopen()
        leave_unable_owner(complaint)
        promise(complaint, step)
        return conclude(complaint, actor=actor, verb=V.REOPEN, note=note, action=AuditAction.REOPENED)


def escalate(*, actor: User, complaint_id: int, note: str, step: Step) -> Complaint:
    """Somebody higher up has to see to it."""
    with moving(actor, complaint_id, note) as complaint:
        complaint.escalate()
        promise(complaint, step)
        return conclude(complaint, actor=actor, verb=V.ESCALATE, note=note)


def withdraw(*, actor: User, complaint_id: int, note: str) -> Complaint:
    """The complainant takes it back; the note says how we know."""
    with moving(actor, complaint_id, note) as complaint:
        complaint.withdraw()
        promise(complaint, None)
        return conclude(complaint, actor=actor, verb=V.WITHDRAW, note=note, action=AuditAction.CLOSED)


def refer_externally(*, actor: User, complaint_id: int, note: str, step: Step) -> Complaint:
    """An outside body decides; the note says which."""
    with moving(actor, complaint_id, note) as complaint:
        complaint.refer_externally()
        leave_unable_owner(complaint)
        promise(complaint, step)
        return conclude(complaint, actor=actor, verb=V.REFER_EXTERNALLY, note=note)


def assign_complaint(
    *, actor: User, complaint_id: int, note: str, owner: User | None = None, team: Team | None = None
) -> Complaint:
    """Give it to a person, a team, or a person of a team. Refused for nobody, for what is over, for partner teams, for
    an owner who may not see it, and for a protected one that no person would have."""
    with moving(actor, complaint_id, note) as complaint:
        require(not complaint.is_over, _("This complaint is over. Open it again first."))
        require(owner is not None or team is not None, _("Choose who is responsible for it."))
        require(owner is not None or not complaint.is_protected, _("A protected one is given to a person."))
        if owner is not None:
            require_owner(owner, complaint.protection, complaint.about_staff.all())
        require(team is None or not team.is_partner, _("Partner teams see no complaints."))
        former = complaint.owner_id
        complaint.owner, complaint.team = owner, team
        return conclude(
            complaint, actor=actor, verb=V.ASSIGN, note=note, action=AuditAction.ASSIGNED, to_user=owner, to_team=team,
            formerly=(former,),
        )  # fmt: skip


def protect(
    *, actor: User, complaint_id: int, note: str, protection: str, about_staff: Collection[User] = ()
) -> Complaint:
    """Say that only its owner and those who handle complaints see it, why, and of whom it speaks; or that everybody may
    again who serves the patient. Refused for who does not handle complaints, and while it is with somebody who may not
    see to it then, or with a team alone: it is given to another person first."""
    with moving(actor, complaint_id, note) as complaint:
        require(can_handle(actor), _("Only those who handle complaints say which are protected."))
        require(protection in ComplaintProtection.values, _("Choose why it is protected."))
        was_open = not complaint.is_protected
        require_protected(protection, about_staff)
        if protection != ComplaintProtection.NONE and not complaint.is_over:
            require(complaint.owner is not None, _("A protected one is given to a person."))
        if complaint.owner is not None and not complaint.is_over:
            require_owner(complaint.owner, protection, about_staff)
        complaint.protection = protection
        complaint.about_staff.set(about_staff)
        is_open = was_open or not complaint.is_protected
        return conclude(complaint, actor=actor, verb=V.PROTECT, note=note, was_open_to_all=is_open)
