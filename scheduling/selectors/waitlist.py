"""Who waits for a time, and what is offered to whom."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone

from contact_center.accounts.models import User
from inbox.selectors.gate_facts import time_zone_of
from patients.selectors.people import patients_visible_to
from scheduling.enums import OCCUPYING, AppointmentStatus, OfferStatus
from scheduling.models import Appointment, CapacityRules, FreedSlot, SlotOffer, WaitlistEntry
from scheduling.waves import PASSES, Freed, Ranked, Wanted, misfit, ranked

MOST_WAITING = 2000
LATELY = timedelta(days=30)
MOST_SHOWN = 60
SHOWN = "shown_offers"


@dataclass(slots=True)
class Candidates:
    """Those who may be asked now, best first; `is_worth_waiting` when somebody else may be later."""

    order: list[Ranked] = field(default_factory=list)
    entries: dict[int, WaitlistEntry] = field(default_factory=dict)
    is_worth_waiting: bool = False


def candidates(freed: FreedSlot, rules: CapacityRules, now: datetime) -> Candidates:
    """Whom to ask about a freed time that they were not asked about. Three statements."""
    found, slot = Candidates(), freed_as(freed)
    fitting = []
    for entry in _waiting(freed, now):
        wanted = wanted_by(entry)
        reason = misfit(wanted, slot, now, most_offers_a_day=rules.most_offers_a_day)
        if reason is None:
            found.entries[entry.pk] = entry
            fitting.append(wanted)
        elif reason in PASSES:
            found.is_worth_waiting = True
    found.order = ranked(fitting, slot, now)
    return found


def freed_as(freed: FreedSlot) -> Freed:
    """A freed time as the ranking sees it."""
    return Freed(freed.starts_at, freed.location.time_zone, freed.location_id, freed.practitioner_id, freed.mode)


def wanted_by(entry: WaitlistEntry) -> Wanted:
    """An entry of `_waiting` as the ranking sees it."""
    patient, current = entry.patient, entry.appointment
    counts = entry.__dict__
    return Wanted(
        entry_id=entry.pk,
        urgency=entry.urgency,
        joined_at=entry.joined_at,
        mode=entry.mode,
        notice=timedelta(minutes=entry.notice_minutes),
        patient_zone=time_zone_of(patient),
        weekdays=frozenset(entry.weekdays),
        not_before=entry.not_before,
        not_after=entry.not_after,
        first_date=entry.first_date,
        last_date=entry.last_date,
        locations=frozenset(place.pk for place in entry.locations.all()),
        practitioners=frozenset(person.pk for person in entry.practitioners.all()),
        current_starts_at=current.starts_at if current and current.is_to_come else None,
        contact_hours=patient.contact_hours,
        is_busy=counts.get("is_busy", False),
        is_asked=counts.get("is_asked", False),
        offers_today=counts.get("offers_today", 0),
        offers_of_late=counts.get("offers_of_late", 0),
    )


def _waiting(freed: FreedSlot, now: datetime) -> list[WaitlistEntry]:
    rows = WaitlistEntry.objects.filter(service=freed.service_id, mode=freed.mode, closed_at=None)
    rows = rows.filter(patient__deceased_date=None, patient__merged_into=None, patient__is_do_not_contact=False)
    rows = rows.exclude(Exists(SlotOffer.objects.filter(freed=freed, entry=OuterRef("pk"))))
    same_time = Appointment.objects.filter(
        patient=OuterRef("patient"), status__in=OCCUPYING, starts_at__lt=freed.ends_at, ends_at__gt=freed.starts_at
    ).exclude(pk=OuterRef("appointment"))
    asked = SlotOffer.objects.filter(entry__patient=OuterRef("patient"), status=OfferStatus.OFFERED)
    rows = rows.annotate(
        is_busy=Exists(same_time),
        is_asked=Exists(asked),
        offers_today=Count("offers", filter=Q(offers__offered_at__gt=now - timedelta(days=1))),
        offers_of_late=Count("offers", filter=Q(offers__offered_at__gt=now - LATELY)),
    )
    rows = rows.select_related("patient", "appointment").prefetch_related("locations", "practitioners")
    return list(rows.order_by("joined_at", "pk")[:MOST_WAITING])


def entries_visible_to(user: User) -> QuerySet[WaitlistEntry]:
    """Waitlist entries of the patients this person may open."""
    return WaitlistEntry.objects.filter(patient__in=patients_visible_to(user))


def offers_visible_to(user: User) -> QuerySet[SlotOffer]:
    """Offers to the patients this person may open."""
    return SlotOffer.objects.filter(entry__patient__in=patients_visible_to(user))


def waiting_for(user: User) -> list[WaitlistEntry]:
    """The open entries, longest wait first; at most 60. A constant number of statements."""
    rows = entries_visible_to(user).filter(closed_at=None)
    rows = rows.select_related("patient", "service", "appointment__location")
    return list(rows.prefetch_related("locations", "practitioners")[:MOST_SHOWN])


def freed_slots_for(user: User) -> list[FreedSlot]:
    """The freed times to come and those filled of late, with the offers this person may see; at most 60."""
    now = timezone.now()
    shown = offers_visible_to(user).select_related("entry__patient", "message").order_by("rank")
    rows = FreedSlot.objects.filter(Q(closed_at=None) | Q(closed_at__gt=now - timedelta(days=7)))
    rows = rows.select_related("service", "practitioner", "location", "freed_by", "cause", "filled_by")
    rows = rows.prefetch_related(Prefetch("offers", queryset=shown, to_attr=SHOWN))
    return list(rows.order_by("closed_at", "starts_at")[:MOST_SHOWN])


def get_offer(pk: int) -> SlotOffer:
    """One offer with all that its page shows. Raises SlotOffer.DoesNotExist."""
    rows = SlotOffer.objects.select_related(
        "entry__patient", "entry__appointment__location", "freed__service", "freed__practitioner", "freed__location",
        "freed__room",
    )  # fmt: skip
    return rows.get(pk=pk)


def is_to_come(appointment: Appointment | None) -> bool:
    """Whether this visit is still booked and ahead."""
    return (
        appointment is not None
        and appointment.status == AppointmentStatus.BOOKED
        and appointment.starts_at > timezone.now()
    )
