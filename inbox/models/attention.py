"""Who should look at what: mentions, notifications, and how each person wants to be told."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from contact_center.common.models import TimeStampedModel
from inbox.enums import NotificationKind, SupervisionReason
from inbox.models.interactions import Interaction, Note


class Mention(models.Model):
    """A colleague named in a note. It notifies and lets them read that interaction."""

    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="mentions")
    interaction = models.ForeignKey(Interaction, on_delete=models.CASCADE, related_name="mentions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mentions")
    created_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["note", "user"], name="mention_once_per_note")]
        indexes = [
            models.Index(fields=["user", "interaction"], name="mention_user_interaction"),
            models.Index(fields=["user", "-id"], condition=Q(seen_at=None), name="mention_unseen"),
        ]

    def __str__(self) -> str:
        return f"mention {self.pk}"


class Notification(models.Model):
    """Something a person is told once: of which interaction and by whom, never the patient's words."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=20, choices=NotificationKind.choices)
    interaction = models.ForeignKey(Interaction, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    queue = models.ForeignKey(
        "inbox.Queue", on_delete=models.CASCADE, null=True, blank=True, related_name="+",
        help_text="Of what concerns a queue, not a conversation.",
    )  # fmt: skip
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=20, blank=True, choices=SupervisionReason.choices)
    dedupe_key = models.CharField(max_length=80, blank=True, help_text="The same fact is told once.")
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True)
    is_in_app = models.BooleanField(default=True, help_text="Stands in the panel; the person may want mail only.")
    mail_due_at = models.DateTimeField(null=True, blank=True, help_text="A notice by e-mail has to leave.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "dedupe_key"], condition=~Q(dedupe_key=""), name="notification_once"
            )
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="notification_recent"),
            models.Index(fields=["user"], condition=Q(read_at=None), name="notification_unread"),
            models.Index(fields=["mail_due_at"], condition=Q(mail_due_at__isnull=False), name="notification_mail_due"),
        ]

    def __str__(self) -> str:
        return f"notification {self.pk}"


class NotificationPreference(TimeStampedModel):
    """How one person wants to be told of one kind of event. Without a row the defaults of the kind hold."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notification_preferences"
    )
    kind = models.CharField(max_length=20, choices=NotificationKind.choices)
    in_app = models.BooleanField(default=True)
    sound = models.BooleanField(default=False)
    desktop = models.BooleanField(default=False)
    email = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="notification_preference_once")]

    def __str__(self) -> str:
        return f"preference {self.kind} of user {self.user_id}"
