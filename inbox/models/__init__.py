"""The desk's tables, one module per subject."""

from inbox.models.desk import Channel, Disposition, Mailbox, MessageTemplate, OptOut, ProviderHealth, Queue, Reason
from inbox.models.forms import FormField, FormSubmission, WebForm
from inbox.models.interactions import Case, Interaction, Note, TimelineEvent, TopicSequence
from inbox.models.ledger import WebhookEvent
from inbox.models.messages import Attachment, DeliveryReport, Message

__all__ = [
    "Attachment",
    "Case",
    "Channel",
    "DeliveryReport",
    "Disposition",
    "FormField",
    "FormSubmission",
    "Interaction",
    "Mailbox",
    "Message",
    "MessageTemplate",
    "Note",
    "OptOut",
    "ProviderHealth",
    "Queue",
    "Reason",
    "TimelineEvent",
    "TopicSequence",
    "WebForm",
    "WebhookEvent",
]
