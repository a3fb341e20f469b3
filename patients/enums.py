"""Words of patients (FHIR R4 where it has one)."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Gender(TextChoices):
    FEMALE = "female", _("Female")
    MALE = "male", _("Male")
    OTHER = "other", _("Other")
    UNKNOWN = "unknown", _("Unknown")


class ContactScheme(TextChoices):
    """How an address is spelled. One phone number serves voice, SMS and WhatsApp."""

    PHONE = "phone", _("Phone")
    EMAIL = "email", _("E-mail")
    WHATSAPP_USER = "whatsapp_user_id", _("WhatsApp user id")


class ContactUse(TextChoices):
    MOBILE = "mobile", _("Mobile")
    HOME = "home", _("Home")
    WORK = "work", _("Work")
    OTHER = "other", _("Other")


class Relation(TextChoices):
    PARENT = "parent", _("Parent")
    CHILD = "child", _("Child")
    PARTNER = "partner", _("Partner")
    SIBLING = "sibling", _("Sibling")
    GUARDIAN = "guardian", _("Guardian")
    CAREGIVER = "caregiver", _("Caregiver")
    OTHER = "other", _("Other")


class ConsentPurpose(TextChoices):
    CARE = "care", _("Care")
    REMINDERS = "reminders", _("Reminders")
    SURVEYS = "surveys", _("Surveys")
    MARKETING = "marketing", _("Marketing")


class ConsentStatus(TextChoices):
    GRANTED = "granted", _("Granted")
    WITHDRAWN = "withdrawn", _("Withdrawn")
