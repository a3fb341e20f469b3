"""Who may do what with visits and agendas. Pure."""

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from patients.models import Patient
from patients.policies import can_view_patient


def can_see_visits(user: User, patient: Patient) -> bool:
    """May read when this patient comes; visibility of the patient is the selectors' business."""
    return can(user, Action.WORK_INBOX) and can_view_patient(user, patient)


def can_book(user: User) -> bool:
    """May book, move and cancel visits, and say who came."""
    return can(user, Action.BOOK_VISITS)
