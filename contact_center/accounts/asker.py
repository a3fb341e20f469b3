"""Whoever asks a prepared question: selectors are given an Asker in the place of a person, and say what they say for
everybody of that role."""

from datetime import datetime
from typing import Any, cast

from django.utils import timezone

from contact_center.accounts.models import User
from contact_center.common.prepared import Given


class Asker(Given):
    """Stands for an active person of a role when a question is put together. `values_of` gives the first values of the
    question when it is asked; the question's own places begin at `Asker.NEXT`."""

    NEXT = 3
    is_active = is_authenticated = True

    def __init__(self, role: str) -> None:
        super().__init__(0)
        self.role = role
        self.pk = Given(0)
        self.queue_ids, self.now = Given(1), Given(2)


def asker(role: str) -> User:
    """An Asker, for selectors that take a person."""
    return cast(User, Asker(role))


def moment_of(user: User) -> datetime | Given:
    """When this is asked: now, or the place of that moment in a prepared question."""
    given: Any = user
    return given.now if isinstance(given, Asker) else timezone.now()
