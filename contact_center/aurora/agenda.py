"""Who sees patients when at Aurora, and three weeks of visits before and after today."""

import random
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from contact_center.aurora.clinic import PRACTITIONERS, SERVICES, SITES
from patients.enums import Gender
from patients.models import Patient
from scheduling.enums import AbsenceReason, AppointmentStatus, Confirmation, Party, VisitMode
from scheduling.models import (
    Absence,
    Appointment,
    HealthcareService,
    Location,
    Occupancy,
    Practitioner,
    Prerequisite,
    Room,
    Schedule,
    WeeklyHours,
)

DAYS_BACK, DAYS_AHEAD = 14, 21
WORKDAYS = range(5)
MORNING, AFTERNOON = (time(8), time(12)), (time(13), time(17))
PHONE_TOO = {"family-medicine", "dermatology", "cardiology"}
BEGINS_EVERY = 15


def set_up_agenda(now: datetime, rng: random.Random) -> None:
    """Sites, services, practitioners with their weeks, and visits of the seeded patients; nothing overlaps."""
    zone = ZoneInfo(settings.TIME_ZONE)
    places = {
        site.name: Location.objects.create(name=f"Aurora {site.name}", address=site.address, time_zone=zone.key)
        for site in SITES
    }
    services = {one.code: _service(one.code, one.minutes, one.names, one.preparation) for one in SERVICES}
    fewest = {"deceased_date": None, "merged_into": None, "sensitivity": "none"}
    Prerequisite.objects.create(service=services["cardiology"], first=services["ultrasound"], least_minutes=15)
    patients = list(Patient.objects.filter(**fewest).order_by("pk").only("birth_date", "gender")[:2000])
    visits: list[Appointment] = []
    today = now.astimezone(zone).date()
    for one in PRACTITIONERS:
        person = Practitioner.objects.create(name=one.name, languages=list(one.languages), daily_overbooking=1)
        person.services.add(services[one.service])
        fitting = [patient.pk for patient in patients if _fits(patient, one.service, today)]
        fitting = fitting or [patient.pk for patient in patients]  # a clinic of a few patients has no child, say
        room = _week(person, places[one.site])
        for number in range(-DAYS_BACK, DAYS_AHEAD):
            day = today + timedelta(days=number)
            if day.weekday() in WORKDAYS:
                made_that_day = _day(person, places[one.site], services[one.service], day, now, rng, fitting)
                for visit in made_that_day:
                    visit.room = room
                visits += made_that_day
    made = Appointment.objects.bulk_create(visits, batch_size=1000)
    held = [one for one in made if one.status != AppointmentStatus.CANCELLED]
    Occupancy.objects.bulk_create(
        [
            Occupancy(
                practitioner_id=one.practitioner_id,
                room_id=one.room_id,
                span=(one.starts_at, one.ends_at),
                appointment=one,
            )
            for one in held
        ],
        batch_size=1000,
    )
    noon = datetime.combine(today + timedelta(days=(7 - today.weekday()) % 7 or 7), time(12), tzinfo=zone)
    Absence.objects.create(
        practitioner=Practitioner.objects.earliest("pk"),
        starts_at=noon,
        ends_at=noon + timedelta(hours=1),
        reason=AbsenceReason.MEETING,
    )


def _fits(patient: Patient, service: str, today: date) -> bool:
    """Children go to the paediatrician and nobody else does; women's health sees women."""
    born = patient.birth_date
    is_child = born is not None and today.year - born.year < 18
    is_for_women = service == "womens-health"
    return is_child == (service == "paediatrics") and (not is_for_women or patient.gender == Gender.FEMALE)


def _service(code: str, minutes: int, names: dict[str, str], preparation: dict[str, str]) -> HealthcareService:
    modes = [VisitMode.ON_SITE, *([VisitMode.PHONE, VisitMode.VIDEO] if code in PHONE_TOO else [])]
    return HealthcareService.objects.create(
        code=code,
        name=names["en"].capitalize(),
        names={language: name.capitalize() for language, name in names.items()},
        preparation=preparation,
        minutes=minutes,
        step_minutes=BEGINS_EVERY if minutes > 10 else 10,
        modes=modes,
        notice_minutes=120,
        is_public=True,
    )


def _week(person: Practitioner, place: Location) -> Room:
    """The weekly hours of a practitioner, in a room of their own."""
    room = Room.objects.create(location=place, name=f"Room {place.rooms.count() + 1}")
    schedule = Schedule.objects.create(practitioner=person, location=place, room=room)
    WeeklyHours.objects.bulk_create(
        WeeklyHours(schedule=schedule, weekday=weekday, starts=starts, ends=ends)
        for weekday in WORKDAYS
        for starts, ends in (MORNING, AFTERNOON)
    )
    return room


def _day(
    person: Practitioner,
    place: Location,
    service: HealthcareService,
    day: date,
    now: datetime,
    rng: random.Random,
    patients: list[int],
) -> list[Appointment]:
    """A day fuller the nearer it is."""
    zone, step = ZoneInfo(place.time_zone), timedelta(minutes=max(service.minutes, service.step_minutes))
    if service.minutes > BEGINS_EVERY:
        step = timedelta(minutes=-(-service.minutes // BEGINS_EVERY) * BEGINS_EVERY)
    fullness = 0.85 - 0.025 * max(0, (day - now.astimezone(zone).date()).days)
    visits = []
    for starts, ends in (MORNING, AFTERNOON):
        at, until = datetime.combine(day, starts, tzinfo=zone), datetime.combine(day, ends, tzinfo=zone)
        while at + timedelta(minutes=service.minutes) <= until:
            if rng.random() < fullness:
                visits.append(_visit(person, place, service, at, now, rng, rng.choice(patients)))
            at += step
    return visits


def _visit(
    person: Practitioner,
    place: Location,
    service: HealthcareService,
    at: datetime,
    now: datetime,
    rng: random.Random,
    patient_id: int,
) -> Appointment:
    ends_at = at + timedelta(minutes=service.minutes)
    visit = Appointment(
        patient_id=patient_id, service=service, practitioner=person, location=place, starts_at=at, ends_at=ends_at,
        visit_date=at.date(), mode=VisitMode.ON_SITE,
    )  # fmt: skip
    chance = rng.random()
    is_past = ends_at <= now
    if chance < 0.06:
        visit.cancel(asked_by=Party.PATIENT, reason=rng.choice(["Work", "Feeling better", "Another appointment"]))
        visit.cancelled_at = min(now, at - timedelta(days=1))
    elif is_past and chance < 0.14:
        visit.miss()
        visit.noshow_at = at + timedelta(minutes=15)
    elif is_past:
        visit.arrive()
        visit.fulfil()
        visit.arrived_at, visit.fulfilled_at = at - timedelta(minutes=8), ends_at
    elif rng.random() < 0.55:
        visit.confirmation, visit.confirmed_at = Confirmation.CONFIRMED, now - timedelta(hours=5)
    return visit
