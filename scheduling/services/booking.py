"""Booking, moving and cancelling. `claiming` takes the time they need, `holds` keeps it for a while."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict, Refused
from contact_center.common.prepared import Given, planned
from contact_center.common.rows import insert_row
from patients.models import Patient
from patients.selectors.people import get_patient_for
from scheduling import signals
from scheduling.enums import OCCUPYING, AppointmentStatus, Confirmation, Party, Trigger
from scheduling.models import Appointment, AppointmentSeries, ExternalVisit, Occupancy, Practitioner
from scheduling.policies import can_book
from scheduling.selectors.appointments import appointments_visible_to, overlapping
from scheduling.services import recovery
from scheduling.services.claiming import Plan, SlotTaken, Wish, occupy, plan_for, queue_up, session_of, settle
from scheduling.services.freed import release
from scheduling.services.needs import ask_for_needs
from scheduling.services.reminders import plan_visit, withdraw
from scheduling.services.seats import give_back

__all__ = ["SlotTaken", "Wish", "book", "cancel", "lock_appointment", "move", "note", "require_booker"]

MOST_VISITS = 8


def book(
    *,
    actor: User | None,
    patient_id: int,
    wishes: Sequence[Wish],
    may_overlap: bool = False,
    is_overbooking: bool = False,
    held_as: Collection[UUID] = (),
) -> list[Appointment]:
    """Book these visits together, all or none. `actor` None stands for the patient.

    `may_overlap` lets the patient have two visits at once, which staff are asked about first. `is_overbooking` puts
    the visit beside the practitioner's agenda, within the practitioner's daily limit; only staff may. What was held
    under the tokens `held_as` for a choice that was made otherwise is given back.
    Raises SlotTaken, Refused (in words), PermissionDenied, Patient.DoesNotExist.
    """
    require_booker(actor)
    if not wishes or len(wishes) > MOST_VISITS:
        raise Refused(_("Choose between one and eight visits."))
    plans = [plan_for(wish, is_overbooking=is_overbooking and actor is not None) for wish in wishes]
    if is_overbooking and any(plan.service.is_group for plan in plans):
        raise Refused(_("A group has its places. Nobody can be booked beside them."))

    def work() -> list[Appointment]:
        patient = bookable_patient(actor, patient_id)
        queue_up(plans)
        known = _booked_before(patient, plans)
        if known:
            return known
        give_back(Occupancy.objects.filter(hold_token__in=held_as))
        return [
            book_one(actor, patient, plan, may_overlap=may_overlap, is_overbooking=is_overbooking) for plan in plans
        ]

    return settle(work, plans)


def move(
    *,
    actor: User | None,
    appointment_id: int,
    wish: Wish,
    asked_by: str,
    reason: str,
    may_overlap: bool = False,
) -> Appointment:
    """Book another time in place of this visit; the new one points back to it, and what other
    systems call it goes along. Nothing changes when that fails.

    Raises SlotTaken, Conflict when it was moved or cancelled meanwhile, Refused, PermissionDenied,
    Appointment.DoesNotExist.
    """
    require_booker(actor)
    plan = plan_for(wish)

    def work() -> Appointment:
        old = lock_appointment(actor, appointment_id)
        known = _booked_before(old.patient, [plan])
        if known:
            return known[0]
        require_movable(old)
        queue_up([plan])
        bookable_patient(actor, old.patient_id)
        leave_time(old, asked_by=asked_by, reason=reason)
        return book_instead(actor, old, plan, may_overlap=may_overlap)

    return settle(work, [plan])


def leave_time(old: Appointment, *, asked_by: str, reason: str) -> None:
    """The first half of a move: the visit will not take place, and its time is not taken."""
    give_back(Occupancy.objects.filter(appointment=old))
    old.cancel(asked_by=Party(asked_by), reason=reason_of(reason))
    old.save()
    withdraw(old)


def book_instead(actor: User | None, old: Appointment, plan: Plan, *, may_overlap: bool) -> Appointment:
    """The second half of a move: another visit in place of one that has left its time."""
    new = book_one(actor, old.patient, plan, previous=old, may_overlap=may_overlap)
    ExternalVisit.objects.filter(appointment=old).update(appointment=new)
    release(old, Trigger.MOVED, taken_by=new)
    ids = {"appointment_id": new.pk, "previous_id": old.pk, "patient_id": old.patient_id}
    signals.announce(signals.appointment_moved, **ids)
    return new


def cancel(*, actor: User | None, appointment_id: int, asked_by: str, reason: str) -> Appointment:
    """The visit will not take place; its time is free at once. Cancelling again changes nothing.

    Raises Refused for a visit that began or is over, PermissionDenied, Appointment.DoesNotExist.
    """
    require_booker(actor)

    def work() -> Appointment:
        appointment = lock_appointment(actor, appointment_id)
        if appointment.status == AppointmentStatus.CANCELLED:
            return appointment
        require_movable(appointment)
        return cancel_locked(actor, appointment, asked_by=asked_by, reason=reason)

    return settle(work, [])


def cancel_locked(actor: User | None, appointment: Appointment, *, asked_by: str, reason: str) -> Appointment:
    """What `cancel` does with a visit that can be cancelled, once the caller has its lock."""
    appointment.cancel(asked_by=Party(asked_by), reason=reason_of(reason))
    appointment.save()
    give_back(Occupancy.objects.filter(appointment=appointment))
    withdraw(appointment)
    release(appointment, Trigger.CANCELLED)
    recovery.follow(appointment)
    note(actor, AuditAction.CANCELLED, appointment, asked_by=str(asked_by))
    ids = {"appointment_id": appointment.pk, "patient_id": appointment.patient_id}
    signals.announce(signals.appointment_cancelled, **ids)
    return appointment


def lock_appointment(actor: User | None, appointment_id: int) -> Appointment:
    """The row, locked, when this person may see its patient. Call it in a transaction.

    Raises Appointment.DoesNotExist.
    """
    rows = Appointment.objects.select_for_update(of=("self",)).select_related("patient", "service")
    appointment = rows.get(pk=appointment_id)
    if actor is not None and not appointments_visible_to(actor).filter(pk=appointment_id).exists():
        raise Appointment.DoesNotExist
    return appointment


def note(actor: User | None, action: AuditAction, appointment: Appointment, **detail: object) -> None:
    """Leave the entry in the audit trail."""
    record(
        actor=actor,
        action=action,
        object_type="appointment",
        object_id=appointment.pk,
        patient_id=appointment.patient_id,
        **detail,
    )


def require_booker(actor: User | None) -> None:
    """Raise PermissionDenied for a person who may not book; None stands for the patient."""
    if actor is not None and not can_book(actor):
        raise PermissionDenied


def require_movable(appointment: Appointment) -> None:
    """Raise Conflict or Refused for a visit that can be neither moved nor cancelled."""
    if hasattr(appointment, "next"):
        raise Conflict(_("This visit has been moved meanwhile."))
    if appointment.status == AppointmentStatus.CANCELLED:
        raise Conflict(_("This visit has been cancelled meanwhile."))
    if appointment.status not in (AppointmentStatus.PENDING, AppointmentStatus.BOOKED):
        raise Refused(_("This visit has begun or is over, so it cannot be moved or cancelled."))


def reason_of(text: str) -> str:
    """Why, as it is kept. Raises Refused where nothing is said."""
    if not text.strip():
        raise Refused(_("Say why."))
    return text.strip()[:240]


def bookable_patient(actor: User | None, patient_id: int) -> Patient:
    """Whom this person books for. Raises Refused for the dead, Patient.DoesNotExist."""
    patient = _current().one(patient_id) if actor is None else get_patient_for(actor, patient_id, related=())
    if patient.deceased_date:
        raise Refused(_("This patient has died. No visit can be booked."))
    return patient


@planned
def _current() -> QuerySet[Patient]:
    """The one with id 0, where it is nobody else's record."""
    return Patient.objects.current().filter(pk=Given(0))


def _booked_before(patient: Patient, plans: Sequence[Plan]) -> list[Appointment]:
    keys = [plan.wish.key for plan in plans if plan.wish.key]
    known = list(Appointment.objects.filter(booking_key__in=keys)) if keys else []
    if any(visit.patient_id != patient.pk for visit in known):
        raise Conflict(_("Another visit has this identifier."))
    return known


def book_one(
    actor: User | None,
    patient: Patient,
    plan: Plan,
    *,
    previous: Appointment | None = None,
    may_overlap: bool = False,
    is_overbooking: bool = False,
    series: AppointmentSeries | None = None,
    series_number: int | None = None,
) -> Appointment:
    """Book one visit in the caller's transaction, which waits for the agenda. Moved, it stays in its series, and keeps
    its note unless it is given another."""
    if previous is not None:
        series, series_number = previous.series, previous.series_number
    wish, session = plan.wish, session_of(plan)
    if session is not None and session.visits.filter(patient=patient, status__in=OCCUPYING).exists():
        raise Refused(_("The patient has a place in this group already."))
    if not may_overlap:
        _require_free_patient(patient, wish.starts_at, plan.ends_at)
    visit_date = wish.starts_at.astimezone(ZoneInfo(plan.location.time_zone)).date()
    number = _overbooked_number(plan.practitioner, visit_date) if is_overbooking else None
    appointment = Appointment(
        patient=patient,
        service=plan.service,
        practitioner=plan.practitioner,
        location=plan.location,
        room=plan.room,
        session=session,
        series=series,
        series_number=series_number,
        mode=wish.mode,
        starts_at=wish.starts_at,
        ends_at=session.ends_at if session else plan.ends_at,
        note=wish.note.strip()[:240] or (previous.note if previous else ""),
        previous=previous,
        overbooked_number=number,
        visit_date=visit_date,
        booked_by=actor,
        booking_key=wish.key,
        confirmation=Confirmation.UNCONFIRMED,
        patient_words="",
    )
    insert_row(appointment)
    if wish.hold_token:
        Occupancy.objects.filter(hold_token=wish.hold_token, practitioner=plan.practitioner).delete()
    if number is None:
        occupy(plan, session, appointment=appointment)
    ask_for_needs(appointment, previous)
    plan_visit(appointment)
    recovery.note_booked(appointment)
    moved = {"previous_id": previous.pk} if previous else {}
    note(actor, AuditAction.CREATED, appointment, **moved)
    if previous is None:
        signals.announce(signals.appointment_booked, appointment_id=appointment.pk, patient_id=patient.pk)
    return appointment


def _require_free_patient(patient: Patient, starts_at: datetime, ends_at: datetime) -> None:
    if overlapping([patient.pk], starts_at, ends_at).exists():
        raise Refused(_("The patient has another visit at that time."))


def _overbooked_number(practitioner: Practitioner, day: object) -> int:
    rows = Appointment.objects.filter(practitioner=practitioner, visit_date=day, overbooked_number__isnull=False)
    rows = rows.exclude(status__in=[AppointmentStatus.CANCELLED, AppointmentStatus.ENTERED_IN_ERROR])
    used = set(rows.values_list("overbooked_number", flat=True))
    free = [number for number in range(1, practitioner.daily_overbooking + 1) if number not in used]
    if not free:
        raise Refused(_("No more visits beside the agenda fit on that day."))
    return free[0]
