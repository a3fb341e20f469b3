"""Who may do what with complaints. Pure; visibility is the selectors' business."""

from complaints.enums import ComplaintKind, ComplaintProtection, Severity
from complaints.models import Complaint
from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can


def can_register(user: User) -> bool:
    """May write down what somebody complains of, and be responsible for a complaint."""
    return can(user, Action.REGISTER_COMPLAINTS)


def can_handle(user: User) -> bool:
    """May see to every complaint, also the protected ones, and say which are protected."""
    return can(user, Action.HANDLE_COMPLAINTS)


def can_work(user: User, complaint: Complaint) -> bool:
    """May move it on: whoever owns it, and those who handle complaints; never somebody of whom it speaks."""
    is_theirs = can_handle(user) or (can_register(user) and complaint.owner_id == user.pk)
    return is_theirs and not complaint.is_about(user)


def can_own(user: User, protection: str, *, is_about: bool) -> bool:
    """May be responsible for a complaint of this protection; one about staff is for those who handle complaints, and
    none is for somebody of whom it speaks."""
    may = can_handle if protection == ComplaintProtection.STAFF else can_register
    return may(user) and not is_about


def needs_second_person(complaint: Complaint) -> bool:
    """Its response is approved by another person than the one who wrote it."""
    return complaint.kind == ComplaintKind.GRIEVANCE or complaint.severity in (Severity.HIGH, Severity.CRITICAL)


def can_approve(user: User, complaint: Complaint) -> bool:
    """May say that the response goes as it is."""
    if not can_handle(user) or complaint.is_about(user):
        return False
    return not (needs_second_person(complaint) and complaint.response_by_id == user.pk)
