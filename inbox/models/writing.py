"""What agents write with: unfinished drafts, canned replies, macros."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition

from contact_center.accounts.models import Team
from contact_center.common.models import SafeFSM, TimeStampedModel
from inbox.enums import AttachmentStatus, ScanStatus
from inbox.models.interactions import Interaction, Note
from inbox.models.messages import Message, private_path

SENSITIVE = "!"


class Draft(TimeStampedModel):
    """What one person has begun to write in one conversation. Colleagues there may read it. A `!` ends the mode of what
    is sensitive."""

    interaction = models.ForeignKey(Interaction, on_delete=models.CASCADE, related_name="drafts")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts")
    mode = models.CharField(max_length=12, help_text="A channel kind, or note.")
    text = models.TextField()
    seen_message_id = models.BigIntegerField(default=0, help_text="Newest patient message when it was begun.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["interaction", "author"], name="draft_once_per_author")]
        indexes = [models.Index(fields=["author", "-updated_at"], name="draft_author_recent")]

    def __str__(self) -> str:
        return f"draft {self.pk}"

    @property
    def way(self) -> str:
        """The channel kind, or note."""
        return self.mode.removesuffix(SENSITIVE)

    @property
    def is_sensitive(self) -> bool:
        """Whether only a link is to leave; kept with the words, so that no reload sends them in the open."""
        return self.mode.endswith(SENSITIVE)


class Upload(SafeFSM, TimeStampedModel):
    """A file that waits in somebody's reply box, or in the form `box` of a conversation that is not started yet.

    Once sent, `sent_with` names the message that shares its content.
    """

    interaction = models.ForeignKey(
        Interaction, on_delete=models.CASCADE, related_name="uploads", null=True, blank=True
    )
    box = models.CharField(max_length=64, blank=True, default="", db_default="")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=120)
    size = models.PositiveBigIntegerField()
    is_sensitive = models.BooleanField(default=False, db_default=False, help_text="Carries health information.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the content; tells the same form sent twice.")
    file = models.FileField(upload_to=private_path)
    sent_with = models.ForeignKey(
        Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="uploads", db_index=False
    )

    status = FSMField(default=ScanStatus.UNSCANNED, choices=ScanStatus.choices, protected=True)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(status=ScanStatus.SCANNING), name="upload_scanning"),
            models.Index(fields=["interaction", "author"], condition=Q(sent_with=None), name="upload_waiting"),
            models.Index(fields=["sent_with"], condition=Q(sent_with__isnull=False), name="upload_sent"),
            models.Index(fields=["created_at"], name="upload_age"),
            models.Index(fields=["author", "box"], condition=Q(interaction=None), name="upload_boxed"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(interaction__isnull=False, box="") | (Q(interaction__isnull=True) & ~Q(box="")),
                name="upload_in_conversation_or_box",
            )
        ]

    def __str__(self) -> str:
        return f"upload {self.pk}"

    @transition(field=status, source=ScanStatus.UNSCANNED, target=ScanStatus.SCANNING)
    def hold(self) -> None:
        """A scanner is configured: it is not sent before it was looked at."""

    @transition(field=status, source=ScanStatus.SCANNING, target=ScanStatus.CLEAN)
    def pass_scan(self) -> None:
        """The scanner found nothing."""

    @transition(field=status, source=ScanStatus.SCANNING, target=ScanStatus.INFECTED)
    def quarantine(self) -> None:
        """The scanner found a virus; the content is moved away and never sent."""

    @transition(field=status, source=ScanStatus.SCANNING, target=ScanStatus.UNCHECKED)
    def give_up_scan(self) -> None:
        """The scanner gave no verdict, however often it was asked."""


class NoteFile(TimeStampedModel):
    """A file of a private note. Apart from the files of messages, so that none of it can ever be sent."""

    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=120)
    size = models.PositiveBigIntegerField()
    file = models.FileField(upload_to=private_path)

    status = AttachmentStatus.CLEAN
    """It was judged before it was kept."""

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"note file {self.pk}"


class CannedReply(TimeStampedModel):
    """A text that is often sent, with variables such as `{{ patient.given_name }}`. Shared, of a team, or one's own."""

    title = models.CharField(max_length=80)
    shortcode = models.SlugField(max_length=40, help_text="What follows the slash.")
    body = models.TextField()
    language = models.CharField(max_length=8, blank=True)
    channel_kinds = ArrayField(models.CharField(max_length=12), default=list, blank=True, help_text="Empty: all.")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="canned_replies")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="canned_replies"
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["title"]
        verbose_name_plural = "canned replies"
        constraints = [
            models.UniqueConstraint(
                fields=["shortcode", "language", "team", "owner"],
                nulls_distinct=False,
                name="canned_reply_shortcode_once",
            ),
            models.CheckConstraint(
                condition=Q(team__isnull=True) | Q(owner__isnull=True), name="canned_reply_team_or_person"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Macro(TimeStampedModel):
    """Several steps under one name, done in one go: reply, tag, assign, snooze and so on."""

    name = models.CharField(max_length=80)
    steps = models.JSONField(default=list, help_text='[{"do": "tag", "tag": 3}, {"do": "snooze", "hours": 24}]')
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="macros")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="macros"
    )
    is_active = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(fields=["name", "team", "owner"], nulls_distinct=False, name="macro_name_once"),
            models.CheckConstraint(condition=Q(team__isnull=True) | Q(owner__isnull=True), name="macro_team_or_person"),
        ]

    def __str__(self) -> str:
        return self.name
