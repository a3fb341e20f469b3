"""Taking time of practitioners and rooms: what a wish means in rows, waiting one's turn, and who lost a race.

The database keeps two visits, or a visit and a hold, from taking the same time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import IntegrityError, OperationalError, connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.common.errors import Conflict, Refused
from contact_center.common.prepared import Given, planned
from contact_center.common.rows import insert_row
from inbox import realtime
from inbox.services.locks import hold_for_transaction
from scheduling.enums import VisitMode
from scheduling.models import GroupSession, HealthcareService, Location, Occupancy, Practitioner, Room
from scheduling.selectors.openings import Search, find_slots, is_open
from scheduling.services import seats
from scheduling.slots import Slot

ALTERNATIVES, ALTERNATIVE_DAYS = 3, 14
FURTHEST = timedelta(days=3660)
"""Nobody means a time that lies further ahead; near the end of the calendar none can be reckoned with."""
TRIES = 3
RETRIED = {"40001", "40P01"}  # a serialisation failure, a deadlock
EXCLUDED = "23P01"
SEATED = {"occupancy_seat_once", "group_session_once"}  # by somebody who did not wait
Result = TypeVar("Result")


class SlotTaken(Conflict):
    """Somebody else has this time. `alternatives` are free ones soon after, in order of start."""

    def __init__(self, alternatives: list[Slot]) -> None:
        super().__init__(_("This time has just been taken. Choose another one."))
        self.alternatives = alternatives


class Overtaken(Conflict):
    """What was read before it was locked is not so any more. `settle` begins again; who tries too often reads it."""


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
class Plan:
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


def plan_for(wish: Wish, *, is_overbooking: bool = False) -> Plan:
    if timezone.is_naive(wish.starts_at):
        raise ValueError("starts_at must be aware")
    offered = next(iter(_offered().ask(wish.practitioner_id, wish.service_id)), None)
    location = next(iter(_location().ask(wish.location_id)), None)
    room = Room.objects.filter(pk=wish.room_id, location=location, is_active=True).first() if wish.room_id else None
    if offered is None or location is None or bool(wish.room_id) != bool(room):
        raise Refused(_("This is not offered any more. Search again."))
    service, who = offered.healthcareservice, offered.practitioner
    if wish.mode not in service.modes:
        raise Refused(_("This visit is not offered in that way."))
    if wish.starts_at <= timezone.now():
        raise Refused(_("This time is over. Choose a later one."))
    if wish.starts_at - timezone.now() > FURTHEST:
        raise Refused(_("This time lies too far ahead. Choose an earlier one."))
    plan = Plan(wish, service, who, location, room)
    if not is_overbooking and not is_open(
        service, who.pk, location, room.pk if room else None, plan.span.lower, plan.span.upper
    ):
        raise Refused(_("Nobody sees patients at that time. Choose another one."))
    return plan


@planned
def _offered() -> QuerySet[Any]:
    """That the practitioner 0 offers the service 1, with both."""
    rows = Practitioner.services.through.objects.filter(practitioner=Given(0), healthcareservice=Given(1))
    rows = rows.filter(practitioner__is_active=True, healthcareservice__is_active=True)
    return rows.select_related("practitioner", "healthcareservice")


@planned
def _location() -> QuerySet[Location]:
    """The one with id 0, where it is in use."""
    return Location.objects.filter(pk=Given(0), is_active=True).order_by()


def queue_up(plans: Sequence[Plan]) -> None:
    """Who books the same agenda waits here, in one order for all, so that nobody waits in a circle."""
    keys = {("practitioner", plan.practitioner.pk) for plan in plans}
    keys |= {("room", plan.room.pk) for plan in plans if plan.room}
    for kind, pk in sorted(keys):
        hold_for_transaction("agenda", kind, pk)


def session_of(plan: Plan, *, may_follow_moved: bool = False) -> GroupSession | None:
    """The group session that this plan joins, locked; None for a visit of one patient. A group moved as a whole
    `may_follow_moved` ones: go where another, or itself, was moved away from."""
    if not plan.service.is_group:
        return None
    return seats.session_for(
        service=plan.service, practitioner=plan.practitioner, location=plan.location, room=plan.room,
        mode=plan.wish.mode, starts_at=plan.wish.starts_at, ends_at=plan.ends_at,
        may_follow_moved=may_follow_moved,
    )  # fmt: skip


STALE = """
DELETE FROM scheduling_occupancy WHERE held_until_at <= %(now)s AND span && %(span)s
  AND (practitioner_id = %(practitioner)s OR room_id = %(room)s)
"""


def occupy(plan: Plan, session: GroupSession | None = None, **owner: Any) -> Occupancy:
    now, room = timezone.now(), plan.room
    with connection.cursor() as cursor:
        values = {"now": now, "span": plan.span, "practitioner": plan.practitioner.pk, "room": room and room.pk}
        cursor.execute(STALE, values)
    if session is not None:
        return seats.take_seat(session, **owner)
    taken = Occupancy(practitioner=plan.practitioner, room=room, span=plan.span, **{"held_from": "", **owner})
    insert_row(taken)
    return taken


def settle(work: Callable[[], Result], plans: Sequence[Plan]) -> Result:
    """Run `work` in a transaction of its own, again when the database broke a tie or somebody was quicker; say in
    words when time is taken."""
    try:
        for last in (False,) * (TRIES - 1) + (True,):
            try:
                with realtime.atomic():
                    return work()
            except (OperationalError, Overtaken) as error:
                is_tie = isinstance(error, Overtaken) or _sqlstate(error) in RETRIED
                if last or connection.in_atomic_block or not is_tie:
                    raise
    except seats.NoSeat:
        pass
    except IntegrityError as error:
        if _sqlstate(error) != EXCLUDED and _constraint(error) not in SEATED:
            raise
    raise SlotTaken(_alternatives(plans[0]))


def _sqlstate(error: Exception) -> str:
    return str(getattr(error.__cause__, "pgcode", None) or "")


def _constraint(error: Exception) -> str:
    return str(getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or "")


def _alternatives(plan: Plan) -> list[Slot]:
    day = plan.wish.starts_at.astimezone(ZoneInfo(plan.location.time_zone)).date()
    search = Search(
        plan.service,
        from_date=day,
        until_date=day + timedelta(days=ALTERNATIVE_DAYS),
        locations=frozenset({plan.location.pk}),
        mode=plan.wish.mode,
    )
    return find_slots(search, now=timezone.now(), limit=ALTERNATIVES)
