"""The desk's tables, one module per subject."""

from inbox.models.attention import Mention, Notification, NotificationPreference
from inbox.models.callbacks import Callback
from inbox.models.calls import Call, CallLeg, CallMoment, MenuOption, VoiceLine
from inbox.models.checklists import Checklist, Task
from inbox.models.clocks import SlaClock, SlaPolicy
from inbox.models.desk import Channel, Disposition, Mailbox, MessageTemplate, OptOut, ProviderHealth, Queue, Reason, Tag
from inbox.models.forms import FormField, FormSubmission, WebForm
from inbox.models.hours import CalendarDay, CalendarRange, ForcedClosure, ServiceCalendar, SetupVersion
from inbox.models.identity import IdentityCheck, IdentityPolicy, OneTimeCode
from inbox.models.interactions import Case, Interaction, Note, TimelineEvent, TopicSequence
from inbox.models.ledger import WebhookEvent
from inbox.models.messages import Attachment, DeliveryReport, Message
from inbox.models.offers import AgentCapacity, AgentState, Escalation, Offer, WorkSkill
from inbox.models.portal import PortalSession
from inbox.models.processors import Processor
from inbox.models.recordings import Recording, TranscriptLine
from inbox.models.routing import QueueSettings, QueueSkill, RoutingRule, RoutingRun, RuleSkill
from inbox.models.search import IndexProgress, MessageWords
from inbox.models.sharing import PatientOption, PatientQuestion
from inbox.models.views import SavedView
from inbox.models.writing import CannedReply, Draft, Macro, NoteFile, Upload

__all__ = [
    "AgentCapacity",
    "AgentState",
    "Attachment",
    "CalendarDay",
    "CalendarRange",
    "Call",
    "CallLeg",
    "CallMoment",
    "Callback",
    "CannedReply",
    "Case",
    "Channel",
    "Checklist",
    "DeliveryReport",
    "Disposition",
    "Draft",
    "Escalation",
    "ForcedClosure",
    "FormField",
    "FormSubmission",
    "IdentityCheck",
    "IdentityPolicy",
    "IndexProgress",
    "Interaction",
    "Macro",
    "Mailbox",
    "Mention",
    "MenuOption",
    "Message",
    "MessageTemplate",
    "MessageWords",
    "Note",
    "NoteFile",
    "Notification",
    "NotificationPreference",
    "Offer",
    "OneTimeCode",
    "OptOut",
    "PatientOption",
    "PatientQuestion",
    "PortalSession",
    "Processor",
    "ProviderHealth",
    "Queue",
    "QueueSettings",
    "QueueSkill",
    "Reason",
    "Recording",
    "RoutingRule",
    "RoutingRun",
    "RuleSkill",
    "SavedView",
    "ServiceCalendar",
    "SetupVersion",
    "SlaClock",
    "SlaPolicy",
    "Tag",
    "Task",
    "TimelineEvent",
    "TopicSequence",
    "TranscriptLine",
    "Upload",
    "VoiceLine",
    "WebForm",
    "WebhookEvent",
    "WorkSkill",
]
