"""Which interaction an inbound message belongs to."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from contact_center.common.prepared import Given, planned
from inbox.adapters.events import InboundMessage
from inbox.enums import DONE, InteractionStatus, TimelineKind
from inbox.models import Channel, Interaction, Message, TimelineEvent
from inbox.services.locks import lock_key
from patients.selectors.people import match_patients

CHANNEL_KEPT_SECONDS, MOST_CHANNELS_KEPT = 5.0, 500


_channels: dict[tuple[str, ...], tuple[float, Channel]] = {}


def find_channel(item: InboundMessage) -> Channel | None:
    """The channel of ours that was written to; may be five seconds behind a change of the channel."""
    wanted = tuple(value for value in (item.recipient.value, *item.payload.get("recipients", ())) if value)
    key, now = (item.channel_kind, *wanted), time.monotonic()
    until, channel = _channels.get(key, (0.0, None))
    if channel is not None and now < until:
        return channel
    rows = Channel.objects.select_related("queue").filter(kind=item.channel_kind, address__in=wanted)
    channel = rows.order_by("id").first()
    if channel is not None:
        if len(_channels) > MOST_CHANNELS_KEPT:
            _channels.clear()
        _channels[key] = (now + CHANNEL_KEPT_SECONDS, channel)
    return channel


def forget_channels() -> None:
    """Read channels anew from now on."""
    _channels.clear()


def thread_key_of(item: InboundMessage) -> str:
    """What one live interaction stands for: the person's address, or for mail its first message."""
    if item.channel_kind == "email":
        return item.external_id[:254]
    return (item.sender.value or item.sender.raw or f"withheld:{item.external_id}")[:254]


@dataclass(frozen=True, slots=True)
class Known:
    """What is on record about a message and its thread. Ids; None where there is nothing.

    `latest_id` is the live interaction of the thread, else the newest: a reminder may have left a closed one after it.
    """

    message_id: int | None
    latest_id: int | None
    answered_id: int | None


LOOK_UP = """
SELECT pg_advisory_xact_lock(%(lock)s);
SELECT (SELECT id FROM inbox_message WHERE provider = %(provider)s AND external_id = %(external_id)s),
    COALESCE(
        (SELECT id FROM inbox_interaction WHERE channel_id = %(channel)s AND thread_key = %(thread)s
         AND NOT (status IN ('closed', 'abandoned'))),
        (SELECT id FROM inbox_interaction WHERE channel_id = %(channel)s AND thread_key = %(thread)s
         ORDER BY id DESC LIMIT 1)),
    (SELECT interaction_id FROM inbox_message WHERE direction = 'outbound' AND address = %(address)s
     AND address <> '' AND channel_id = %(channel)s AND created_at > now() - interval '7 days'
     ORDER BY id DESC LIMIT 1)
"""


def look_up(item: InboundMessage, channel: Channel) -> Known:
    """Wait until no other message of this sender to this channel is being stored, then look what is on record.

    The wait ends with the caller's transaction. `answered_id` is where we last wrote to the sender on this channel.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            LOOK_UP,
            {
                "lock": lock_key("thread", channel.pk, item.sender.value or item.sender.raw),
                "provider": item.provider,
                "external_id": item.external_id[:254],
                "channel": channel.pk,
                "thread": thread_key_of(item),
                "address": item.sender.value,
            },
        )
        return Known(*cursor.fetchone())


def locate(item: InboundMessage, channel: Channel, known: Known, *, now: datetime) -> tuple[Interaction, bool]:
    """The locked interaction this message joins, or a new one that is not saved yet (True).

    A live one goes on. One that was closed within the reopen window is queued again; later the message starts a new
    interaction on the same patient's case. Mail joins only an interaction with the same person. From an address that
    several patients share nothing is reopened: whose words these are is asked anew. An automatic reply is filed where
    it belongs and wakes nobody. What would join a merged interaction joins the one it was merged into.
    """
    found = _mail_thread(item) if item.channel_kind == "email" else _locked(known.latest_id)
    if (found is None or found.is_done) and item.channel_kind != "email":
        found = _answered_here(channel, known) or found
    if found is not None and found.merged_into_id is not None:
        found = _goes_on_in(found)
    if found is None:
        return _open(item, channel, now=now, previous=None), True
    if not found.is_done:
        return found, False
    is_recent = found.closed_at is not None and now - found.closed_at < timedelta(hours=settings.REOPEN_WINDOW_HOURS)
    if item.payload.get("is_auto_reply"):
        return found, False
    if found.status == InteractionStatus.CLOSED and is_recent and not _is_ambiguous(item, found):
        found.reopen()
        TimelineEvent.objects.create(interaction=found, kind=TimelineKind.REOPENED, at=now, to_queue=found.queue)
        return found, False
    return _open(item, channel, now=now, previous=found), True


def _is_ambiguous(item: InboundMessage, found: Interaction) -> bool:
    if item.channel_kind == "email" or found.patient_id is None:
        return False
    return found.is_contact_shared or len(match_patients(item.sender.scheme, item.sender.value)) > 1


def _locked(interaction_id: int | None) -> Interaction | None:
    if interaction_id is None:
        return None
    return _to_write_in().one(interaction_id)


@planned
def _to_write_in() -> QuerySet[Interaction]:
    """Of the id 0, locked. No key: a reminder that is put into this conversation need not wait, while it holds what a
    reply is about."""
    return Interaction.objects.select_for_update(of=("self",), no_key=True).filter(pk=Given(0))


def _goes_on_in(found: Interaction) -> Interaction:
    """Follow the pointers of merges, in their direction as merging locks too; then what lives in that thread now."""
    while found.merged_into_id is not None:
        found = Interaction.objects.select_for_update(of=("self",)).get(pk=found.merged_into_id)
    if found.is_done:
        same = Interaction.objects.filter(channel_id=found.channel_id, thread_key=found.thread_key)
        live = same.exclude(status__in=DONE).select_for_update(of=("self",)).first()
        return live or found
    return found


def _answered_here(channel: Channel, known: Known) -> Interaction | None:
    """The live interaction of another channel whose last word we sent to this address on this channel."""
    if known.answered_id is None:
        return None
    goes_on = Coalesce("merged_into_id", "pk")
    present = Interaction.objects.filter(pk=known.answered_id).annotate(goes_on=goes_on).values("goes_on")
    rows = Interaction.objects.select_for_update(of=("self",)).filter(pk__in=present).exclude(channel=channel)
    return rows.exclude(status__in=DONE).first()


def _mail_thread(item: InboundMessage) -> Interaction | None:
    by_token = item.payload.get("interaction_id")
    ids = [value for value in (item.in_reply_to, *reversed(item.references)) if value]
    if not ids and not by_token:
        return None
    known = dict(
        Message.objects.filter(provider="email", external_id__in=ids).values_list("external_id", "interaction_id")
    )
    order = [known[value] for value in ids if value in known] + ([by_token] if by_token else [])
    if not order:
        return None
    same_person = Q(contact_value=item.sender.value)
    patients = match_patients(item.sender.scheme, item.sender.value)
    if patients:
        same_person |= Q(patient_id__in=patients)
    rows = {
        row.pk: row for row in Interaction.objects.select_for_update(of=("self",)).filter(same_person, pk__in=order)
    }
    return next((rows[pk] for pk in order if pk in rows), None)


def _open(item: InboundMessage, channel: Channel, *, now: datetime, previous: Interaction | None) -> Interaction:
    is_known = item.sender.scheme in ("phone", "email", "whatsapp_user_id")
    matches = match_patients(item.sender.scheme, item.sender.value) if is_known else []
    patient_id = matches[0].pk if len(matches) == 1 else None
    case = previous.case if previous and len(matches) <= 1 else None
    return Interaction(
        channel=channel,
        channel_kind=channel.kind,
        thread_key=thread_key_of(item),
        contact_scheme=item.sender.scheme if is_known else "",
        contact_value=item.sender.value if is_known else "",
        contact_name=(item.sender_name or "")[:160],
        patient_id=patient_id,
        is_contact_shared=len(matches) > 1,
        case=case if case is not None and case.patient_id == patient_id else None,
        queue=channel.queue,
        subject=(item.subject or "")[:240],
        language=matches[0].language if len(matches) == 1 else "",
        opened_at=now,
    )
