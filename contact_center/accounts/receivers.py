"""What signing out, a new password and a second factor mean for a person."""

from typing import Any

from django.http import HttpRequest

from contact_center.accounts import protection
from contact_center.accounts.enums import PresenceState
from contact_center.accounts.models import Presence, User
from contact_center.accounts.services import set_presence


def leave(sender: Any, user: Any, **kwargs: Any) -> None:
    """django's user_logged_out → nobody counts on them any more."""
    if isinstance(user, User) and Presence.objects.filter(user=user).exists():
        set_presence(user=user, state=PresenceState.OFFLINE)


def end_sessions_after_new_password(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """allauth's password_changed, password_reset → every other session and its sockets end at once."""
    if isinstance(user, User):
        protection.end_other_sessions(user, keep=request.session.session_key if request.user == user else None)


def note_added_factor(sender: Any, user: Any, **kwargs: Any) -> None:
    """allauth's authenticator_added → on record."""
    protection.note_second_factor(actor=user, user=user, what="added")


def note_removed_factor(sender: Any, user: Any, **kwargs: Any) -> None:
    """allauth's authenticator_removed → on record."""
    protection.note_second_factor(actor=user, user=user, what="removed")


def note_new_codes(sender: Any, user: Any, **kwargs: Any) -> None:
    """allauth's authenticator_reset → on record."""
    protection.note_second_factor(actor=user, user=user, what="reset")


def note_refused_code(sender: Any, user: Any, **kwargs: Any) -> None:
    """allauth's authentication_failed → on record."""
    protection.note_second_factor(actor=None, user=user, what="refused")
