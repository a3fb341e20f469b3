"""When a patient has died or does not want to be contacted: what waits to be sent is stopped, and can be looked at."""

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from inbox import realtime, signals
from inbox.enums import Direction, GateDecision, MessagePurpose, MessageStatus
from inbox.gate import GateReason
from inbox.models import Message
from inbox.services.departures import tell_author
from inbox.services.keywords import SEND_LASTS_SECONDS
from inbox.services.locks import hold_for_transaction
from inbox.services.outbox import audit
from patients.models import Patient

M = MessageStatus
LEAVES_ANYWAY = [MessagePurpose.OPT_OUT_CONFIRMATION, MessagePurpose.CODE]
"""Carriers require the first, and the second is what the person asks for at this moment."""


def hold_back(patient: Patient) -> None:
    """Wait until nothing is just leaving to this patient, and let nothing begin to before the transaction ends.

    Raises OperationalError when a send takes longer than a provider may.
    """
    on_the_way = Message.objects.filter(
        interaction__patient=patient, direction=Direction.OUTBOUND, status__in=[M.QUEUED, M.SENDING]
    )
    for kind, address in sorted(set(on_the_way.order_by().values_list("channel_kind", "address"))):
        hold_for_transaction("send", kind, address, wait_seconds=SEND_LASTS_SECONDS)


def stop_messages(patient: Patient, actor: User | None) -> int:
    """Suppress everything that waits to be sent to this patient, also what was put off; returns how much.

    Nothing of it is sent by itself when the switch is taken back: people see it in `stopped_messages` and may send it
    again. Authors are told, but for the actor. Call it last in a transaction that called `hold_back`.
    """
    reason = GateReason.DECEASED if patient.deceased_date else GateReason.DO_NOT_CONTACT
    with realtime.atomic():
        waiting = Message.objects.select_for_update(of=("self",)).select_related("interaction", "author")
        waiting = waiting.filter(interaction__patient=patient, direction=Direction.OUTBOUND, status=M.QUEUED)
        stopped = list(waiting.exclude(purpose__in=LEAVES_ANYWAY).order_by("pk"))
        for message in stopped:
            message.gate_decision, message.gate_reason = GateDecision.SUPPRESS, reason
            message.next_attempt_at = None
            message.suppress()
            message.save()
            audit(actor, AuditAction.CANCELLED, message)
        for message in stopped:
            if actor is None or message.author_id != actor.pk:
                tell_author(message)
            signals.announce(signals.message_status_changed, message_id=message.pk, status=str(message.status))
            realtime.touch(realtime.interaction_topic(message.interaction_id), realtime.OUTBOX_TOPIC)
    return len(stopped)
