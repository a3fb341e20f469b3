"""Reading what is to be done about freed times and missed visits, which leaves its trace."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from scheduling.enums import AppointmentStatus
from scheduling.models import Appointment, FreedSlot, NoShowRecovery, WaitlistEntry
from scheduling.risk import Level, Risk
from scheduling.selectors.appointments import appointments_visible_to
from scheduling.selectors.recovery import to_do_for
from scheduling.selectors.risk import risks_of
from scheduling.selectors.waitlist import SHOWN, freed_slots_for, waiting_for

AHEAD = timedelta(days=2)
MOST_VISITS, MOST_SHOWN = 300, 12


@dataclass(frozen=True, slots=True)
class Overview:
    """What a person who books may see: `at_risk` are visits of the next two days with their risk, highest first."""

    freed: list[FreedSlot]
    waiting: list[WaitlistEntry]
    recoveries: list[NoShowRecovery]
    at_risk: list[tuple[Appointment, Risk]]


@transaction.atomic
def open_overview(*, actor: User) -> Overview:
    """Everything at once, leaving one SEARCHED entry with the patients who were named."""
    found = Overview(freed_slots_for(actor), waiting_for(actor), to_do_for(actor), _at_risk(actor))
    named = {entry.patient_id for entry in found.waiting} | {row.patient_id for row in found.recoveries}
    named |= {visit.patient_id for visit, _risk in found.at_risk}
    named |= {offer.entry.patient_id for freed in found.freed for offer in getattr(freed, SHOWN)}
    record(actor=actor, action=AuditAction.SEARCHED, object_type="agenda", object_id=0, found=sorted(named))
    return found


def _at_risk(actor: User) -> list[tuple[Appointment, Risk]]:
    now = timezone.now()
    rows = appointments_visible_to(actor).filter(
        status=AppointmentStatus.BOOKED, starts_at__gt=now, starts_at__lt=now + AHEAD
    )
    visits = list(rows.select_related("patient", "service", "location").order_by("starts_at")[:MOST_VISITS])
    risks = risks_of(visits)
    risky = [(visit, risks[visit.pk]) for visit in visits if risks[visit.pk].level != Level.LOW]
    return sorted(risky, key=lambda pair: -pair[1].share)[:MOST_SHOWN]
