"""What signing out means for a person's presence."""

from typing import Any

from contact_center.accounts.enums import PresenceState
from contact_center.accounts.models import Presence, User
from contact_center.accounts.services import set_presence


def leave(sender: Any, user: Any, **kwargs: Any) -> None:
    """django's user_logged_out → nobody counts on them any more."""
    if isinstance(user, User) and Presence.objects.filter(user=user).exists():
        set_presence(user=user, state=PresenceState.OFFLINE)
