"""Words of complaints."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ComplaintKind(TextChoices):
    """What it is by its weight: a concern can be put right at once, a grievance is a written or unsolved complaint."""

    CONCERN = "concern", _("Concern")
    COMPLAINT = "complaint", _("Complaint")
    GRIEVANCE = "grievance", _("Grievance")
    COMPLIMENT = "compliment", _("Compliment")


class ComplaintCategory(TextChoices):
    """What it is about."""

    ACCESS = "access", _("Reaching us, waiting times")
    COMMUNICATION = "communication", _("Information and advice")
    ATTITUDE = "attitude", _("How we treated somebody")
    CARE = "care", _("Care and treatment")
    SCHEDULING = "scheduling", _("Visits and scheduling")
    BILLING = "billing", _("Bills and insurance")
    PRIVACY = "privacy", _("Privacy and records")
    INTERPRETER = "interpreter", _("Language and interpreters")
    FACILITIES = "facilities", _("Buildings and equipment")
    OTHER = "other", _("Something else")


class Severity(TextChoices):
    """What it did, or could have done, to somebody."""

    LOW = "low", _("Low")
    MODERATE = "moderate", _("Moderate")
    HIGH = "high", _("High")
    CRITICAL = "critical", _("Critical")


class ComplaintProtection(TextChoices):
    """Why only its owner and those who handle complaints see it."""

    NONE = "none", _("Not protected")
    STAFF = "staff", _("About somebody who works here")
    CONFIDENTIAL = "confidential", _("Told in confidence")


class Complainant(TextChoices):
    """Who complains."""

    PATIENT = "patient", _("The patient")
    RELATIVE = "relative", _("A relative or proxy on record")
    OTHER = "other", _("Somebody else")
    ANONYMOUS = "anonymous", _("Does not want to be named")


class ReceivedBy(TextChoices):
    """How it reached us: the desk's kinds of channels, and the ways without one."""

    VOICE = "voice", _("Call")
    WHATSAPP = "whatsapp", _("WhatsApp")
    SMS = "sms", _("SMS")
    EMAIL = "email", _("E-mail")
    FORM = "form", _("Web form")
    WEBCHAT = "webchat", _("Web chat")
    LETTER = "letter", _("Letter")
    IN_PERSON = "in_person", _("In person")


class ComplaintStatus(TextChoices):
    RECEIVED = "received", _("Received")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    TRIAGED = "triaged", _("Triaged")
    INVESTIGATING = "investigating", _("Investigating")
    RESPONSE_REVIEW = "response_review", _("Response in review")
    ANSWERED = "answered", pgettext_lazy("complaint", "Answered")
    RECOVERY_FOLLOW_UP = "recovery_follow_up", _("Follow-up")
    CLOSED = "closed", _("Closed")
    REOPENED = "reopened", _("Reopened")
    ESCALATED = "escalated", _("Escalated")
    WITHDRAWN = "withdrawn", pgettext_lazy("complaint", "Withdrawn")
    EXTERNAL_REVIEW = "external_review", _("External review")


OVER = (ComplaintStatus.CLOSED, ComplaintStatus.WITHDRAWN)
"""Nothing more is expected; all others have somebody responsible and a dated next step."""


class ComplaintVerb(TextChoices):
    """What was done with a complaint, in its history."""

    REGISTER = "register", _("Registered")
    ACKNOWLEDGE = "acknowledge", _("Acknowledged")
    TRIAGE = "triage", _("Triaged")
    START_INVESTIGATION = "start_investigation", _("Investigation begun")
    PROPOSE_RESPONSE = "propose_response", _("Response proposed")
    SEND_BACK = "send_back", _("Response sent back")
    APPROVE_RESPONSE = "approve_response", _("Response approved")
    ANSWER = "answer", pgettext_lazy("complaint", "Answered")
    FOLLOW_UP = "follow_up", _("Follow-up begun")
    CLOSE = "close", _("Closed")
    REOPEN = "reopen", _("Opened again")
    ESCALATE = "escalate", _("Escalated")
    WITHDRAW = "withdraw", pgettext_lazy("complaint", "Withdrawn")
    REFER_EXTERNALLY = "refer_externally", _("Referred to an outside body")
    ASSIGN = "assign", _("Given to somebody")
    PROTECT = "protect", _("Protection changed")
    FOLLOW_CONVERSATION = "follow_conversation", _("Moved with its conversation")
    LINK = "link", _("Patient said or changed")
    GIVE_BACK = "give_back", _("Given back: its owner may not see to it any more")
