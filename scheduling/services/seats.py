"""Places of group sessions: taken one by one under the lock of the session, given back one by one.

Whoever takes or gives back a place locks the session's row first. The database keeps two from one place and a place
from a number that the session does not have.
"""

from datetime import datetime

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
) -> GroupSession:
    """The session that begins then, locked; one that has nobody in it is given these terms. Call it in a transaction,
    by whoever waits for the practitioner's agenda.

    Raises NoSeat where it takes place elsewhere or otherwise, Refused once it was cancelled.
    """
    terms = {"location": location, "room": room, "mode": str(mode), "ends_at": ends_at, "places": service.places}
    rows = GroupSession.objects.select_for_update().filter(
        service=service, practitioner=practitioner, starts_at=starts_at
    )
    session = rows.filter(cancelled_at=None).first()
    if session is None:
        if rows.exists():
            raise Refused(_("This group was cancelled. Choose another time."))
        return GroupSession.objects.create(
            service=service, practitioner=practitioner, starts_at=starts_at, **terms
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


def take_seat(session: GroupSession, span: DateTimeTZRange, **owner: object) -> Occupancy:
    """One place of a session that `session_for` locked, for a visit or a hold; with the first one the session takes the
    time of its practitioner and room. Raises NoSeat; IntegrityError when that time is taken by something else."""
    where = {"session": session, "practitioner_id": session.practitioner_id, "room_id": session.room_id}
    used = set(session.seats.values_list("seat", flat=True))
    free = next((number for number in range(1, session.places + 1) if number not in used), None)
    if free is None:
        raise NoSeat
    if 0 not in used:
        Occupancy.objects.create(**where, seat=0, span=span)
    seat = Occupancy.objects.create(**where, seat=free, of_places=session.places, **owner)
    _settle(session)
    return seat


def give_back(rows: QuerySet[Occupancy]) -> None:
    """Free what these rows take; a session in which nobody is left takes no time. Call it in a transaction."""
    found = list(rows.values_list("pk", "session_id"))
    if not found:
        return
    Occupancy.objects.filter(pk__in=[pk for pk, _session in found]).delete()
    left = sorted({session for _pk, session in found if session is not None})
    for session in GroupSession.objects.select_for_update().filter(pk__in=left).order_by("pk"):
        _settle(session)


def extend(session_id: int) -> None:
    """The session lasts at least as long as its holds, one of which was prolonged. Call it in a transaction."""
    _settle(GroupSession.objects.select_for_update().get(pk=session_id))


def _settle(session: GroupSession) -> None:
    """The session's time is taken for good by a visit, as long as the last one by holds, and by nobody not at all."""
    seats, whole = session.seats.filter(seat__gte=1), session.seats.filter(seat=0)
    if seats.filter(appointment__isnull=False).exists():
        whole.update(held_until_at=None)
        return
    until = seats.aggregate(last=Max("held_until_at"))["last"]
    whole.delete() if until is None else whole.update(held_until_at=until)
