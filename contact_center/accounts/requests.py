"""Who asks."""

from django.http import HttpRequest

from contact_center.accounts.models import User


def person_of(request: HttpRequest) -> User:
    """The signed-in person; the login middleware lets nobody else come to a page of staff."""
    assert isinstance(request.user, User)
    return request.user
