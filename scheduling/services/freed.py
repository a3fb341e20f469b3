"""A visit's time becomes free: it is kept what freed it, so that it can be offered on, and who waited with it goes on
waiting or waits no more."""

from datetime import timedelta

from django.utils import timezone

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.wake import wake_on_commit
from scheduling.enums import AppointmentStatus, FreedEnd, Trigger, WishEnd
from scheduling.models import Appointment, CapacityRules, FreedSlot, GroupSession, MassMoveVisit, WaitlistEntry
from scheduling.selectors.openings import is_open

TASK, QUEUE = "scheduling.run_waves", "reminders"


def release(appointment: Appointment, trigger: Trigger, *, taken_by: Appointment | None = None) -> FreedSlot | None:
    """Offer this visit's time on, in the transaction that freed it; None where the service's rules do not want that,
    where nobody sees patients then any more, for visits beside the agenda and those of a group that was called off.

    `taken_by` is the visit that took the place of this one: who waits for an earlier time goes on waiting with it; who
    waited only because somebody is absent has what they waited for, or waits on with another visit that cannot take
    place either.
    """
    waiting = WaitlistEntry.objects.select_for_update(of=("self",)).filter(appointment=appointment, closed_at=None)
    for entry in waiting.order_by("pk"):
        _wait_on_or_end(entry, trigger, taken_by)
    rules = CapacityRules.objects.filter(service=appointment.service_id, is_offering=True).first()
    now = timezone.now()
    if rules is None or appointment.overbooked_number is not None or _is_called_off(appointment):
        return None
    if appointment.starts_at - timedelta(minutes=rules.cut_off_minutes) <= now or not _is_open(appointment):
        return None
    freed, _is_new = FreedSlot.objects.get_or_create(
        freed_by=appointment,
        defaults={
            "trigger": trigger,
            "service_id": appointment.service_id,
            "practitioner_id": appointment.practitioner_id,
            "location_id": appointment.location_id,
            "room_id": appointment.room_id,
            "mode": appointment.mode,
            "starts_at": appointment.starts_at,
            "ends_at": appointment.ends_at,
            "next_wave_at": max(now, appointment.starts_at - timedelta(days=rules.horizon_days)),
        },
    )
    wake_on_commit(TASK, QUEUE)
    return freed


def end_wait(entry: WaitlistEntry, why: WishEnd, *, actor: User | None = None) -> None:
    """This patient waits no more; the caller has the entry's lock. What is offered to them cannot be accepted from now
    on and is taken back by the next run: whoever accepts locks the freed time before the visit, callers here after it.
    """
    entry.closed_at, entry.closed_for = timezone.now(), why
    entry.save()
    record(
        actor=actor, action=AuditAction.CHANGED, object_type="waitlist_entry", object_id=entry.pk,
        patient_id=entry.patient_id, closed_for=str(why),
    )  # fmt: skip
    wake_on_commit(TASK, QUEUE)


def offer_again(service_id: int) -> int:
    """Somebody new waits for this service: times for which nobody was left are offered on; how many."""
    now = timezone.now()
    left = FreedSlot.objects.filter(service=service_id, closed_for=FreedEnd.NOBODY, starts_at__gt=now)
    reopened = left.update(closed_at=None, closed_for="", next_wave_at=now)
    wake_on_commit(TASK, QUEUE)
    return reopened


def _wait_on_or_end(entry: WaitlistEntry, trigger: Trigger, taken_by: Appointment | None) -> None:
    begun_by = MassMoveVisit.objects.filter(entry=entry).first()
    if begun_by is not None and _hand_on(entry, begun_by):
        return
    if begun_by is None and taken_by is not None:
        entry.appointment = taken_by
        entry.save()
    elif begun_by is not None or trigger == Trigger.CANCELLED:
        end_wait(entry, WishEnd.BOOKED if taken_by is not None else WishEnd.WITHDRAWN)


def _hand_on(entry: WaitlistEntry, begun_by: MassMoveVisit) -> bool:
    """Whether the patient has another visit of the service that an absence concerns, which the wait is for from now on.
    One that is just being changed is passed over: it ends or goes on by itself, and nobody waits for the other."""
    others = MassMoveVisit.objects.select_for_update(skip_locked=True, of=("self", "appointment")).filter(
        appointment__patient=entry.patient_id, appointment__service=entry.service_id, entry=None,
        appointment__status=AppointmentStatus.BOOKED, appointment__starts_at__gt=timezone.now(),
    )  # fmt: skip
    other = others.exclude(appointment=begun_by.appointment_id).select_related("appointment").first()
    if other is None:
        return False
    begun_by.entry = None
    begun_by.save()
    other.entry = entry
    other.save()
    entry.appointment, entry.mode = other.appointment, other.appointment.mode
    entry.save()
    entry.locations.set([other.appointment.location_id])
    return True


def _is_called_off(one: Appointment) -> bool:
    """Whether the whole group was cancelled or moved."""
    if one.session_id is None:
        return False
    return GroupSession.objects.filter(pk=one.session_id, cancelled_at__isnull=False).exists()


def _is_open(one: Appointment) -> bool:
    return is_open(one.service, one.practitioner_id, one.location, one.room_id, one.starts_at, one.ends_at)
