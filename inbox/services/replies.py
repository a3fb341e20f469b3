"""What an agent sends: a reply in the channel of the interaction."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict, Refused
from inbox import realtime, variables
from inbox.enums import ChannelKind, Direction, InteractionStatus, MessageKind, MessageStatus, TemplateStatus
from inbox.file_limits import OneFile, carries_text, problem_of_all
from inbox.models import Channel, Interaction, Message, MessageTemplate, Upload
from inbox.policies import can_take, can_work
from inbox.selectors.addresses import address_on
from inbox.selectors.gate_facts import may_carry_patient_data
from inbox.services import clocks
from inbox.services.departures import snippet_of
from inbox.services.identity import refuse_unchecked
from inbox.services.interactions import locked, take, tell
from inbox.services.later import moment_for
from inbox.services.outbox import enqueue, refuse_free_text
from inbox.services.uploads import attach, chosen, drop_repeated

MAX_TEXT = {ChannelKind.SMS: 1600, ChannelKind.WHATSAPP: 1600}
MOST_COPIES = 10
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
    upload_ids: Sequence[int] = (),
    cc: Sequence[str] | None = None,
    scheduled_at: datetime | None = None,
    held_seconds: int = 0,
    is_sensitive: bool = False,
    is_unchecked_taken_on: bool = False,
) -> Message:
    """Queue a reply of `actor`, on the interaction's channel or another one, and make them owner of a free interaction.

    What the patient answers on the other channel joins this interaction. `upload_ids` are files in the actor's reply
    box, in their order; WhatsApp carries one a message, so that several become several messages, of which the first is
    returned. `scheduled_at` puts it off until then (moved to the end of the patient's night); `held_seconds` keeps it
    back so long that it can be taken back. The same `idempotency_key` never queues twice. Of an `is_sensitive` one only
    a link to the patient's own page leaves, for which identity should be confirmed (`services.identity`).

    Raises Refused for an empty or too long text, a closed WhatsApp window, an open variable, a channel without address,
    files or copies that this channel does not carry, a sensitive one without patient or with copies, a moment that
    does not do, or a closed interaction, and NewerMessage when a newer message of the patient than `seen_message_id`
    is there.
    """
    with realtime.atomic():
        interaction = locked(interaction_id)
        if idempotency_key:
            known = Message.objects.filter(interaction=interaction, idempotency_key=idempotency_key).first()
            if known is not None:
                drop_repeated(actor, interaction, upload_ids)
                return known
        _refuse_stranger(actor, interaction)
        channel = _channel(interaction, channel_id)
        scheme, address = address_on(interaction, channel)
        if channel.kind not in SENDABLE or not address:
            raise Refused(_("The patient cannot be reached on this channel. Choose another one."))
        _refuse_unseen(interaction, seen_message_id)
        if is_sensitive:
            _require_own_page(interaction, cc)
        files = _files(actor, interaction, channel, upload_ids, leave=not is_sensitive)
        if is_sensitive or any(file.is_sensitive for file in files):
            refuse_unchecked(interaction, is_taken_on=is_unchecked_taken_on)
        if scheduled_at is not None:
            is_template = template is not None
            scheduled_at = moment_for(interaction, channel, address, scheduled_at, is_template=is_template)
        body = _body(channel, address, text, template, template_variables or {}, has_files=bool(files))
        interaction = _owned(actor, interaction)
        given: dict[str, Any] = {
            "channel": channel,
            "address_scheme": scheme,
            "address": address,
            "template": template,
            "template_variables": given_to(template, template_variables or {}),
            "scheduled_at": scheduled_at,
            "is_sensitive": is_sensitive,
            "not_before_at": timezone.now() + timedelta(seconds=held_seconds) if held_seconds else None,
        }
        if channel.kind == ChannelKind.EMAIL:
            given |= mail_headers(interaction) | {"cc": copies(cc or (), address)}
        message = _queue(interaction, actor, channel, body, files, idempotency_key, given)
        if scheduled_at is None:
            _note_answer(interaction, body)
        record(
            actor=actor,
            action=AuditAction.SENT,
            object_type="message",
            object_id=message.pk,
            patient_id=interaction.patient_id,
        )
        tell(interaction)
        return message


def _require_own_page(interaction: Interaction, cc: Sequence[str] | None) -> None:
    if interaction.patient_id is None:
        raise Refused(_("Link the patient first: a sensitive message is read on the patient's own page."))
    if any(address.strip() for address in cc or ()):
        raise Refused(_("A sensitive message goes to the patient alone. Take out the copies."))


def _refuse_stranger(actor: User, interaction: Interaction) -> None:
    if not can_work(actor, interaction):
        raise Refused(_("You may not work on this interaction."))
    if interaction.is_done:
        raise Refused(_("This interaction is closed. Reopen it first."))
    if interaction.owner_id not in (None, actor.pk) and not can_take(actor, interaction):
        raise Conflict(_("%(name)s has taken this interaction already.") % {"name": interaction.owner})


def _files(
    actor: User, interaction: Interaction, channel: Channel, ids: Sequence[int], *, leave: bool = True
) -> list[Upload]:
    files = chosen(actor, interaction, ids) if ids else []
    facts = [OneFile(file.name, file.content_type, file.size) for file in files]
    if problem := problem_of_all(channel.kind, facts):
        raise Refused(problem)
    if leave and any(file.is_sensitive for file in files) and not may_carry_patient_data(channel.pk):
        raise Refused(
            _("%(name)s may not carry health information. Choose another channel, or leave these files out.")
            % {"name": channel.name}
        )
    return files


def _owned(actor: User, interaction: Interaction) -> Interaction:
    if interaction.owner_id is None or interaction.status == InteractionStatus.SNOOZED:
        take(actor=actor, interaction_id=interaction.pk)
        return locked(interaction.pk)
    if interaction.status == InteractionStatus.WRAP_UP:
        interaction.resume()
    return interaction


def _queue(
    interaction: Interaction,
    actor: User,
    channel: Channel,
    body: str,
    files: list[Upload],
    key: str,
    given: dict[str, Any],
) -> Message:
    first = None
    parts = [(body, files)] if given["is_sensitive"] else _parts(channel, body, files)
    for number, (text, part) in enumerate(parts):
        own_key = hashlib.sha256(f"{key}:{number}".encode()).hexdigest() if key and number else key
        message = enqueue(interaction=interaction, text=text, author=actor, idempotency_key=own_key, **given)
        if part:
            attach(message, part)
            if not text:
                message.kind = MessageKind.MEDIA
                message.save()
        first = first or message
    assert first is not None
    return first


def _parts(channel: Channel, body: str, files: list[Upload]) -> list[tuple[str, list[Upload]]]:
    """What goes into one message each. On WhatsApp a text stands below the first file where that shows one."""
    if channel.kind != ChannelKind.WHATSAPP or not files:
        return [(body, files)]
    first, *rest = files
    if body and not carries_text(first.content_type):
        return [(body, []), *(("", [file]) for file in files)]
    return [(body, [first]), *(("", [file]) for file in rest)]


def _note_answer(interaction: Interaction, body: str) -> None:
    now = timezone.now()
    interaction.snippet = snippet_of(body, has_files=not body)
    interaction.last_message_at = now
    interaction.first_reply_at = interaction.first_reply_at or now
    interaction.waiting_since_at = None
    interaction.unread_count = 0
    clocks.settle(interaction, at=now)
    interaction.save()


def copies(addresses: Sequence[str], recipient: str) -> list[str]:
    """Who gets a copy of a mail: each once, never the recipient. Raises Refused for what is no address, or too many."""
    found = list(dict.fromkeys(address.strip().lower() for address in addresses if address.strip()))
    for address in found:
        try:
            validate_email(address)
        except ValidationError as error:
            raise Refused(_("“%(address)s” is not an e-mail address.") % {"address": address[:80]}) from error
    found = [address for address in found if address != recipient.lower()]
    if len(found) > MOST_COPIES:
        raise Refused(_("%(count)s copies at most.") % {"count": MOST_COPIES})
    return found


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


def _body(
    channel: Channel,
    address: str,
    text: str,
    template: MessageTemplate | None,
    values: dict[str, str],
    *,
    has_files: bool,
) -> str:
    if template is not None:
        return render_template(channel, template, values)
    body = text.replace("\x00", "").strip()
    if not body and not has_files:
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
    body, given = template.body, given_to(template, values)
    for variable in template.variables:
        value = given[variable["key"]]
        if not value:
            raise Refused(_("Fill in “%(label)s”.") % {"label": variable["label"]})
        body = body.replace("{{" + variable["key"] + "}}", value)
    if "{{" in body:
        raise Refused(_("This template has a variable that nobody described."))
    return body


def given_to(template: MessageTemplate | None, values: dict[str, str]) -> dict[str, str]:
    """What is given for the template's own variables, each on one line; nothing else is kept or sent."""
    keys = [variable["key"] for variable in template.variables] if template else []
    return {key: " ".join(str(values.get(key, "")).split()) for key in keys}


def mail_headers(interaction: Interaction) -> dict[str, Any]:
    """Subject, In-Reply-To and References of the next mail in this thread, or in one that was merged into it."""
    thread = Q(interaction=interaction) | Q(interaction__merged_into=interaction)
    last = (
        Message.objects.filter(thread, channel_kind=ChannelKind.EMAIL)
        .exclude(external_id="")
        .exclude(status__in=[MessageStatus.FAILED, MessageStatus.SUPPRESSED])
        .order_by("-occurred_at", "-id")
        .first()
    )
    is_elsewhere = last is not None and last.interaction_id != interaction.pk
    base = (last.subject if is_elsewhere and last else "") or interaction.subject or _("Your message to us")
    base = " ".join(base.split())  # a patient's subject may hold what counts as a line break in a header
    is_answer = last is not None or interaction.direction == Direction.INBOUND
    subject = f"Re: {base}" if is_answer and not base.lower().startswith("re:") else base
    if last is None:
        return {"subject": subject}
    chain = [*last.references, last.external_id]
    return {
        "subject": subject,
        "in_reply_to": last.external_id,
        "references": list(dict.fromkeys(chain))[-30:],
    }
