"""Gathers what the send gate looks at."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import available_timezones

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from contact_center.common.prepared import Given, prepared
from inbox import grounds
from inbox.enums import ChannelKind, Direction, MessagePurpose, MessageStatus, TemplateStatus
from inbox.gate import AUTOMATIC, SendFacts
from inbox.models import Channel, Message, OptOut
from patients.enums import ConsentPurpose
from patients.models import ContactPoint, Patient
from patients.selectors.consents import word_on

_ZONES = available_timezones()
_RECENT = timedelta(hours=72)
_CONSENT_OF = {
    MessagePurpose.CARE: ConsentPurpose.CARE,
    MessagePurpose.REMINDERS: ConsentPurpose.REMINDERS,
    MessagePurpose.SURVEYS: ConsentPurpose.SURVEYS,
    MessagePurpose.MARKETING: ConsentPurpose.MARKETING,
}


@dataclass(frozen=True, slots=True)
class Way:
    """A way to one person at one moment: what holds for every message that would go there."""

    channel_kind: ChannelKind
    address: str
    at: datetime
    patient: Patient | None
    is_channel_active: bool
    is_opted_out: bool
    is_address_bounced: bool
    last_inbound_at: datetime | None

    @property
    def was_written_lately(self) -> bool:
        """Somebody wrote from this address in the last 72 hours: what a person says now is an answer."""
        return bool(self.last_inbound_at and self.at - self.last_inbound_at < _RECENT)


@dataclass(frozen=True, slots=True)
class Content:
    """What would be sent, as far as the gate cares."""

    has_content: bool = True
    has_unresolved_variable: bool = False
    is_scheduled: bool = False
    is_template: bool = False
    is_template_approved: bool = False
    is_patient_data_refused: bool = False
    is_out_of_date: bool = False


def way_to(
    *, patient: Patient | None, channel_id: int, channel_kind: str, scheme: str, address: str, at: datetime
) -> Way:
    """What is on record now about this way: switches, opt-outs and bounces are read anew. Four queries."""
    bounced = ContactPoint.objects.filter(scheme=scheme, value=address, bounced_at__isnull=False)
    return Way(
        channel_kind=ChannelKind(channel_kind),
        address=address,
        at=at,
        patient=patient,
        is_channel_active=Channel.objects.filter(pk=channel_id, is_active=True).exists(),
        is_opted_out=is_opted_out(channel_kind, address),
        is_address_bounced=bounced.exists(),
        last_inbound_at=last_inbound_at_of(channel_id, address),
    )


def facts_about(way: Way, purpose: MessagePurpose, content: Content) -> SendFacts:
    """The facts for one purpose on one way, of a message that is there or of one that might be.

    A person's reply passes the do-not-contact and deceased switches only while somebody wrote from this address in
    the last 72 hours: then it is an answer, not a contact of ours.
    """
    patient = way.patient
    is_answer = purpose == MessagePurpose.REPLY and way.was_written_lately
    return SendFacts(
        purpose=purpose,
        channel_kind=way.channel_kind,
        now=way.at,
        has_address=bool(way.address),
        has_content=content.has_content,
        has_unresolved_variable=content.has_unresolved_variable,
        is_channel_active=way.is_channel_active,
        is_opted_out=way.is_opted_out,
        is_address_bounced=way.is_address_bounced,
        is_deceased=bool(patient and patient.deceased_date) and not is_answer,
        is_do_not_contact=bool(patient and patient.is_do_not_contact) and not is_answer,
        consent=_consent(patient, purpose, way.channel_kind),
        is_scheduled=content.is_scheduled,
        is_template=content.is_template,
        is_template_approved=content.is_template_approved,
        is_patient_data_refused=content.is_patient_data_refused,
        is_out_of_date=content.is_out_of_date,
        last_inbound_at=way.last_inbound_at,
        automatic_today=_automatic_before(way) if purpose in AUTOMATIC else 0,
        time_zone=time_zone_of(patient),
        contact_hours=patient.contact_hours if patient else None,
    )


def facts_for(message: Message) -> SendFacts:
    """Facts about one outbound message as they stand now."""
    way = way_to(
        patient=_patient_of(message),
        channel_id=message.channel_id,
        channel_kind=message.channel_kind,
        scheme=message.address_scheme,
        address=message.address,
        at=timezone.now(),
    )
    content = Content(
        has_content=bool(message.text.strip() or message.html or message.template_id or message.attachments.exists()),
        has_unresolved_variable="{{" in message.text and "}}" in message.text,
        is_scheduled=message.scheduled_at is not None,
        is_template=message.template_id is not None,
        is_template_approved=bool(message.template and message.template.status == TemplateStatus.APPROVED),
        is_patient_data_refused=not message.is_sensitive  # of which only a link leaves
        and message.attachments.filter(is_sensitive=True).exists()
        and not may_carry_patient_data(message.channel_id),
        is_out_of_date=not grounds.still_hold(message.pk, message.payload),
    )
    return facts_about(way, MessagePurpose(message.purpose), content)


def may_carry_patient_data(channel_id: int) -> bool:
    """False for a channel whose processor may not carry health information; True where none is registered."""
    forbidden = Channel.objects.filter(pk=channel_id, processor__may_carry_patient_data=False)
    return not forbidden.exists()


def time_zone_of(patient: Patient | None) -> str:
    """IANA name of the patient's time zone; the clinic's where it is not known."""
    return patient.time_zone if patient and patient.time_zone in _ZONES else settings.TIME_ZONE


def is_opted_out(channel_kind: str, address: str) -> bool:
    """True while this address has told us to stop on this kind of channel."""
    return OptOut.objects.filter(channel_kind=channel_kind, address=address, ended_at=None).exists()


def last_inbound_at_of(channel_id: int, address: str) -> datetime | None:
    """When this address last wrote to this channel, whatever interaction it was in."""
    found = _came().tuples(channel_id, address) if address else []
    return found[0][0] if found else None


@prepared
def _came() -> QuerySet[Message]:
    """The last one to the channel 0 from the address 1."""
    found = Message.objects.filter(channel=Given(0), address=Given(1), direction=Direction.INBOUND)
    return found.order_by("-occurred_at").values_list("occurred_at")[:1]  # type: ignore[return-value]


def _patient_of(message: Message) -> Patient | None:
    return Patient.objects.filter(interactions=message.interaction_id).first()


def _consent(patient: Patient | None, purpose: MessagePurpose, channel_kind: str) -> bool | None:
    wanted = _CONSENT_OF.get(purpose)
    return word_on(patient.pk, wanted, channel_kind) if patient is not None and wanted is not None else None


def _automatic_before(way: Way) -> int:
    return Message.objects.filter(
        direction=Direction.OUTBOUND,
        address=way.address,
        purpose__in=AUTOMATIC,
        status__in=[MessageStatus.SENDING, MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ],
        sent_at__gte=way.at - timedelta(hours=24),
    ).count()
