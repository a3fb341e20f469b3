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
    RECORDING = "recording", _("Recording of calls")


class ConsentStatus(TextChoices):
    GRANTED = "granted", _("Granted")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class Sensitivity(TextChoices):
    """Why a record is protected: nobody opens it without breaking the glass."""

    NONE = "none", _("Not protected")
    VIP = "vip", _("Person of public interest")
    STAFF = "staff", _("Works here")
    PROTECTED = "protected", _("Protected for another reason")


class AlertKind(TextChoices):
    SAFETY = "safety", _("Safety")
    CLINICAL = "clinical", _("Clinical")
    COMMUNICATION = "communication", _("Communication")
    ACCESS = "access", _("Access and needs")
    TRUST = "trust", _("Trust at risk")
    OTHER = "other", _("Other")


class AlertSeverity(TextChoices):
    INFO = "info", _("To know")
    WARNING = "warning", _("Take care")
    DANGER = "danger", _("Danger")


class EnrolmentStatus(TextChoices):
    ACTIVE = "active", _("Under way")
    COMPLETED = "completed", _("Completed")
    LEFT = "left", _("Left")


class PendingKind(TextChoices):
    RESULT = "result", _("Result")
    AUTHORISATION = "authorisation", _("Authorisation")


class PendingStatus(TextChoices):
    WAITING = "waiting", _("Waiting for it")
    ARRIVED = "arrived", _("Here, patient not told yet")
    TOLD = "told", _("Patient was told")
    CANCELLED = "cancelled", _("No longer expected")


class CoverageStatus(TextChoices):
    """Words of FHIR R4 (financial resource status)."""

    ACTIVE = "active", _("Active")
    CANCELLED = "cancelled", _("Cancelled")
    DRAFT = "draft", _("Draft")
    ENTERED_IN_ERROR = "entered-in-error", _("Entered in error")


class AddressUse(TextChoices):
    HOME = "home", _("Home")
    WORK = "work", _("Work")
    OTHER = "other", _("Other")


class Register(TextChoices):
    """Registers whose numbers are written down by hand; other systems name theirs by their own address."""

    NATIONAL = "national", _("Identity card or national number")
    PASSPORT = "passport", _("Passport")
    RESIDENCE = "residence", _("Residence permit")
    SOCIAL_SECURITY = "social_security", _("Social security")
    DRIVING = "driving", _("Driving licence")


class SuggestionLevel(TextChoices):
    """How sure it is that two records are of one person."""

    CERTAIN = "certain", _("Certain")
    LIKELY = "likely", _("Likely")
    POSSIBLE = "possible", _("Possible")


class SuggestionStatus(TextChoices):
    OPEN = "open", _("To be decided")
    DISMISSED = "dismissed", _("Two people")
    MERGED = "merged", _("Merged")


class MergedItem(TextChoices):
    """What a merge did with one thing."""

    MOVED = "moved", _("Moved")
    STAYED = "stayed", _("Stayed with the old record")
    FIELD = "field", _("Field taken over")


class ImportStatus(TextChoices):
    UPLOADED = "uploaded", _("Columns to be chosen")
    CHECKING = "checking", _("Being checked")
    CHECKED = "checked", _("Checked")
    RUNNING = "running", _("Being taken in")
    DONE = "done", _("Done")
    STOPPED = "stopped", _("Stopped")


class RowStatus(TextChoices):
    WAITING = "waiting", _("Waiting")
    READY = "ready", _("Ready")
    WRONG = "wrong", _("Has errors")
    CREATED = "created", _("Created")
    UPDATED = "updated", _("Updated")
    SKIPPED = "skipped", _("Left out")


class ImportField(TextChoices):
    """What a column of a file can hold."""

    IGNORE = "", _("Leave out")
    MRN = "mrn", _("Record number")
    GIVEN_NAME = "given_name", _("Given name")
    FAMILY_NAME = "family_name", _("Family name")
    FULL_NAME = "full_name", _("Whole name")
    PREFERRED_NAME = "preferred_name", _("Preferred name")
    BIRTH_DATE = "birth_date", _("Birth date")
    GENDER = "gender", _("Gender")
    LANGUAGE = "language", _("Language")
    PHONE = "phone", _("Phone")
    OTHER_PHONE = "other_phone", _("Another phone")
    EMAIL = "email", _("E-mail")
    IDENTIFIER = "identifier", _("Identity number")
    LINE = "line", _("Street and number")
    EXTRA_LINE = "extra_line", _("Second address line")
    CITY = "city", _("City")
    REGION = "region", _("State or province")
    POSTAL_CODE = "postal_code", _("Postal code")
    COUNTRY = "country", _("Country")
    SITE_NAME = "site_name", _("Site")


class ContactChannel(TextChoices):
    """Ways a patient may prefer and consent to; the words are those of the desk's channels."""

    WHATSAPP = "whatsapp", _("WhatsApp")
    SMS = "sms", _("SMS")
    EMAIL = "email", _("E-mail")
    VOICE = "voice", _("Call")


class CommunicationStyle(TextChoices):
    BRIEF = "brief", _("Brief: what to do, in short steps")
    DETAILED = "detailed", _("Detailed: with reasons and background")


class AccessNeed(TextChoices):
    """What helps a person to understand and reach us."""

    HEARING = "hearing", _("Hard of hearing: write, or speak slowly")
    SIGHT = "sight", _("Low sight: large print, or call")
    READING = "reading", _("Reading is hard: call, or use short words")
    MEMORY = "memory", _("Memory: repeat, and confirm in writing")
    MOVEMENT = "movement", _("Walking is hard: step-free ways, or a wheelchair")
    COMPANION = "companion", _("Comes with somebody who helps")


class ProxyScope(TextChoices):
    """What a proxy may do or be told for a patient."""

    APPOINTMENTS = "appointments", _("Appointments")
    RESULTS = "results", _("Results and messages about health")
    BILLING = "billing", _("Bills and insurance")


class ProofKind(TextChoices):
    """What showed us that somebody may act for a patient."""

    BIRTH_CERTIFICATE = "birth_certificate", _("Birth certificate")
    COURT_ORDER = "court_order", _("Court order")
    POWER_OF_ATTORNEY = "power_of_attorney", _("Power of attorney")
    SIGNED_FORM = "signed_form", _("Form signed by the patient")
    SPOKEN = "spoken", _("The patient said so, with identity checked")


class DataClass(TextChoices):
    """Kinds of data that are kept for different lengths of time and may be held for a court."""

    RECORD = "record", _("Patient records")
    MESSAGES = "messages", _("Messages and notes")
    FILES = "files", _("Files of messages and notes")
    RECORDINGS = "recordings", _("Recordings of calls")
    RAW_EVENTS = "raw_events", _("Raw events of providers")
    WORKING = "working", _("Drafts, notices and other working data")
    COMPLAINTS = "complaints", _("Complaints")
    AUDIT = "audit", _("Audit trail")


class ErasureStatus(TextChoices):
    REQUESTED = "requested", _("Waits for approval")
    DECLINED = "declined", _("Declined")
    APPROVED = "approved", _("Being erased")
    HELD = "held", _("Erased but for what a hold keeps")
    DONE = "done", _("Erased")
