"""What booking would say of a time that somebody pointed at in a calendar, told before anybody is asked why."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.common.errors import Refused
from contact_center.common.moments import moment_words
from scheduling.models import Absence, Appointment, GroupSession, HealthcareService, Occupancy, Practitioner, Room
from scheduling.selectors.appointments import overlapping
from scheduling.selectors.groups import unhindered
from scheduling.selectors.openings import Offer, offers_of, rooms_open
from scheduling.services.claiming import Plan, Wish, plan_for
from scheduling.slots import Slot


@dataclass(frozen=True, slots=True)
class Proposal:
    """Another time for a visit. `problems` keep it from being booked as long as they last; `warnings` do not."""

    offer: Offer
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def propose(
    *,
    moved: Appointment,
    starts_at: datetime,
    practitioner: Practitioner | None = None,
    room: Room | None = None,
    together: Collection[int] = (),
) -> Proposal:
    """What moving this visit there would mean, with whom and where it is now unless said otherwise,
    and the visits `together` with it.

    Nothing is promised: `move` decides.
    """
    who = (practitioner or moved.practitioner).pk
    where = room.pk if room else room_then(moved, who, starts_at)
    length = timedelta(minutes=moved.service.minutes)
    slot = Slot(int(starts_at.timestamp()), who, int((starts_at + length).timestamp()), moved.location_id, where)
    offer = offers_of([slot])[0]
    if not offer.practitioner.services.filter(pk=moved.service_id).exists():
        given = {"who": offer.practitioner.name, "service": moved.service.name_in()}
        return Proposal(offer, [_("%(who)s does not offer this: %(service)s.") % given])
    wish = Wish(moved.service_id, starts_at, who, moved.location_id, where, moved.mode)
    return Proposal(offer, *hindrances(wish, moved.patient_id, leaving={moved.pk, *together}))


def hindrances(wish: Wish, patient_id: int, *, leaving: Collection[int] = ()) -> tuple[list[str], list[str]]:
    """What keeps this wish from being booked as long as it lasts, and what does not but should be known; the visits
    `leaving` are left aside."""
    try:
        plan = plan_for(wish)
    except Refused as error:
        return _absences(wish) or [str(error)], []
    return _taken(plan, leaving), _overlaps(plan, patient_id, leaving)


def _absences(wish: Wish) -> list[str]:
    """Why nobody sees patients then, where an absence says it."""
    service = HealthcareService.objects.get(pk=wish.service_id)
    end = wish.starts_at + timedelta(minutes=service.minutes)
    return [closed_then(one) for one in absences_between(wish, wish.starts_at, end)[:1]]


def absences_between(wish: Wish, begin: datetime, end: datetime) -> QuerySet[Absence]:
    """What closes that time for whom, where and in which room the wish is, the earliest first."""
    closing = Q(practitioner=wish.practitioner_id) | Q(location=wish.location_id) | Q(room=wish.room_id or 0)
    return Absence.objects.filter(closing, starts_at__lt=end, ends_at__gt=begin).order_by("starts_at")


def closed_then(absence: Absence) -> str:
    """That nobody sees patients then, with why."""
    return _("Closed then: %(why)s.") % {"why": absence.words}


def room_then(moved: Appointment | GroupSession, practitioner_id: int, starts_at: datetime) -> int | None:
    """The present room where the practitioner is there then, else the one where the practitioner is."""
    service = moved.service
    begin = starts_at - timedelta(minutes=service.buffer_before_minutes)
    end = starts_at + timedelta(minutes=service.minutes + service.buffer_after_minutes)
    rooms = rooms_open(service, practitioner_id, moved.location, begin, end)
    return moved.room_id if moved.room_id in rooms or not rooms else min(rooms, key=lambda room: room or 0)


def _taken(plan: Plan, leaving: Collection[int]) -> list[str]:
    """By whom and what the time of the practitioner or the room is taken, the visits `leaving` left aside."""
    rows = Occupancy.objects.filter(span__overlap=plan.span)
    rows = rows.filter(Q(held_until_at=None) | Q(held_until_at__gt=timezone.now()))
    rows = rows.filter(Q(practitioner=plan.practitioner) | Q(room__isnull=False, room=plan.room))
    rows = unhindered(rows, plan.service, plan.wish.starts_at, leaving=leaving).order_by("span")
    return [_who_is_there(one, plan) for one in rows]


def _who_is_there(taken: Occupancy, plan: Plan) -> str:
    given = {
        "who": plan.practitioner.name if taken.practitioner_id == plan.practitioner.pk else plan.room,
        "start": _clock(taken.span.lower, plan),
        "end": _clock(taken.span.upper, plan),
    }
    if taken.hold_token:
        return _("%(who)s: somebody else is just booking %(start)s to %(end)s.") % given
    return _("%(who)s is taken from %(start)s to %(end)s.") % given


def _overlaps(plan: Plan, patient_id: int, leaving: Collection[int]) -> list[str]:
    others = overlapping([patient_id], plan.wish.starts_at, plan.ends_at).exclude(pk__in=leaving)
    return other_visits(others, ZoneInfo(plan.location.time_zone))


def other_visits(visits: Iterable[Appointment], zone: ZoneInfo) -> list[str]:
    """That the patient has these visits already, one sentence for each."""
    return [
        _("The patient has another visit at that time: %(visit)s, %(start)s to %(end)s.")
        % {
            "visit": one.service.name_in(),
            "start": moment_words(one.starts_at, "time", zone),
            "end": moment_words(one.ends_at, "time", zone),
        }
        for one in visits
    ]


def _clock(at: datetime, plan: Plan) -> str:
    return moment_words(at, "time", ZoneInfo(plan.location.time_zone))
