"""Telling people once what concerns them. A notification names a kind, an interaction and an actor, never a patient."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from smtplib import SMTPException

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from inbox import realtime
from inbox.enums import NotificationKind
from inbox.models import Interaction, Mention, Notification, NotificationPreference
from inbox.selectors.notifications import Wish, has_unseen, preference_of, title_of

log = structlog.get_logger(__name__)
MAIL_PAUSE, MAIL_KEPT = timedelta(minutes=2), timedelta(days=1)
KEPT_FOR = timedelta(days=90)


def notify(
    *,
    user: User | None,
    kind: NotificationKind,
    interaction: Interaction | None = None,
    queue_id: int | None = None,
    actor: User | None = None,
    dedupe_key: str = "",
    is_duty: bool = False,
    reason: str = "",
) -> Notification | None:
    """Tell one person one fact, in the caller's transaction; their screens hear of it after commit.

    The same `dedupe_key` (at most 80 characters, ids and words of ours) is told to a person once, however often and
    by however many processes it is said. Returns None when there is nobody to tell: no user, one who left, the actor
    themself, one who wants neither panel nor mail for this kind, or one who was told already. Never raises for those.
    What `is_duty` stands in the panel whatever the person wants, and is told to the actor too. `queue_id` is given of
    what concerns a queue and no conversation.
    """
    if user is None or not user.is_active or user.is_service_account:
        return None
    if actor is not None and actor.pk == user.pk and not is_duty:
        return None
    wish = preference_of(user, kind)
    is_in_app = wish.in_app or is_duty
    if not is_in_app and not wish.email:
        return None
    row = Notification(
        user=user,
        kind=kind,
        interaction=interaction,
        queue_id=queue_id,
        actor=actor,
        reason=reason,
        dedupe_key=dedupe_key[:80],
        is_in_app=is_in_app,
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


def see(*, actor: User, interaction_id: int) -> None:
    """The person has opened this conversation: what they were told of it, and who mentioned them there, is seen."""
    told, named = has_unseen(actor, interaction_id)
    if not (told or named):
        return
    with realtime.atomic():
        if told:
            mark_read(actor=actor, interaction_id=interaction_id)
        mentions = Mention.objects.filter(user=actor, seen_at=None, interaction_id=interaction_id)
        if named and mentions.update(seen_at=timezone.now()):
            realtime.touch(realtime.agent_topic(actor.pk))


def clear_notifications(*, limit: int = 5_000) -> int:
    """Remove what was told longer ago than KEPT_FOR, read or not; returns how many rows went.

    Looks at the oldest ids only, so it costs the same however many there are.
    """
    oldest = Notification.objects.order_by("pk").values_list("pk", "created_at")[:limit]
    old = [pk for pk, created_at in oldest if timezone.now() - created_at > KEPT_FOR]
    return Notification.objects.filter(pk__in=old).delete()[0]


def save_wishes(*, actor: User, wishes: Mapping[NotificationKind, Wish]) -> None:
    """Keep how this person wants to be told of each kind given; the others stay as they are."""
    with transaction.atomic():
        for kind, wish in wishes.items():
            NotificationPreference.objects.update_or_create(
                user=actor,
                kind=kind,
                defaults={
                    "in_app": wish.in_app, "sound": wish.sound, "desktop": wish.desktop, "email": wish.email,
                },
            )  # fmt: skip


def send_notices(*, limit: int = 200) -> int:
    """Send the notices that are due by e-mail, oldest first; returns how many left.

    Each is put off for MAIL_PAUSE before it is sent and taken off the list when the mail server has it, so that
    nothing is held while the server is asked, and a failure leaves it for a later run. A mail carries a link and no
    patient data. One that nobody could deliver for a day is dropped.
    """
    sent = 0
    for _turn in range(limit):
        row = _claim_next()
        if row is None:
            break
        if row.user.is_active and timezone.now() - row.created_at < MAIL_KEPT:
            try:
                _mail(row)
            except (OSError, SMTPException, ValueError) as error:
                log.warning("notice_not_mailed", notification_id=row.pk, error=type(error).__name__)
                break
            sent += 1
        Notification.objects.filter(pk=row.pk).update(mail_due_at=None)
    return sent


def _claim_next() -> Notification | None:
    with transaction.atomic():
        rows = Notification.objects.select_for_update(skip_locked=True, of=("self",))
        due = rows.filter(mail_due_at__lte=timezone.now()).order_by("mail_due_at", "pk")
        row = due.select_related("user", "actor", "queue", "interaction__queue").first()
        if row is not None:
            row.mail_due_at = timezone.now() + MAIL_PAUSE
            row.save(update_fields=["mail_due_at"])
        return row


def _mail(row: Notification) -> None:
    with translation.override(row.user.language):
        title = title_of(row)
        text = _("%(title)s.\n\nOpen it in Continuo: %(url)s\n\nYou can choose which mails you get: %(settings)s")
        words = {
            "title": title,
            "url": settings.PUBLIC_BASE_URL + reverse("inbox:notifications"),
            "settings": settings.PUBLIC_BASE_URL + reverse("inbox:notification-preferences"),
        }
        send_mail(title, text % words, settings.SERVER_EMAIL, [row.user.email])
