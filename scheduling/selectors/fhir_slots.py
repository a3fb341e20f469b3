"""Free times as FHIR Slots. They are no rows: an id names schedule, service and start, and is worked out again."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q, QuerySet
from django.utils import timezone

from scheduling.foreign import SERVICE_SYSTEM, Misunderstood, SlotId, reference, span_of
from scheduling.models import HealthcareService, Occupancy, Schedule
from scheduling.selectors.groups import places_left, unhindered
from scheduling.selectors.openings import MOST_SLOTS, Search, find_slots, is_open
from scheduling.slots import Slot

FOUR_WEEKS = timedelta(days=28)
SLOT_PARAMS = {
    "schedule": "reference", "schedule.actor": "reference", "service-type": "token", "start": "date", "status": "token",
}  # fmt: skip
Resource = dict[str, Any]


@dataclass(slots=True)
class Asked:
    """What slots are looked for. `schedules` are those that may have them."""

    schedules: QuerySet[Schedule]
    service: HealthcareService | None = None
    begin: datetime | None = None
    end: datetime | None = None
    is_nothing: bool = False
    words: list[tuple[str, str]] = field(default_factory=list)


def read_words(words: Sequence[tuple[str, str]]) -> Asked:
    """What these words ask for. Raises Misunderstood; a service must be named unless the schedules have only one."""
    asked = Asked(Schedule.objects.filter(practitioner__is_active=True, location__is_active=True), words=list(words))
    for name, text in words:
        if name == "schedule":
            asked.schedules = asked.schedules.filter(pk=reference(text, "Schedule").id)
        elif name == "schedule.actor":
            asked.schedules = _of_actor(asked.schedules, text)
        elif name == "service-type":
            asked.service = _service(text)
            asked.is_nothing |= asked.service is None
        elif name == "start":
            begin, end = span_of(text, ZoneInfo(timezone.get_current_timezone_name()))
            asked.begin = max(filter(None, (asked.begin, begin)), default=None)
            asked.end = min(filter(None, (asked.end, end)), default=None)
        elif name == "status":
            asked.is_nothing |= text != "free"  # what is taken is told as Appointment
        else:
            raise Misunderstood(f"Slot cannot be searched by “{name[:40]}”.")
    if asked.service is None and not asked.is_nothing:
        asked.service = _only_service(asked.schedules)
    return asked


def free_slots_of(asked: Asked, *, skipped: int, limit: int) -> list[tuple[SlotId, Slot]]:
    """The free ones in order of start, after `skipped`; at most 200 together."""
    if asked.is_nothing or asked.service is None:
        return []
    now, service = timezone.now(), asked.service
    today = timezone.localdate()
    first = max(timezone.localdate(asked.begin), today) if asked.begin else today
    last = min(
        timezone.localdate(asked.end) if asked.end else first + FOUR_WEEKS, today + timedelta(service.horizon_days)
    )
    rows = asked.schedules.filter(practitioner__services=service).filter(Q(services=None) | Q(services=service))
    known = {(row.practitioner_id, row.location_id, row.room_id): row for row in rows.distinct()}
    if not known:
        return []
    search = Search(
        service, first - timedelta(days=1), last, frozenset(key[0] for key in known), frozenset(key[1] for key in known)
    )
    earliest = max(now + timedelta(minutes=service.notice_minutes), asked.begin or now)
    found = []
    for slot in find_slots(search, now=now, earliest=earliest, limit=MOST_SLOTS):
        row = known.get((slot.practitioner_id, slot.location_id, slot.room_id))
        if row is not None and (asked.end is None or slot.starts_at < asked.end):
            found.append((SlotId(row.pk, service.pk, slot.start), slot))
    return found[skipped : skipped + limit]


def slot_resource(
    slot: SlotId, ends_at: datetime, code: str, status: str = "free", places: int | None = None
) -> Resource:
    """FHIR Slot; how many `places` are left of a group stands in `comment`."""
    left = {} if places is None else {"comment": f"{places} places left"}
    return left | {
        "resourceType": "Slot",
        "id": str(slot),
        "serviceType": [{"coding": [{"system": SERVICE_SYSTEM, "code": code}]}],
        "schedule": {"reference": f"Schedule/{slot.schedule_id}"},
        "status": status,
        "start": slot.starts_at.isoformat(),
        "end": ends_at.isoformat(),
    }


def slot_now(slot: SlotId) -> Resource:
    """The slot with this id as it stands: free, busy, or busy-unavailable when nobody sees patients then.

    Raises Schedule.DoesNotExist, HealthcareService.DoesNotExist.
    """
    row = Schedule.objects.select_related("practitioner", "location").get(pk=slot.schedule_id)
    service = HealthcareService.objects.get(pk=slot.service_id)
    ends_at = slot.starts_at + timedelta(minutes=service.minutes)
    begin = slot.starts_at - timedelta(minutes=service.buffer_before_minutes)
    end = ends_at + timedelta(minutes=service.buffer_after_minutes)
    taken = Occupancy.objects.filter(span__overlap=DateTimeTZRange(begin, end))
    taken = taken.filter(Q(held_until_at=None) | Q(held_until_at__gt=timezone.now()))
    taken = unhindered(taken, service, slot.starts_at)
    is_busy = taken.filter(Q(practitioner=row.practitioner_id) | Q(room=row.room_id, room__isnull=False)).exists()
    opens = is_open(service, row.practitioner_id, row.location, row.room_id, begin, end)
    offered = row.practitioner.services.filter(pk=service.pk).exists()
    places = places_left(service, row.practitioner_id, slot.starts_at)
    status = "busy" if is_busy else "free" if opens and offered and places != 0 else "busy-unavailable"
    return slot_resource(slot, ends_at, service.code, status, places)


def _of_actor(rows: QuerySet[Schedule], text: str) -> QuerySet[Schedule]:
    said = reference(text)
    fields = {"Practitioner": "practitioner", "Location": "location"}
    if said.kind not in fields:
        raise Misunderstood("A Practitioner or a Location is expected.")
    return rows.filter(**{fields[said.kind]: said.id})


def _service(text: str) -> HealthcareService | None:
    system, bar, code = text.rpartition("|")
    if bar and system not in ("", SERVICE_SYSTEM):
        return None
    return HealthcareService.objects.filter(code=code, is_active=True).first()


def _only_service(schedules: QuerySet[Schedule]) -> HealthcareService:
    offered = HealthcareService.objects.filter(practitioners__schedules__in=schedules, is_active=True).distinct()[:2]
    if len(offered) != 1:
        raise Misunderstood("Say for which service, by service-type.")
    return offered[0]
