"""Sending later, at once after all, and taking back. A message is either taken back or sent, never both."""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.common.errors import Conflict, Refused
from contact_center.common.wake import wake_on_commit
from inbox import gate, realtime
from inbox.enums import ChannelKind, MessageStatus
from inbox.models import Channel, Interaction, Message
from inbox.policies import can_handle_message
from inbox.selectors.gate_facts import last_inbound_at_of, time_zone_of
from inbox.services.departures import become_last_word, note_taken_back
from inbox.services.outbox import DRAIN_QUEUE, DRAIN_TASK, audit, save_and_tell
from inbox.services.uploads import restage

LATEST = timedelta(days=60)


def leaving_at(interaction: Interaction, at: datetime) -> datetime:
    """When a message put off until `at` would leave: the end of the patient's night where `at` lies in it, or the
    beginning of the hours they named."""
    hours = interaction.patient.contact_hours if interaction.patient else None
    return gate.quiet_until(at, time_zone_of(interaction.patient), hours) or at


def moment_for(
    interaction: Interaction, channel: Channel, address: str, at: datetime, *, is_template: bool = False
) -> datetime:
    """The moment to write into the message. Raises Refused for one that has passed, is too far, or is outside the
    WhatsApp window for free text."""
    now = timezone.now()
    if at <= now:
        raise Refused(_("This moment has passed. Choose a later one, or send now."))
    at = leaving_at(interaction, at)
    if at > now + LATEST:
        raise Refused(_("A message can be put off for %(days)s days at most.") % {"days": LATEST.days})
    if channel.kind == ChannelKind.WHATSAPP and not is_template:
        closes_at = gate.window_closes_at(last_inbound_at_of(channel.pk, address))
        if closes_at is None or at > closes_at - gate.WINDOW_MARGIN:
            raise Refused(_("The WhatsApp window is closed by then. Choose an earlier moment, or send a template."))
    return at


def reschedule(*, actor: User, message_id: int, at: datetime) -> Message:
    """Choose another moment for a message that waits for its own. Raises Conflict when it has left, and as
    `moment_for` does."""
    with realtime.atomic():
        message = _waiting(actor, message_id)
        at = moment_for(
            message.interaction, message.channel, message.address, at, is_template=message.template_id is not None
        )
        message.scheduled_at = message.next_attempt_at = message.occurred_at = at
        message.gate_decision = message.gate_reason = ""
        audit(actor, AuditAction.CHANGED, message)
        save_and_tell(message)
        return message


def send_now(*, actor: User, message_id: int) -> Message:
    """Let a message that waits leave at once. Raises Conflict when it has left or was taken back."""
    with realtime.atomic():
        message = _waiting(actor, message_id)
        was_put_off = message.scheduled_at is not None
        message.occurred_at, message.next_attempt_at, message.scheduled_at = timezone.now(), None, None
        if was_put_off:
            become_last_word(message)
        audit(actor, AuditAction.CHANGED, message)
        save_and_tell(message)
        wake_on_commit(DRAIN_TASK, DRAIN_QUEUE)
        return message


def take_back(*, actor: User, message_id: int) -> Message:
    """Take back a message before it leaves; its files wait in the author's reply box again.

    Raises Conflict when it has left or is just leaving: then nothing changes, and it is sent.
    """
    with realtime.atomic():
        message = _waiting(actor, message_id)
        message.cancel()
        restage(message)
        note_taken_back(message)
        audit(actor, AuditAction.CANCELLED, message)
        save_and_tell(message)
        return message


def _waiting(actor: User, message_id: int) -> Message:
    message = (
        Message.objects.select_for_update(of=("self",))
        .select_related("interaction__patient", "channel")
        .get(pk=message_id)
    )
    if not can_handle_message(actor, message.interaction):
        raise Refused(_("You may not work on this interaction."))
    if message.status != MessageStatus.QUEUED:
        raise Conflict(_("It is too late: this message has left."))
    return message
