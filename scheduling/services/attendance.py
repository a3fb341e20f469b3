"""What becomes of a visit: confirmed, arrived, attended, missed."""

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_fsm import TransitionNotAllowed

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.common.errors import Refused
from inbox import realtime
from scheduling import signals
from scheduling.enums import AppointmentStatus, Confirmation, NeedKind, Trigger
from scheduling.models import Appointment, Occupancy
from scheduling.policies import can_book
from scheduling.services import recovery
from scheduling.services.booking import lock_appointment, note
from scheduling.services.freed import release
from scheduling.services.needs import ask_by_patient, open_needs
from scheduling.services.reminders import plan_afterwards, withdraw
from scheduling.services.seats import give_back


class NeedsOpen(Refused):
    """Something obligatory is not arranged yet; `kinds` are the `NeedKind`s."""

    def __init__(self, kinds: list[str]) -> None:
        needs = ", ".join(str(NeedKind(kind).label) for kind in kinds)
        super().__init__(_("Before it can be confirmed, this must be arranged: %(needs)s.") % {"needs": needs})
        self.kinds = kinds


def confirm(*, actor: User | None, appointment_id: int) -> Appointment:
    """The patient will come. Confirming again changes nothing.

    Raises Refused once it began or is cancelled, NeedsOpen while something obligatory is not arranged.
    """
    return _answer(actor, appointment_id, Confirmation.CONFIRMED)


def decline(*, actor: User | None, appointment_id: int) -> Appointment:
    """The patient will not come as booked; the visit stands until it is moved or cancelled. Raises as `confirm`."""
    return _answer(actor, appointment_id, Confirmation.DECLINED)


def note_prepared(*, appointment_id: int, words: str = "", needs: Collection[NeedKind] = ()) -> Appointment:
    """The patient has read how to prepare, and says what else we should know or arrange.

    Raises Refused once the visit began or is cancelled, Appointment.DoesNotExist.
    """
    with transaction.atomic():
        appointment = lock_appointment(None, appointment_id)
        if appointment.status != AppointmentStatus.BOOKED or appointment.starts_at <= timezone.now():
            raise Refused(_("This visit has begun or is over."))
        appointment.prepared_at = appointment.prepared_at or timezone.now()
        appointment.patient_words = words.strip()[:500] or appointment.patient_words
        for kind in needs:
            ask_by_patient(appointment, kind)
        _keep(None, appointment, "prepared_at")
        return appointment


def arrive(*, actor: User, appointment_id: int) -> Appointment:
    """The patient is here, late ones who were marked as missing too. Raises Refused, Appointment.DoesNotExist."""
    return _move_on(actor, appointment_id, Appointment.arrive)


def check_in(*, actor: User | None, appointment_id: int) -> Appointment:
    """The papers are in order. Raises as `arrive`."""
    return _move_on(actor, appointment_id, Appointment.check_in)


def fulfil(*, actor: User | None, appointment_id: int) -> Appointment:
    """The visit took place. Raises as `arrive`."""
    return _move_on(actor, appointment_id, Appointment.fulfil)


def mark_missed(*, actor: User | None, appointment_id: int) -> Appointment:
    """The patient did not come. Raises Refused before the visit's time, else as `arrive`."""
    return _move_on(actor, appointment_id, Appointment.miss, is_after_start=True)


def take_back_missed(*, actor: User, appointment_id: int) -> Appointment:
    """It was not so: the visit stands as before. Raises as `arrive`."""
    return _move_on(actor, appointment_id, Appointment.take_back_miss)


def discard(*, actor: User, appointment_id: int) -> Appointment:
    """It should never have been there; its time is free at once. Raises as `arrive`."""
    with realtime.atomic():
        appointment = _move_on(actor, appointment_id, Appointment.discard)
        give_back(Occupancy.objects.filter(appointment=appointment))
        withdraw(appointment)
        release(appointment, Trigger.DISCARDED)
        return appointment


def mark_missed_visits() -> int:
    """Mark the visits whose patients did not come within the grace of their service's rules; how many.

    Where a service names no grace, only people say so. Visits older than a day are left to people: an agenda that
    nobody kept up shall not turn into a thousand missed visits.
    """
    now, marked = timezone.now(), 0
    rows = Appointment.objects.filter(status=AppointmentStatus.BOOKED, service__capacity_rules__grace_minutes__gte=0)
    rows = rows.filter(starts_at__gt=now - timedelta(days=1), starts_at__lte=now)
    rules = rows.values_list("pk", "starts_at", "service__capacity_rules__grace_minutes")
    for pk, starts_at, grace in rules.order_by("starts_at", "pk"):
        if now < starts_at + timedelta(minutes=grace):
            continue
        with suppress(Refused, Appointment.DoesNotExist):  # arrived or cancelled meanwhile
            mark_missed(actor=None, appointment_id=pk)
            marked += 1
    return marked


def _answer(actor: User | None, appointment_id: int, answer: Confirmation) -> Appointment:
    _require(actor)
    with transaction.atomic():
        appointment = lock_appointment(actor, appointment_id)
        if appointment.status != AppointmentStatus.BOOKED or appointment.starts_at <= timezone.now():
            raise Refused(_("This visit cannot be confirmed any more."))
        missing = open_needs(appointment) if answer == Confirmation.CONFIRMED else []
        if missing:
            raise NeedsOpen(missing)
        if appointment.confirmation != answer:
            appointment.confirmation = answer
            appointment.confirmed_at = timezone.now() if answer == Confirmation.CONFIRMED else None
            _keep(actor, appointment, "confirmation")
        return appointment


def _move_on(
    actor: User | None, appointment_id: int, transition: Callable[[Appointment], None], *, is_after_start: bool = False
) -> Appointment:
    _require(actor)
    with transaction.atomic():
        appointment = lock_appointment(actor, appointment_id)
        if is_after_start and appointment.starts_at > timezone.now():
            raise Refused(_("The time of this visit has not come yet."))
        try:
            transition(appointment)
        except TransitionNotAllowed:
            state = AppointmentStatus(appointment.status).label
            raise Refused(_("This cannot be done with a visit that is “%(state)s”.") % {"state": state}) from None
        _keep(actor, appointment, "status")
        plan_afterwards(appointment)
        recovery.follow(appointment)
        return appointment


def _require(actor: User | None) -> None:
    if actor is not None and not can_book(actor):
        raise PermissionDenied


def _keep(actor: User | None, appointment: Appointment, *fields: str) -> None:
    appointment.save()
    note(actor, AuditAction.CHANGED, appointment, fields=list(fields))
    ids = {"appointment_id": appointment.pk, "patient_id": appointment.patient_id}
    signals.announce(signals.appointment_changed, **ids)
