"""Visits that come again: looked at before anything is booked, booked together, changed from one of them on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import islice
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.common.errors import Conflict, Refused
from scheduling.enums import AppointmentStatus
from scheduling.models import Appointment, AppointmentSeries, HealthcareService, Location, Practitioner
from scheduling.recurrence import Pattern, days_of, moment
from scheduling.selectors.appointments import overlapping
from scheduling.selectors.openings import Offer, Search, every_slot, offers_of
from scheduling.services.booking import (
    book_instead,
    book_one,
    bookable_patient,
    cancel_locked,
    leave_time,
    lock_appointment,
    require_booker,
    require_movable,
)
from scheduling.services.claiming import Wish, plan_for, queue_up, settle
from scheduling.services.proposals import Proposal, absences_between, closed_then, hindrances, other_visits, propose
from scheduling.slots import Slot

MOST_OTHERS = 3


class OtherTimes(Refused):
    """What was asked for was changed after its times had been shown."""

    def __init__(self) -> None:
        super().__init__(_("You changed this after the visits were shown. Look at them again before you confirm."))


@dataclass(frozen=True, slots=True)
class Terms:
    """What every visit of a series has in common."""

    service: HealthcareService
    practitioner: Practitioner
    location: Location
    room_id: int | None
    mode: str


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One visit of a series before it is booked. Without an offer, `problems` say why, and `others` are free times of
    that day, the nearest first; `warnings` hinder nothing."""

    number: int
    day: date
    offer: Offer | None
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    others: list[Offer] = field(default_factory=list)


def foresee(*, terms: Terms, pattern: Pattern, patient_id: int) -> list[Foreseen]:
    """What booking would say of each day of this pattern. Nothing is promised: `book_series` decides.

    A constant number of statements for each stretch of days, whatever is closed in it, and some nine for each day, of
    at most 60, that somebody else has taken. Raises Refused for a pattern without an end.
    """
    try:
        days = days_of(pattern)
    except ValueError:
        raise Refused(_("Say how many visits, or until when.")) from None
    if not days:
        return []
    zone = ZoneInfo(terms.location.time_zone)
    free, length = _free(terms, days, zone), timedelta(minutes=terms.service.minutes)
    begins = [moment(day, pattern.at, zone) for day in days]
    fitting = [free.get(day, {}).get(int(at.timestamp())) for day, at in zip(days, begins, strict=True)]
    offers = iter(offers_of([slot for slot in fitting if slot is not None]))
    visits = list(overlapping([patient_id], begins[0], begins[-1] + length))
    near = {
        day: _nearest(free.get(day, {}), at) for day, at, slot in zip(days, begins, fitting, strict=True) if not slot
    }
    others = iter(offers_of([slot for slots in near.values() for slot in slots]))
    closed = list(absences_between(_wish(terms, begins[0]), begins[0], begins[-1] + length)) if near else []
    found = []
    for number, (day, starts_at, slot) in enumerate(zip(days, begins, fitting, strict=True), start=1):
        if slot is not None:
            then = [one for one in visits if one.starts_at < starts_at + length and one.ends_at > starts_at]
            found.append(Foreseen(number, day, next(offers), [], other_visits(then, zone)))
            continue
        away = [closed_then(one) for one in closed if one.starts_at < starts_at + length and one.ends_at > starts_at]
        problems, warnings = (away[:1], []) if away else hindrances(_wish(terms, starts_at), patient_id)
        why = problems or [_("This is not a time that is offered.")]
        found.append(Foreseen(number, day, None, why, warnings, list(islice(others, len(near[day])))))
    return found


def _wish(terms: Terms, starts_at: datetime) -> Wish:
    return Wish(terms.service.pk, starts_at, terms.practitioner.pk, terms.location.pk, terms.room_id, terms.mode)


def _nearest(free: Mapping[int, Slot], starts_at: datetime) -> list[Slot]:
    """The free times of a day that are nearest to when the visit should be; none for what is over."""
    if starts_at <= timezone.now():
        return []
    return sorted(free.values(), key=lambda one: abs(one.starts_at - starts_at))[:MOST_OTHERS]


def _free(terms: Terms, days: Sequence[date], zone: ZoneInfo) -> dict[date, dict[int, Slot]]:
    """Free times of these days by the second at which they begin, in the room of the others where it is free."""
    search = Search(
        terms.service, days[0], days[-1], frozenset({terms.practitioner.pk}), frozenset({terms.location.pk}),
        mode=terms.mode,
    )  # fmt: skip
    wanted = set(days)
    found: dict[date, dict[int, Slot]] = {}
    for slot in every_slot(search, now=timezone.now()):
        day = slot.starts_at.astimezone(zone).date()
        if day in wanted:
            times = found.setdefault(day, {})
            if slot.start not in times or slot.room_id == terms.room_id:
                times[slot.start] = slot
    return found


def book_series(
    *,
    actor: User,
    patient_id: int,
    pattern: Pattern,
    wishes: Mapping[int, Wish],
    key: UUID,
    may_overlap: bool = False,
) -> AppointmentSeries:
    """Book these visits of a pattern together, all or none; `wishes` by their number in it. The patient gets one
    receipt for all. With the same `key` again nothing more is booked.

    Raises OtherTimes for a wish on another day than its number has, SlotTaken, Refused (in words), PermissionDenied,
    Patient.DoesNotExist.
    """
    require_booker(actor)
    if not wishes:
        raise Refused(_("Choose the visits that shall be booked."))
    numbered, days = sorted(wishes.items()), dict(enumerate(days_of(pattern), start=1))
    plans = [plan_for(wish) for _number, wish in numbered]
    for (number, wish), plan in zip(numbered, plans, strict=True):
        if wish.starts_at.astimezone(ZoneInfo(plan.location.time_zone)).date() != days.get(number):
            raise OtherTimes

    def work() -> AppointmentSeries:
        patient = bookable_patient(actor, patient_id)
        queue_up(plans)
        known = AppointmentSeries.objects.filter(booking_key=key).first()
        if known is not None:
            if known.patient_id != patient.pk:
                raise Conflict(_("Another visit has this identifier."))
            return known
        series = AppointmentSeries.objects.create(
            patient=patient, first_date=pattern.first, starts=pattern.at, every=pattern.every, unit=pattern.unit,
            weekdays=sorted(pattern.weekdays), count=pattern.count, until_date=pattern.until, booking_key=key,
            booked_by=actor,
        )  # fmt: skip
        for (number, _wish), plan in zip(numbered, plans, strict=True):
            book_one(actor, patient, plan, may_overlap=may_overlap, series=series, series_number=number)
        return series

    return settle(work, plans)


def key_of(key: UUID, number: int) -> UUID:
    """The key of one visit of a series that was asked for with `key`."""
    return uuid5(key, str(number))


def following(appointment: Appointment) -> QuerySet[Appointment]:
    """This visit and those of its series that come after it, as far as they can still be moved or cancelled."""
    rows = Appointment.objects.filter(
        series=appointment.series_id, series_number__gte=appointment.series_number, starts_at__gt=timezone.now(),
        status__in=[AppointmentStatus.PENDING, AppointmentStatus.BOOKED],
    )  # fmt: skip
    return rows.select_related("patient", "service", "practitioner", "location", "room").order_by("series_number")


def cancel_following(*, actor: User, appointment_id: int, asked_by: str, reason: str) -> int:
    """Cancel this visit and those of its series after it, all or none; how many.

    Raises Refused, Conflict, PermissionDenied, Appointment.DoesNotExist.
    """
    require_booker(actor)

    def work() -> int:
        visits = _lock(actor, appointment_id, None)
        for visit in visits:
            cancel_locked(actor, visit, asked_by=asked_by, reason=reason)
        return len(visits)

    return settle(work, [])


def foresee_move(*, appointment: Appointment, day: date, at: time, practitioner: Practitioner) -> dict[int, Proposal]:
    """What moving this visit to that day and time, and those after it by as many days to the same time, would mean for
    each; by visit. Each at the clock of its site. Some ten statements a visit."""
    visits = list(following(appointment))
    together, shift = [one.pk for one in visits], day - appointment.visit_date
    return {
        one.pk: propose(
            moved=one, starts_at=_moved_to(one, shift, at), practitioner=practitioner, together=together,
        )
        for one in visits
    }  # fmt: skip


def _moved_to(visit: Appointment, shift: timedelta, at: time) -> datetime:
    return moment(visit.visit_date + shift, at, ZoneInfo(visit.location.time_zone))


def require_as_foreseen(
    *, appointment: Appointment, day: date, at: time, practitioner: Practitioner, wishes: Mapping[int, Wish]
) -> None:
    """Raises OtherTimes where a wish is not what `foresee_move` says of its visit."""
    shift = day - appointment.visit_date
    for one in following(appointment).filter(pk__in=wishes):
        wish = wishes[one.pk]
        if (wish.starts_at, wish.practitioner_id) != (_moved_to(one, shift, at), practitioner.pk):
            raise OtherTimes


def move_following(
    *,
    actor: User,
    appointment_id: int,
    wishes: Mapping[int, Wish],
    asked_by: str,
    reason: str,
    may_overlap: bool = False,
) -> int:
    """Book other times in place of these visits of a series (`wishes` by visit), which are the named one and later
    ones; all or none. How many.

    Raises SlotTaken, Conflict when one of them was moved or cancelled meanwhile, Refused, PermissionDenied,
    Appointment.DoesNotExist.
    """
    require_booker(actor)
    if not wishes:
        raise Refused(_("Choose the visits that shall be moved."))
    plans = {pk: plan_for(wish) for pk, wish in sorted(wishes.items())}

    def work() -> int:
        visits = _lock(actor, appointment_id, set(wishes))
        queue_up(list(plans.values()))
        bookable_patient(actor, visits[0].patient_id)
        for visit in visits:  # all of them leave before one is booked: each may go where the next one was
            leave_time(visit, asked_by=asked_by, reason=reason)
        for visit in visits:
            book_instead(actor, visit, plans[visit.pk], may_overlap=may_overlap)
        return len(visits)

    return settle(work, list(plans.values()))


def _lock(actor: User, appointment_id: int, only: set[int] | None) -> list[Appointment]:
    """The visit and those after it, or `only` these of them, locked in one order for all."""
    named = lock_appointment(actor, appointment_id)
    if named.series_id is None:
        raise Refused(_("This visit belongs to no series."))
    require_movable(named)
    wanted = set(following(named).values_list("pk", flat=True)) if only is None else only
    rows = Appointment.objects.select_for_update(of=("self",)).select_related("patient", "service", "location")
    visits = list(rows.filter(pk__in=wanted, series=named.series_id).order_by("pk"))
    if len(visits) != len(wanted) or any((one.series_number or 0) < (named.series_number or 0) for one in visits):
        raise Conflict(_("The series has been changed meanwhile."))
    for one in visits:
        require_movable(one)
    return visits
