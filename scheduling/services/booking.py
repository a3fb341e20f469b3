"""Holding, booking, moving and cancelling. The database keeps two visits from taking the same time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, OperationalError, connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict, Refused
from inbox import realtime
from inbox.services.locks import hold_for_transaction
from patients.models import Patient
from patients.selectors.people import get_patient_for
from scheduling import signals
from scheduling.enums import OCCUPYING, AppointmentStatus, Confirmation, Party, Trigger, VisitMode
from scheduling.models import Appointment, HealthcareService, Location, Occupancy, Practitioner, Room
from scheduling.policies import can_book
from scheduling.selectors.appointments import appointments_visible_to
from scheduling.selectors.openings import Search, find_slots, is_open
from scheduling.services import recovery
from scheduling.services.freed import release
from scheduling.services.needs import ask_for_needs
from scheduling.services.reminders import plan_visit, withdraw
from scheduling.slots import Slot

HOLD_FOR = timedelta(minutes=5)
MOST_HOLDS = 5
MOST_VISITS = 8
ALTERNATIVES, ALTERNATIVE_DAYS = 3, 14
TRIES = 3
RETRIED = {"40001", "40P01"}  # a serialisation failure, a deadlock
EXCLUDED = "23P01"
Result = TypeVar("Result")


class SlotTaken(Conflict):
    """Somebody else has this time. `alternatives` are free ones soon after, in order of start."""

    def __init__(self, alternatives: list[Slot]) -> None:
        super().__init__(_("This time has just been taken. Choose another one."))
        self.alternatives = alternatives


@dataclass(frozen=True, slots=True)
class Wish:
    """One visit to be booked: which service, when (aware), with whom and where.

    `key` makes a repeated request harmless: the visit it booked is returned instead of a second one. `hold_token` is
    the hold that this visit takes the place of.
    """

    service_id: int
    starts_at: datetime
    practitioner_id: int
    location_id: int
    room_id: int | None = None
    mode: str = VisitMode.ON_SITE
    note: str = ""
    key: UUID | None = None
    hold_token: UUID | None = None


@dataclass(frozen=True, slots=True)
class _Plan:
    """A wish with its rows and spans."""

    wish: Wish
    service: HealthcareService
    practitioner: Practitioner
    location: Location
    room: Room | None

    @property
    def ends_at(self) -> datetime:
        return self.wish.starts_at + timedelta(minutes=self.service.minutes)

    @property
    def span(self) -> DateTimeTZRange:
        before = timedelta(minutes=self.service.buffer_before_minutes)
        after = timedelta(minutes=self.service.buffer_after_minutes)
        return DateTimeTZRange(self.wish.starts_at - before, self.ends_at + after, "[)")


def hold_slot(*, actor: User | None, wish: Wish) -> Occupancy:
    """Keep a time free for five minutes while a form is filled in; the hold's token books it.

    Somebody has at most five holds at once. Raises SlotTaken, Refused for a time that is over or not open,
    PermissionDenied.
    """
    require_booker(actor)
    plan = _plan(wish)

    def work() -> Occupancy:
        _queue_up([plan])
        if actor is not None:
            mine = Occupancy.objects.filter(held_by=actor, held_until_at__gt=timezone.now()).count()
            if mine >= MOST_HOLDS:
                raise Refused(_("You hold several times already. Book or release one of them first."))
        until = timezone.now() + HOLD_FOR
        return _occupy(plan, hold_token=uuid4(), held_until_at=until, held_by=actor)

    return _settle(work, [plan])


def release_hold(*, token: UUID) -> None:
    """Give a held time back; one that ran out or was booked is none the less gone."""
    Occupancy.objects.filter(hold_token=token).delete()


def purge_holds() -> int:
    """Forget the holds that ran out; returns how many. They hinder nobody before, this only keeps the table small."""
    return Occupancy.objects.filter(held_until_at__lte=timezone.now()).delete()[0]


def book(
    *,
    actor: User | None,
    patient_id: int,
    wishes: Sequence[Wish],
    may_overlap: bool = False,
    is_overbooking: bool = False,
) -> list[Appointment]:
    """Book these visits together, all or none. `actor` None stands for the patient.

    `may_overlap` lets the patient have two visits at once, which staff are asked about first. `is_overbooking` puts
    the visit beside the practitioner's agenda, within the practitioner's daily limit; only staff may.
    Raises SlotTaken, Refused (in words), PermissionDenied, Patient.DoesNotExist.
    """
    require_booker(actor)
    if not wishes or len(wishes) > MOST_VISITS:
        raise Refused(_("Choose between one and eight visits."))
    plans = [_plan(wish, is_overbooking=is_overbooking and actor is not None) for wish in wishes]

    def work() -> list[Appointment]:
        patient = _patient(actor, patient_id)
        _queue_up(plans)
        known = _booked_before(patient, plans)
        if known:
            return known
        return [
            _book_one(actor, patient, plan, may_overlap=may_overlap, is_overbooking=is_overbooking) for plan in plans
        ]

    return _settle(work, plans)


def move(
    *,
    actor: User | None,
    appointment_id: int,
    wish: Wish,
    asked_by: str,
    reason: str,
    may_overlap: bool = False,
) -> Appointment:
    """Book another time in place of this visit; the new one points back to it. Nothing changes when that fails.

    Raises SlotTaken, Conflict when it was moved or cancelled meanwhile, Refused, PermissionDenied,
    Appointment.DoesNotExist.
    """
    require_booker(actor)
    plan = _plan(wish)

    def work() -> Appointment:
        old = lock_appointment(actor, appointment_id)
        known = _booked_before(old.patient, [plan])
        if known:
            return known[0]
        _require_movable(old)
        _queue_up([plan])
        Occupancy.objects.filter(appointment=old).delete()
        old.cancel(asked_by=Party(asked_by), reason=_reason(reason))
        old.save()
        withdraw(old)
        patient = _patient(actor, old.patient_id)
        new = _book_one(actor, patient, plan, previous=old, may_overlap=may_overlap)
        release(old, Trigger.MOVED, taken_by=new)
        ids = {"appointment_id": new.pk, "previous_id": old.pk, "patient_id": old.patient_id}
        signals.announce(signals.appointment_moved, **ids)
        return new

    return _settle(work, [plan])


def cancel(*, actor: User | None, appointment_id: int, asked_by: str, reason: str) -> Appointment:
    """The visit will not take place; its time is free at once. Cancelling again changes nothing.

    Raises Refused for a visit that began or is over, PermissionDenied, Appointment.DoesNotExist.
    """
    require_booker(actor)

    def work() -> Appointment:
        appointment = lock_appointment(actor, appointment_id)
        if appointment.status == AppointmentStatus.CANCELLED:
            return appointment
        _require_movable(appointment)
        appointment.cancel(asked_by=Party(asked_by), reason=_reason(reason))
        appointment.save()
        Occupancy.objects.filter(appointment=appointment).delete()
        withdraw(appointment)
        release(appointment, Trigger.CANCELLED)
        recovery.follow(appointment)
        note(actor, AuditAction.CANCELLED, appointment, asked_by=str(asked_by))
        ids = {"appointment_id": appointment.pk, "patient_id": appointment.patient_id}
        signals.announce(signals.appointment_cancelled, **ids)
        return appointment

    return _settle(work, [])


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


def _require_movable(appointment: Appointment) -> None:
    if hasattr(appointment, "next"):
        raise Conflict(_("This visit has been moved meanwhile."))
    if appointment.status == AppointmentStatus.CANCELLED:
        raise Conflict(_("This visit has been cancelled meanwhile."))
    if appointment.status not in (AppointmentStatus.PENDING, AppointmentStatus.BOOKED):
        raise Refused(_("This visit has begun or is over, so it cannot be moved or cancelled."))


def _reason(text: str) -> str:
    if not text.strip():
        raise Refused(_("Say why."))
    return text.strip()[:240]


def _patient(actor: User | None, patient_id: int) -> Patient:
    patient = Patient.objects.current().get(pk=patient_id) if actor is None else get_patient_for(actor, patient_id)
    if patient.deceased_date:
        raise Refused(_("This patient has died. No visit can be booked."))
    return patient


def _plan(wish: Wish, *, is_overbooking: bool = False) -> _Plan:
    if timezone.is_naive(wish.starts_at):
        raise ValueError("starts_at must be aware")
    service = HealthcareService.objects.filter(pk=wish.service_id, is_active=True).first()
    who = Practitioner.objects.filter(pk=wish.practitioner_id, is_active=True, services=wish.service_id).first()
    location = Location.objects.filter(pk=wish.location_id, is_active=True).first()
    room = Room.objects.filter(pk=wish.room_id, location=location, is_active=True).first() if wish.room_id else None
    if service is None or who is None or location is None or bool(wish.room_id) != bool(room):
        raise Refused(_("This is not offered any more. Search again."))
    if wish.mode not in service.modes:
        raise Refused(_("This visit is not offered in that way."))
    if wish.starts_at <= timezone.now():
        raise Refused(_("This time is over. Choose a later one."))
    plan = _Plan(wish, service, who, location, room)
    if not is_overbooking and not is_open(
        service, who.pk, location, room.pk if room else None, plan.span.lower, plan.span.upper
    ):
        raise Refused(_("Nobody sees patients at that time. Choose another one."))
    return plan


def _queue_up(plans: Sequence[_Plan]) -> None:
    """Who books the same agenda waits here, in one order for all, so that nobody waits in a circle."""
    keys = {("practitioner", plan.practitioner.pk) for plan in plans}
    keys |= {("room", plan.room.pk) for plan in plans if plan.room}
    for kind, pk in sorted(keys):
        hold_for_transaction("agenda", kind, pk)


def _booked_before(patient: Patient, plans: Sequence[_Plan]) -> list[Appointment]:
    keys = [plan.wish.key for plan in plans if plan.wish.key]
    return list(Appointment.objects.filter(patient=patient, booking_key__in=keys)) if keys else []


def _occupy(plan: _Plan, **owner: object) -> Occupancy:
    now, room = timezone.now(), plan.room
    stale = Occupancy.objects.filter(held_until_at__lte=now, span__overlap=plan.span)
    stale.filter(practitioner=plan.practitioner).delete()
    if room:
        stale.filter(room=room).delete()
    return Occupancy.objects.create(practitioner=plan.practitioner, room=room, span=plan.span, **owner)


def _book_one(
    actor: User | None,
    patient: Patient,
    plan: _Plan,
    *,
    previous: Appointment | None = None,
    may_overlap: bool = False,
    is_overbooking: bool = False,
) -> Appointment:
    wish = plan.wish
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
        mode=wish.mode,
        starts_at=wish.starts_at,
        ends_at=plan.ends_at,
        note=wish.note.strip()[:240],
        previous=previous,
        overbooked_number=number,
        visit_date=visit_date,
        booked_by=actor,
        booking_key=wish.key,
        confirmation=Confirmation.UNCONFIRMED,
    )
    appointment.save()
    if wish.hold_token:
        Occupancy.objects.filter(hold_token=wish.hold_token, practitioner=plan.practitioner).delete()
    if number is None:
        _occupy(plan, appointment=appointment)
    ask_for_needs(appointment, previous)
    plan_visit(appointment)
    recovery.note_booked(appointment)
    moved = {"previous_id": previous.pk} if previous else {}
    note(actor, AuditAction.CREATED, appointment, **moved)
    if previous is None:
        signals.announce(signals.appointment_booked, appointment_id=appointment.pk, patient_id=patient.pk)
    return appointment


def _require_free_patient(patient: Patient, starts_at: datetime, ends_at: datetime) -> None:
    same_time = Appointment.objects.filter(patient=patient, starts_at__lt=ends_at, ends_at__gt=starts_at)
    if same_time.filter(status__in=OCCUPYING).exists():
        raise Refused(_("The patient has another visit at that time."))


def _overbooked_number(practitioner: Practitioner, day: object) -> int:
    rows = Appointment.objects.filter(practitioner=practitioner, visit_date=day, overbooked_number__isnull=False)
    rows = rows.exclude(status__in=[AppointmentStatus.CANCELLED, AppointmentStatus.ENTERED_IN_ERROR])
    used = set(rows.values_list("overbooked_number", flat=True))
    free = [number for number in range(1, practitioner.daily_overbooking + 1) if number not in used]
    if not free:
        raise Refused(_("No more visits beside the agenda fit on that day."))
    return free[0]


def _settle(work: Callable[[], Result], plans: Sequence[_Plan]) -> Result:
    """Run `work` in a transaction of its own, again when the database broke a tie; say in words when time is taken."""
    try:
        for last in (False,) * (TRIES - 1) + (True,):
            try:
                with realtime.atomic():
                    return work()
            except OperationalError as error:
                if last or connection.in_atomic_block or _sqlstate(error) not in RETRIED:
                    raise
    except IntegrityError as error:
        if _sqlstate(error) != EXCLUDED:
            raise
    raise SlotTaken(_alternatives(plans[0]))


def _sqlstate(error: Exception) -> str:
    return str(getattr(error.__cause__, "pgcode", None) or "")


def _alternatives(plan: _Plan) -> list[Slot]:
    day = plan.wish.starts_at.astimezone(ZoneInfo(plan.location.time_zone)).date()
    search = Search(
        plan.service,
        from_date=day,
        until_date=day + timedelta(days=ALTERNATIVE_DAYS),
        locations=frozenset({plan.location.pk}),
        mode=plan.wish.mode,
    )
    return find_slots(search, now=timezone.now(), limit=ALTERNATIVES)
