"""Gathers what the send gate looks at."""

from datetime import datetime, timedelta
from zoneinfo import available_timezones

from django.conf import settings
from django.utils import timezone

from inbox.enums import ChannelKind, Direction, MessagePurpose, MessageStatus, TemplateStatus
from inbox.gate import AUTOMATIC, SendFacts
from inbox.models import Channel, Message, OptOut
from patients.enums import ConsentPurpose, ConsentStatus
from patients.models import Consent, ContactPoint, Patient

_ZONES = available_timezones()
_RECENT = timedelta(hours=72)
_CONSENT_OF = {
    MessagePurpose.CARE: ConsentPurpose.CARE,
    MessagePurpose.REMINDERS: ConsentPurpose.REMINDERS,
    MessagePurpose.SURVEYS: ConsentPurpose.SURVEYS,
    MessagePurpose.MARKETING: ConsentPurpose.MARKETING,
}


def facts_for(message: Message) -> SendFacts:
    """Facts about one outbound message as they stand now: switches, consents and opt-outs are read anew.

    A person's reply passes the do-not-contact and deceased switches only while somebody wrote from this address in
    the last 72 hours: then it is an answer, not a contact of ours.
    """
    purpose = MessagePurpose(message.purpose)
    patient = _patient_of(message)
    last_inbound_at = last_inbound_at_of(message.channel_id, message.address)
    is_answer = purpose == MessagePurpose.REPLY and bool(last_inbound_at and timezone.now() - last_inbound_at < _RECENT)
    return SendFacts(
        purpose=purpose,
        channel_kind=ChannelKind(message.channel_kind),
        now=timezone.now(),
        has_address=bool(message.address),
        has_content=bool(message.text.strip() or message.html or message.template_id or message.attachments.exists()),
        has_unresolved_variable="{{" in message.text and "}}" in message.text,
        is_channel_active=Channel.objects.filter(pk=message.channel_id, is_active=True).exists(),
        is_opted_out=is_opted_out(message.channel_kind, message.address),
        is_address_bounced=ContactPoint.objects.filter(
            scheme=message.address_scheme, value=message.address, bounced_at__isnull=False
        ).exists(),
        is_deceased=bool(patient and patient.deceased_date) and not is_answer,
        is_do_not_contact=bool(patient and patient.is_do_not_contact) and not is_answer,
        consent=_consent(patient, purpose, message.channel_kind),
        is_scheduled=message.scheduled_at is not None,
        is_template=message.template_id is not None,
        is_template_approved=bool(message.template and message.template.status == TemplateStatus.APPROVED),
        last_inbound_at=last_inbound_at,
        automatic_today=_automatic_today(message) if purpose in AUTOMATIC else 0,
        time_zone=time_zone_of(patient),
    )


def time_zone_of(patient: Patient | None) -> str:
    """IANA name of the patient's time zone; the clinic's where it is not known."""
    return patient.time_zone if patient and patient.time_zone in _ZONES else settings.TIME_ZONE


def is_opted_out(channel_kind: str, address: str) -> bool:
    """True while this address has told us to stop on this kind of channel."""
    return OptOut.objects.filter(channel_kind=channel_kind, address=address, ended_at=None).exists()


def last_inbound_at_of(channel_id: int, address: str) -> datetime | None:
    """When this address last wrote to this channel, whatever interaction it was in."""
    found = Message.objects.filter(channel_id=channel_id, address=address, direction=Direction.INBOUND)
    return found.order_by("-occurred_at").values_list("occurred_at", flat=True).first() if address else None


def _patient_of(message: Message) -> Patient | None:
    return Patient.objects.filter(interactions=message.interaction_id).first()


def _consent(patient: Patient | None, purpose: MessagePurpose, channel_kind: str) -> bool | None:
    wanted = _CONSENT_OF.get(purpose)
    if patient is None or wanted is None:
        return None
    latest = (
        Consent.objects.filter(patient=patient, purpose=wanted, channel_kind=channel_kind)
        .order_by("-recorded_at", "-id")
        .values_list("status", flat=True)
        .first()
    )
    return None if latest is None else latest == ConsentStatus.GRANTED


def _automatic_today(message: Message) -> int:
    return Message.objects.filter(
        direction=Direction.OUTBOUND,
        address=message.address,
        purpose__in=AUTOMATIC,
        status__in=[MessageStatus.SENDING, MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ],
        sent_at__gte=timezone.now() - timedelta(hours=24),
    ).count()
