"""The desk: channels, queues, interactions, messages."""

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from inbox.enums import (
    CaseStatus,
    ChannelKind,
    Direction,
    EventKind,
    FieldType,
    InteractionStatus,
    MessageStatus,
    TemplateStatus,
)
from inbox.models import (
    Attachment,
    Case,
    Channel,
    Checklist,
    Disposition,
    Draft,
    FormField,
    Interaction,
    Mailbox,
    Message,
    MessageTemplate,
    Note,
    OptOut,
    Queue,
    Reason,
    SavedView,
    Tag,
    Task,
    WebForm,
    WebhookEvent,
)
from patients.enums import ContactScheme
from tests.factories.accounts import UserFactory

ADAPTERS = {
    ChannelKind.SMS: "twilio_messaging",
    ChannelKind.WHATSAPP: "twilio_messaging",
    ChannelKind.VOICE: "twilio_voice",
    ChannelKind.EMAIL: "email",
    ChannelKind.FORM: "form",
}


class QueueFactory(DjangoModelFactory):
    """A queue; `teams=[...]` serve it."""

    class Meta:
        model = Queue
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Queue {n}")
    slug = factory.Sequence(lambda n: f"queue-{n}")

    @factory.post_generation
    def teams(self, create, extracted, **kwargs):
        self.teams.set(extracted or [])


class ChannelFactory(DjangoModelFactory):
    class Meta:
        model = Channel

    name = factory.LazyAttribute(lambda channel: f"Test {channel.kind}")
    kind = ChannelKind.SMS
    adapter = factory.LazyAttribute(lambda channel: ADAPTERS[channel.kind])
    address = factory.Sequence(lambda n: f"+1500556{n % 10_000:04d}")
    queue = factory.SubFactory(QueueFactory)


class MailboxFactory(DjangoModelFactory):
    class Meta:
        model = Mailbox

    channel = factory.SubFactory(ChannelFactory, kind=ChannelKind.EMAIL, address="care@aurora.test")
    host = "127.0.0.1"
    username = "care"
    credential_env = "TEST_IMAP_PASSWORD"


class ReasonFactory(DjangoModelFactory):
    class Meta:
        model = Reason

    name = factory.Sequence(lambda n: f"Reason {n}")
    code = factory.Sequence(lambda n: f"reason-{n}")


class TagFactory(DjangoModelFactory):
    class Meta:
        model = Tag

    name = factory.Sequence(lambda n: f"Tag {n}")
    slug = factory.Sequence(lambda n: f"tag-{n}")


class DispositionFactory(DjangoModelFactory):
    class Meta:
        model = Disposition

    name = factory.Sequence(lambda n: f"Disposition {n}")
    code = factory.Sequence(lambda n: f"disposition-{n}")
    is_resolved = True


class MessageTemplateFactory(DjangoModelFactory):
    class Meta:
        model = MessageTemplate

    name = factory.Sequence(lambda n: f"template_{n}")
    language = "en"
    body = "Hello {{1}}, please call us."
    variables = [{"key": "1", "label": "First name", "type": "text"}]
    external_id = factory.Sequence(lambda n: f"HX{n:032x}")
    status = TemplateStatus.APPROVED


class OptOutFactory(DjangoModelFactory):
    class Meta:
        model = OptOut

    channel_kind = ChannelKind.SMS
    address = "+13055550100"
    keyword = "STOP"
    started_at = factory.LazyFunction(timezone.now)


class InteractionFactory(DjangoModelFactory):
    """A waiting inbound SMS conversation; an `owner` makes it active."""

    class Meta:
        model = Interaction

    channel = factory.SubFactory(ChannelFactory)
    channel_kind = factory.SelfAttribute("channel.kind")
    queue = factory.SelfAttribute("channel.queue")
    contact_scheme = factory.LazyAttribute(
        lambda row: ContactScheme.EMAIL if row.channel.kind == ChannelKind.EMAIL else ContactScheme.PHONE
    )
    contact_value = factory.Sequence(lambda n: f"+1786555{n % 10_000:04d}")
    thread_key = factory.SelfAttribute("contact_value")
    status = factory.LazyAttribute(lambda row: InteractionStatus.ACTIVE if row.owner else InteractionStatus.QUEUED)
    owner = None
    last_inbound_at = factory.LazyFunction(timezone.now)
    waiting_since_at = factory.SelfAttribute("last_inbound_at")


class MessageFactory(DjangoModelFactory):
    """An inbound text; `direction=OUTBOUND` makes a queued reply."""

    class Meta:
        model = Message

    interaction = factory.SubFactory(InteractionFactory)
    channel = factory.SelfAttribute("interaction.channel")
    channel_kind = factory.SelfAttribute("channel.kind")
    direction = Direction.INBOUND
    status = factory.LazyAttribute(
        lambda row: MessageStatus.RECEIVED if row.direction == Direction.INBOUND else MessageStatus.QUEUED
    )
    address_scheme = factory.SelfAttribute("interaction.contact_scheme")
    address = factory.SelfAttribute("interaction.contact_value")
    text = factory.Faker("sentence")
    provider = "twilio"
    external_id = factory.LazyAttributeSequence(
        lambda row, n: f"SM{n:032x}" if row.direction == Direction.INBOUND else ""
    )


class AttachmentFactory(DjangoModelFactory):
    class Meta:
        model = Attachment

    message = factory.SubFactory(MessageFactory)
    name = "photo.jpg"
    content_type = "image/jpeg"


class DraftFactory(DjangoModelFactory):
    """What somebody has begun to write."""

    class Meta:
        model = Draft

    interaction = factory.SubFactory(InteractionFactory)
    author = factory.SubFactory(UserFactory)
    mode = ChannelKind.SMS
    text = "Half a thought"


class NoteFactory(DjangoModelFactory):
    class Meta:
        model = Note

    interaction = factory.SubFactory(InteractionFactory)
    author = factory.SubFactory(UserFactory)
    body = "A private note."


class CaseFactory(DjangoModelFactory):
    """An open case with an owner and a dated next step."""

    class Meta:
        model = Case

    reference = factory.Sequence(lambda n: f"C-{n:06d}")
    title = "Needs a follow-up"
    status = CaseStatus.OPEN
    owner = factory.SubFactory(UserFactory)
    next_step = "Call back"
    next_step_date = factory.LazyFunction(timezone.localdate)


class ChecklistFactory(DjangoModelFactory):
    """Two things to do, the first of which blocks closing; `reasons=[...]` put it in."""

    class Meta:
        model = Checklist
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Checklist {n}")
    items = [{"title": "Check the identity", "is_blocking": True}, {"title": "Send the preparation"}]

    @factory.post_generation
    def reasons(self, create, extracted, **kwargs):
        self.reasons.set(extracted or [])


class TaskFactory(DjangoModelFactory):
    class Meta:
        model = Task

    interaction = factory.SubFactory(InteractionFactory)
    title = factory.Sequence(lambda n: f"Thing {n}")


class WebFormFactory(DjangoModelFactory):
    class Meta:
        model = WebForm

    slug = factory.Sequence(lambda n: f"form-{n}")
    title = "Ask for an appointment"
    channel = factory.SubFactory(ChannelFactory, kind=ChannelKind.FORM, address=factory.Sequence(lambda n: f"form{n}"))


class FormFieldFactory(DjangoModelFactory):
    class Meta:
        model = FormField

    form = factory.SubFactory(WebFormFactory)
    key = factory.Sequence(lambda n: f"field-{n}")
    label = "Your question"
    type = FieldType.TEXT
    position = factory.Sequence(lambda n: n % 30_000)


class WebhookEventFactory(DjangoModelFactory):
    class Meta:
        model = WebhookEvent

    provider = "twilio"
    kind = EventKind.MESSAGING
    dedupe_key = factory.Sequence(lambda n: f"SM{n:032x}:received")
    external_id = factory.Sequence(lambda n: f"SM{n:032x}")
    body = b""


class SavedViewFactory(DjangoModelFactory):
    """Everybody's view of what waits in Spanish; `owner=` or `team=` make it theirs."""

    class Meta:
        model = SavedView

    name = factory.Sequence(lambda n: f"View {n}")
    conditions = {"match": "all", "rules": [{"field": "language", "is": ["es"]}]}
