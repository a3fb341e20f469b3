"""How far those are whom an absence concerns."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Case, Count, Exists, Func, OuterRef, Q, QuerySet, Subquery, Value, When
from django.utils import timezone

from contact_center.accounts.models import User
from patients.selectors.people import patients_visible_to
from scheduling.enums import AppointmentStatus, MoveState
from scheduling.models import Absence, Appointment, MassMove, MassMoveVisit

ANSWER_WITHIN = timedelta(hours=24)
"""Who was told and has no new time by then, or is too near the visit, is called."""
NEAR = timedelta(hours=48)
MOST_SHOWN = 300
M = MoveState


@dataclass(frozen=True, slots=True)
class Figures:
    """One mass move with how many of its visits are how far; `left` have no new time and are not cancelled."""

    move: MassMove
    counts: dict[str, int]

    @property
    def total(self) -> int:
        """All visits it concerns."""
        return sum(self.counts.values())

    @property
    def left(self) -> int:
        """Those that somebody still has to do something about."""
        return sum(self.counts.get(state, 0) for state in (M.WAITING, M.TOLD, M.CALL))

    @property
    def states(self) -> list[tuple[MoveState, int]]:
        """Every state with its number, in order."""
        return [(state, self.counts.get(state, 0)) for state in M]


def affected_by(absence: Absence) -> QuerySet[Appointment]:
    """Visits to come that cannot take place in that time, the earliest first."""
    same = Q(practitioner=absence.practitioner_id) if absence.practitioner_id else Q(room=absence.room_id)
    if absence.location_id:
        same = Q(location=absence.location_id)
    return _booked(same, absence.starts_at, absence.ends_at).order_by("starts_at", "pk")


def _booked(same: Q, starts_at: Any, ends_at: Any) -> QuerySet[Appointment]:
    rows = Appointment.objects.filter(same, status=AppointmentStatus.BOOKED, starts_at__gt=timezone.now())
    return rows.filter(starts_at__lt=ends_at, ends_at__gt=starts_at)


def _shown() -> QuerySet[Any]:
    """Mass moves with `still`: how many visits they concern that are not followed yet."""
    same = Q(practitioner=OuterRef("absence__practitioner")) | Q(room=OuterRef("absence__room"))
    same |= Q(location=OuterRef("absence__location"))
    followed = MassMoveVisit.objects.filter(mass_move=OuterRef(OuterRef("pk")), appointment=OuterRef("pk"))
    rows = _booked(same, OuterRef("absence__starts_at"), OuterRef("absence__ends_at")).exclude(Exists(followed))
    still = Subquery(rows.order_by().annotate(number=Func("pk", function="COUNT")).values("number"))
    moves = MassMove.objects.select_related("absence__practitioner", "absence__room__location", "absence__location")
    return moves.annotate(still=Case(When(closed_at=None, then=still), default=0))


def _figures(move: Any, counts: dict[str, int]) -> Figures:
    waiting = counts.get(M.WAITING, 0) + move.still
    return Figures(move, counts | {M.WAITING.value: waiting} if waiting else counts)


def with_state(rows: QuerySet[MassMoveVisit]) -> QuerySet[Any]:
    """The same rows with their `state` (MoveState)."""
    now = timezone.now()
    is_moved = Exists(Appointment.objects.filter(previous=OuterRef("appointment")))
    is_due = Q(told_at__lt=now - ANSWER_WITHIN) | Q(appointment__starts_at__lt=now + NEAR, told_at__isnull=False)
    return rows.annotate(
        state=Case(
            When(is_moved, then=Value(M.MOVED.value)),
            When(~Q(appointment__status=AppointmentStatus.BOOKED), then=Value(M.CANCELLED.value)),
            When(~Q(untold_for="") | is_due, then=Value(M.CALL.value)),
            When(told_at=None, then=Value(M.WAITING.value)),
            default=Value(M.TOLD.value),
        )
    )


def mass_moves() -> list[Figures]:
    """The ongoing ones and the last that are over, newest first; at most 30. Two statements."""
    moves = list(_shown().order_by("closed_at", "-pk")[:30])
    rows = with_state(MassMoveVisit.objects.filter(mass_move__in=moves)).order_by()
    counted = rows.values("mass_move", "state").annotate(number=Count("pk"))
    counts: dict[int, dict[str, int]] = {move.pk: {} for move in moves}
    for row in counted:
        counts[row["mass_move"]][row["state"]] = row["number"]
    return [_figures(move, counts[move.pk]) for move in moves]


def get_mass_move(pk: int) -> Figures:
    """One with its figures. Raises MassMove.DoesNotExist."""
    move = _shown().get(pk=pk)
    rows = with_state(MassMoveVisit.objects.filter(mass_move=move)).order_by()
    counted = rows.values_list("state").annotate(number=Count("pk"))
    return _figures(move, dict(counted))


def visits_of(user: User, move: MassMove, state: str = "") -> list[MassMoveVisit]:
    """Its visits of patients whom this person may see, those of one state or all, earliest first; at most 300."""
    seen = MassMoveVisit.objects.filter(mass_move=move, appointment__patient__in=patients_visible_to(user))
    rows = with_state(seen).select_related(
        "appointment__patient", "appointment__service", "appointment__location", "appointment__practitioner",
        "appointment__next__location", "appointment__next__practitioner", "message",
    )  # fmt: skip
    if state:
        rows = rows.filter(state=state)
    return list(rows[:MOST_SHOWN])


def is_to_be_moved(visit: Appointment) -> bool:
    """Whether this visit waits for another time because somebody is absent."""
    rows = MassMoveVisit.objects.filter(appointment=visit, mass_move__closed_at=None)
    return visit.status == AppointmentStatus.BOOKED and rows.exists()
