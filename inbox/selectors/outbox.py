"""What is queued, stuck, failed or suppressed, and why."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, Q, QuerySet
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contact_center.accounts.enums import Action
from contact_center.accounts.models import User
from contact_center.accounts.policies import can
from inbox.enums import Direction, MessageStatus
from inbox.gate import GateReason
from inbox.models import Message, ProviderHealth
from inbox.selectors.interactions import interactions_visible_to
from patients.selectors.access import hidden_patient_ids

M = MessageStatus
OPEN = [M.QUEUED, M.SENDING]
COUNTED_DAYS = 30
GATE_SENTENCES = {
    GateReason.ALLOWED: _("May be sent."),
    GateReason.CHANNEL_OFF: _("This channel is switched off."),
    GateReason.NO_ADDRESS: _("There is no address to send to."),
    GateReason.OPTED_OUT: _("This address asked us to stop."),
    GateReason.DECEASED: _("The patient has died."),
    GateReason.DO_NOT_CONTACT: _("The patient does not want to be contacted."),
    GateReason.CONSENT_WITHDRAWN: _("The patient withdrew consent for this."),
    GateReason.NO_CONSENT: _("The patient has not agreed to this kind of message."),
    GateReason.WINDOW_CLOSED: _("The 24-hour WhatsApp window is closed; only an approved template may be sent."),
    GateReason.TEMPLATE_NOT_APPROVED: _("This template is not approved."),
    GateReason.ADDRESS_BOUNCED: _("Mail to this address comes back."),
    GateReason.EMPTY: _("The message is empty."),
    GateReason.UNRESOLVED_VARIABLE: _("A variable was not filled in."),
    GateReason.QUIET_HOURS: _("It is night where the patient is; it goes out in the morning."),
    GateReason.CONTACT_HOURS: _("The patient wants no messages at this hour; it goes out in the hours they named."),
    GateReason.PATIENT_DATA: _("This channel's processor may not carry health information."),
    GateReason.CONVERSATION_CLOSED: _("The conversation was closed before its time came."),
    GateReason.OUT_OF_DATE: _("What it tells is no longer so."),
    GateReason.DAILY_CAP: _("The patient had enough automatic messages today; it goes out later."),
}


def outbox_visible_to(user: User) -> QuerySet[Message]:
    """Outbound messages of visible interactions; nothing for people without the right to see the outbox."""
    if not can(user, Action.VIEW_OUTBOX):
        return Message.objects.none()
    found = Message.objects.filter(direction=Direction.OUTBOUND).select_related(
        "interaction__patient", "channel", "author", "template"
    )
    if can(user, Action.VIEW_ALL_QUEUES):
        return found
    if can(user, Action.VIEW_AUDIT):
        return found.exclude(interaction__patient_id__in=hidden_patient_ids(user))
    return found.filter(interaction__in=interactions_visible_to(user).values("pk"))


def outbox_rows(user: User, statuses: list[MessageStatus]) -> QuerySet[Message]:
    """The messages that `outbox_summary` counts for these statuses: those on their way oldest first, ended ones newest
    first and of the last COUNTED_DAYS.
    """
    found = outbox_visible_to(user).filter(status__in=statuses)
    if set(statuses) <= set(OPEN):
        return found.order_by("created_at")
    return found.filter(created_at__gte=_counted_since()).order_by("-created_at")


def _counted_since() -> datetime:
    return timezone.now() - timedelta(days=COUNTED_DAYS)


def outbox_summary(user: User) -> dict[str, Any]:
    """Counts per status, the oldest waiting time and whether it is an alarm, and the health of each provider.

    Failed and suppressed messages are counted for the last COUNTED_DAYS.
    """
    visible = outbox_visible_to(user).order_by()
    open_ones = visible.filter(status__in=OPEN)
    ended = visible.filter(status__in=[M.FAILED, M.SUPPRESSED], created_at__gte=_counted_since())
    stale_at = timezone.now() - timedelta(seconds=settings.OUTBOX_ALARM_SECONDS)
    due = Q(next_attempt_at=None) | Q(next_attempt_at__lte=timezone.now())
    is_old = Q(created_at__lt=stale_at) & (Q(scheduled_at=None) | Q(scheduled_at__lt=stale_at))
    numbers = open_ones.aggregate(
        queued=Count("pk", filter=Q(status=M.QUEUED)),
        sending=Count("pk", filter=Q(status=M.SENDING)),
        stuck=Count("pk", filter=is_old & due),
        oldest_at=Min(Greatest("created_at", "scheduled_at"), filter=due),
    ) | ended.aggregate(
        failed=Count("pk", filter=Q(status=M.FAILED)),
        suppressed=Count("pk", filter=Q(status=M.SUPPRESSED)),
    )
    return numbers | {
        "is_alarm": bool(numbers["stuck"]),
        "providers": list(ProviderHealth.objects.order_by("adapter")),
    }
