"""Who may do what with visits and agendas. Pure."""

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from scheduling.models import Practitioner


def can_book(user: User) -> bool:
    """May book, move and cancel visits, and say who came."""
    return can(user, Action.BOOK_VISITS)


def can_share_calendar(user: User, practitioner: Practitioner) -> bool:
    """May make the address at which this practitioner's calendar is read: the practitioner and who sets things up."""
    return can(user, Action.CONFIGURE) or (user.is_active and practitioner.user_id == user.pk)


def can_share_names(user: User) -> bool:
    """May say that names of patients stand in such a calendar."""
    return can(user, Action.CONFIGURE)
