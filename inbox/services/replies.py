"""What an agent sends: a reply in the channel of the interaction."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict, Refused
from inbox import realtime, variables
from inbox.enums import ChannelKind, Direction, InteractionStatus, MessageStatus, TemplateStatus
from inbox.models import Channel, Interaction, Message, MessageTemplate
from inbox.policies import can_take, can_work
from inbox.selectors.addresses import address_on
from inbox.services.interactions import locked, take, tell
from inbox.services.outbox import enqueue, refuse_free_text

MAX_TEXT = {ChannelKind.SMS: 1600, ChannelKind.WHATSAPP: 1600}
SENDABLE = (ChannelKind.SMS, ChannelKind.WHATSAPP, ChannelKind.EMAIL)


class NewerMessage(Conflict):
    """The patient wrote something the writer has not seen yet."""


def reply(
    *,
    actor: User,
    interaction_id: int,
    text: str,
    idempotency_key: str = "",
    template: MessageTemplate | None = None,
    template_variables: dict[str, str] | None = None,
    seen_message_id: int | None = None,
    channel_id: int | None = None,
) -> Message:
    """Queue a reply of `actor`, on the interaction's channel or another one, and make them owner of a free interaction.

    What the patient answers on the other channel joins this interaction. Raises Refused for an empty or too long text,
    a closed WhatsApp window, an unknown variable, a channel without address or a closed interaction, and NewerMessage
    when a newer message of the patient than `seen_message_id` is there. The same `idempotency_key` never queues twice.
    """
    with realtime.atomic():
        interaction = locked(interaction_id)
        if idempotency_key:
            known = Message.objects.filter(interaction=interaction, idempotency_key=idempotency_key).first()
            if known is not None:
                return known
        if not can_work(actor, interaction):
            raise Refused(_("You may not work on this interaction."))
        if interaction.is_done:
            raise Refused(_("This interaction is closed. Reopen it first."))
        if interaction.owner_id not in (None, actor.pk) and not can_take(actor, interaction):
            raise Conflict(_("%(name)s has taken this interaction already.") % {"name": interaction.owner})
        channel = _channel(interaction, channel_id)
        scheme, address = address_on(interaction, channel)
        if channel.kind not in SENDABLE or not address:
            raise Refused(_("The patient cannot be reached on this channel. Choose another one."))
        _refuse_unseen(interaction, seen_message_id)
        body = _body(channel, address, text, template, template_variables or {})
        if interaction.owner_id is None or interaction.status == InteractionStatus.SNOOZED:
            take(actor=actor, interaction_id=interaction.pk)
            interaction = locked(interaction_id)
        elif interaction.status == InteractionStatus.WRAP_UP:
            interaction.resume()
        message = enqueue(
            interaction=interaction,
            channel=channel,
            address_scheme=scheme,
            address=address,
            text=body,
            author=actor,
            idempotency_key=idempotency_key,
            template=template,
            template_variables=template_variables,
            **(mail_headers(interaction) if channel.kind == ChannelKind.EMAIL else {}),
        )
        now = timezone.now()
        interaction.snippet = " ".join(body.split())[:160]
        interaction.last_message_at = now
        interaction.first_reply_at = interaction.first_reply_at or now
        interaction.waiting_since_at = None
        interaction.unread_count = 0
        interaction.save()
        record(
            actor=actor,
            action=AuditAction.SENT,
            object_type="message",
            object_id=message.pk,
            patient_id=interaction.patient_id,
        )
        tell(interaction)
        return message


def _refuse_unseen(interaction: Interaction, seen_message_id: int | None) -> None:
    if seen_message_id is None:
        return
    newer = interaction.messages.filter(direction=Direction.INBOUND, pk__gt=seen_message_id)
    if newer.exists():
        raise NewerMessage(_("A new message came while you were writing. Read it, then send again."))


def _channel(interaction: Interaction, channel_id: int | None) -> Channel:
    if channel_id in (None, interaction.channel_id):
        return interaction.channel
    channel = Channel.objects.filter(pk=channel_id, is_active=True).first()
    if channel is None:
        raise Refused(_("This channel is switched off."))
    return channel


def _body(channel: Channel, address: str, text: str, template: MessageTemplate | None, values: dict[str, str]) -> str:
    if template is not None:
        return render_template(channel, template, values)
    body = text.replace("\x00", "").strip()
    if not body:
        raise Refused(_("Write a message first."))
    limit = MAX_TEXT.get(ChannelKind(channel.kind), 100_000)
    if len(body) > limit:
        raise Refused(_("This message is too long: %(limit)s characters at most.") % {"limit": limit})
    if variables.has_open(body):
        names = ", ".join(map(variables.written, variables.names_in(body)))
        if names:
            raise Refused(_("Fill in %(names)s before you send.") % {"names": names})
        raise Refused(_("Fill in the variables in braces before you send."))
    if channel.kind == ChannelKind.WHATSAPP:
        refuse_free_text(channel, address)
    return body


def render_template(channel: Channel, template: MessageTemplate, values: dict[str, str]) -> str:
    """Our own rendering of a template. Raises Refused when it is not usable here or a variable is missing."""
    if template.status != TemplateStatus.APPROVED or template.channel_kind != channel.kind:
        raise Refused(_("This template is not approved for this channel."))
    body = template.body
    for variable in template.variables:
        value = " ".join(str(values.get(variable["key"], "")).split())
        if not value:
            raise Refused(_("Fill in “%(label)s”.") % {"label": variable["label"]})
        body = body.replace("{{" + variable["key"] + "}}", value)
    if "{{" in body:
        raise Refused(_("This template has a variable that nobody described."))
    return body


def mail_headers(interaction: Interaction) -> dict[str, Any]:
    """Subject, In-Reply-To and References of the next mail in this thread."""
    base = interaction.subject or _("Your message to us")
    subject = base if base.lower().startswith("re:") else f"Re: {base}"
    last = (
        interaction.messages.filter(channel_kind=ChannelKind.EMAIL)
        .exclude(external_id="")
        .exclude(status__in=[MessageStatus.FAILED, MessageStatus.SUPPRESSED])
        .order_by("-occurred_at", "-id")
        .first()
    )
    if last is None:
        return {"subject": subject}
    chain = [*last.references, last.external_id]
    return {
        "subject": subject,
        "in_reply_to": last.external_id,
        "references": list(dict.fromkeys(chain))[-30:],
    }
