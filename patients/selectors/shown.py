"""What each piece of a patient's page shows. Each asks the database a constant number of times."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from contact_center.accounts.models import User
from contact_center.audit.selectors import looks_at
from contact_center.common.prepared import Given, planned
from patients.enums import Register
from patients.models import Identifier, Patient, PostalAddress
from patients.pieces import marks_on
from patients.selectors.access import may_open
from patients.selectors.care import alerts_of, coverages_of, enrolments_of, life_events_of, path_of, pending_of
from patients.selectors.consents import consent_grid, latest_consents

Shown = dict[str, Any] | None


def alerts(user: User, patient: Patient) -> Shown:
    """Alerts that hold today."""
    return {"alerts": alerts_of(patient)}


def reach(user: User, patient: Patient) -> Shown:
    """Addresses with what is known of them (verified, bounced, and what apps above know), homes, and the ends of the
    numbers that registers gave: enough to tell two people apart, not enough to be them."""
    points = list(patient.contact_points.all())
    marks = marks_on(patient, [point.value for point in points])
    return {
        "points": [(point, marks[point.value]) for point in points],
        "homes": _homes().ask(patient.pk),
        "numbers": [(one, _register(one.system), one.value[-4:]) for one in _numbers().ask(patient.pk)],
    }


@planned
def _homes() -> QuerySet[PostalAddress]:
    """Of the patient 0."""
    return PostalAddress.objects.filter(patient=Given(0))


@planned
def _numbers() -> QuerySet[Identifier]:
    """Of the patient 0."""
    return Identifier.objects.filter(patient=Given(0))


def _register(system: str) -> str:
    return str(Register(system).label) if system in Register.values else system


def preferences(user: User, patient: Patient) -> Shown:
    """How the patient wants to be spoken with."""
    return {}


def consents(user: User, patient: Patient) -> Shown:
    """The latest word on each purpose and way, and the newest of all."""
    words = latest_consents(patient)
    return {
        "grid": consent_grid(patient),
        "newest": max(words, key=lambda row: (row.recorded_at, row.pk), default=None),
    }


def family(user: User, patient: Patient) -> Shown:
    """Relatives and proxies, without those whose own record this person may not open."""
    people = [one for one in patient.related_persons.all() if one.relative is None or may_open(user, one.relative)]
    return {"people": people} if people else None


def life_events(user: User, patient: Patient) -> Shown:
    """What is worth remembering."""
    return {"events": life_events_of(patient)}


def coverage(user: User, patient: Patient) -> Shown:
    """Who pays."""
    return {"coverages": coverages_of(patient), "today": timezone.localdate()}


def lookers(user: User, patient: Patient) -> Shown:
    """Who looked at this record last."""
    return {"looks": looks_at(patient.pk)}


def programs(user: User, patient: Patient) -> Shown:
    """Programs with the way through their steps."""
    rows = enrolments_of(patient)
    return {"programs": [(row, path_of(row)) for row in rows], "today": timezone.localdate()}


def pending(user: User, patient: Patient) -> Shown:
    """Results and authorisations that are waited for."""
    return {"pending": pending_of(patient), "today": timezone.localdate()}


def next_steps(user: User, patient: Patient) -> Shown:
    """All that is expected, for the panel beside a conversation."""
    from patients.journey import next_steps_for

    return {"steps": next_steps_for(user, patient)}
