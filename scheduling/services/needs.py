"""What must be arranged before a visit: transport, an interpreter, an authorisation, documents."""

from django.db import transaction
from django.utils import timezone

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from scheduling.enums import NeedKind
from scheduling.models import Appointment, Need


def ask_for_needs(appointment: Appointment, previous: Appointment | None = None) -> list[Need]:
    """Write down what this new visit needs, in the caller's transaction: what its service asks for, and an interpreter
    for a patient who has one named. What was settled for the visit it takes the place of stays settled."""
    required = [str(kind) for kind in appointment.service.needs]
    wanted = dict.fromkeys(required, True)
    if appointment.patient.interpreter_language:
        wanted.setdefault(NeedKind.INTERPRETER.value, False)
    known = {one.kind: one for one in previous.needs.all()} if previous else {}
    wanted |= {kind: one.is_required for kind, one in known.items() if kind not in wanted}
    rows = [Need(appointment=appointment, kind=kind, is_required=is_required) for kind, is_required in wanted.items()]
    for row in rows:
        before = known.get(row.kind)
        if before is not None:
            row.note, row.settled_at, row.settled_by = before.note, before.settled_at, before.settled_by
    return Need.objects.bulk_create(rows)


def open_needs(appointment: Appointment) -> list[str]:
    """The kinds that are required and not settled."""
    rows = Need.objects.filter(appointment=appointment, is_required=True, settled_at=None)
    return list(rows.values_list("kind", flat=True))


def settle_need(*, actor: User, appointment_id: int, kind: NeedKind) -> Need:
    """It is arranged. One that nobody asked for is written down as arranged; doing it again changes nothing.

    Raises PermissionDenied, Appointment.DoesNotExist.
    """
    return _set(actor, appointment_id, kind, is_settled=True)


def reopen_need(*, actor: User, appointment_id: int, kind: NeedKind) -> Need:
    """It must be arranged after all. Raises as `settle_need`."""
    return _set(actor, appointment_id, kind, is_settled=False)


def ask_by_patient(appointment: Appointment, kind: NeedKind) -> None:
    """The patient asks for it, in the caller's transaction; what is asked for or arranged already stays so."""
    Need.objects.get_or_create(appointment=appointment, kind=kind)


def _set(actor: User, appointment_id: int, kind: NeedKind, *, is_settled: bool) -> Need:
    from scheduling.services.booking import lock_appointment, require_booker

    require_booker(actor)
    with transaction.atomic():
        appointment = lock_appointment(actor, appointment_id)
        need, is_new = Need.objects.get_or_create(appointment=appointment, kind=kind)
        if is_new or bool(need.settled_at) != is_settled:
            need.settled_at, need.settled_by = (timezone.now(), actor) if is_settled else (None, None)
            need.save()
            record(
                actor=actor,
                action=AuditAction.CHANGED,
                object_type="appointment",
                object_id=appointment.pk,
                patient_id=appointment.patient_id,
                need=str(kind),
                is_settled=is_settled,
            )
        return need
