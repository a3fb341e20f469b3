"""Who asks, and whether they asked before."""

from collections.abc import Callable

from django.http import HttpRequest

from contact_center.accounts.models import User
from contact_center.accounts.sent_forms import once


def person_of(request: HttpRequest) -> User:
    """The signed-in person; the login middleware lets nobody else come to a page of staff."""
    assert isinstance(request.user, User)
    return request.user


def sent_once(request: HttpRequest, make: Callable[[], object]) -> int | None:
    """Run `make` unless this person sent this form (`{% form_key %}`) before; gives the id that `once` gives."""
    return once(actor=person_of(request), key=request.POST.get("form_key", ""), make=make)
