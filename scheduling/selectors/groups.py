"""Group sessions: which one can still be joined, and who comes."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from scheduling.models import GroupSession, HealthcareService, Occupancy
from scheduling.slots import Fit, Opening, Slot, is_wanted


def with_taken(
    rows: QuerySet[GroupSession], *, counts_holds: bool = True, leaving: Collection[int] = ()
) -> QuerySet[Any]:
    """The same with `taken`: how many of its places visits but those `leaving`, and holds that last, take."""
    kept = Q(seats__appointment__isnull=False) & ~Q(seats__appointment__in=leaving)
    if counts_holds:
        kept |= Q(seats__held_until_at__gt=timezone.now())
    return rows.annotate(taken=Count("seats", filter=Q(seats__seat__gte=1) & kept))


def unhindered(
    rows: QuerySet[Occupancy],
    service: HealthcareService,
    starts_at: datetime,
    *,
    counts_holds: bool = True,
    leaving: Collection[int] = (),
) -> QuerySet[Occupancy]:
    """Of what takes some time, that which keeps a visit of this service from beginning then: neither the visits
    `leaving`, nor a group that it can join, nor one in which only they are."""
    rows = rows.exclude(appointment__in=leaving)
    if not service.is_group:
        return rows
    begun = GroupSession.objects.filter(service=service, starts_at=starts_at, cancelled_at=None)
    left = with_taken(begun, counts_holds=counts_holds, leaving=leaving).filter(taken__lt=F("places"))
    rows = rows.exclude(session__in=left.values("pk"))
    if not leaving:
        return rows
    theirs = GroupSession.objects.filter(visits__in=leaving)
    alone = with_taken(theirs, counts_holds=counts_holds, leaving=leaving).filter(taken=0)
    return rows.exclude(session__in=alone.values("pk"))


def is_cancelled(service_id: int, practitioner_id: int, starts_at: datetime) -> bool:
    """Whether the group that would begin then was cancelled or moved."""
    rows = GroupSession.objects.filter(service=service_id, practitioner=practitioner_id, starts_at=starts_at)
    return rows.exists() and not rows.filter(cancelled_at=None).exists()


def places_left(service: HealthcareService, practitioner_id: int, starts_at: datetime) -> int | None:
    """How many can still join the group that begins then: all before the first does, nobody once it was cancelled.
    None for a visit of one patient."""
    if not service.is_group:
        return None
    begun = GroupSession.objects.filter(service=service, practitioner=practitioner_id, starts_at=starts_at)
    live = with_taken(begun.filter(cancelled_at=None)).first()
    if live is not None and live.taken:
        return int(live.places - live.taken)
    return 0 if is_cancelled(service.pk, practitioner_id, starts_at) else service.places


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for among the groups of a service that begin from `earliest` until before `until`; `mode` empty
    means any way."""

    service: HealthcareService
    mode: str
    fit: Fit
    earliest: datetime
    until: datetime


def with_groups(fresh: Iterator[Slot], openings: Sequence[Opening], wanted: Wanted) -> Iterator[Slot]:
    """Slots in order of start with the places left: those of groups that have begun to fill, and `fresh` ones but for
    groups that were cancelled. One statement."""
    if not openings:
        return iter(())
    rows = GroupSession.objects.filter(service=wanted.service)
    rows = rows.filter(starts_at__gte=wanted.earliest, starts_at__lt=wanted.until)
    rows = rows.filter(practitioner__in={one.practitioner_id for one in openings})
    sessions = list(with_taken(rows).order_by("starts_at", "practitioner_id"))
    live = {_key(one): one.places for one in sessions if one.cancelled_at is None}  # also where all have left
    gone = {_key(one) for one in sessions} - live.keys()
    new = (
        replace(slot, places=live.get((slot.practitioner_id, slot.start), wanted.service.places))
        for slot in fresh
        if (slot.practitioner_id, slot.start) not in gone
    )
    return merge(new, _joinable(sessions, openings, wanted))


def _key(session: GroupSession) -> tuple[int, int]:
    return session.practitioner_id, int(session.starts_at.timestamp())


def _joinable(sessions: Sequence[GroupSession], openings: Sequence[Opening], wanted: Wanted) -> Iterator[Slot]:
    for one in sessions:
        taken: int = one.__dict__["taken"]
        if one.cancelled_at is not None or not 0 < taken < one.places or wanted.mode not in ("", one.mode):
            continue
        slot = Slot(
            int(one.starts_at.timestamp()), one.practitioner_id, int(one.ends_at.timestamp()), one.location_id,
            one.room_id, one.places - taken,
        )  # fmt: skip
        opening = _opening_of(slot, openings, wanted.fit)
        if opening is not None and is_wanted(slot.start, slot.end, wanted.fit, opening.zone):
            yield slot


def _opening_of(slot: Slot, openings: Sequence[Opening], fit: Fit) -> Opening | None:
    where = slot.practitioner_id, slot.location_id, slot.room_id
    begin, end = slot.start - fit.buffer_before * 60, slot.end + fit.buffer_after * 60
    return next(
        (
            one
            for one in openings
            if (one.practitioner_id, one.location_id, one.room_id) == where and one.start <= begin and end <= one.end
        ),
        None,
    )
