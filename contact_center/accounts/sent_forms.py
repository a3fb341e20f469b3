"""Forms that make something are sent once: a double click, a reload or a retry makes nothing more."""

from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from contact_center.accounts.models import SentForm, User

KEPT = timedelta(days=7)
MOST_KEY = 64


def once(*, actor: User, key: str, make: Callable[[], object]) -> int | None:
    """Run `make` in one transaction unless `actor` sent the form with this `key` before; gives the id of what it made.

    The same form sent again, also at the same moment, gives that id once more. A form without a key is always run.
    What `make` raises is raised, and the form may be sent again. None where `make` gives nothing with an id.
    """
    key = key.replace("\x00", "")[:MOST_KEY]
    if not key:
        return _made(make)
    with transaction.atomic():
        sent, is_first = SentForm.objects.get_or_create(user=actor, key=key)
        if is_first:
            sent.made_id = _made(make)
            sent.save(update_fields=["made_id"])
        return sent.made_id


def _made(make: Callable[[], object]) -> int | None:
    return getattr(make(), "pk", None)


def forget_sent_forms() -> int:
    """Delete what was sent more than a week ago; returns how many."""
    return SentForm.objects.filter(sent_at__lt=timezone.now() - KEPT).delete()[0]
