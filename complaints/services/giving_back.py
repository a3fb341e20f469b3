"""Complaints whose owner left, or may not see to them any more, go back to those who handle complaints."""

from complaints.enums import OVER, ComplaintProtection, ComplaintVerb
from complaints.models import Complaint
from complaints.policies import can_handle, can_register
from complaints.services.concluding import conclude, leave_unable_owner, locked
from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from inbox import realtime


def give_back_complaints_of(user_id: int) -> int:
    """Take every open complaint from a person who may not see to it any more, so that it counts as without an owner;
    returns how many. Each in a transaction of its own; one that went to somebody else meanwhile stays there."""
    person = User.objects.get(pk=user_id)
    if can_handle(person):
        return 0
    owned = Complaint.objects.filter(owner=person).exclude(status__in=OVER)
    if can_register(person):
        owned = owned.filter(protection=ComplaintProtection.STAFF)
    return sum(_give_back(pk, user_id) for pk in owned.order_by("pk").values_list("pk", flat=True))


def _give_back(complaint_id: int, user_id: int) -> bool:
    with realtime.atomic():
        complaint = locked(complaint_id)
        if complaint.is_over or complaint.owner_id != user_id or not leave_unable_owner(complaint):
            return False
        conclude(
            complaint, actor=None, verb=ComplaintVerb.GIVE_BACK, note="", action=AuditAction.ASSIGNED,
            formerly=(user_id,),
        )  # fmt: skip
        return True
