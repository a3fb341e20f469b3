"""Telling people once what concerns them. A notification names a kind, an interaction and an actor, never a patient."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.utils import timezone

from contact_center.accounts.models import User
from inbox import realtime
from inbox.enums import NotificationKind
from inbox.models import Interaction, Notification
from inbox.selectors.notifications import preference_of


def notify(
    *,
    user: User | None,
    kind: NotificationKind,
    interaction: Interaction | None = None,
    actor: User | None = None,
    dedupe_key: str = "",
) -> Notification | None:
    """Tell one person one fact, in the caller's transaction; their screens hear of it after commit.

    The same `dedupe_key` (at most 80 characters, ids and words of ours) is told to a person once, however often and
    by however many processes it is said. Returns None when there is nobody to tell: no user, one who left, the actor
    themself, one who wants neither panel nor mail for this kind, or one who was told already. Never raises for those.
    """
    if user is None or not user.is_active or user.is_service_account or (actor is not None and actor.pk == user.pk):
        return None
    wish = preference_of(user, kind)
    if not wish.in_app and not wish.email:
        return None
    row = Notification(
        user=user,
        kind=kind,
        interaction=interaction,
        actor=actor,
        dedupe_key=dedupe_key[:80],
        is_in_app=wish.in_app,
        mail_due_at=timezone.now() if wish.email else None,
    )
    with realtime.atomic():
        if not _insert_once(row):
            return None
        realtime.touch(realtime.agent_topic(user.pk))
    return row


def _insert_once(row: Notification) -> bool:
    """False when the fact is on record; a second process that says it at the same moment waits for the first."""
    same = Notification.objects.filter(user_id=row.user_id, dedupe_key=row.dedupe_key)
    if row.dedupe_key and same.exists():
        return False
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def mark_read(*, actor: User, ids: Iterable[int] | None = None, interaction_id: int | None = None) -> int:
    """Mark one's own notifications as read: those `ids`, those about one interaction, or all; returns how many."""
    with realtime.atomic():
        unread = Notification.objects.filter(user=actor, read_at=None)
        if ids is not None:
            unread = unread.filter(pk__in=list(ids))
        if interaction_id is not None:
            unread = unread.filter(interaction_id=interaction_id)
        locked = list(unread.select_for_update().order_by("pk").values_list("pk", flat=True))
        count = Notification.objects.filter(pk__in=locked).update(read_at=timezone.now())
        if count:
            realtime.touch(realtime.agent_topic(actor.pk))
        return count
