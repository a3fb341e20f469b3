"""Calls, their recordings, and calls back."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


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
    MACHINE = "machine", _("A machine answered")
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
