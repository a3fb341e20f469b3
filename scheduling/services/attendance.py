"""What becomes of a visit: confirmed, arrived, attended, missed."""

from collections.abc import Callable

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_fsm import TransitionNotAllowed

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.common.errors import Refused
from scheduling import signals
from scheduling.enums import AppointmentStatus, Confirmation
from scheduling.models import Appointment, Occupancy
from scheduling.policies import can_book
from scheduling.services.booking import lock_appointment, note


def confirm(*, actor: User | None, appointment_id: int) -> Appointment:
    """The patient will come. Confirming again changes nothing. Raises Refused once it began or is cancelled."""
    return _answer(actor, appointment_id, Confirmation.CONFIRMED)


def decline(*, actor: User | None, appointment_id: int) -> Appointment:
    """The patient will not come as booked; the visit stands until it is moved or cancelled. Raises as `confirm`."""
    return _answer(actor, appointment_id, Confirmation.DECLINED)


def arrive(*, actor: User, appointment_id: int) -> Appointment:
    """The patient is here, late ones who were marked as missing too. Raises Refused, Appointment.DoesNotExist."""
    return _move_on(actor, appointment_id, Appointment.arrive)


def check_in(*, actor: User, appointment_id: int) -> Appointment:
    """The papers are in order. Raises as `arrive`."""
    return _move_on(actor, appointment_id, Appointment.check_in)


def fulfil(*, actor: User, appointment_id: int) -> Appointment:
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
    with transaction.atomic():
        appointment = _move_on(actor, appointment_id, Appointment.discard)
        Occupancy.objects.filter(appointment=appointment).delete()
        return appointment


def _answer(actor: User | None, appointment_id: int, answer: Confirmation) -> Appointment:
    _require(actor)
    with transaction.atomic():
        appointment = lock_appointment(actor, appointment_id)
        if appointment.status != AppointmentStatus.BOOKED or appointment.starts_at <= timezone.now():
            raise Refused(_("This visit cannot be confirmed any more."))
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
        return appointment


def _require(actor: User | None) -> None:
    if actor is not None and not can_book(actor):
        raise PermissionDenied


def _keep(actor: User | None, appointment: Appointment, *fields: str) -> None:
    appointment.save()
    note(actor, AuditAction.CHANGED, appointment, fields=list(fields))
    ids = {"appointment_id": appointment.pk, "patient_id": appointment.patient_id}
    signals.announce(signals.appointment_changed, **ids)
