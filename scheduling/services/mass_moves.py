"""Somebody is absent: whom it concerns is told in waves, chooses another time, and is followed until all have one."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.deadline import Deadline
from contact_center.common.errors import Refused
from contact_center.common.wake import wake_on_commit
from inbox import realtime
from inbox.enums import MessagePurpose
from inbox.gate import quiet_until
from inbox.services.locks import try_held
from scheduling import links, offer_words
from scheduling.enums import AbsenceReason, AppointmentStatus, MoveState, Urgency
from scheduling.models import (
    Absence,
    Appointment,
    Location,
    MassMove,
    MassMoveVisit,
    Practitioner,
    Room,
    WaitlistEntry,
)
from scheduling.selectors.mass_moves import Figures, affected_by, get_mass_move, visits_of, with_state
from scheduling.selectors.ways import Way, Ways
from scheduling.services.booking import require_booker
from scheduling.services.claiming import FURTHEST
from scheduling.services.handing_over import language_of
from scheduling.services.reminders import withdraw
from scheduling.services.telling import Told, tell

GROUNDS = "mass_move"
TASK, QUEUE = "scheduling.carry_on_mass_moves", "reminders"
MOST_DAYS = 366


def start(
    *,
    actor: User,
    whom: Practitioner | Room | Location,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    name: str = "",
    group_size: int = 10,
    interval_minutes: int = 15,
) -> MassMove:
    """Write the absence of a practitioner, a room or a site down. Nobody can be booked in that time from now on; whom
    it concerns, `carry_on` sees to at once. A `name`, such as a holiday's, is cut to 60 characters.

    Raises Refused, PermissionDenied, DoesNotExist where it is gone.
    """
    require_booker(actor)
    known = AbsenceReason(reason)
    ahead, length = ends_at - timezone.now(), ends_at - starts_at
    if not timedelta() < ahead < FURTHEST or not timedelta() < length <= timedelta(days=MOST_DAYS):
        raise Refused(_("The absence must end after it begins, be to come, and last a year at most."))
    if group_size < 1 or interval_minutes < 1:
        raise Refused(_("A wave takes one patient and one minute at least."))
    with realtime.atomic():
        kind = type(whom)
        there = {str(kind._meta.model_name): kind._default_manager.select_for_update(no_key=True).get(pk=whom.pk)}
        absence = Absence.objects.create(
            **there, starts_at=starts_at, ends_at=ends_at, reason=known, name=name.strip()[:60]
        )  # fmt: skip
        move = MassMove.objects.create(
            absence=absence, started_by=actor, group_size=group_size, interval_minutes=interval_minutes,
            next_wave_at=timezone.now(),
        )  # fmt: skip
        record(actor=actor, action=AuditAction.CREATED, object_type="massmove", object_id=move.pk)
        wake_on_commit(TASK, QUEUE)
    return move


def stop(*, actor: User, mass_move_id: int) -> MassMove:
    """Tell nobody more by itself; who was told is followed all the same. Raises PermissionDenied, DoesNotExist."""
    return _set_next(actor, mass_move_id, None)


def go_on(*, actor: User, mass_move_id: int) -> MassMove:
    """Tell the next wave now, and the others after it. Raises Refused when nobody is left, else as `stop`."""
    return _set_next(actor, mass_move_id, timezone.now())


@dataclass(frozen=True, slots=True)
class Opened:
    """One mass move as a person reads it."""

    figures: Figures
    rows: list[MassMoveVisit]


@transaction.atomic
def open_mass_move(*, actor: User, pk: int, state: str = "") -> Opened:
    """Its figures and the visits in one state, or all, leaving one SEARCHED entry with the patients who were named.

    Raises MassMove.DoesNotExist.
    """
    figures = get_mass_move(pk)
    rows = visits_of(actor, figures.move, state)
    named = sorted({row.appointment.patient_id for row in rows})
    record(actor=actor, action=AuditAction.SEARCHED, object_type="massmove", object_id=pk, found=named)
    return Opened(figures, rows)


def carry_on() -> int:
    """Send the waves that are due, and end what has nobody left; how many mass moves were dealt with.

    Safe to run any number of times and beside itself: each wave is a transaction of its own, and one worker at a time
    tells of all absences, so that whom two of them concern is told once.
    """
    with try_held("mass moves") as is_mine:
        return _carry_on() if is_mine else 0


def _carry_on() -> int:
    deadline, done = Deadline(TASK, QUEUE), 0
    ongoing = MassMove.objects.filter(closed_at=None)
    if ongoing.filter(next_wave_at__lte=timezone.now()).exists():
        links.prepare()
    for pk in list(ongoing.order_by("pk").values_list("pk", flat=True)):
        if deadline.is_over:
            break
        is_whole = take_in(mass_move_id=pk, deadline=deadline)
        done += _tell_next(pk, is_whole=is_whole)
    return done


def take_in(*, mass_move_id: int, deadline: Deadline | None = None) -> bool:
    """Follow each visit that the absence concerns, also one that was being booked while it was written down: its
    reminders stop, and its patient waits for times that become free, before those who only want an earlier one.

    Each is a transaction of its own, the earliest first, so that nobody who books or cancels there waits for more than
    one. Whether that is done; a visit that is just being changed is left to the next run, as is what is left at the
    deadline. Raises MassMove.DoesNotExist.
    """
    move = MassMove.objects.select_related("absence").get(pk=mass_move_id)
    known = MassMoveVisit.objects.filter(mass_move=move).values("appointment")
    concerned, is_whole = affected_by(move.absence).exclude(pk__in=known), True
    for pk in list(concerned.values_list("pk", flat=True)):
        if deadline is not None and deadline.is_over:
            return False
        with realtime.atomic():
            is_whole &= _take_in_one(move, concerned, pk)
    return is_whole


def _take_in_one(move: MassMove, concerned: QuerySet[Appointment], pk: int) -> bool:
    locked = concerned.select_for_update(skip_locked=True, of=("self",)).select_related("patient")
    visit = locked.filter(pk=pk).first()
    if visit is None:  # held by somebody, or changed since: then nothing is left to do the next time
        return False
    withdraw(visit)  # in the order in which cancelling does both
    MassMoveVisit.objects.create(mass_move=move, appointment=visit, entry=_let_wait(visit))
    return True


def _tell_next(pk: int, *, is_whole: bool) -> bool:
    """Send the wave that is due, and end what has nobody left; whether it was free to be dealt with."""
    with realtime.atomic():
        rows = MassMove.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk, closed_at=None)
        move, now = rows.select_related("absence").first(), timezone.now()
        if move is None:
            return False
        if move.next_wave_at is not None and move.next_wave_at <= now:
            _send_wave(move, now, is_whole=is_whole)
        if is_whole:
            _close_when_done(move, now)
        return True


def still_holds(message_id: int) -> bool:
    """Whether the visit that a message of ours is about still has no new time; the gate asks at the last moment."""
    rows = MassMoveVisit.objects.filter(message=message_id).select_related("appointment")
    return all(row.appointment.status == AppointmentStatus.BOOKED for row in rows)


def _let_wait(visit: Appointment) -> WaitlistEntry | None:
    """Times that become free are offered to the patient; who waited already waits with this visit now. The wait that
    begins here, for it ends with the visit."""
    entry, is_new = WaitlistEntry.objects.get_or_create(
        patient_id=visit.patient_id, service_id=visit.service_id, closed_at=None,
        defaults={"appointment": visit, "mode": visit.mode, "urgency": Urgency.SOON},
    )  # fmt: skip
    if is_new:
        entry.locations.set([visit.location_id])
        return entry
    entry.urgency = Urgency.SOON if entry.urgency == Urgency.ROUTINE else entry.urgency
    entry.appointment = entry.appointment or visit
    entry.save(update_fields=["urgency", "appointment", "updated_at"])
    return None


def _send_wave(move: MassMove, now: datetime, *, is_whole: bool) -> None:
    waiting = with_state(move.visits.filter(told_at=None, untold_for="")).filter(state=MoveState.WAITING)
    rows = list(
        waiting.select_related("appointment__patient", "appointment__location", "appointment__practitioner")[
            : move.group_size
        ]
    )
    quiet = quiet_until(now, rows[0].appointment.location.time_zone) if rows else None
    if quiet is not None:
        move.next_wave_at = quiet
        move.save()
        return
    ways = Ways({row.appointment.patient_id for row in rows}, now)
    for row in rows:
        _tell(move, row, ways, now)
    move.waves += bool(rows)
    move.next_wave_at = now + timedelta(minutes=move.interval_minutes) if rows or not is_whole else None
    move.save()


def _tell(move: MassMove, row: MassMoveVisit, ways: Ways, now: datetime) -> None:
    patient = row.appointment.patient
    before = MassMoveVisit.objects.filter(appointment=row.appointment, told_at__isnull=False).exclude(pk=row.pk).first()
    if before is not None:  # another absence concerns the same visit: nobody is told the same twice
        row.wave, row.told_at, row.message = move.waves + 1, before.told_at, before.message
        row.save()
        return
    way = ways.to(patient, MessagePurpose.REMINDERS, has_template=False)
    row.wave = move.waves + 1
    if isinstance(way, Way):
        with translation.override(language_of(patient)):
            words, subject = offer_words.cannot_take_place(row.appointment), offer_words.other_time_subject()
        row.told_at = now
        row.message = tell(Told(patient, way, words, subject, f"mass-move-{row.pk}", GROUNDS), now=now)
        record(
            actor=None,
            action=AuditAction.SENT,
            object_type="appointment",
            object_id=row.appointment_id,
            patient_id=patient.pk,
            mass_move=move.pk,
        )
    else:
        row.untold_for = way
    row.save()


def _close_when_done(move: MassMove, now: datetime) -> None:
    left = (MoveState.WAITING, MoveState.TOLD, MoveState.CALL)
    if not with_state(move.visits.all()).filter(state__in=left).exists():
        move.closed_at, move.next_wave_at = now, None
        move.save()


def _set_next(actor: User, mass_move_id: int, at: datetime | None) -> MassMove:
    require_booker(actor)
    with transaction.atomic():
        move = MassMove.objects.select_for_update(of=("self",)).get(pk=mass_move_id)
        if move.closed_at is not None:
            raise Refused(_("Nobody is left to be told."))
        move.next_wave_at = at
        move.save()
        record(actor=actor, action=AuditAction.CHANGED, object_type="massmove", object_id=move.pk, is_on=at is not None)
        if at is not None:
            wake_on_commit(TASK, QUEUE)
        return move
