"""What an agent sends: a reply in the channel of the interaction."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict, Refused
from inbox.enums import ChannelKind, Direction, InteractionStatus, MessageStatus, TemplateStatus
from inbox.models import Channel, Interaction, Message, MessageTemplate
from inbox.policies import can_work
from inbox.services.interactions import locked, take, tell
from inbox.services.outbox import enqueue, refuse_free_text

MAX_TEXT = {ChannelKind.SMS: 1600, ChannelKind.WHATSAPP: 1600}
SENDABLE = (ChannelKind.SMS, ChannelKind.WHATSAPP, ChannelKind.EMAIL)


def reply(
    *,
    actor: User,
    interaction_id: int,
    text: str,
    idempotency_key: str = "",
    template: MessageTemplate | None = None,
    template_variables: dict[str, str] | None = None,
    seen_message_id: int | None = None,
) -> Message:
    """Queue a reply of `actor` and make them the owner of a free interaction.

    Raises Refused for an empty or too long text, a closed WhatsApp window, an unknown variable or a closed
    interaction, and Conflict when a newer message of the patient than `seen_message_id` is there.
    The same `idempotency_key` never queues twice.
    """
    with transaction.atomic():
        interaction = locked(interaction_id)
        if idempotency_key:
            known = Message.objects.filter(interaction=interaction, idempotency_key=idempotency_key).first()
            if known is not None:
                return known
        if not can_work(actor, interaction):
            raise Refused(_("You may not work on this interaction."))
        if interaction.is_done:
            raise Refused(_("This interaction is closed. Reopen it first."))
        if interaction.channel_kind not in SENDABLE or not interaction.contact_value:
            raise Refused(_("This channel cannot be answered. Use another way to reach the patient."))
        _refuse_unseen(interaction, seen_message_id)
        body = _body(interaction, text, template, template_variables or {})
        if interaction.owner_id is None or interaction.status == InteractionStatus.SNOOZED:
            take(actor=actor, interaction_id=interaction.pk)
            interaction = locked(interaction_id)
        elif interaction.status == InteractionStatus.WRAP_UP:
            interaction.resume()
        message = _queue(interaction, actor, body, idempotency_key, template, template_variables)
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
        raise Conflict(_("A new message came while you were writing. Read it, then send again."))


def _body(interaction: Interaction, text: str, template: MessageTemplate | None, variables: dict[str, str]) -> str:
    if template is not None:
        return render_template(interaction, template, variables)
    body = text.replace("\x00", "").strip()
    if not body:
        raise Refused(_("Write a message first."))
    limit = MAX_TEXT.get(ChannelKind(interaction.channel_kind), 100_000)
    if len(body) > limit:
        raise Refused(_("This message is too long: %(limit)s characters at most.") % {"limit": limit})
    if "{{" in body and "}}" in body:
        raise Refused(_("Fill in the variables in braces before you send."))
    if interaction.channel_kind == ChannelKind.WHATSAPP:
        refuse_free_text(interaction)
    return body


def render_template(interaction: Interaction, template: MessageTemplate, variables: dict[str, str]) -> str:
    """Our own rendering of a template. Raises Refused when it is not usable here or a variable is missing."""
    if template.status != TemplateStatus.APPROVED or template.channel_kind != interaction.channel_kind:
        raise Refused(_("This template is not approved for this channel."))
    body = template.body
    for variable in template.variables:
        value = " ".join(str(variables.get(variable["key"], "")).split())
        if not value:
            raise Refused(_("Fill in “%(label)s”.") % {"label": variable["label"]})
        body = body.replace("{{" + variable["key"] + "}}", value)
    if "{{" in body:
        raise Refused(_("This template has a variable that nobody described."))
    return body


def _queue(
    interaction: Interaction,
    actor: User,
    body: str,
    idempotency_key: str,
    template: MessageTemplate | None,
    variables: dict[str, str] | None,
) -> Message:
    subject, in_reply_to, references = "", "", []
    if interaction.channel_kind == ChannelKind.EMAIL:
        subject, in_reply_to, references = mail_headers(interaction)
    return enqueue(
        interaction=interaction,
        text=body,
        author=actor,
        idempotency_key=idempotency_key,
        template=template,
        template_variables=variables,
        subject=subject,
        in_reply_to=in_reply_to,
        references=references,
    )


def mail_headers(interaction: Interaction) -> tuple[str, str, list[str]]:
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
        return subject, "", []
    chain = [*last.references, last.external_id]
    return subject, last.external_id, list(dict.fromkeys(chain))[-30:]


def answer_elsewhere(*, actor: User, interaction_id: int, channel_id: int) -> Interaction:
    """Continue with the same patient on another channel: the live interaction there, else a new one on the same case.

    Raises Refused when the patient is not known or has no address for that channel.
    """
    with transaction.atomic():
        origin = locked(interaction_id)
        channel = Channel.objects.get(pk=channel_id, is_active=True)
        if origin.patient is None:
            raise Refused(_("Link a patient first: only then is it known where else to reach them."))
        scheme = "email" if channel.kind == ChannelKind.EMAIL else "phone"
        point = origin.patient.contact_points.filter(scheme=scheme, bounced_at=None).order_by("rank", "id").first()
        if point is None and scheme == origin.contact_scheme:
            value = origin.contact_value
        elif point is None:
            raise Refused(_("There is no address of this patient for that channel."))
        else:
            value = point.value
        return open_outbound(actor=actor, channel=channel, scheme=scheme, value=value, origin=origin)


def open_outbound(
    *, actor: User, channel: Channel, scheme: str, value: str, origin: Interaction, at: datetime | None = None
) -> Interaction:
    """The live interaction with this address on this channel, or a new outbound one owned by `actor`."""
    key = f"out-{origin.pk}-{value}"[:254] if channel.kind == ChannelKind.EMAIL else value
    live = (
        Interaction.objects.select_for_update(of=("self",))
        .filter(channel=channel, thread_key=key)
        .exclude(status__in=[InteractionStatus.CLOSED, InteractionStatus.ABANDONED])
        .first()
    )
    if live is not None:
        return live
    created = Interaction(
        channel=channel,
        channel_kind=channel.kind,
        direction=Direction.OUTBOUND,
        thread_key=key,
        contact_scheme=scheme,
        contact_value=value,
        contact_name=origin.contact_name,
        patient=origin.patient,
        case=origin.case,
        queue=origin.queue,
        owner=actor,
        status=InteractionStatus.ACTIVE,
        reason=origin.reason,
        language=origin.language,
        subject=origin.subject or _("Your message to us"),
        opened_at=at or timezone.now(),
    )
    created.save(force_insert=True)
    tell(created)
    return created
