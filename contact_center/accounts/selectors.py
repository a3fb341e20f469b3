"""Reading people: who works here, who is there now."""

from django.db.models import QuerySet

from contact_center.accounts.enums import Action, PresenceState
from contact_center.accounts.models import ApiKey, Presence, User
from contact_center.accounts.policies import can


def people() -> QuerySet[User]:
    """Everybody who can sign in, by name; machines left out."""
    return User.objects.filter(is_active=True, is_service_account=False).order_by("first_name", "last_name", "pk")


def presence_of(user: User) -> str:
    """What this person is doing now; offline for one who never said."""
    found = Presence.objects.filter(user=user).values_list("state", flat=True).first()
    return found or PresenceState.OFFLINE


def api_keys_visible_to(user: User) -> QuerySet[ApiKey]:
    """Keys with their users, newest first; nothing for those who may not manage them."""
    if not can(user, Action.MANAGE_API_KEYS):
        return ApiKey.objects.none()
    return ApiKey.objects.select_related("user").order_by("-created")
