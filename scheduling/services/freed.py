"""A visit's time becomes free: it is kept what freed it, so that it can be offered on."""

from datetime import timedelta

from django.utils import timezone

from contact_center.common.wake import wake_on_commit
from scheduling.enums import FreedEnd, Trigger, WishEnd
from scheduling.models import Appointment, CapacityRules, FreedSlot, WaitlistEntry
from scheduling.selectors.openings import is_open

TASK, QUEUE = "scheduling.run_waves", "reminders"


def release(appointment: Appointment, trigger: Trigger, *, taken_by: Appointment | None = None) -> FreedSlot | None:
    """Offer this visit's time on, in the transaction that freed it; None where the service's rules do not want that,
    where nobody sees patients then any more, and for visits beside the agenda.

    `taken_by` is the visit that took the place of this one: who waits for an earlier time goes on waiting with it; who
    waited only because somebody is absent has what they waited for.
    """
    waiting = WaitlistEntry.objects.filter(appointment=appointment, closed_at=None)
    ended = WishEnd.BOOKED if taken_by is not None else WishEnd.WITHDRAWN
    waiting.filter(mass_move_visit__isnull=False).update(closed_at=timezone.now(), closed_for=ended)
    if taken_by is not None:
        waiting.update(appointment=taken_by)
    elif trigger == Trigger.CANCELLED:
        waiting.update(closed_at=timezone.now(), closed_for=WishEnd.WITHDRAWN)
    rules = CapacityRules.objects.filter(service=appointment.service_id, is_offering=True).first()
    now = timezone.now()
    if rules is None or appointment.overbooked_number is not None:
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


def offer_again(service_id: int) -> int:
    """Somebody new waits for this service: times for which nobody was left are offered on; how many."""
    now = timezone.now()
    left = FreedSlot.objects.filter(service=service_id, closed_for=FreedEnd.NOBODY, starts_at__gt=now)
    reopened = left.update(closed_at=None, closed_for="", next_wave_at=now)
    wake_on_commit(TASK, QUEUE)
    return reopened


def _is_open(one: Appointment) -> bool:
    return is_open(one.service, one.practitioner_id, one.location, one.room_id, one.starts_at, one.ends_at)
