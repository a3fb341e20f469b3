"""What comes in and goes out: channels, messages, events, files, forms."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class ChannelKind(TextChoices):
    VOICE = "voice", _("Call")
    WHATSAPP = "whatsapp", _("WhatsApp")
    SMS = "sms", _("SMS")
    EMAIL = "email", _("E-mail")
    FORM = "form", _("Web form")
    WEBCHAT = "webchat", _("Web chat")


class Direction(TextChoices):
    INBOUND = "inbound", _("Inbound")
    OUTBOUND = "outbound", _("Outbound")


class MessageStatus(TextChoices):
    """Inbound messages are `received`; the rest is the way of an outbound one."""

    RECEIVED = "received", _("Received")
    DRAFT = "draft", _("Draft")
    QUEUED = "queued", _("Waiting to be sent")
    SENDING = "sending", _("Sending")
    SENT = "sent", _("Sent")
    DELIVERED = "delivered", _("Delivered")
    READ = "read", _("Read")
    FAILED = "failed", _("Failed")
    SUPPRESSED = "suppressed", _("Not sent")
    CANCELLED = "cancelled", _("Cancelled")


class MessageKind(TextChoices):
    TEXT = "text", _("Text")
    MEDIA = "media", _("Media")
    LOCATION = "location", _("Location")
    CONTACTS = "contacts", _("Contact card")
    BUTTON = "button", _("Button")
    LIST_REPLY = "list_reply", _("List choice")
    REACTION = "reaction", _("Reaction")
    DELETED = "deleted", _("Deleted message")
    FORM = "form", _("Form")
    TEMPLATE = "template", _("Template")
    UNSUPPORTED = "unsupported", _("Unsupported message")


class MessagePurpose(TextChoices):
    REPLY = "reply", _("Reply")
    CARE = "care", _("Care")
    REMINDERS = "reminders", _("Reminder")
    SURVEYS = "surveys", _("Survey")
    MARKETING = "marketing", _("Marketing")
    RECEIPT = "receipt", _("Receipt")
    CODE = "code", _("One-time code")
    OPT_OUT_CONFIRMATION = "opt_out_confirmation", _("Confirmation of STOP, START or HELP")


class EventStatus(TextChoices):
    """Life of a ledger event."""

    RECEIVED = "received", _("Received")
    PROCESSED = "processed", _("Processed")
    IGNORED = "ignored", _("Nothing to do")
    QUARANTINED = "quarantined", _("Quarantined")


class EventKind(TextChoices):
    MESSAGING = "messaging", _("Inbound message")
    MESSAGE_STATUS = "message_status", _("Delivery report")
    VOICE = "voice", _("Call")
    VOICE_STATUS = "voice_status", _("Call status")
    EMAIL = "email", _("Inbound mail")
    EMAIL_TRACKING = "email_tracking", _("Mail tracking")
    FORM = "form", _("Form submission")
    AGENDA = "agenda", _("Change of a visit by another system")


class AttachmentStatus(TextChoices):
    PENDING = "pending", _("Being fetched")
    SCANNING = "scanning", _("Being checked for viruses")
    CLEAN = "clean", _("Available")
    INFECTED = "infected", _("Carries a virus")
    UNCHECKED = "unchecked", _("Could not be checked for viruses")
    REFUSED = "refused", _("Refused")
    FAILED = "failed", _("Could not be fetched")


class ScanStatus(TextChoices):
    """What a virus scanner said of a file in a reply box."""

    UNSCANNED = "unscanned", _("Not checked for viruses")
    SCANNING = "scanning", _("Being checked for viruses")
    CLEAN = "clean", _("Checked")
    INFECTED = "infected", _("Carries a virus")
    UNCHECKED = "unchecked", _("Could not be checked for viruses")


class FileProblem(TextChoices):
    """Why a file is not kept; stored with the file, told in the reader's language."""

    TOO_LARGE = "too_large", _("The file is too large.")
    VIRUS = "virus", _("The file carries a virus signature.")
    TYPE = "type", _("This type of file is not accepted.")


class GateDecision(TextChoices):
    SEND = "send", _("Send")
    DEFER = "defer", _("Send later")
    SUPPRESS = "suppress", _("Do not send")


class TemplateStatus(TextChoices):
    PENDING = "pending", _("Waiting for approval")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")


class FieldType(TextChoices):
    TEXT = "text", _("One line")
    TEXTAREA = "textarea", _("Several lines")
    EMAIL = "email", _("E-mail")
    PHONE = "phone", _("Phone")
    DATE = "date", _("Date")
    NUMBER = "number", _("Number")
    CHOICE = "choice", _("One choice")
    CHOICES = "choices", _("Several choices")
    FILE = "file", _("File")
    CONSENT = "consent", _("Consent")


class FieldRole(TextChoices):
    """What a form answer means to us beyond being an answer."""

    NONE = "", _("Only an answer")
    GIVEN_NAME = "given_name", _("Given name")
    FAMILY_NAME = "family_name", _("Family name")
    PHONE = "phone", _("Phone to reply to")
    EMAIL = "email", _("E-mail to reply to")
    BIRTH_DATE = "birth_date", _("Birth date")
    MESSAGE = "message", _("The message itself")
