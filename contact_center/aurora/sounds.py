"""Calls of the demo that can be heard: the newest answered ones with what was said, and a voicemail that waits."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime, timedelta

from django.core.files.base import ContentFile
from django.utils import timezone

from contact_center.aurora.desk import VOICE_NUMBER
from inbox.enums import (
    AttachmentStatus,
    CallMomentKind,
    CallParty,
    CallStatus,
    Direction,
    MessageKind,
    MessageStatus,
    RecordingConsent,
    RecordingStatus,
    TimelineKind,
)
from inbox.models import (
    Attachment,
    Call,
    CallLeg,
    CallMoment,
    Interaction,
    Message,
    Recording,
    TimelineEvent,
    TranscriptLine,
)
from inbox.selectors.voice_lines import line_of
from inbox.services import clocks

MOST, SECONDS = 12, 8
SID = "RE" + "a" * 32
SAID = {
    "en": (
        (CallParty.AGENT, "Good morning, Aurora Health. How can I help you?"),
        (CallParty.PATIENT, "I would like to know when my visit is."),
        (CallParty.AGENT, "I have it here. You get a message with the day and the time."),
    ),
    "es": (
        (CallParty.AGENT, "Buenos días, Aurora Health. ¿En qué puedo ayudarle?"),
        (CallParty.PATIENT, "Quisiera saber cuándo es mi cita."),
        (CallParty.AGENT, "Aquí la tengo. Le enviamos un mensaje con el día y la hora."),
    ),
    "pt": (
        (CallParty.AGENT, "Bom dia, Aurora Health. Como posso ajudar?"),
        (CallParty.PATIENT, "Gostaria de saber quando é a minha consulta."),
        (CallParty.AGENT, "Está aqui. Você recebe uma mensagem com o dia e a hora."),
    ),
}
SPOKEN = {
    "en": "Hello, please call me back about my prescription. Thank you.",
    "es": "Hola, por favor llámeme por mi receta. Gracias.",
    "pt": "Olá, por favor me ligue por causa da minha receita. Obrigado.",
}


def record_some() -> int:
    """Recordings of the newest answered calls that may be recorded, and a voicemail; returns how many voicemails wait.

    The sound is a quiet tone.
    """
    from contact_center.simulator.recordings import tone  # its server is heavy, and only this needs it

    line = line_of(VOICE_NUMBER)
    unrecorded = line.unrecorded if line else ()
    answered = Call.objects.filter(status=CallStatus.COMPLETED, answered_at__isnull=False).exclude(queue__in=unrecorded)
    sound = tone(SECONDS, 2)
    for call in answered.order_by("-pk")[:MOST]:
        _record(call, sound)
    gave_up = Call.objects.filter(status=CallStatus.ABANDONED).exclude(interaction__contact_value="")
    earlier = gave_up.select_related("interaction").order_by("-pk").first()
    if earlier is not None:
        _leave_message(earlier.interaction, timezone.now() - timedelta(minutes=9), tone(SECONDS, 1))
    return int(earlier is not None)


def _record(call: Call, sound: bytes) -> None:
    began = call.answered_at or call.started_at
    ended = began + timedelta(seconds=SECONDS)
    recording = Recording(
        call=call, agent=call.agent, external_id=f"RE{call.pk:032x}", status=RecordingStatus.STORED, started_at=began,
        ended_at=ended, seconds=SECONDS, content_type="audio/wav", size=len(sound), stored_at=ended,
        digest=hashlib.sha256(sound).hexdigest(),
    )  # fmt: skip
    recording.file.save("unused", ContentFile(sound))
    Call.objects.filter(pk=call.pk).update(recording_consent=RecordingConsent.ANNOUNCED)
    CallMoment.objects.create(call=call, kind=CallMomentKind.RECORDED, at=began, user=call.agent)
    lines = SAID.get(call.language, SAID["en"])
    TranscriptLine.objects.bulk_create(
        TranscriptLine(recording=recording, key=str(number), offset=number * SECONDS / len(lines), party=who, text=said)
        for number, (who, said) in enumerate(lines)
    )


def _leave_message(earlier: Interaction, at: datetime, sound: bytes) -> None:
    """Who hung up before has called again, and spoken."""
    row = Interaction.objects.create(
        channel_id=earlier.channel_id, channel_kind=earlier.channel_kind, thread_key=f"call:{SID}",
        contact_scheme=earlier.contact_scheme, contact_value=earlier.contact_value, patient_id=earlier.patient_id,
        queue_id=earlier.queue_id, language=earlier.language, snippet="Voicemail", unread_count=1, opened_at=at,
        last_message_at=at, last_inbound_at=at, waiting_since_at=at,
    )  # fmt: skip
    TimelineEvent.objects.create(interaction=row, kind=TimelineKind.OPENED, at=at, to_queue_id=row.queue_id)
    clocks.settle(row, at=at)
    row.save()
    call = Call.objects.create(
        interaction=row, channel_id=row.channel_id, queue_id=row.queue_id, status=CallStatus.VOICEMAIL, started_at=at,
        queued_at=at, ended_at=at + timedelta(minutes=1), ended_by=CallParty.PATIENT, language=row.language,
        external_id=f"CA{row.pk:032x}", voicemail_url=f"https://api.twilio.com/Recordings/{SID}", voicemail_id=SID,
        transcript=SPOKEN.get(row.language, SPOKEN["en"]),
    )  # fmt: skip
    CallLeg.objects.create(
        call=call, party=CallParty.PATIENT, external_id=call.external_id, joined_at=at, left_at=call.ended_at
    )
    for kind in (CallMomentKind.QUEUED, CallMomentKind.VOICEMAIL):
        CallMoment.objects.create(call=call, kind=kind, at=at)
    message = Message.objects.create(
        public_id=uuid.uuid5(uuid.NAMESPACE_OID, f"voicemail-{row.pk}"),
        interaction=row, channel_id=row.channel_id, channel_kind=row.channel_kind, direction=Direction.INBOUND,
        kind=MessageKind.MEDIA, status=MessageStatus.RECEIVED, address_scheme=row.contact_scheme,
        address=row.contact_value, occurred_at=at, provider=call.provider, external_id=SID,
    )  # fmt: skip
    file = Attachment(
        message=message, name="Voicemail.wav", content_type="audio/wav", size=len(sound), status=AttachmentStatus.CLEAN
    )
    file.file.save("unused", ContentFile(sound))
