"""Telling one patient something about a visit or an offer, through the outbox, by the way they prefer."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from contact_center.common.wake import wake_on_commit
from inbox import realtime
from inbox.enums import Direction, MessageKind, MessagePurpose
from inbox.models import Message
from inbox.services.outbox import DRAIN_QUEUE, DRAIN_TASK
from patients.models import Patient
from scheduling.selectors.ways import Way
from scheduling.services.handing_over import threads_for


@dataclass(frozen=True, slots=True)
class Told:
    """Words for one patient and the way they go. `key` makes a repetition harmless; `grounds` names who is asked at
    the moment of sending whether they are still so (`inbox.grounds`)."""

    patient: Patient
    way: Way
    text: str
    subject: str
    key: str
    grounds: str

    @property
    def address(self) -> tuple[int, str]:
        """Channel and address."""
        return self.way.channel.pk, self.way.address


def tell(told: Told, *, now: datetime | None = None) -> Message:
    """Put it into the outbox, in the open conversation at that address or a closed thread. Call it in
    `realtime.atomic()`."""
    now = now or timezone.now()
    thread = threads_for([told], now)[0]
    message = Message.objects.create(
        interaction=thread,
        channel=told.way.channel,
        channel_kind=told.way.channel.kind,
        direction=Direction.OUTBOUND,
        kind=MessageKind.TEXT,
        address_scheme=told.way.scheme,
        address=told.way.address,
        purpose=MessagePurpose.REMINDERS,
        provider=told.way.channel.adapter,
        idempotency_key=told.key,
        occurred_at=now,
        text=told.text,
        subject=told.subject if told.way.scheme == "email" else "",
        payload={"grounds": told.grounds},
    )
    live = [] if thread.is_done else [realtime.interaction_topic(thread.pk)]
    realtime.touch(realtime.OUTBOX_TOPIC, *live)
    wake_on_commit(DRAIN_TASK, DRAIN_QUEUE)
    return message
