"""How one knows with whom one speaks."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


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
