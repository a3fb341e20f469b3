"""How a person wants to be told of what, and what they have been told."""

from dataclasses import dataclass

from contact_center.accounts.models import User
from inbox.enums import NotificationKind
from inbox.models import NotificationPreference

K = NotificationKind


@dataclass(frozen=True, slots=True)
class Wish:
    """How one person wants to be told of one kind of event."""

    in_app: bool = True
    sound: bool = False
    desktop: bool = False
    email: bool = False


DEFAULTS = {
    K.ASSIGNED: Wish(sound=True, desktop=True),
    K.NEW_WORK: Wish(),
    K.PATIENT_REPLIED: Wish(sound=True, desktop=True),
    K.MENTIONED: Wish(sound=True, desktop=True),
    K.SEND_FAILED: Wish(desktop=True),
    K.SNOOZE_ENDED: Wish(desktop=True),
    K.TASK_DUE: Wish(),
    K.JOB_FINISHED: Wish(),
}


def preference_of(user: User, kind: str) -> Wish:
    """The person's own wish, else the default of the kind."""
    row = NotificationPreference.objects.filter(user=user, kind=kind).first()
    if row is None:
        return DEFAULTS.get(NotificationKind(kind), Wish())
    return Wish(row.in_app, row.sound, row.desktop, row.email)
