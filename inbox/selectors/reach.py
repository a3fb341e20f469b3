"""How a patient can be reached: would a message go, by which way, at which moment, and why not."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from contact_center.accounts.models import User
from inbox import gate
from inbox.enums import ChannelKind, Direction, MessagePurpose, MessageStatus
from inbox.models import Channel, Message
from inbox.selectors.gate_facts import Content, Way, facts_about, way_to
from inbox.selectors.interactions import interactions_visible_to
from inbox.selectors.outbox import GATE_SENTENCES
from patients.enums import ContactScheme
from patients.models import ContactPoint, Patient

PURPOSES = (
    MessagePurpose.REPLY,
    MessagePurpose.CARE,
    MessagePurpose.REMINDERS,
    MessagePurpose.SURVEYS,
    MessagePurpose.MARKETING,
)
FREE, TEMPLATE = Content(), Content(is_template=True, is_template_approved=True)


@dataclass(frozen=True, slots=True)
class Column:
    """One way of writing to the patient: a channel of ours, on WhatsApp once in free text and once by template."""

    kind: ChannelKind
    title: str | Promise
    address: str
    way: Way
    content: Content


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gate says about one purpose on one way; `until_at` is when it would go if not at that moment."""

    decision: str
    sentence: str
    until_at: datetime | None


def reach_matrix(
    patient: Patient, at: datetime
) -> tuple[list[Column], list[tuple[MessagePurpose, list[tuple[Column, Answer]]]]]:
    """Columns, and for every purpose the gate's answer in each, for a message that would be sent at `at`.

    It is the gate that decides about real messages, with the facts as they stand now. `patient.contact_points` is read.
    The number of queries depends on the number of our channels only.
    """
    columns = _columns(patient, at)
    rows = [(purpose, [(column, _answer(column, purpose)) for column in columns]) for purpose in PURPOSES]
    return columns, rows


def _columns(patient: Patient, at: datetime) -> list[Column]:
    found = []
    for channel in _channels():
        scheme, address = address_at(patient, ChannelKind(channel.kind))
        kind = ChannelKind(channel.kind)
        way = way_to(patient=patient, channel_id=channel.pk, channel_kind=kind, scheme=scheme, address=address, at=at)
        if kind == ChannelKind.WHATSAPP:
            found.append(Column(kind, _("WhatsApp, free text"), address, way, FREE))
            found.append(Column(kind, _("WhatsApp, template"), address, way, TEMPLATE))
        else:
            found.append(Column(kind, kind.label, address, way, FREE))
    return found


def _channels() -> list[Channel]:
    """One channel of ours of each kind that carries messages, an active one where there is one."""
    kinds = (ChannelKind.WHATSAPP, ChannelKind.SMS, ChannelKind.EMAIL)
    rows = Channel.objects.filter(kind__in=kinds).order_by("-is_active", "pk")
    first: dict[str, Channel] = {}
    for row in rows:
        first.setdefault(row.kind, row)
    return [first[kind] for kind in kinds if kind in first]


def address_at(patient: Patient, kind: ChannelKind) -> tuple[str, str]:
    """Scheme and value of the patient's first address for this kind of channel, one that bounces last; empty texts
    when there is none. Reads `patient.contact_points`."""
    scheme = ContactScheme.EMAIL if kind == ChannelKind.EMAIL else ContactScheme.PHONE
    points: list[ContactPoint] = [point for point in patient.contact_points.all() if point.scheme == scheme]
    points.sort(key=lambda point: (point.bounced_at is not None, point.rank, point.pk))
    return (scheme, points[0].value) if points else ("", "")


def _answer(column: Column, purpose: MessagePurpose) -> Answer:
    verdict = gate.decide(facts_about(column.way, purpose, column.content))
    return Answer(str(verdict.decision), str(GATE_SENTENCES[verdict.reason]), verdict.until_at)


def stopped_messages(user: User, patient: Patient, *, limit: int = 50) -> QuerySet[Message]:
    """Messages that were stopped because the patient had died or did not want to be contacted, newest first; those of
    interactions the person may see."""
    reasons = [gate.GateReason.DECEASED, gate.GateReason.DO_NOT_CONTACT]
    found = Message.objects.filter(
        interaction__patient=patient,
        interaction__in=interactions_visible_to(user).values("pk"),
        direction=Direction.OUTBOUND,
        status=MessageStatus.SUPPRESSED,
        gate_reason__in=reasons,
    )
    return found.select_related("interaction", "channel", "author").order_by("-updated_at", "-pk")[:limit]
