"""Words of the audit trail."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class AuditAction(TextChoices):
    SIGNED_IN = "signed_in", _("Signed in")
    SIGNED_OUT = "signed_out", _("Signed out")
    SIGN_IN_FAILED = "sign_in_failed", _("Failed to sign in")
    ACCESS_DENIED = "access_denied", _("Was refused")
    VIEWED = "viewed", _("Viewed")
    SEARCHED = "searched", _("Searched")
    EXPORTED = "exported", _("Exported")
    CREATED = "created", _("Created")
    CHANGED = "changed", _("Changed")
    DELETED = "deleted", _("Deleted")
    SENT = "sent", _("Sent a message")
    ASSIGNED = "assigned", _("Assigned")
    LINKED = "linked", _("Linked to a patient")
    CLOSED = "closed", _("Closed")
    REOPENED = "reopened", _("Reopened")
    RETRIED = "retried", _("Retried")
    CANCELLED = "cancelled", _("Cancelled")
    DOWNLOADED = "downloaded", _("Downloaded a file")
    LISTENED = "listened", _("Listened to a call or recording")
    OPTED_OUT = "opted_out", _("Opted out")
    OPTED_IN = "opted_in", _("Opted in")
    BROKE_GLASS = "broke_glass", _("Opened a protected record")
