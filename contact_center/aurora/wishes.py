"""What the demo clinic's patients want and allowed: consent texts, preferences, who has proved who they are, and a
message that is read on the patient's own page."""

from __future__ import annotations

import uuid
from datetime import datetime, time, timedelta

from django.utils import timezone

from inbox.enums import (
    DONE,
    ChannelKind,
    Direction,
    GateDecision,
    IdentifierKind,
    IdentityMethod,
    IdentityOutcome,
    MessageStatus,
)
from inbox.models import IdentityCheck, IdentityPolicy, Interaction, Message
from patients.enums import AccessNeed, CommunicationStyle, ConsentPurpose, ContactChannel
from patients.models import CareRule, Consent, ConsentText, Patient

TEXTS = {
    ConsentPurpose.CARE: {
        "en": "We may write to you about your care: what to bring, what comes next, who looks after you.",
        "es": "Podemos escribirle sobre su atención: qué traer, qué sigue y quién le atiende.",
        "pt": "Podemos escrever sobre o seu atendimento: o que trazer, o que vem depois e quem cuida de você.",
    },
    ConsentPurpose.REMINDERS: {
        "en": "We may remind you of your visits. You can reply STOP at any time.",
        "es": "Podemos recordarle sus citas. Puede responder STOP cuando quiera.",
        "pt": "Podemos lembrar você das suas consultas. Você pode responder STOP quando quiser.",
    },
    ConsentPurpose.SURVEYS: {
        "en": "After a visit we may ask you how it was. Your answers help us to do better.",
        "es": "Después de una visita podemos preguntarle cómo le fue. Sus respuestas nos ayudan a mejorar.",
        "pt": "Depois de uma visita podemos perguntar como foi. As suas respostas nos ajudam a melhorar.",
    },
    ConsentPurpose.MARKETING: {
        "en": "We may tell you about new services and health days. Never more than once a month.",
        "es": "Podemos contarle de servicios nuevos y jornadas de salud. Nunca más de una vez al mes.",
        "pt": "Podemos contar sobre novos serviços e dias de saúde. Nunca mais de uma vez por mês.",
    },
    ConsentPurpose.RECORDING: {
        "en": "We may record calls with you to train our team. We delete them after 90 days.",
        "es": "Podemos grabar sus llamadas para formar a nuestro equipo. Las borramos a los 90 días.",
        "pt": "Podemos gravar as suas ligações para treinar a nossa equipe. Apagamos depois de 90 dias.",
    },
}
SECRET = {
    "en": "Your results are in. The finding is benign, and nothing has to be done now. We look again in twelve months.",
    "es": "Sus resultados ya están. El hallazgo es benigno y no hay que hacer nada ahora. Lo revisamos en doce meses.",
    "pt": "Os seus resultados chegaram. O achado é benigno e não é preciso fazer nada agora. Revemos em doze meses.",
}
WISHES = (
    {"contact_from": time(17), "contact_until": time(20), "preferred_channel": ContactChannel.WHATSAPP},
    {"communication_style": CommunicationStyle.BRIEF, "access_needs": [AccessNeed.READING]},
    {"preferred_channel": ContactChannel.VOICE, "access_needs": [AccessNeed.SIGHT], "access_note": "Calls before ten"},
    {"interpreter_language": "ht", "communication_style": CommunicationStyle.BRIEF},
    {"preferred_channel": ContactChannel.EMAIL, "communication_style": CommunicationStyle.DETAILED},
    {"access_needs": [AccessNeed.HEARING, AccessNeed.COMPANION], "preferred_channel": ContactChannel.SMS},
)
MOST_WISHES = 600


def write_down(now: datetime) -> None:
    """Texts, rules, preferences of every third patient, and what the open conversations know; the same each time."""
    ConsentText.objects.bulk_create(
        ConsentText(purpose=purpose, language=language, version=1, text=text, published_at=now - timedelta(days=400))
        for purpose, languages in TEXTS.items()
        for language, text in languages.items()
    )
    for purpose in TEXTS:
        shown = ConsentText.objects.filter(purpose=purpose, language="es").first()
        Consent.objects.filter(purpose=purpose, patient__language="es").update(text=shown, text_version="es-1")
    IdentityPolicy.objects.create(pk=1)
    CareRule.objects.create(site_name="", adult_age=18, warning_days=30)
    chosen = Patient.objects.order_by("pk")[: 3 * MOST_WISHES : 3]
    for number, patient in enumerate(chosen):
        Patient.objects.filter(pk=patient.pk).update(**WISHES[number % len(WISHES)])
    _conversations(now)


def _conversations(now: datetime) -> None:
    known = Interaction.objects.exclude(status__in=DONE).filter(patient__isnull=False, owner__isnull=False)
    for number, row in enumerate(known.select_related("channel", "patient").order_by("pk")[:12]):
        IdentityCheck.objects.create(
            interaction=row,
            patient=row.patient,
            method=IdentityMethod.IDENTIFIERS,
            identifiers=[IdentifierKind.BIRTH_DATE, IdentifierKind.FULL_NAME],
            outcome=IdentityOutcome.FAILED if number % 5 == 4 else IdentityOutcome.PASSED,
            checked_by_id=row.owner_id,
            checked_at=now - timedelta(minutes=5),
            expires_at=None if number % 5 == 4 else now + timedelta(minutes=25),
        )
    told = known.filter(channel_kind__in=[ChannelKind.SMS, ChannelKind.EMAIL]).select_related("channel", "patient")
    for row in told.order_by("pk")[:2]:
        at = min(row.last_message_at + timedelta(minutes=1), timezone.now())
        Message.objects.create(
            interaction=row,
            channel=row.channel,
            channel_kind=row.channel_kind,
            direction=Direction.OUTBOUND,
            author_id=row.owner_id,
            status=MessageStatus.DELIVERED,
            gate_decision=GateDecision.SEND,
            gate_reason="allowed",
            address_scheme=row.contact_scheme,
            address=row.contact_value,
            text=SECRET.get(row.language[:2], SECRET["en"]),
            provider=row.channel.adapter,
            is_sensitive=True,
            public_id=uuid.uuid5(uuid.NAMESPACE_OID, f"sensitive-{row.pk}"),
            occurred_at=at,
            sent_at=at,
            delivered_at=at,
        )
