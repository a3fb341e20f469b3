"""The desk writes first: a conversation that no message of the patient began."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.common.errors import Conflict, Refused
from inbox import gate, realtime, signals
from inbox.enums import DONE, ChannelKind, Direction, GateDecision, InteractionStatus, TimelineKind
from inbox.models import Channel, Interaction, Message, MessageTemplate, Reason
from inbox.policies import can_start
from inbox.selectors.gate_facts import facts_for
from inbox.selectors.outbox import GATE_SENTENCES
from inbox.services.interactions import conclude, require
from inbox.services.labels import set_reason
from inbox.services.locks import hold_for_transaction
from inbox.services.replies import SENDABLE, reply
from inbox.services.uploads import move_in
from patients.enums import ContactScheme
from patients.models import Patient
from patients.selectors.access import may_open
from patients.selectors.people import match_patients
from patients.services.addresses import normalise_address


class AlreadyOpen(Conflict):
    """There is a live conversation with this address on this channel; `interaction_id` names it."""

    def __init__(self, why: str, interaction_id: int | None = None) -> None:
        super().__init__(why)
        self.interaction_id = interaction_id


@dataclass(frozen=True, slots=True)
class _Recipient:
    patient: Patient | None
    scheme: str
    value: str
    is_shared: bool = False


def start_conversation(
    *,
    actor: User,
    channel: Channel,
    reason: Reason,
    patient: Patient | None = None,
    address: str = "",
    text: str = "",
    subject: str = "",
    template: MessageTemplate | None = None,
    template_variables: dict[str, str] | None = None,
    idempotency_key: str = "",
    held_seconds: int = 0,
    upload_ids: Sequence[int] = (),
    is_unchecked_taken_on: bool = False,
) -> Interaction:
    """Write to a patient, or to an address as somebody spelled it, in a new conversation that `actor` owns.

    Without `address` the patient's first one on that channel. An address that exactly one patient has is linked to
    them, as when they write, unless their record is hidden from `actor`. The gate is asked before anything is stored:
    what it would not let out raises Refused with its sentence, what it postpones waits. The same `idempotency_key`
    starts one conversation. `upload_ids` are files that wait in the form of that key; refused, they go on waiting.

    Raises AlreadyOpen when one is open there, and Refused for what `reply` refuses, a channel that is off, an address
    that is none or not the patient's, and a reason that the actor may not use.
    """
    require(can_start(actor, patient), _("You may not start this conversation."))
    require(channel.kind in SENDABLE and channel.is_active, _("This channel is switched off."))
    to = _recipient(actor, channel, patient, address)
    with realtime.atomic():
        hold_for_transaction("thread", channel.pk, to.value)  # as an inbound message of this person does
        known = _started_before(channel, to, idempotency_key)
        if known is not None:
            return known
        interaction = _opened(actor, channel, to, subject)
        set_reason(actor=actor, interaction_id=interaction.pk, reason=reason)
        move_in(interaction, actor=actor, box=idempotency_key, ids=upload_ids)
        message = reply(
            actor=actor,
            interaction_id=interaction.pk,
            text=text,
            upload_ids=upload_ids,
            is_unchecked_taken_on=is_unchecked_taken_on,
            template=template,
            template_variables=template_variables,
            idempotency_key=idempotency_key,
            held_seconds=held_seconds,
        )
        verdict = gate.decide(facts_for(message))
        if verdict.decision == GateDecision.SUPPRESS:
            raise Refused(str(GATE_SENTENCES[verdict.reason]))
        interaction.refresh_from_db()
        return interaction


def _recipient(actor: User, channel: Channel, patient: Patient | None, address: str) -> _Recipient:
    scheme = ContactScheme.EMAIL if channel.kind == ChannelKind.EMAIL else ContactScheme.PHONE
    if patient is None:
        value = _normalised(scheme, address)
        matches = match_patients(scheme, value)
        is_known = len(matches) == 1 and may_open(actor, matches[0])
        if not is_known:
            _refuse_unwanted(matches)
        return _Recipient(matches[0] if is_known else None, scheme, value, len(matches) > 1)
    points = [point for point in patient.contact_points.all() if point.scheme == scheme]
    wanted = _normalised(scheme, address) if address.strip() else ""
    usable = [point for point in points if point.value == wanted or (not wanted and not point.bounced_at)]
    require(bool(usable), _("The patient has no such address. Add it to the record first."))
    is_shared = len(match_patients(scheme, usable[0].value)) > 1
    return _Recipient(patient, scheme, usable[0].value, is_shared)


def _refuse_unwanted(matches: list[Patient]) -> None:
    """The gate looks at whom a conversation is linked to; where that is nobody, the wishes at the address count."""
    if matches and all(one.is_do_not_contact or one.deceased_date for one in matches):
        is_dead = all(one.deceased_date for one in matches)
        raise Refused(str(GATE_SENTENCES[gate.GateReason.DECEASED if is_dead else gate.GateReason.DO_NOT_CONTACT]))


def _normalised(scheme: str, address: str) -> str:
    try:
        return normalise_address(scheme, address)
    except ValidationError as error:
        raise Refused(error.messages[0]) from error


def _started_before(channel: Channel, to: _Recipient, key: str) -> Interaction | None:
    if not key:
        return None
    sent = Message.objects.filter(address=to.value, channel=channel, direction=Direction.OUTBOUND, idempotency_key=key)
    message = sent.select_related("interaction").first()
    return message.interaction if message else None


def _opened(actor: User, channel: Channel, to: _Recipient, subject: str) -> Interaction:
    is_mail = channel.kind == ChannelKind.EMAIL
    key = f"started:{uuid4().hex}" if is_mail else to.value
    live = Interaction.objects.filter(channel=channel, thread_key=key).exclude(status__in=DONE).first()
    if live is not None:
        raise AlreadyOpen(_("There is an open conversation with this person on this channel already."), live.pk)
    interaction = Interaction(
        channel=channel,
        channel_kind=channel.kind,
        direction=Direction.OUTBOUND,
        thread_key=key,
        contact_scheme=to.scheme,
        contact_value=to.value,
        patient=to.patient,
        is_contact_shared=to.is_shared and to.patient is None,
        queue=channel.queue,
        owner=actor,
        status=InteractionStatus.ACTIVE,
        subject=subject.strip()[:240] if is_mail else "",
        language=to.patient.language if to.patient else "",
    )
    try:
        with transaction.atomic():
            interaction.save(force_insert=True)
    except IntegrityError as error:  # somebody else started it at the same moment
        raise AlreadyOpen(_("There is an open conversation with this person on this channel already.")) from error
    conclude(interaction, actor=actor, kind=TimelineKind.OPENED, action=AuditAction.CREATED)
    signals.announce(signals.interaction_opened, interaction_id=interaction.pk)
    return interaction
