"""Aurora's prenatal class, and one patient's visits that come again. On which days, the day of the seed says."""

from datetime import date, datetime, time, timedelta
from uuid import NAMESPACE_OID, uuid5
from zoneinfo import ZoneInfo

from django.utils.timezone import localdate

from patients.enums import Gender
from patients.models import Patient
from scheduling.enums import Every, VisitMode
from scheduling.models import (
    Appointment,
    AppointmentSeries,
    GroupSession,
    HealthcareService,
    Location,
    Occupancy,
    Practitioner,
    Schedule,
    WeeklyHours,
)

PLACES, COMING = 8, (8, 5, 2)
"""Places of the class, and how many come in the next weeks."""
TUESDAY, WEDNESDAY = 1, 2
EVENING, LATEST = time(17, 30), time(19)
AFTER_WORK, UNTIL = time(17), time(18)
"""When nobody of the clinic has another visit."""
SERIES = 6


def set_up_groups(now: datetime) -> None:
    """The class with who comes to its next three evenings, and six weekly visits of physiotherapy."""
    current = Patient.objects.filter(deceased_date=None, merged_into=None, sensitivity="none").order_by("pk")
    today = localdate(now)
    adults = current.filter(birth_date__lt=today - timedelta(days=7000))
    _class(today, list(adults.filter(gender=Gender.FEMALE, birth_date__gt=today - timedelta(days=15_500))[:PLACES]))
    patient = adults.first()
    if patient is not None:
        _series(today, patient)


def _class(today: date, mothers: list[Patient]) -> None:
    site = Location.objects.get(name="Aurora Coral Way")
    service = HealthcareService.objects.create(
        code="prenatal-class",
        name="Prenatal class",
        names={"en": "Prenatal class", "es": "Curso de preparación al parto", "pt": "Curso de preparação para o parto"},
        preparation={
            "en": "Wear something comfortable. You may bring one person.",
            "es": "Venga con ropa cómoda. Puede traer a una persona.",
            "pt": "Venha com roupa confortável. Você pode trazer uma pessoa.",
        },
        minutes=90,
        step_minutes=90,
        places=PLACES,
        modes=[VisitMode.ON_SITE],
        is_public=True,
    )
    midwife = Practitioner.objects.create(name="Rosa Delgado, CNM", languages=["en", "es"])
    midwife.services.add(service)
    schedule = Schedule.objects.create(practitioner=midwife, location=site)
    WeeklyHours.objects.create(schedule=schedule, weekday=WEDNESDAY, starts=EVENING, ends=LATEST)
    for week, coming in enumerate(COMING):
        given: dict[str, object] = {"service": service, "practitioner": midwife, "location": site}
        given |= _times(_next(today, WEDNESDAY, week), EVENING, service, site)
        if mothers:
            _session(given, mothers[:coming])


def _session(given: dict[str, object], mothers: list[Patient]) -> None:
    session = GroupSession.objects.create(**given, places=PLACES)
    seat = {"session": session, "practitioner": session.practitioner}
    Occupancy.objects.create(**seat, seat=0, span=(session.starts_at, session.ends_at))
    for number, patient in enumerate(mothers, start=1):
        visit = _visit(given, patient, session=session)
        Occupancy.objects.create(**seat, seat=number, of_places=PLACES, appointment=visit)


def _series(today: date, patient: Patient) -> None:
    service = HealthcareService.objects.get(code="physiotherapy")
    schedule = (
        Schedule.objects.filter(practitioner__services=service).select_related("practitioner", "location", "room").get()
    )
    WeeklyHours.objects.create(schedule=schedule, weekday=TUESDAY, starts=AFTER_WORK, ends=UNTIL)
    series = AppointmentSeries.objects.create(
        patient=patient, first_date=_next(today, TUESDAY), starts=AFTER_WORK, unit=Every.WEEK, weekdays=[TUESDAY],
        count=SERIES, booking_key=uuid5(NAMESPACE_OID, "physiotherapy"),
    )  # fmt: skip
    given: dict[str, object] = {
        "service": service, "practitioner": schedule.practitioner, "location": schedule.location,
        "room": schedule.room,
    }  # fmt: skip
    for week in range(SERIES):
        times = _times(_next(today, TUESDAY, week), AFTER_WORK, service, schedule.location)
        visit = _visit(given | times, patient, series=series, series_number=week + 1)
        span = (visit.starts_at, visit.ends_at)
        Occupancy.objects.create(practitioner=schedule.practitioner, room=schedule.room, span=span, appointment=visit)


def _visit(given: dict[str, object], patient: Patient, **more: object) -> Appointment:
    starts_at = given["starts_at"]
    assert isinstance(starts_at, datetime)
    return Appointment.objects.create(**given, **more, patient=patient, visit_date=starts_at.date())


def _next(today: date, weekday: int, weeks: int = 0) -> date:
    """The first such day after today, or so many weeks later."""
    return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1 + 7 * weeks)


def _times(day: date, at: time, service: HealthcareService, site: Location) -> dict[str, object]:
    starts_at = datetime.combine(day, at, tzinfo=ZoneInfo(site.time_zone))
    return {"starts_at": starts_at, "ends_at": starts_at + timedelta(minutes=service.minutes)}
