"""Which interaction an inbound message belongs to."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from inbox.adapters.events import InboundMessage
from inbox.enums import Direction, InteractionStatus, TimelineKind
from inbox.models import Channel, Interaction, Message, TimelineEvent
from patients.selectors import match_patients

DONE = [InteractionStatus.CLOSED, InteractionStatus.ABANDONED]
ANSWER_WINDOW = timedelta(days=7)


def find_channel(item: InboundMessage) -> Channel | None:
    """The channel of ours that was written to."""
    wanted = [item.recipient.value, *item.payload.get("recipients", ())]
    return (
        Channel.objects.select_related("queue")
        .filter(kind=item.channel_kind, address__in=[value for value in wanted if value])
        .order_by("id")
        .first()
    )


def thread_key_of(item: InboundMessage) -> str:
    """What one live interaction stands for: the person's address, or for mail its first message."""
    if item.channel_kind == "email":
        return item.external_id[:254]
    return (item.sender.value or item.sender.raw or f"withheld:{item.external_id}")[:254]


def locate(item: InboundMessage, channel: Channel, *, now: datetime) -> tuple[Interaction, bool]:
    """The locked interaction this message joins, and whether it was made for it.

    A live one goes on. One that was closed within the reopen window is queued again; later the message starts a new
    interaction on the same case. Mail joins only an interaction with the same person.
    """
    found = _mail_thread(item) if item.channel_kind == "email" else _latest(channel, thread_key_of(item))
    if (found is None or found.is_done) and item.channel_kind != "email":
        found = _answered_here(item, channel, now) or found
    if found is None:
        return _open(item, channel, now=now, previous=None), True
    if not found.is_done:
        return found, False
    is_recent = found.closed_at is not None and now - found.closed_at < timedelta(hours=settings.REOPEN_WINDOW_HOURS)
    if found.status == InteractionStatus.CLOSED and is_recent:
        found.reopen()
        TimelineEvent.objects.create(interaction=found, kind=TimelineKind.REOPENED, at=now, to_queue=found.queue)
        return found, False
    return _open(item, channel, now=now, previous=found), True


def _latest(channel: Channel, key: str) -> Interaction | None:
    return (
        Interaction.objects.select_for_update(of=("self",))
        .filter(channel=channel, thread_key=key)
        .order_by("-id")
        .first()
    )


def _answered_here(item: InboundMessage, channel: Channel, now: datetime) -> Interaction | None:
    """The live interaction of another channel whose last word we sent to this address on this channel."""
    last = (
        Message.objects.filter(
            direction=Direction.OUTBOUND, address=item.sender.value, channel=channel, created_at__gt=now - ANSWER_WINDOW
        )
        .order_by("-id")
        .values_list("interaction_id", flat=True)
        .first()
        if item.sender.value
        else None
    )
    if last is None:
        return None
    rows = Interaction.objects.select_for_update(of=("self",)).filter(pk=last).exclude(channel=channel)
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
    interaction = Interaction(
        channel=channel,
        channel_kind=channel.kind,
        thread_key=thread_key_of(item),
        contact_scheme=item.sender.scheme if is_known else "",
        contact_value=item.sender.value if is_known else "",
        contact_name=(item.sender_name or "")[:160],
        patient_id=matches[0].pk if len(matches) == 1 else None,
        is_contact_shared=len(matches) > 1,
        case=previous.case if previous else None,
        queue=channel.queue,
        subject=(item.subject or "")[:240],
        language=matches[0].language if len(matches) == 1 else "",
        opened_at=now,
    )
    interaction.save(force_insert=True)
    return interaction
