"""What is known of visits that bears on whether they are missed; of the past, only what was known at the time."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from scheduling.ages import age_on
from scheduling.enums import AppointmentStatus as S
from scheduling.enums import Confirmation
from scheduling.models import Appointment, RiskModel
from scheduling.risk import Facts, Risk, Terms, assess, values_of

ANSWERED_BEFORE = timedelta(days=1)
ENDED = [S.FULFILLED, S.NOSHOW]


def risks_of(visits: Sequence[Appointment]) -> dict[int, Risk]:
    """The no-show risk of visits to come, by id. They bring patient and location. Three statements."""
    model = RiskModel.objects.filter(is_active=True).first()
    terms: Terms | None = model.terms if model else None
    facts = facts_of(visits)
    return {one.pk: assess(values_of(facts[one.pk]), terms) for one in visits}


def facts_of(visits: Sequence[Appointment]) -> dict[int, Facts]:
    """What was known of each visit. Earlier visits count when they had ended before it was booked, for visits to come
    when they have ended by now; an answer counts when it was given a day ahead. Two statements."""
    now = timezone.now()
    patients = {one.patient_id for one in visits}
    ended = _ended(patients)
    same_day = Counter(
        Appointment.objects.filter(patient__in=patients, visit_date__in={one.visit_date for one in visits})
        .exclude(status__in=[S.CANCELLED, S.ENTERED_IN_ERROR])
        .values_list("patient_id", "visit_date")
    )
    found = {}
    for one in visits:
        known_at = now if one.starts_at > now else one.created_at
        history = [was_missed for ended_at, was_missed in ended[one.patient_id] if ended_at <= known_at]
        local = one.starts_at.astimezone(ZoneInfo(one.location.time_zone))
        booked = one.created_at.astimezone(ZoneInfo(one.location.time_zone))
        found[one.pk] = Facts(
            lead_days=max(0, (one.visit_date - booked.date()).days),
            age=age_on(one.patient.birth_date, one.visit_date),
            weekday=one.visit_date.weekday(),
            hour=local.hour,
            missed=sum(history),
            kept=len(history) - sum(history),
            others=max(0, same_day[one.patient_id, one.visit_date] - 1),
            answer=_answer(one),
            site=str(one.location_id),
        )
    return found


def _ended(patients: Iterable[int]) -> dict[int, list[tuple[datetime, bool]]]:
    found: dict[int, list[tuple[datetime, bool]]] = defaultdict(list)
    rows = Appointment.objects.filter(patient__in=patients, status__in=ENDED)
    for patient, ends_at, status in rows.values_list("patient_id", "ends_at", "status"):
        found[patient].append((ends_at, status == S.NOSHOW))
    return found


def _answer(one: Appointment) -> str:
    if one.confirmation == Confirmation.CONFIRMED:
        at = one.confirmed_at
        return "confirmed" if at is not None and at <= one.starts_at - ANSWERED_BEFORE else ""
    return "declined" if one.confirmation == Confirmation.DECLINED and one.starts_at > timezone.now() else ""
