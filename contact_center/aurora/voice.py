"""What callers of Aurora's main line hear, and the calls that are on record: answered and given up."""

from __future__ import annotations

from datetime import datetime, timedelta

from contact_center.accounts.models import Team
from contact_center.aurora.setup import Desk
from inbox.enums import CallMomentKind, CallParty, CallStatus, ChannelKind, InteractionStatus, RecordingMode
from inbox.models import Call, CallLeg, CallMoment, Interaction, MenuOption, VoiceLine

GREETINGS = {
    "en": "Welcome to Aurora Health.",
    "es": "Bienvenido a Aurora Health.",
    "pt": "Bem-vindo à Aurora Health.",
}
MENU = (
    (
        "1",
        "appointments",
        "appointments",
        {"en": "appointments", "es": "citas", "pt": "consultas"},
        ["appointment", "visit", "cita", "consulta"],
    ),
    (
        "2",
        "nurse-line",
        "clinical",
        {"en": "a nurse", "es": "una enfermera", "pt": "uma enfermeira"},
        ["nurse", "enfermera", "enfermeira"],
    ),
    (
        "3",
        "billing",
        "billing",
        {"en": "a bill or insurance", "es": "una factura", "pt": "uma conta"},
        ["bill", "insurance", "factura", "seguro", "conta", "convênio"],
    ),
)
MOST_CALLS = 400
M, C = CallMomentKind, CallStatus


def set_up_line(made: Desk) -> None:
    """The main line with its menu, for all of our own teams."""
    line = VoiceLine.objects.create(
        channel_id=made.channels[ChannelKind.VOICE],
        greetings=GREETINGS,
        recording=RecordingMode.ANNOUNCE,
        recording_by_region={"+49": RecordingMode.ASK.value},
        transcribes=True,
    )
    line.unrecorded_queues.add(made.queues["billing"])
    line.teams.set(Team.objects.filter(is_partner=False))
    for key, queue, reason, labels, words in MENU:
        MenuOption.objects.create(
            line=line, key=key, labels=labels, words=words, queue_id=made.queues[queue], reason_id=made.reasons[reason]
        )


def tell() -> None:
    """The call behind each of the newest voice interactions."""
    rows = Interaction.objects.filter(channel_kind=ChannelKind.VOICE, status__in=[*TOLD]).order_by("-pk")[:MOST_CALLS]
    for interaction in rows:
        _tell_one(interaction)


TOLD = (InteractionStatus.CLOSED, InteractionStatus.ABANDONED)


def _tell_one(interaction: Interaction) -> None:
    at, ended_at = interaction.opened_at, interaction.closed_at or interaction.opened_at + timedelta(minutes=4)
    waited = timedelta(seconds=3 + interaction.pk * 7 % 31)
    is_answered = interaction.owner_id is not None and interaction.status == InteractionStatus.CLOSED
    call = Call(
        interaction=interaction,
        channel_id=interaction.channel_id,
        queue_id=interaction.queue_id,
        status=C.COMPLETED if is_answered else C.ABANDONED,
        agent_id=interaction.owner_id if is_answered else None,
        language=interaction.language,
        started_at=at,
        queued_at=at + timedelta(seconds=20),
        answered_at=at + timedelta(seconds=20) + waited if is_answered else None,
        ended_at=max(ended_at, at + timedelta(seconds=40) + waited),
        ended_by=CallParty.PATIENT,
        external_id=f"CA{interaction.pk:032x}",
    )
    call.save()
    moments: list[tuple[str, datetime]] = [(M.STARTED, call.started_at), (M.QUEUED, at + timedelta(seconds=20))]
    if call.answered_at:
        moments.append((M.ANSWERED, call.answered_at))
    moments.append((M.ENDED, call.ended_at or at))
    CallMoment.objects.bulk_create(
        CallMoment(call=call, kind=kind, at=moment, user_id=call.agent_id if kind == M.ANSWERED else None)
        for kind, moment in moments
    )
    CallLeg.objects.create(
        call=call, party=CallParty.PATIENT, external_id=call.external_id, joined_at=at, left_at=call.ended_at
    )
