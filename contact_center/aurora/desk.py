"""How Aurora's desk is set up: reasons, wrap-up codes, channels, templates and web forms. Pure data."""

from typing import Any, NamedTuple

from contact_center.simulator.demo_content import TEXTS, UNAPPROVED, content_sid
from inbox.enums import ChannelKind, FieldRole, FieldType, Priority, TemplateStatus

SMS_NUMBER = "+15005550100"
WHATSAPP_NUMBER = "+15005550199"
VOICE_NUMBER = "+15005550111"
MAILBOX = "care@aurora.example"


class ReasonData(NamedTuple):
    code: str
    name: str
    parent: str = ""
    queue: str = "general"
    priority: Priority = Priority.NORMAL
    is_sensitive: bool = False


REASONS = (
    ReasonData("appointments", "Appointments"),
    ReasonData("booking", "New appointment", "appointments", "appointments"),
    ReasonData("rescheduling", "Change an appointment", "appointments", "appointments"),
    ReasonData("cancellation", "Cancel an appointment", "appointments", "appointments"),
    ReasonData("visit", "Before the visit"),
    ReasonData("preparation", "Preparation", "visit", "nurse-line"),
    ReasonData("directions", "Directions and opening hours", "visit", "general", Priority.LOW),
    ReasonData("clinical", "Clinical"),
    ReasonData("results", "Results", "clinical", "nurse-line"),
    ReasonData("prescription", "Prescription refill", "clinical", "nurse-line", Priority.HIGH),
    ReasonData("administration", "Administration"),
    ReasonData("authorisation", "Insurance authorisation", "administration", "billing"),
    ReasonData("billing", "Bill or payment", "administration", "billing"),
    ReasonData("records", "Copy of records", "administration", "general"),
    ReasonData("feedback", "Feedback"),
    ReasonData("complaint", "Complaint", "feedback", "patient-relations", Priority.HIGH, True),
    ReasonData("praise", "Praise", "feedback", "patient-relations", Priority.LOW),
    ReasonData("general", "Something else"),
)
DISPOSITIONS = (
    ("answered", "Question answered", True),
    ("booked", "Appointment booked", True),
    ("rescheduled", "Appointment moved", True),
    ("cancelled", "Appointment cancelled", True),
    ("document-sent", "Document sent", True),
    ("no-action", "No action needed", True),
    ("callback", "Call back promised", False),
    ("sent-to-clinician", "With the clinician", False),
    ("waiting-insurer", "Waiting for the insurer", False),
    ("waiting-patient", "Waiting for the patient", False),
)
CHANNELS = (
    (ChannelKind.SMS, "Clinic SMS", "twilio_messaging", SMS_NUMBER, "general"),
    (ChannelKind.WHATSAPP, "Clinic WhatsApp", "twilio_messaging", WHATSAPP_NUMBER, "general"),
    (ChannelKind.EMAIL, "Care mailbox", "email", MAILBOX, "general"),
    (ChannelKind.FORM, "Web forms", "form", "forms", "general"),
    (ChannelKind.VOICE, "Main line", "twilio_voice", VOICE_NUMBER, "appointments"),
)
TEMPLATE_VARIABLES: dict[str, list[dict[str, str]]] = {
    "appointment_reminder": [
        {"key": "1", "label": "First name", "type": "text"},
        {"key": "2", "label": "Site", "type": "text"},
        {"key": "3", "label": "Day", "type": "date"},
        {"key": "4", "label": "Time", "type": "time"},
    ],
    "we_have_your_answer": [
        {"key": "1", "label": "First name", "type": "text"},
        {"key": "2", "label": "Who writes", "type": "text"},
    ],
    "please_call_us": [
        {"key": "1", "label": "First name", "type": "text"},
        {"key": "2", "label": "Whom to call", "type": "text"},
        {"key": "3", "label": "Number", "type": "phone"},
        {"key": "4", "label": "Ask for", "type": "text"},
    ],
}


def templates() -> list[dict[str, Any]]:
    """Fields of every message template, with the ids and approvals of the simulated account."""
    return [
        {
            "name": name,
            "language": language,
            "channel_kind": ChannelKind.WHATSAPP,
            "body": body,
            "variables": TEMPLATE_VARIABLES[name],
            "external_id": content_sid(name, language),
            "status": TemplateStatus.PENDING if name == UNAPPROVED else TemplateStatus.APPROVED,
        }
        for name, texts in TEXTS.items()
        for language, body in texts.items()
    ]


class FieldData(NamedTuple):
    key: str
    label: str
    type: FieldType = FieldType.TEXT
    role: FieldRole = FieldRole.NONE
    is_required: bool = False
    choices: tuple[str, ...] = ()
    help_text: str = ""


class FormData(NamedTuple):
    slug: str
    title: str
    introduction: str
    reason: str
    fields: tuple[FieldData, ...]
    receipt_text: str
    priority: Priority = Priority.NORMAL


CONSENT_VERSION = "2026-01"
CONSENT_TEXT = (
    "I agree that Aurora Health uses these answers to reply to me. "
    "I can withdraw this at any time by writing to care@aurora.example."
)
NAME_FIELDS = (
    FieldData("given-name", "Given name", role=FieldRole.GIVEN_NAME, is_required=True),
    FieldData("family-name", "Family name", role=FieldRole.FAMILY_NAME, is_required=True),
    FieldData("birth-date", "Date of birth", FieldType.DATE, FieldRole.BIRTH_DATE),
    FieldData("email", "E-mail", FieldType.EMAIL, FieldRole.EMAIL, is_required=True),
    FieldData("phone", "Phone", FieldType.PHONE, FieldRole.PHONE),
)
CONSENT_FIELD = FieldData("consent", "Use of my answers", FieldType.CONSENT, is_required=True)
FORMS = (
    FormData(
        "contact",
        "Write to us",
        "Ask us anything about your care, an appointment or a bill. In an emergency call 911.",
        "general",
        (
            *NAME_FIELDS,
            FieldData(
                "topic",
                "What is it about?",
                FieldType.CHOICE,
                is_required=True,
                choices=("An appointment", "Results", "Insurance or a bill", "Something else"),
            ),
            FieldData("message", "Your message", FieldType.TEXTAREA, FieldRole.MESSAGE, is_required=True),
            FieldData("attachment", "A file, if it helps", FieldType.FILE),
            CONSENT_FIELD,
        ),
        "A person reads your message today or on the next working day and answers by e-mail.",
    ),
    FormData(
        "complaint",
        "Tell us what went wrong",
        "We are sorry that something was not right. Tell us what happened; only our patient relations team reads it.",
        "complaint",
        (
            *NAME_FIELDS,
            FieldData("happened-on", "When did it happen?", FieldType.DATE),
            FieldData(
                "site",
                "Where?",
                FieldType.CHOICE,
                choices=("Brickell", "Coral Way", "Aventura", "On the phone"),
            ),
            FieldData("message", "What happened?", FieldType.TEXTAREA, FieldRole.MESSAGE, is_required=True),
            FieldData("wish", "What would put it right for you?", FieldType.TEXTAREA),
            CONSENT_FIELD,
        ),
        "You hear from us within two working days. We will tell you who looks into it.",
        Priority.HIGH,
    ),
    FormData(
        "refill",
        "Ask for a prescription refill",
        "For medicines you already take. Please allow two working days.",
        "prescription",
        (
            *NAME_FIELDS,
            FieldData("medicine", "Which medicine, and how strong?", is_required=True, help_text="As on the label."),
            FieldData("days-left", "How many days do you have left?", FieldType.NUMBER, is_required=True),
            FieldData("pharmacy", "Which pharmacy?", is_required=True),
            FieldData("message", "Anything we should know?", FieldType.TEXTAREA, FieldRole.MESSAGE),
            CONSENT_FIELD,
        ),
        "A nurse checks your request and sends it to your pharmacy. You get a message when it is ready.",
        Priority.HIGH,
    ),
)
