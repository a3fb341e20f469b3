"""Words of the desk."""

from django.db.models import IntegerChoices, TextChoices
from django.utils.dates import WEEKDAYS
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


class Priority(IntegerChoices):
    URGENT = 1, _("Urgent")
    HIGH = 2, _("High")
    NORMAL = 3, _("Normal")
    LOW = 4, _("Low")


class InteractionStatus(TextChoices):
    BOT = "bot", _("With automation")
    QUEUED = "queued", _("Waiting")
    OFFERED = "offered", _("Offered")
    ACTIVE = "active", _("In progress")
    SNOOZED = "snoozed", _("Snoozed")
    WRAP_UP = "wrap_up", _("Wrap-up")
    CLOSED = "closed", _("Closed")
    ABANDONED = "abandoned", _("Abandoned")


DONE = [InteractionStatus.CLOSED, InteractionStatus.ABANDONED]
"""Nobody works on it any more."""
OPEN = [status for status in InteractionStatus if status not in DONE]
"""Somebody works on it or will. Lists ask for these by name: the planner knows how few they are, and of "not done" it
believes the opposite and starts parallel workers for a hundred rows."""


class CaseStatus(TextChoices):
    OPEN = "open", _("Open")
    WAITING = "waiting", _("Waiting")
    RESOLVED = "resolved", _("Resolved")
    CLOSED = "closed", _("Closed")


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


class TimelineKind(TextChoices):
    """What happened to an interaction besides messages and notes."""

    OPENED = "opened", _("Opened")
    TAKEN = "taken", _("Taken")
    ASSIGNED = "assigned", _("Assigned")
    RETURNED = "returned", _("Returned to queue")
    TRANSFERRED = "transferred", _("Transferred")
    LINKED = "linked", _("Linked to a patient")
    UNLINKED = "unlinked", _("Unlinked from a patient")
    WRAP_UP_STARTED = "wrap_up_started", _("Wrap-up started")
    CLOSED = "closed", _("Closed")
    REOPENED = "reopened", _("Reopened")
    OPTED_OUT = "opted_out", _("Opted out")
    OPTED_IN = "opted_in", _("Opted in again")
    ABANDONED = "abandoned", _("Abandoned")
    SNOOZED = "snoozed", _("Snoozed")
    WOKEN = "woken", _("Woken")
    MERGED = "merged", _("Merged")
    SPLIT = "split", _("Split")
    MOVED = "moved", _("Moved to another patient")
    TAGGED = "tagged", _("Tags changed")
    PRIORITY_CHANGED = "priority_changed", _("Priority changed")
    REASON_CHANGED = "reason_changed", _("Reason changed")
    UNMERGED = "unmerged", _("Merge undone")
    CASE_OPENED = "case_opened", _("Case opened")
    CASE_JOINED = "case_joined", _("Joined to a case")
    CASE_RESOLVED = "case_resolved", _("Case resolved")
    TASK_DONE = "task_done", _("Task done")
    IDENTITY_PASSED = "identity_passed", _("Identity confirmed")
    IDENTITY_FAILED = "identity_failed", _("Identity not confirmed")
    IDENTITY_LOCKED = "identity_locked", _("Identity check locked")
    IDENTITY_UNLOCKED = "identity_unlocked", _("Identity check unlocked")
    PATIENT_ASKED = "patient_asked", _("Asked which patient is meant")
    PATIENT_NAMED = "patient_named", _("Said which patient is meant")
    DEADLINE_MISSED = "deadline_missed", _("Deadline missed")
    ESCALATED = "escalated", _("Escalated")
    ACKNOWLEDGED = "acknowledged", _("Escalation acknowledged")
    SENT_BACK = "sent_back", _("Sent back to its team")


class NotificationKind(TextChoices):
    """Events a person can be told of."""

    ASSIGNED = "assigned", _("Work is assigned to me")
    NEW_WORK = "new_work", _("New work in my queues")
    PATIENT_REPLIED = "patient_replied", _("A patient answers in my conversation")
    MENTIONED = "mentioned", _("Somebody mentions me")
    SEND_FAILED = "send_failed", _("A message of mine could not be delivered")
    SNOOZE_ENDED = "snooze_ended", _("A snooze of mine ends")
    TASK_DUE = "task_due", _("A task or next step of mine is due")
    PROXY_ENDS = "proxy_ends", _("The right of a proxy ends")
    JOB_FINISHED = "job_finished", _("Long work of mine is finished")
    DEADLINE_NEAR = "deadline_near", _("A deadline is near")
    DEADLINE_MISSED = "deadline_missed", _("A deadline was missed")
    ESCALATED = "escalated", _("Work is escalated to my team, or comes back from another")
    LEFT_LYING = "left_lying", _("Work of my queues lies too long")
    SUPERVISED = "supervised", _("A supervisor changes my state or my work")
    GLASS_BROKEN = "glass_broken", _("Somebody opens a protected record")
    WRONG_PATIENT = "wrong_patient", _("Something was in the wrong patient's record")
    HELP_ASKED = "help_asked", _("An agent asks for help in a call")
    BEYOND_LIMIT = "beyond_limit", _("A queue of mine goes beyond a limit of the live board")


class WrongPatientReason(TextChoices):
    """How something came to the wrong patient's record."""

    SAME_NAME = "same_name", _("Two patients with much the same name")
    SHARED_ADDRESS = "shared_address", _("A phone or e-mail that several people use")
    WRONG_CHOICE = "wrong_choice", _("The wrong record was chosen")
    WRONG_DOCUMENT = "wrong_document", _("A document of somebody else was sent")
    OTHER = "other", _("Another reason")


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


class IdentifierKind(TextChoices):
    """What a person can say to be known; compared on the server, never shown before."""

    FULL_NAME = "full_name", _("Full name")
    BIRTH_DATE = "birth_date", _("Birth date")
    DOCUMENT = "document", _("Identity number, last four")
    MRN = "mrn", _("Record number")
    PHONE = "phone", _("Phone number on record")
    EMAIL = "email", _("E-mail on record")
    POSTAL_CODE = "postal_code", _("Postal code")


class IdentityMethod(TextChoices):
    IDENTIFIERS = "identifiers", _("By what was said")
    CODE = "code", _("By one-time code")


class IdentityOutcome(TextChoices):
    PASSED = "passed", _("Confirmed")
    FAILED = "failed", _("Not confirmed")
    UNLOCKED = "unlocked", _("Unlocked")


class Unchecked(TextChoices):
    """What happens when sensitive content is to be sent and nobody knows with whom we speak."""

    WARN = "warn", _("Warn, and let the agent decide")
    REFUSE = "refuse", _("Refuse")


class CodeUse(TextChoices):
    IDENTITY = "identity", _("Identity in a conversation")
    PORTAL = "portal", _("The patient's own page")
    BOOKING = "booking", _("A visit that a patient books")


class ClockKind(TextChoices):
    """What a clock measures; each runs by itself."""

    FIRST_RESPONSE = "first_response", _("First reply")
    NEXT_RESPONSE = "next_response", _("Next reply")
    RESOLUTION = "resolution", _("Resolution")


class Counting(TextChoices):
    """Which time a policy's clocks count."""

    ALWAYS = "always", _("24 hours")
    QUEUE = "queue", _("Hours of the queue")
    CALENDAR = "calendar", _("Hours of one calendar")


class PauseState(TextChoices):
    """What can hold a clock; a policy declares which of these do."""

    AWAITING_PATIENT = "awaiting_patient", _("Waiting for the patient")
    SNOOZED = "snoozed", _("Snoozed")
    WRAP_UP = "wrap_up", _("In wrap-up")
    BOT = "bot", _("With automation")


class StopReason(TextChoices):
    """Why a clock ended without being met."""

    CHANGED = "changed", _("Other terms apply")
    CLOSED = "closed", _("Closed without a reply")
    MERGED = "merged", _("Goes on elsewhere")
    ABANDONED = "abandoned", _("The person left")
    MOVED = "moved", _("What it counted moved away")


class Weekday(IntegerChoices):
    """As `date.weekday()` counts; named as Django names days."""

    MONDAY = 0, WEEKDAYS[0]
    TUESDAY = 1, WEEKDAYS[1]
    WEDNESDAY = 2, WEEKDAYS[2]
    THURSDAY = 3, WEEKDAYS[3]
    FRIDAY = 4, WEEKDAYS[4]
    SATURDAY = 5, WEEKDAYS[5]
    SUNDAY = 6, WEEKDAYS[6]


class CallStatus(TextChoices):
    """Where a call is. The last five are final."""

    RINGING = "ringing", _("Ringing")
    IVR = "ivr", _("In the menu")
    WAITING = "waiting", _("Waiting")
    CONNECTED = "connected", _("Talking")
    HELD = "held", _("On hold")
    COMPLETED = "completed", _("Ended")
    ABANDONED = "abandoned", _("Caller hung up")
    VOICEMAIL = "voicemail", _("Voicemail")
    CALLBACK_REQUESTED = "callback_requested", _("Wants to be called back")
    FAILED = "failed", _("Not connected")


CALL_OVER = [
    CallStatus.COMPLETED,
    CallStatus.ABANDONED,
    CallStatus.VOICEMAIL,
    CallStatus.CALLBACK_REQUESTED,
    CallStatus.FAILED,
]
"""Nobody is on the line any more, or only to leave a message."""
TALKING = [CallStatus.CONNECTED, CallStatus.HELD]
WITH_AGENT = [CallStatus.WAITING, *TALKING, CallStatus.RINGING]
"""States in which a call may fill an agent: waiting ones while they are being connected, ringing ones we placed."""


class CallParty(TextChoices):
    PATIENT = "patient", _("Caller")
    AGENT = "agent", _("Agent")
    CONSULTED = "consulted", _("Consulted colleague")
    SUPERVISOR = "supervisor", _("Supervisor")
    SYSTEM = "system", _("The system")


class CallMomentKind(TextChoices):
    """One thing that happened in a call."""

    STARTED = "started", _("Call began")
    CHOSEN = "chosen", _("Chose from the menu")
    QUEUED = "queued", _("Waits in the queue")
    QUOTED = "quoted", _("Was told a wait, in minutes")
    OFFERED = "offered", _("Offered to")
    DECLINED = "declined", _("Declined by")
    MISSED = "missed", _("Not answered by")
    ANSWERED = "answered", _("Answered by")
    NOT_CONNECTED = "not_connected", _("Could not be connected")
    HELD = "held", _("Put on hold")
    RESUMED = "resumed", _("Taken off hold")
    CONSULTED = "consulted", _("Asked a colleague")
    TRANSFERRED = "transferred", _("Transferred")
    LOST_AGENT = "lost_agent", _("The agent's connection broke")
    VOICEMAIL = "voicemail", _("Voicemail")
    CALLBACK = "callback", _("Asked to be called back")
    TEXT = "text", _("Asked for a text message")
    RECORDED = "recorded", _("Recording began")
    REC_PAUSED = "rec_paused", _("Recording paused")
    REC_RESUMED = "rec_resumed", _("Recording goes on")
    REC_STOPPED = "rec_stopped", _("Recording stopped")
    NOT_RECORDED = "not_recorded", _("Could not be recorded")
    CONSENT = "consent", _("About being recorded")
    HELP = "help", _("Asked for help")
    HELP_OVER = "help_over", _("Needs no help any more")
    LISTENS = "listens", _("Listens")
    WHISPERS = "whispers", _("Speaks to the agent alone")
    BARGES = "barges", _("Joined the call")
    LEFT = "left", _("Left the call")
    ENDED = "ended", _("Call ended")


class RecordingMode(TextChoices):
    """What callers of a line, or of a region, are told before they are recorded."""

    OFF = "off", _("Calls are not recorded")
    ANNOUNCE = "announce", _("Callers are told")
    ASK = "ask", _("Callers are asked and press a key")


class RecordingConsent(TextChoices):
    """What a person knows and said about being recorded; without any of these a call is never recorded."""

    ANNOUNCED = "announced", _("Was told that the call is recorded")
    AGREED = "agreed", _("Agreed by key")
    SPOKEN = "spoken", _("Agreed to the agent")
    DECLINED = "declined", _("Does not want to be recorded")


MAY_RECORD = [RecordingConsent.ANNOUNCED, RecordingConsent.AGREED, RecordingConsent.SPOKEN]


class RecordingStatus(TextChoices):
    """Where a recording is: being made, with the provider, in our store, or nowhere."""

    ACTIVE = "active", _("Recording")
    PAUSED = "paused", _("Recording paused")
    ENDED = "ended", _("Being fetched")
    STORED = "stored", _("Recorded")
    MISSING = "missing", _("Not available")


RECORDING_LIVE = [RecordingStatus.ACTIVE, RecordingStatus.PAUSED]


class PauseReason(TextChoices):
    """Why nothing is recorded for a while."""

    PAYMENT = "payment", _("Payment details")
    SENSITIVE = "sensitive", _("Something sensitive")
    HOLD = "hold", _("The caller hears music")


class Supervision(TextChoices):
    """How a supervisor takes part in a call."""

    LISTEN = "listen", _("Listens")
    WHISPER = "whisper", _("Speaks to the agent alone")
    BARGE = "barge", _("Speaks to both")


class CallbackStatus(TextChoices):
    """Where a promised call back is. The last three are final."""

    DUE = "due", _("To be called back")
    ATTEMPTING = "attempting", _("Being called")
    CONNECTED = "connected", _("Reached")
    EXHAUSTED = "exhausted", _("Not reached")
    CANCELLED = "cancelled", _("Cancelled")


CALLBACK_LIVE = [CallbackStatus.DUE, CallbackStatus.ATTEMPTING]


class CallbackEnd(TextChoices):
    """Why a call back was cancelled."""

    CALLED_AGAIN = "called_again", _("The person called again")
    IN_HAND = "in_hand", _("Somebody works on it")
    FORBIDDEN = "forbidden", _("The person must not be contacted")
    STAFF = "staff", _("Cancelled by staff")


class Sharing(TextChoices):
    """How the waiting work of a queue finds people; calls are offered in either."""

    PULL = "pull", _("People take the next one")
    PUSH = "push", _("Offered to whoever is free")


class OfferStatus(TextChoices):
    PENDING = "pending", _("Waiting for an answer")
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Declined")
    MISSED = "missed", _("Not answered")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class DeclineReason(TextChoices):
    BUSY = "busy", _("I am in the middle of something")
    NOT_MINE = "not_mine", _("It is not for my team")
    LANGUAGE = "language", _("I do not speak the language")
    KNOWS_PERSON = "knows_person", _("I know this person")
    OTHER = "other", _("Another reason")


class EscalationWhy(TextChoices):
    OVERFLOW = "overflow", _("Waited too long")
    DEADLINE = "deadline", _("Missed its deadline")
    ASKED = "asked", _("Somebody asked for it")


class SupervisionReason(TextChoices):
    """Why a supervisor changes somebody's state or work. Fixed words: they stand where no patient may be named."""

    NO_ANSWER = "no_answer", _("Does not answer")
    SHIFT_OVER = "shift_over", _("The shift is over")
    NEEDED = "needed", _("Needed elsewhere")
    OVERLOADED = "overloaded", _("Too much at once")
    STUCK = "stuck", _("It is stuck")
    ASKED = "asked", _("They asked for it")


class HoursState(TextChoices):
    """When a routing rule holds, by the hours of the channel's own queue."""

    ANY = "", _("At any time")
    OPEN = "open", _("While it is served")
    CLOSED = "closed", _("While it is closed")
