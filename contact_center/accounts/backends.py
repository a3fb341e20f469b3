"""How people sign in: by e-mail address and password, as allauth does it."""

from functools import cache

from allauth.account.auth_backends import AuthenticationBackend

from contact_center.accounts.models import User
from contact_center.accounts.protection import has_factor
from contact_center.common.prepared import Given, Prepared


@cache
def _person() -> Prepared[User]:
    return Prepared(User.objects.filter(pk=Given(0)).annotate(has_second_factor=has_factor()), is_planned_once=True)


class PersonBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth is not typed
    """Reading the signed-in person, which every request does, is a prepared question."""

    def get_user(self, user_id: int) -> User | None:
        """The person of a session; None for one who is gone or may not sign in any more."""
        found = _person().ask(user_id)
        return found[0] if found and self.user_can_authenticate(found[0]) else None
