"""Reads of the ledger and its quarantine."""

from django.db.models import QuerySet

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from inbox.enums import EventStatus
from inbox.models import WebhookEvent


def ledger_visible_to(user: User) -> QuerySet[WebhookEvent]:
    """Events without their raw source, for those who may see the ledger."""
    if not can(user, Action.VIEW_LEDGER):
        return WebhookEvent.objects.none()
    return WebhookEvent.objects.defer("body")


def quarantine_visible_to(user: User) -> QuerySet[WebhookEvent]:
    """Events that could not be processed, newest first."""
    return ledger_visible_to(user).filter(status=EventStatus.QUARANTINED).order_by("-received_at")


def get_event_for(user: User, pk: int) -> WebhookEvent:
    """One event. Raises WebhookEvent.DoesNotExist."""
    return ledger_visible_to(user).get(pk=pk)


def get_quarantined_for(user: User, pk: int) -> WebhookEvent:
    """One event in quarantine with its raw source and the message it made, if any. Raises WebhookEvent.DoesNotExist."""
    return quarantine_visible_to(user).defer(None).select_related("message__interaction").get(pk=pk)
