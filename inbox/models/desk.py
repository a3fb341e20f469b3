"""How the desk is set up: channels, queues, reasons, wrap-up codes, templates; and who must not be written to."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from contact_center.accounts.models import Team
from contact_center.common.encrypted import EncryptedTextField
from contact_center.common.models import TimeStampedModel
from inbox.enums import ChannelKind, Priority, TemplateStatus
from inbox.models.hours import ServiceCalendar
from inbox.models.processors import Processor


class Queue(TimeStampedModel):
    """A line of waiting work, served by teams."""

    name = models.CharField(max_length=80, unique=True)
    slug = models.SlugField(unique=True)
    teams = models.ManyToManyField(Team, related_name="queues", blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)
    calendar = models.ForeignKey(
        ServiceCalendar,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="queues",
        help_text=_("When it is served. Without one it never closes."),
    )

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class Channel(TimeStampedModel):
    """One address of ours on one kind of channel."""

    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=12, choices=ChannelKind.choices)
    adapter = models.CharField(max_length=40, help_text=_("Key in the adapter registry"))
    address = models.CharField(max_length=254, help_text=_("Our number or mailbox, normalised"))
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="channels")
    is_active = models.BooleanField(default=True)
    processor = models.ForeignKey(Processor, on_delete=models.PROTECT, null=True, blank=True, related_name="channels")
    sends_receipts = models.BooleanField(
        default=False, help_text=_("E-mail: tell whoever begins a conversation that we have it, once a day at most.")
    )

    class Meta:
        ordering = ["kind", "name"]
        constraints = [models.UniqueConstraint(fields=["kind", "address"], name="channel_address_once")]

    def __str__(self) -> str:
        return self.name


class Mailbox(TimeStampedModel):
    """An IMAP folder that is polled for an e-mail channel. Its password is kept encrypted, or in the environment."""

    channel = models.OneToOneField(Channel, on_delete=models.CASCADE, related_name="mailbox")
    host = models.CharField(max_length=254)
    port = models.PositiveIntegerField(default=993)
    use_tls = models.BooleanField(default=True)
    username = models.CharField(max_length=254)
    password = EncryptedTextField(blank=True, default="", db_default="")
    credential_env = models.CharField(
        max_length=80, blank=True, help_text=_("Name of the environment variable with the password, where none is kept")
    )
    folder = models.CharField(max_length=120, default="INBOX")
    uid_validity = models.BigIntegerField(null=True, blank=True)
    last_uid = models.BigIntegerField(default=0)
    lease_owner = models.CharField(max_length=80, blank=True)
    leased_until_at = models.DateTimeField(null=True, blank=True)
    last_polled_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=240, blank=True)

    class Meta:
        verbose_name_plural = "mailboxes"

    def __str__(self) -> str:
        return f"mailbox {self.pk}"


class Reason(TimeStampedModel):
    """Why a patient contacts us; a tree. Sensitive ones are hidden from partner teams."""

    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    name = models.CharField(max_length=80)
    code = models.SlugField(unique=True)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    is_sensitive = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class Tag(TimeStampedModel):
    """A short word on interactions, to find and count them by."""

    name = models.CharField(max_length=40, unique=True)
    slug = models.SlugField(unique=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Disposition(TimeStampedModel):
    """Wrap-up code: how a contact ended."""

    name = models.CharField(max_length=80, unique=True)
    code = models.SlugField(unique=True)
    is_resolved = models.BooleanField(default=False, help_text=_("Resolved now: no next step is needed"))
    is_active = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class MessageTemplate(TimeStampedModel):
    """A text approved by the provider, sent outside the WhatsApp window. `{{1}}` marks a variable."""

    name = models.CharField(max_length=80)
    language = models.CharField(max_length=8)
    channel_kind = models.CharField(max_length=12, choices=ChannelKind.choices, default=ChannelKind.WHATSAPP)
    category = models.CharField(max_length=20, default="utility")
    body = models.TextField()
    variables = models.JSONField(default=list, help_text=_('[{"key": "1", "label": "First name", "type": "text"}]'))
    external_id = models.CharField(max_length=64, help_text=_("The provider's content id"))
    status = models.CharField(max_length=10, choices=TemplateStatus.choices, default=TemplateStatus.PENDING)

    class Meta:
        ordering = ["name", "language"]
        constraints = [
            models.UniqueConstraint(fields=["name", "language", "channel_kind"], name="message_template_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.language})"


class OptOut(models.Model):
    """An address that told us to stop on one kind of channel. A row with `ended_at` is history."""

    channel_kind = models.CharField(max_length=12, choices=ChannelKind.choices)
    address = models.CharField(max_length=254)
    keyword = models.CharField(max_length=40, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["channel_kind", "address"], condition=models.Q(ended_at=None), name="opt_out_once_in_force"
            )
        ]

    def __str__(self) -> str:
        return f"opt-out {self.pk}"


class ProviderHealth(models.Model):
    """Circuit breaker and last sign of life of one adapter, shared by all workers."""

    adapter = models.CharField(max_length=40, primary_key=True)
    consecutive_failures = models.PositiveIntegerField(default=0)
    open_until_at = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=240, blank=True)
    last_listed_at = models.DateTimeField(
        null=True, blank=True, help_text="Up to here the provider's list was compared with the ledger."
    )

    def __str__(self) -> str:
        return f"health of {self.adapter}"
