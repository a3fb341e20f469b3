"""Places of group sessions: taken one by one under the lock of the session, given back one by one.

Whoever takes or gives back a place locks the session's row first. The database keeps two from one place and a place
from a number that the session does not have.
"""

from datetime import datetime, timedelta

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.common.errors import Refused
from scheduling.models import GroupSession, HealthcareService, Location, Occupancy, Practitioner, Room


class NoSeat(Exception):
    """All places of the session are taken or held, or it takes place elsewhere or otherwise than was asked for."""


def session_for(
    *,
    service: HealthcareService,
    practitioner: Practitioner,
    location: Location,
    room: Room | None,
    mode: str,
    starts_at: datetime,
    ends_at: datetime,
    may_follow_moved: bool = False,
) -> GroupSession:
    """The session that begins then, locked; one that has nobody in it is given these terms, but keeps its places. Call
    it in a transaction, by whoever waits for the practitioner's agenda.

    Where one was moved away, another begins only if it `may_follow_moved`. Raises NoSeat where it takes place elsewhere
    or otherwise, Refused once it was cancelled or moved.
    """
    terms = {"location": location, "room": room, "mode": str(mode), "ends_at": ends_at}
    rows = GroupSession.objects.select_for_update().filter(
        service=service, practitioner=practitioner, starts_at=starts_at
    )
    session = rows.filter(cancelled_at=None).first()
    if session is None:
        if rows.filter(moved_to=None).exists():
            raise Refused(_("This group was cancelled. Choose another time."))
        if not may_follow_moved and rows.exists():
            raise Refused(_("This group was moved. Choose another time."))
        return GroupSession.objects.create(
            service=service, practitioner=practitioner, starts_at=starts_at, places=service.places, **terms
        )  # fmt: skip
    session.seats.filter(held_until_at__lte=timezone.now()).delete()
    if session.seats.filter(seat__gte=1).exists():
        if (session.location_id, session.room_id, session.mode) != (location.pk, room.pk if room else None, str(mode)):
            raise NoSeat
    elif any(getattr(session, name) != value for name, value in terms.items()):
        for name, value in terms.items():
            setattr(session, name, value)
        session.save()
    return session


def take_seat(session: GroupSession, **owner: object) -> Occupancy:
    """One place of a session that `session_for` locked, for a visit or a hold; with the first one the session takes the
    time of its practitioner and room. Raises NoSeat; IntegrityError when that time is taken by something else."""
    used = set(session.seats.values_list("seat", flat=True))
    free = next((number for number in range(1, session.places + 1) if number not in used), None)
    if free is None:
        raise NoSeat
    seat = Occupancy.objects.create(**_where(session), seat=free, of_places=session.places, **owner)
    settle_time(session)
    return seat


def lock_sessions(rows: QuerySet[Occupancy]) -> list[GroupSession]:
    """The sessions to which these rows belong, locked in one order for all. Call it before the rows are locked or
    changed: as whoever takes a place."""
    found = {session for session in rows.values_list("session", flat=True) if session is not None}
    if not found:
        return []
    return list(GroupSession.objects.select_for_update().filter(pk__in=found).order_by("pk"))


def give_back(rows: QuerySet[Occupancy]) -> None:
    """Free what these rows take; a session in which nobody is left takes no time. Call it in a transaction."""
    found = dict(rows.values_list("pk", "session_id"))
    if not found:
        return
    given = Occupancy.objects.filter(pk__in=found)
    left = lock_sessions(given) if any(found.values()) else []
    given.delete()
    for session in left:
        settle_time(session)


def settle_time(session: GroupSession) -> None:
    """A locked session's time is taken for good by a visit, as long as the last one by holds, and by nobody not at all.
    Where it was forgotten, because its holds had run out, it is taken anew: raises IntegrityError when it is not free.
    """
    seats, whole = session.seats.filter(seat__gte=1), session.seats.filter(seat=0)
    until = None
    if not seats.filter(appointment__isnull=False).exists():
        until = seats.filter(held_until_at__gt=timezone.now()).aggregate(last=Max("held_until_at"))["last"]
        if until is None:
            whole.delete()
            return
    if not whole.update(held_until_at=until):
        Occupancy.objects.create(**_where(session), seat=0, span=_span(session), held_until_at=until)


def _where(session: GroupSession) -> dict[str, object]:
    return {"session": session, "practitioner_id": session.practitioner_id, "room_id": session.room_id}


def _span(session: GroupSession) -> DateTimeTZRange:
    before = timedelta(minutes=session.service.buffer_before_minutes)
    after = timedelta(minutes=session.service.buffer_after_minutes)
    return DateTimeTZRange(session.starts_at - before, session.ends_at + after, "[)")
