"""One of Aurora's practitioners is absent next week: some patients have another time, some were told, some wait."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.timezone import localdate

from contact_center.accounts.enums import Role
from contact_center.accounts.models import User
from contact_center.aurora.staff import DOMAIN
from scheduling.enums import AbsenceReason, Party
from scheduling.models import Location, MassMove, Practitioner
from scheduling.selectors.openings import find_slots, nearby
from scheduling.services import booking, mass_moves

WAVE, TOLD_AGO = 4, timedelta(hours=1)


def tell_of_an_absence(now: datetime) -> None:
    """Write it down as a supervisor does; the first wave was told an hour ago, and one of it chose another time."""
    person = Practitioner.objects.order_by("pk")[1]
    supervisor = User.objects.filter(email__endswith=f"@{DOMAIN}", role=Role.SUPERVISOR).earliest("pk")
    zone = ZoneInfo(Location.objects.filter(schedules__practitioner=person).earliest("pk").time_zone)
    monday = localdate(now, zone) + timedelta(days=7 - localdate(now, zone).weekday())
    starts_at = datetime.combine(monday, time(), tzinfo=zone)
    move = mass_moves.start(
        actor=supervisor, whom=person, starts_at=starts_at, ends_at=starts_at + timedelta(days=2),
        reason=AbsenceReason.SICKNESS, group_size=WAVE, interval_minutes=20,
    )  # fmt: skip
    mass_moves.take_in(mass_move_id=move.pk)
    told = list(move.visits.select_related("appointment__service")[:WAVE])
    move.visits.filter(pk__in=[row.pk for row in told]).update(wave=1, told_at=now - TOLD_AGO)
    MassMove.objects.filter(pk=move.pk).update(waves=1, next_wave_at=now + timedelta(minutes=20))
    for row in told[:1]:
        visit = row.appointment
        slots = find_slots(nearby(visit, monday, localdate(now, zone)), now=now, limit=1)
        for slot in slots:
            wish = booking.Wish(visit.service_id, slot.starts_at, slot.practitioner_id, slot.location_id, slot.room_id)
            booking.move(
                actor=None, appointment_id=visit.pk, wish=wish, asked_by=Party.PATIENT, reason="Chosen by the patient",
                may_overlap=True,
            )  # fmt: skip
