"""Who waits for an earlier time at Aurora, how freed times are offered, and visits missed of late."""

from datetime import datetime, timedelta

from scheduling.enums import AppointmentStatus, Barrier, RecoveryPath, Urgency
from scheduling.models import Appointment, CapacityRules, HealthcareService, NoShowRecovery, WaitlistEntry
from scheduling.services.recovery import next_call

WAITING, MISSED = 12, 8
URGENCIES = [Urgency.ROUTINE, Urgency.SOON, Urgency.ROUTINE, Urgency.URGENT]
BARRIERS = ["", Barrier.TRANSPORT, "", Barrier.FORGOT, Barrier.COST]
OF_LATE = timedelta(days=4)  # also on a Monday morning


def offer_freed_times(now: datetime) -> None:
    """Rules for every service, patients with a late visit who wait for an earlier one, and recoveries to be done."""
    CapacityRules.objects.bulk_create(CapacityRules(service=one) for one in HealthcareService.objects.order_by("pk"))
    late = Appointment.objects.filter(status=AppointmentStatus.BOOKED, starts_at__gt=now + timedelta(days=9))
    seen: set[int] = set()
    for number, visit in enumerate(late.order_by("pk")[: WAITING * 3 : 3]):
        if visit.patient_id not in seen:
            seen.add(visit.patient_id)
            WaitlistEntry.objects.create(
                patient_id=visit.patient_id, service_id=visit.service_id, appointment=visit,
                urgency=URGENCIES[number % len(URGENCIES)], joined_at=now - timedelta(days=2 + number),
                weekdays=[0, 2, 4] if number % 3 == 0 else [],
            )  # fmt: skip
    missed = Appointment.objects.filter(status=AppointmentStatus.NOSHOW, starts_at__gt=now - OF_LATE)
    missed = missed.select_related("service", "location").order_by("pk")[:MISSED]
    NoShowRecovery.objects.bulk_create(_recovery(one, number, now) for number, one in enumerate(missed))


def _recovery(visit: Appointment, number: int, now: datetime) -> NoShowRecovery:
    is_child = visit.service.code == "paediatrics"
    return NoShowRecovery(
        appointment=visit,
        patient_id=visit.patient_id,
        path=RecoveryPath.NOT_BROUGHT if is_child else RecoveryPath.MISSED,
        flagged_at=now if is_child else None,
        call_due_at=now if is_child else next_call(visit, now),
        barrier=BARRIERS[number % len(BARRIERS)],
    )
