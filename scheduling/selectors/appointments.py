"""Reading visits."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import QuerySet

from contact_center.accounts.models import User
from contact_center.common.prepared import Given, prepared
from patients.models import Patient
from patients.selectors.people import patients_visible_to
from scheduling.enums import OCCUPYING
from scheduling.enums import AppointmentStatus as S
from scheduling.models import Appointment

MOST_SHOWN = 20
_SHOWN = ("service", "practitioner", "location", "room")


def appointments_visible_to(user: User) -> QuerySet[Appointment]:
    """Visits of the patients this person may open."""
    return Appointment.objects.filter(patient__in=patients_visible_to(user))


def get_appointment_for(user: User, pk: int) -> Appointment:
    """One visit with all that is shown of it. Raises Appointment.DoesNotExist, also when it is hidden."""
    return appointments_visible_to(user).select_related("patient", *_SHOWN).get(pk=pk)


def overlapping(patients: Collection[int], starts_at: datetime, ends_at: datetime) -> QuerySet[Appointment]:
    """Visits of these patients that take some of that time, soonest first, with what they are."""
    rows = Appointment.objects.filter(patient__in=patients, starts_at__lt=ends_at, ends_at__gt=starts_at)
    return rows.filter(status__in=OCCUPYING).select_related("service")


def upcoming_of(patient: Patient, now: datetime) -> list[Appointment]:
    """The patient's visits that are still to end, soonest first; at most 20."""
    return _upcoming().ask(patient.pk, now)


@prepared
def _upcoming() -> QuerySet[Appointment]:
    """Of the patient 0 after the moment 1."""
    rows = Appointment.objects.filter(patient=Given(0), ends_at__gt=Given(1))
    rows = rows.filter(status__in=[S.PENDING, S.BOOKED, S.ARRIVED, S.CHECKED_IN])
    return rows.select_related(*_SHOWN)[:MOST_SHOWN]


def past_of(patient: Patient, now: datetime, *, limit: int = MOST_SHOWN) -> list[Appointment]:
    """Attended, missed and cancelled visits, latest first; those moved on are told by the visit that took their
    place. At most `limit`."""
    return _past(limit).ask(patient.pk, now)


@prepared
def _past(limit: int) -> QuerySet[Appointment]:
    """Of the patient 0 before the moment 1."""
    rows = Appointment.objects.filter(patient=Given(0), next=None).exclude(status=S.ENTERED_IN_ERROR)
    gone = rows.filter(status__in=[S.CANCELLED, S.NOSHOW, S.FULFILLED]) | rows.filter(ends_at__lte=Given(1))
    return gone.select_related("previous", *_SHOWN).order_by("-starts_at")[:limit]


def visit_behind(pk: int) -> tuple[Appointment, Appointment]:
    """The visit that a link names, and the one at the end of its chain with all that a page shows of it.

    Raises Appointment.DoesNotExist, also for one that was entered in error.
    """
    named = Appointment.objects.get(pk=pk)
    rows = Appointment.objects.exclude(status=S.ENTERED_IN_ERROR).select_related("patient", *_SHOWN)
    return named, rows.get(pk=current_of(named).pk)


def current_of(appointment: Appointment) -> Appointment:
    """The visit at the end of the chain: an old link leads to what is booked now."""
    later = Appointment.objects.filter(previous=appointment).first()
    while later is not None:
        appointment, later = later, Appointment.objects.filter(previous=later).first()
    return appointment
