"""What Aurora's patients were told of their visits and will be, and what must be arranged before some of them."""

from datetime import datetime, timedelta

from scheduling.enums import Answer, AppointmentStatus, Confirmation, NeedKind, ReminderKind
from scheduling.models import Appointment, HealthcareService, Location, Need, Practitioner, Reminder
from scheduling.services.reminders import plan_missing

DIRECTIONS = {
    "Aurora Brickell": {
        "en": "Metromover to Brickell City Centre. The entrance with a ramp is in 12th Street.",
        "es": "Metromover hasta Brickell City Centre. La entrada con rampa está en la calle 12.",
        "pt": "Metromover até Brickell City Centre. A entrada com rampa fica na rua 12.",
    },
    "Aurora Coral Way": {
        "en": "Bus 24 stops at the door. Parking is behind the house.",
        "es": "El autobús 24 para en la puerta. El estacionamiento está detrás del edificio.",
        "pt": "O ônibus 24 para na porta. O estacionamento fica atrás do prédio.",
    },
    "Aurora Aventura": {
        "en": "Take the lift by the pharmacy to floor 2.",
        "es": "Tome el ascensor junto a la farmacia hasta el piso 2.",
        "pt": "Pegue o elevador ao lado da farmácia até o 2º andar.",
    },
}
NEEDS_AUTHORISATION = "ultrasound"
EVERY = 4
PLANNED = 300  # the rest is planned as in production, by the sweep


def tell_of_visits(now: datetime) -> None:
    """Directions, video rooms and needs; an answered reminder with each confirmed visit; a plan for all to come."""
    for place in Location.objects.all():
        place.directions = DIRECTIONS.get(place.name, {})
        place.save(update_fields=["directions"])
    for person in Practitioner.objects.all():
        person.video_url = f"https://video.aurora.example/room-{person.pk}"
        person.save(update_fields=["video_url"])
    to_come = Appointment.objects.filter(status=AppointmentStatus.BOOKED, starts_at__gt=now).order_by("pk")
    _needs(list(to_come.filter(service__code=NEEDS_AUTHORISATION)), now)
    plan_missing(limit=PLANNED)
    confirmed = to_come.filter(confirmation=Confirmation.CONFIRMED, confirmed_at__isnull=False)
    Reminder.objects.bulk_create(
        [
            Reminder(
                appointment=one, patient_id=one.patient_id, kind=ReminderKind.BOOKED, due_at=told_at,
                handed_at=told_at, answer=Answer.CONFIRM, answered_at=one.confirmed_at,
            )
            for one in confirmed
            for told_at in [one.confirmed_at - timedelta(hours=2)]
        ],
        batch_size=1000,
    )  # fmt: skip


def _needs(visits: list[Appointment], now: datetime) -> None:
    HealthcareService.objects.filter(code=NEEDS_AUTHORISATION).update(needs=[NeedKind.AUTHORISATION])
    Need.objects.bulk_create(
        Need(
            appointment=one,
            kind=NeedKind.AUTHORISATION,
            is_required=True,
            settled_at=None if number % EVERY == 0 and one.confirmation != Confirmation.CONFIRMED else now,
        )
        for number, one in enumerate(visits)
    )
