"""What is done with a whole group session: who comes is read, it is cancelled, moved, or given other places."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Conflict, Refused
from contact_center.common.moments import moment_words
from contact_center.common.wake import wake_on_commit
from patients.selectors.people import patients_visible_to
from scheduling.enums import OCCUPYING, AppointmentStatus, Party
from scheduling.models import Appointment, GroupSession, Occupancy
from scheduling.models.catalogue import MOST_PLACES
from scheduling.selectors.appointments import overlapping
from scheduling.selectors.groups import with_taken
from scheduling.services.booking import book_instead, cancel_locked, leave_time, require_booker
from scheduling.services.claiming import Overtaken, Plan, Wish, plan_for, queue_up, session_of, settle
from scheduling.services.freed import QUEUE, TASK
from scheduling.services.proposals import room_then

MOVABLE = (AppointmentStatus.PENDING, AppointmentStatus.BOOKED)


@dataclass(frozen=True, slots=True)
class Roster:
    """A session with the visits of the patients whom a person may see, how many others come, and places left."""

    session: GroupSession
    visits: list[Appointment]
    hidden: int
    left: int

    @property
    def is_to_come(self) -> bool:
        """Neither begun nor cancelled."""
        return self.session.cancelled_at is None and self.session.starts_at > timezone.now()


@transaction.atomic
def open_session(*, actor: User, session_id: int) -> Roster:
    """Who comes, by name, leaving one SEARCHED entry with the patients who were named.

    Raises PermissionDenied, GroupSession.DoesNotExist.
    """
    require_booker(actor)
    rows = with_taken(GroupSession.objects.select_related("service", "practitioner", "location", "room"))
    session = rows.get(pk=session_id)
    coming = session.visits.filter(status__in=OCCUPYING)
    seen = coming.filter(patient__in=patients_visible_to(actor)).select_related("patient", "service", "location")
    visits = list(seen.order_by("patient__family_name", "patient__given_name", "pk"))
    named = sorted(visit.patient_id for visit in visits)
    record(actor=actor, action=AuditAction.SEARCHED, object_type="group_session", object_id=session_id, found=named)
    return Roster(session, visits, coming.count() - len(visits), session.places - session.taken)


def cancel_session(*, actor: User, session_id: int, asked_by: str, reason: str) -> int:
    """It will not take place: the visit of everybody in it is cancelled, nobody can join it, and its time is free. How
    many were cancelled; cancelling again changes nothing.

    Raises Refused once it has begun, PermissionDenied, GroupSession.DoesNotExist.
    """
    require_booker(actor)

    def work() -> int:
        members, session = _lock(session_id, [])
        if session.cancelled_at is not None:
            return 0
        _call_off(actor, session, asked_by)
        for visit in members:
            cancel_locked(actor, visit, asked_by=asked_by, reason=reason)
        Occupancy.objects.filter(session=session).delete()
        return len(members)

    return settle(work, [])


def move_session(
    *,
    actor: User,
    session_id: int,
    starts_at: datetime,
    practitioner_id: int,
    asked_by: str,
    reason: str,
    may_overlap: bool = False,
) -> GroupSession:
    """Everybody in it is moved to another time, all or none, in the room where the practitioner is then; each is told
    as of any move. The session in which they are now. `may_overlap` lets them have two visits at once, which staff are
    asked about first.

    Raises SlotTaken, also where not all find a place, Conflict when it was cancelled or moved meanwhile, Refused, which
    names those who have another visit then, PermissionDenied, GroupSession.DoesNotExist.
    """
    require_booker(actor)
    old = GroupSession.objects.select_related("service", "location").get(pk=session_id)
    if (old.starts_at, old.practitioner_id) == (starts_at, practitioner_id):
        raise Refused(_("The group takes place then already. Choose another time."))
    wish = Wish(
        old.service_id, starts_at, practitioner_id, old.location_id, mode=old.mode,
        room_id=room_then(old, practitioner_id, starts_at),
    )  # fmt: skip
    plan = plan_for(wish)

    def work() -> GroupSession:
        members, session = _lock(session_id, [plan])
        if session.cancelled_at is not None:
            raise Conflict(_("This group has been cancelled or moved meanwhile."))
        if not members:
            raise Refused(_("Nobody is in this group."))
        if not may_overlap:
            _require_free_members(actor, members, plan)
        new = _destination(plan, session.places)
        _call_off(actor, session, asked_by, moved_to=new)
        session.seats.filter(hold_token__isnull=False).delete()  # which nobody can use any more
        for visit in members:  # all of them leave before one is booked: the group may go where it is in part
            leave_time(visit, asked_by=asked_by, reason=reason)
        for visit in members:
            book_instead(actor, visit, plan, may_overlap=may_overlap)
        return new

    return settle(work, [plan])


def change_places(*, actor: User, session_id: int, places: int) -> GroupSession:
    """This session has other places than its service usually has; never fewer than are taken or held.

    Raises Refused, PermissionDenied, GroupSession.DoesNotExist.
    """
    require_booker(actor)
    if not 1 <= places <= MOST_PLACES:
        raise Refused(_("A group has between one and %(most)s places.") % {"most": MOST_PLACES})
    with transaction.atomic():
        session = GroupSession.objects.select_for_update().get(pk=session_id)
        seats = list(session.seats.filter(seat__gte=1).order_by("seat"))
        if len(seats) > places:
            words = ngettext("%(taken)s place is taken.", "%(taken)s places are taken.", len(seats))
            raise Refused(words % {"taken": len(seats)})
        free = iter(sorted(set(range(1, places + 1)) - {one.seat for one in seats}))
        for one in seats:
            if one.seat is not None and one.seat > places:
                Occupancy.objects.filter(pk=one.pk).update(seat=next(free))
        _set_places(session, places)
        record(
            actor=actor, action=AuditAction.CHANGED, object_type="group_session", object_id=session_id, places=places
        )
        return session


def _lock(session_id: int, plans: Sequence[Plan]) -> tuple[list[Appointment], GroupSession]:
    """The visits of a session that has not begun, the agenda, then the session: as whoever changes a visit locks.

    Raises Overtaken where somebody got a place before the session was locked, Refused once it has begun.
    """
    rows = Appointment.objects.select_for_update(of=("self",)).filter(session=session_id, status__in=MOVABLE)
    members = list(rows.select_related("patient", "service").order_by("pk"))
    queue_up(plans)
    session = GroupSession.objects.select_for_update(of=("self",)).get(pk=session_id)
    if session.visits.filter(status__in=MOVABLE).exclude(pk__in=[one.pk for one in members]).exists():
        raise Overtaken(_("Somebody has just got a place in this group. Try again."))
    is_begun = session.visits.filter(status__in=OCCUPYING).exclude(status__in=MOVABLE).exists()
    if session.cancelled_at is None and (is_begun or session.starts_at <= timezone.now()):
        raise Refused(_("This group has begun or is over, so it cannot be moved or cancelled."))
    return members, session


def _require_free_members(actor: User, members: Sequence[Appointment], plan: Plan) -> None:
    """Raise Refused with those who have another visit at that time, by name where this person may see them."""
    rows = overlapping([one.patient_id for one in members], plan.wish.starts_at, plan.ends_at)
    others = list(rows.exclude(pk__in=[one.pk for one in members]).select_related("patient", "service"))
    if not others:
        return
    concerned = {one.patient_id for one in others}
    seen = set(patients_visible_to(actor).filter(pk__in=concerned).values_list("pk", flat=True))
    zone = ZoneInfo(plan.location.time_zone)
    told = [
        f"{one.patient.full_name} ({one.service.name_in()}, {moment_words(one.starts_at, 'time', zone)})"
        for one in others
        if one.patient_id in seen
    ]
    hidden = len(concerned - seen)
    if hidden:
        words = ngettext("%(n)s patient whom you may not see", "%(n)s patients whom you may not see", hidden)
        told.append(words % {"n": hidden})
    raise Refused(_("Another visit at that time: %(who)s.") % {"who": "; ".join(told)})


def _destination(plan: Plan, places: int) -> GroupSession:
    """The session into which one with so many places is moved, locked; it has as many if nobody is in it."""
    new = session_of(plan, may_follow_moved=True)
    if new is None:
        raise Refused(_("This is not offered any more. Search again."))
    if not new.seats.filter(seat__gte=1).exists():
        _set_places(new, places)
    return new


def _call_off(actor: User, session: GroupSession, asked_by: str, *, moved_to: GroupSession | None = None) -> None:
    session.cancelled_at, session.cancelled_for, session.moved_to = timezone.now(), Party(asked_by), moved_to
    session.save()
    record(
        actor=actor, action=AuditAction.CANCELLED, object_type="group_session", object_id=session.pk,
        asked_by=str(asked_by),
    )  # fmt: skip
    wake_on_commit(TASK, QUEUE)  # places of it that were on offer


def _set_places(session: GroupSession, places: int) -> None:
    session.places = places
    session.save()
