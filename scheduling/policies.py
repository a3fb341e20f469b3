"""Who may do what with visits and agendas. Pure."""

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can


def can_book(user: User) -> bool:
    """May book, move and cancel visits, and say who came."""
    return can(user, Action.BOOK_VISITS)
