"""One inbound message becomes part of one interaction of one person."""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

from django.utils import timezone

from contact_center.common.rows import insert_row
from inbox import realtime, signals
from inbox.adapters.base import UnparseablePayload
from inbox.adapters.events import InboundMessage
from inbox.enums import ChannelKind, Direction, InteractionStatus, MessageKind, MessageStatus, TimelineKind
from inbox.gate import MACHINE_CHANNELS
from inbox.models import Channel, Interaction, Message, TimelineEvent
from inbox.services import attachments, clocks, keywords, queue_rules, receipts, shared_phones
from inbox.services.alerts import tell_of_answer
from inbox.services.assignment import hand_out_soon
from inbox.services.threads import find_channel, locate, look_up
from patients.services.addresses import clear_bounce

SNIPPET = 160
MAX_TEXT = 100_000
MOST_CLOCK_ERROR = timedelta(hours=1)


def receive_message(item: InboundMessage, *, received_at: datetime) -> Message | None:
    """Store an inbound message in the caller's transaction and return it; the known one when it came before.

    Deliveries from one address to one channel wait for each other, so parallel ones make one interaction.
    Raises UnparseablePayload when no channel of ours has the recipient's address.
    """
    channel = find_channel(item)
    if channel is None:
        raise UnparseablePayload("No channel of ours has this recipient.")
    if item.payload.get("loop"):
        return None
    known = look_up(item, channel)
    if known.message_id is not None:
        earlier = Message.objects.get(pk=known.message_id)
        if _is_same(earlier, item):
            return earlier
        return receive_message(_renamed(item), received_at=received_at)
    message = _message_of(item, channel, at=_moment(item, received_at))
    interaction, is_new = locate(item, channel, known, now=timezone.now())
    routed = queue_rules.direct(interaction) if is_new else None
    before = (interaction.status, interaction.waiting_since_at)
    _advance(interaction, message)
    is_other = is_new or before != (interaction.status, interaction.waiting_since_at)
    changed = clocks.advance(interaction) if is_other else []
    _save(interaction, message, is_new=is_new)
    clocks.keep(interaction, changed)
    queue_rules.keep_run(interaction, routed)
    attachments.store_inbound(message, item)
    if channel.kind == ChannelKind.EMAIL:
        clear_bounce(scheme="email", value=message.address)
        if is_new:
            receipts.acknowledge_mail(interaction, message)
    is_short = channel.kind in MACHINE_CHANNELS and item.kind in ("text", "button")
    is_stranger = is_new and interaction.patient_id is None and not interaction.is_contact_shared
    if is_short and keywords.apply(interaction, message) is None and not is_stranger:
        shared_phones.consider(interaction, message)
    _announce(interaction, message, is_new=is_new, is_turn=is_other or interaction.unread_count == 1)
    return message


def _is_same(earlier: Message, item: InboundMessage) -> bool:
    """The id alone proves nothing for mail: any program may write any Message-ID."""
    if item.channel_kind != ChannelKind.EMAIL:
        return True
    is_theirs = earlier.direction == Direction.INBOUND and earlier.address == item.sender.value[:254]
    return is_theirs and earlier.text == _cut(item.text.replace("\x00", ""))[0]


def _renamed(item: InboundMessage) -> InboundMessage:
    """The same mail under an id of its own, the same one each time it comes."""
    digest = hashlib.sha256(f"{item.sender.value}\x1f{item.text}".encode("utf-8", "replace")).hexdigest()[:16]
    return replace(item, external_id=f"{item.external_id.partition('#')[0][:200]}#{digest}")


def _moment(item: InboundMessage, received_at: datetime) -> datetime:
    """When it was written; of a mail whose clock is off by more than an hour, when it came."""
    written_at = min(item.occurred_at or received_at, received_at)
    if item.channel_kind == ChannelKind.EMAIL and received_at - written_at > MOST_CLOCK_ERROR:
        return received_at
    return written_at


def _save(interaction: Interaction, message: Message, *, is_new: bool) -> None:
    if is_new:
        insert_row(interaction)
    else:
        interaction.save()
    message.interaction = interaction
    insert_row(message)
    if is_new:
        opened = TimelineKind.OPENED
        insert_row(
            TimelineEvent(
                interaction=interaction, kind=opened, at=message.occurred_at, to_queue_id=interaction.queue_id
            )
        )


def _message_of(item: InboundMessage, channel: Channel, *, at: datetime) -> Message:
    text, rest = _cut(item.text.replace("\x00", ""))
    return Message(
        channel=channel,
        channel_kind=channel.kind,
        direction=Direction.INBOUND,
        kind=item.kind,
        status=MessageStatus.RECEIVED,
        address_scheme=item.sender.scheme,
        address=item.sender.value[:254],
        cc=list(item.payload.get("cc", ())),
        subject=(item.subject or "")[:240],
        text=text,
        quoted_text=rest + str(item.payload.get("quoted_text", ""))[:MAX_TEXT],
        html=(item.html or "")[: 4 * MAX_TEXT],
        payload={key: value for key, value in item.payload.items() if key not in NOT_KEPT},
        occurred_at=at,
        provider=item.provider,
        external_id=item.external_id[:254],
        in_reply_to=(item.in_reply_to or "")[:254],
        references=list(item.references)[-50:],
    )


NOT_KEPT = {"cc", "quoted_text", "attachments", "recipients", "interaction_id", "loop"}


def _cut(text: str) -> tuple[str, str]:
    """A text beyond the limit is folded, never lost: the raw source keeps all of it."""
    return (text, "") if len(text) <= MAX_TEXT else (text[:MAX_TEXT], text[MAX_TEXT : 2 * MAX_TEXT])


def _advance(interaction: Interaction, message: Message) -> None:
    interaction.snippet = snippet_of(message)
    interaction.last_message_at = max(interaction.last_message_at, message.occurred_at)
    interaction.last_inbound_at = max(interaction.last_inbound_at or message.occurred_at, message.occurred_at)
    if is_word(interaction, message):
        interaction.unread_count += 1
        interaction.waiting_since_at = interaction.waiting_since_at or message.occurred_at
        if interaction.status == InteractionStatus.SNOOZED and not interaction.is_snooze_kept:
            interaction.wake()
            insert_row(TimelineEvent(interaction=interaction, kind=TimelineKind.WOKEN, at=message.occurred_at))
        elif interaction.status == InteractionStatus.WRAP_UP:
            interaction.resume()


def is_word(interaction: Interaction, message: Message) -> bool:
    """True for what somebody should read and answer; a reaction, a deletion and an automatic reply wake nobody."""
    is_said = message.kind not in (MessageKind.REACTION, MessageKind.DELETED)
    return is_said and not (message.payload.get("is_auto_reply") or interaction.is_done)


def snippet_of(message: Message) -> str:
    """First words for the list: the text, else what kind of thing it is."""
    words = " ".join(message.text.split())
    if message.channel_kind == ChannelKind.EMAIL and message.subject:
        words = f"{message.subject}: {words}"
    return (words or str(MessageKind(message.kind).label))[:SNIPPET]


def _announce(interaction: Interaction, message: Message, *, is_new: bool, is_turn: bool) -> None:
    topics = [realtime.queue_topic(interaction.queue_id)]
    if not is_new:  # nobody can look at a new one yet
        topics.append(realtime.interaction_topic(interaction.pk))
    if interaction.owner_id:
        topics.append(realtime.work_topic(interaction.owner_id))
        if is_turn:  # later words of the same turn change nothing beside the list
            topics.append(realtime.agent_topic(interaction.owner_id))
        if is_word(interaction, message):
            tell_of_answer(interaction, message)
    if is_new:
        signals.announce(signals.interaction_opened, interaction_id=interaction.pk)
    signals.announce(signals.message_received, message_id=message.pk, interaction_id=interaction.pk)
    if interaction.status == InteractionStatus.QUEUED:
        hand_out_soon()
    realtime.touch(*topics)
