"""Receipts: whoever writes a form or begins a conversation by mail is told that we have it, with a reference."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from inbox.enums import ChannelKind, Direction, MessagePurpose
from inbox.mail.loopguard import AUTO_REPLY_INTERVAL, MOST_PER_HOUR
from inbox.models import Channel, FormSubmission, Interaction, Message
from inbox.selectors.gate_facts import time_zone_of
from inbox.selectors.hours import message_in, moment_words, standing_of_queue
from inbox.services.interactions import new_reference
from inbox.services.outbox import enqueue

FORM_RECEIPTS_PER_DAY = 3


def acknowledge_form(submission: FormSubmission) -> None:
    """Queue the receipt of a form, to the address given in it; at most three a day to one address."""
    interaction = submission.interaction
    kind = ChannelKind.EMAIL if interaction.contact_scheme == "email" else ChannelKind.SMS
    channel = Channel.objects.filter(kind=kind, is_active=True).order_by("id").first()
    if channel is None or not interaction.contact_value:
        return
    if _receipts(timedelta(days=1)).filter(address=interaction.contact_value).count() >= FORM_RECEIPTS_PER_DAY:
        return
    _send(interaction, channel, submission.reference, submission.form.language)


def acknowledge_mail(interaction: Interaction, mail: Message) -> None:
    """Queue the receipt of a mail that began a conversation, where its channel sends receipts.

    Never to a machine (RFC 3834, as the adapter found), to a mailbox of ours, twice a day to one address, or more
    than MOST_PER_HOUR times an hour to all.
    """
    channel = interaction.channel
    if not (channel.sends_receipts and mail.payload.get("may_answer_itself") and mail.address):
        return
    if Channel.objects.filter(kind=ChannelKind.EMAIL, address=mail.address).exists():
        return
    if _receipts(AUTO_REPLY_INTERVAL).filter(address=mail.address).exists():
        return
    if _receipts(timedelta(hours=1)).filter(channel_kind=ChannelKind.EMAIL).count() >= MOST_PER_HOUR:
        return
    interaction.reference = new_reference("M")
    interaction.save()
    language = interaction.language or (interaction.patient.language if interaction.patient else "")
    _send(interaction, channel, interaction.reference, language, in_reply_to=mail.external_id)


def _receipts(within: timedelta) -> QuerySet[Message]:
    return Message.objects.filter(
        direction=Direction.OUTBOUND, purpose=MessagePurpose.RECEIPT, created_at__gt=timezone.now() - within
    )


def _send(interaction: Interaction, channel: Channel, reference: str, language: str, in_reply_to: str = "") -> None:
    with translation.override(language or settings.LANGUAGE_CODE):
        text = _("We have your message. A person will read it and answer you. Your reference is %(reference)s.")
        enqueue(
            interaction=interaction,
            channel=channel,
            text=" ".join(filter(None, [text % {"reference": reference}, _closed_words(interaction, language)])),
            subject=_("We have your message (%(reference)s)") % {"reference": reference},
            author=None,
            purpose=MessagePurpose.RECEIPT,
            idempotency_key=f"receipt-{reference}",
            in_reply_to=in_reply_to,
            references=[in_reply_to] if in_reply_to else [],
        )


def _closed_words(interaction: Interaction, language: str) -> str:
    """What is to be said while the queue is closed: the message for patients, and when it opens, in their own zone.

    Empty while it is open. The caller has set the language.
    """
    standing = standing_of_queue(interaction.queue_id)
    if standing.is_open:
        return ""
    language = language or settings.LANGUAGE_CODE
    told = message_in(standing.messages, language)
    if standing.opens_at is None:
        return told or _("We are closed at the moment.")
    when = moment_words(standing.opens_at, ZoneInfo(time_zone_of(interaction.patient)), language)
    return " ".join(filter(None, [told, _("We are closed now and open again on %(when)s.") % {"when": when}]))
