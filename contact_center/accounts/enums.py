"""Words of people and access."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    AGENT = "agent", _("Agent")
    CLINICAL_AGENT = "clinical_agent", _("Clinical agent")
    PARTNER_AGENT = "partner_agent", _("Partner agent")
    SUPERVISOR = "supervisor", _("Supervisor")
    ADMIN = "admin", _("Admin")
    AUDITOR = "auditor", _("Auditor")


class PresenceState(TextChoices):
    ONLINE = "online", _("Available")
    BUSY = "busy", _("Busy")
    AWAY = "away", _("Away")
    OFFLINE = "offline", _("Offline")


class AwayReason(TextChoices):
    BREAK = "break", _("Break")
    LUNCH = "lunch", _("Lunch")
    MEETING = "meeting", _("Meeting")
    TRAINING = "training", _("Training")
    OTHER = "other", _("Something else")
    GIVE_BACK = "give_back", _("Give my work back")


class AutomaticAway(TextChoices):
    """Why somebody is away without having said so: the system or a supervisor says it."""

    NO_ANSWER = "no_answer", _("Did not answer offers")
    GONE = "gone", _("No sign of activity")
    SUPERVISOR = "supervisor", _("Set by a supervisor")


def away_words(reason: str) -> str:
    """Why somebody is away, in words; what is no known reason stays as it is."""
    for known in (AwayReason, AutomaticAway):
        if reason in known.values:
            return str(known(reason).label)
    return reason


class SkillKind(TextChoices):
    LANGUAGE = "language", _("Language")
    SERVICE_LINE = "service_line", _("Service line")
    LICENCE = "licence", _("Clinical licence")


class Action(TextChoices):
    """What a person or an API key may do. The table role × action stands in `policies.py`."""

    WORK_INBOX = "work_inbox", _("Read and answer interactions")
    VIEW_ALL_QUEUES = "view_all_queues", _("See every queue")
    VIEW_SENSITIVE = "view_sensitive", _("See sensitive reasons")
    ASSIGN_OTHERS = "assign_others", _("Assign work to others")
    SERVE_PROTECTED = "serve_protected", _("Serve protected patients' conversations")
    BREAK_GLASS = "break_glass", _("Open a protected record for an hour, with a reason")
    EDIT_PATIENTS = "edit_patients", _("Create and edit patients")
    MERGE_PATIENTS = "merge_patients", _("Merge records and undo merges")
    IMPORT_PATIENTS = "import_patients", _("Take in files of patients")
    BOOK_VISITS = "book_visits", _("Book, move and cancel visits")
    REGISTER_COMPLAINTS = "register_complaints", _("Register complaints and see those of patients one serves")
    HANDLE_COMPLAINTS = "handle_complaints", _("Handle every complaint, also the protected ones")
    VIEW_LEDGER = "view_ledger", _("See ledger and quarantine")
    RETRY_LEDGER = "retry_ledger", _("Retry quarantined events")
    VIEW_OUTBOX = "view_outbox", _("See the outbox")
    RETRY_OUTBOX = "retry_outbox", _("Retry and cancel outgoing messages")
    LISTEN_RECORDINGS = "listen_recordings", _("Listen to recordings of calls")
    SUPERVISE_CALLS = "supervise_calls", _("Listen to calls, speak to the agent alone, join")
    CONFIGURE = "configure", _("Change channels, queues, forms and people")
    VIEW_AUDIT = "view_audit", _("Read the audit trail")
    OVERSEE_PRIVACY = (
        "oversee_privacy",
        _("Say which records are protected, decide on erasures, holds and retention; is told when a record is opened"),
    )
    HANDLE_PRIVACY = "handle_privacy", _("Give out and ask to erase all data of a patient")
    MANAGE_API_KEYS = "manage_api_keys", _("Create and revoke API keys")
