"""The desk at work: limits of queues, what people carry, their day, call backs, escalations, and what is offered."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from contact_center.accounts.enums import PresenceState
from contact_center.accounts.models import Presence, PresenceChange, Skill, User
from contact_center.aurora.staff import DOMAIN
from inbox.enums import CallMomentKind, CallParty, CallStatus, ChannelKind, InteractionStatus, Sharing
from inbox.models import (
    AgentCapacity,
    AgentState,
    Call,
    Callback,
    CallMoment,
    Interaction,
    Queue,
    QueueSettings,
    QueueSkill,
)
from inbox.selectors.hours import forget_setup
from inbox.services import assignment, escalations

MINUTES, HOURS = 60, 3600
LIMITS = {  # queue: waiting, seconds of waiting, seconds to answer a call
    "general": (14, 4 * HOURS, 30),
    "appointments": (10, 3 * HOURS, 20),
    "nurse-line": (8, 45 * MINUTES, 20),
    "billing": (12, 8 * HOURS, 30),
    "patient-relations": (6, 8 * HOURS, 30),
    "after-hours": (6, 2 * HOURS, 30),
}
CAPACITY = (("agent", "webchat", 4), ("agent", "email", 4), ("maya.thompson", "voice", 0), ("clinical", "whatsapp", 3))
WHY = "Fever since the vaccination yesterday. Does she need to be seen today?"


def tell(now: datetime) -> None:
    """Write all of it, in the caller's transaction; only the nurse line offers its work."""
    queues = {queue.slug: queue for queue in Queue.objects.all()}
    for slug, (waiting, seconds, answer) in LIMITS.items():
        QueueSettings.objects.create(
            queue=queues[slug], alert_waiting=waiting, alert_wait_seconds=seconds, answer_within_seconds=answer,
            acknowledge_seconds=30 * MINUTES,
            **({"sharing": Sharing.PUSH, "offer_seconds": 120, "most_missed": 20} if slug == "nurse-line" else {}),
        )  # fmt: skip
    QueueSkill.objects.create(
        queue=queues["nurse-line"], skill=Skill.objects.get(code="registered-nurse"), level=4, relax_seconds=600
    )
    forget_setup()
    _people(now)
    _call_backs(now)
    _escalations(queues["nurse-line"])
    assignment.hand_out_work(queue_id=queues["nurse-line"].pk)


def _people(now: datetime) -> None:
    """Nobody of them has a page open, so none of them is taken for gone."""
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    for number, presence in enumerate(Presence.objects.select_related("user").order_by("user_id")):
        began = max(midnight, now - timedelta(hours=3, minutes=number * 7 % 60))
        presence.since_at = max(began, now - timedelta(minutes=2 + number * 11 % 53))
        presence.save()
        AgentState.objects.create(user=presence.user, idle_since_at=presence.since_at)
        if presence.state != PresenceState.OFFLINE:
            PresenceChange.objects.create(user=presence.user, state=PresenceState.ONLINE, at=began)
            PresenceChange.objects.create(
                user=presence.user, state=presence.state, reason=presence.reason, at=presence.since_at
            )
    for login, kind, most in CAPACITY:
        AgentCapacity.objects.create(user=_person(login), channel_kind=kind, most=most)


def _person(login: str) -> User:
    return User.objects.get(email=f"{login}@{DOMAIN}")


def _call_backs(now: datetime) -> None:
    """One caller who keeps their place, and one call that was arranged for tomorrow morning."""
    waiting = Interaction.objects.filter(
        channel_kind=ChannelKind.VOICE, status=InteractionStatus.QUEUED, owner=None, calls=None
    ).exclude(contact_value="")
    rosa, tomorrow = _person("agent"), timezone.localtime(now) + timedelta(days=1)
    for number, row in enumerate(waiting.order_by("-pk")[:2]):
        at = row.waiting_since_at or row.opened_at
        call = Call.objects.create(
            interaction=row, channel_id=row.channel_id, queue_id=row.queue_id, status=CallStatus.CALLBACK_REQUESTED,
            started_at=at, queued_at=at, ended_at=at + timedelta(minutes=3), ended_by=CallParty.PATIENT,
            language=row.language, external_id=f"CA{row.pk:032x}",
        )  # fmt: skip
        CallMoment.objects.create(call=call, kind=CallMomentKind.QUEUED, at=at)
        CallMoment.objects.create(call=call, kind=CallMomentKind.CALLBACK, at=at + timedelta(minutes=3))
        arranged = {"owner": rosa, "fallback_owner": _person("luis.cabrera"), "arranged_by": rosa} if number else {}
        Callback.objects.create(
            interaction=row, channel_id=row.channel_id, queue_id=row.queue_id, number=row.contact_value, place_at=at,
            due_at=tomorrow.replace(hour=10, minute=0, second=0) if number else now + timedelta(minutes=15),
            purpose="Arranged for the morning" if number else "", **arranged,
        )  # fmt: skip


def _escalations(nurse_line: Queue) -> None:
    """One that waits for the nurses' answer, and one that they have acknowledged."""
    rosa, grace = _person("agent"), _person("clinical")
    mine = Interaction.objects.filter(
        queue__teams__members=rosa, status=InteractionStatus.QUEUED, owner=None, patient__isnull=False
    ).exclude(channel_kind=ChannelKind.VOICE)
    rows = mine.exclude(queue=nurse_line).exclude(reason__is_sensitive=True).order_by("-pk")[:2]
    for number, row in enumerate(rows):
        escalations.escalate(actor=rosa, interaction_id=row.pk, queue=nurse_line, detail=WHY)
        if number:
            escalations.acknowledge(actor=grace, interaction_id=row.pk)
