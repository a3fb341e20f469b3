"""Making missed visits good: a message the same day, calls, then a clinician looks at it.

Children do not miss visits, they are not brought: nobody writes "we missed you", a person calls those who care for
them, and a clinician sees it at once.
"""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django_fsm import TransitionNotAllowed

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Refused
from contact_center.common.prepared import Given, planned
from scheduling.ages import is_child
from scheduling.enums import AppointmentStatus, Barrier, RecoveryPath, RecoveryStatus
from scheduling.models import Appointment, NoShowRecovery
from scheduling.policies import can_book
from scheduling.selectors.recovery import recoveries_visible_to

CALL_AT = time(9, 30)
MOST_CALLS = 3
LASTS = timedelta(days=60)
SWEPT = 200
S, R = AppointmentStatus, RecoveryStatus


def follow(appointment: Appointment) -> None:
    """Keep the recovery true to what became of a visit, in the transaction that changed it.

    A missed visit opens one; a missed one that was not so ends it; a visit booked in place of a missed one makes it
    good when it is attended, and brings it back when it is missed or cancelled as well.
    """
    if appointment.status == S.NOSHOW:
        _open(appointment)
    else:
        own = NoShowRecovery.objects.select_for_update(of=("self",)).filter(appointment=appointment).first()
        if own is not None and own.status not in (R.VOID, R.RECOVERED, R.EXPIRED):
            own.void()
            own.save()
    for row in _rebooked_as(appointment):
        if appointment.status == S.FULFILLED:
            row.recover()
            row.save()
        elif appointment.status in (S.NOSHOW, S.CANCELLED, S.ENTERED_IN_ERROR):
            row.fall_back()
            row.call_due_at = next_call(appointment, timezone.now())
            row.save()


def note_booked(appointment: Appointment) -> None:
    """A visit was booked: missed ones of the patient for the same service are booked again, in the caller's
    transaction. A visit that was moved carries on for the one it took the place of."""
    if appointment.previous_id:
        NoShowRecovery.objects.filter(rebooked_as=appointment.previous_id, status=R.REBOOKED).update(
            rebooked_as=appointment
        )
        return
    for row in _missed().ask(appointment.patient_id, appointment.service_id, timezone.now() - LASTS):
        row.rebook(appointment)
        row.save()


@planned
def _missed() -> QuerySet[NoShowRecovery]:
    """Of the patient 0 for the service 1, missed after the moment 2; locked."""
    return NoShowRecovery.objects.select_for_update(of=("self",)).filter(
        patient=Given(0), appointment__service=Given(1), appointment__noshow_at__gt=Given(2),
        status__in=[R.OPEN, R.CONTACTING, R.UNREACHABLE, R.DECLINED],
    )  # fmt: skip


def carry_on(*, now: datetime | None = None) -> int:
    """What time brings: whoever was told is being contacted, and what lies too far back is over; how many changed."""
    moment, changed = now or timezone.now(), 0
    rows = NoShowRecovery.objects.select_for_update(skip_locked=True, of=("self",)).select_related("appointment")
    with transaction.atomic():
        old = rows.filter(status__in=[R.OPEN, R.CONTACTING], created_at__lt=moment - LASTS, flagged_at=None)
        for row in old.order_by("pk")[:SWEPT]:
            row.expire()
            row.save()
            changed += 1
        told = rows.filter(status=R.OPEN, appointment__reminders__kind="missed")
        for row in told.filter(appointment__reminders__handed_at__isnull=False).order_by("pk")[:SWEPT]:
            row.begin()
            row.save()
            changed += 1
    return changed


def note_call(*, actor: User, recovery_id: int) -> NoShowRecovery:
    """Somebody called and reached nobody. After the third call a clinician shall look at it.

    Raises Refused when it is over, PermissionDenied, NoShowRecovery.DoesNotExist.
    """

    def change(row: NoShowRecovery) -> None:
        _begin(row)
        row.calls += 1
        row.call_due_at = next_call(row.appointment, timezone.now())
        if row.calls >= MOST_CALLS:
            row.flagged_at, row.call_due_at = row.flagged_at or timezone.now(), None

    return _change(actor, recovery_id, change)


def note_barrier(*, actor: User, recovery_id: int, barrier: str, note: str = "") -> NoShowRecovery:
    """Somebody spoke with the patient and knows what got in the way. Raises as `note_call`, and ValueError."""
    known = Barrier(barrier)

    def change(row: NoShowRecovery) -> None:
        if row.status == R.OPEN:
            row.begin()
        row.barrier, row.note = known, note.strip()[:240]

    return _change(actor, recovery_id, change, is_open_only=False, barrier=str(known))


def decline(*, actor: User, recovery_id: int) -> NoShowRecovery:
    """The patient wants no new visit. A child's stays for a clinician to look at. Raises as `note_call`."""

    def change(row: NoShowRecovery) -> None:
        row.decline()
        row.call_due_at = None

    return _change(actor, recovery_id, change)


def review(*, actor: User, recovery_id: int) -> NoShowRecovery:
    """A clinician has looked at it; one that nobody reached ends with that. Raises as `note_call`."""

    def change(row: NoShowRecovery) -> None:
        if row.flagged_at is None:
            raise Refused(_("Nobody asked a clinician to look at this."))
        row.reviewed_at, row.reviewed_by = timezone.now(), actor
        if row.status in (R.OPEN, R.CONTACTING) and row.calls >= MOST_CALLS:
            row.give_up()

    return _change(actor, recovery_id, change, is_open_only=False)


def next_call(appointment: Appointment, now: datetime) -> datetime:
    """Half past nine of the next working day at the visit's site."""
    zone = ZoneInfo(appointment.location.time_zone)
    day = now.astimezone(zone).date() + timedelta(days=1)
    while day.weekday() > 4:
        day += timedelta(days=1)
    return datetime.combine(day, CALL_AT, tzinfo=zone)


def _open(appointment: Appointment) -> None:
    now = timezone.now()
    is_minor = is_child(appointment.patient.birth_date, appointment.visit_date)
    row = NoShowRecovery.objects.select_for_update(of=("self",)).filter(appointment=appointment).first()
    row = row or NoShowRecovery(appointment=appointment, patient_id=appointment.patient_id)
    if row.status == R.VOID:
        row.reopen()
    row.path = RecoveryPath.NOT_BROUGHT if is_minor else RecoveryPath.MISSED
    row.call_due_at = now if is_minor else next_call(appointment, now)
    row.flagged_at = now if is_minor else None
    row.save()


def _rebooked_as(appointment: Appointment) -> list[NoShowRecovery]:
    rows = NoShowRecovery.objects.select_for_update(of=("self",)).filter(rebooked_as=appointment, status=R.REBOOKED)
    return list(rows.order_by("pk"))


def _begin(row: NoShowRecovery) -> None:
    if row.status == R.OPEN:
        row.begin()
    elif row.status != R.CONTACTING:
        raise Refused(_("This is over."))


def _change(
    actor: User,
    recovery_id: int,
    change: Callable[[NoShowRecovery], None],
    *,
    is_open_only: bool = True,
    **detail: object,
) -> NoShowRecovery:
    if not can_book(actor):
        raise PermissionDenied
    with transaction.atomic():
        visible = recoveries_visible_to(actor).values_list("pk", flat=True).get(pk=recovery_id)
        rows = NoShowRecovery.objects.select_for_update(of=("self",)).select_related("appointment__location")
        row = rows.get(pk=visible)
        if is_open_only and row.status not in (R.OPEN, R.CONTACTING):
            raise Refused(_("This is over."))
        try:
            change(row)
        except TransitionNotAllowed:
            raise Refused(_("This is over.")) from None
        row.save()
        record(
            actor=actor,
            action=AuditAction.CHANGED,
            object_type="recovery",
            object_id=row.pk,
            patient_id=row.patient_id,
            status=str(row.status),
            **detail,
        )
        return row
