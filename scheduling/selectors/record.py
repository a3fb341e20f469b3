"""What the patient's page shows of visits."""

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.common.prepared import Given, prepared
from contact_center.common.request_memory import remembered
from patients.journey import NextStep
from patients.models import Patient
from patients.timeline import Entry, Look, Place, given_look
from scheduling.enums import AppointmentStatus as S
from scheduling.enums import Confirmation
from scheduling.models import Appointment
from scheduling.policies import can_book
from scheduling.selectors.appointments import past_of, upcoming_of

TONES = {S.BOOKED: "accent", S.FULFILLED: "ok", S.NOSHOW: "danger"}


def visits(user: User, patient: Patient) -> dict[str, Any]:
    """What is booked, and the last three visits before. Two queries."""
    past = past_of(patient, timezone.now(), limit=3)
    return {"upcoming": _upcoming(patient), "past": past, "may_book": can_book(user)}


def booking(user: User, patient: Patient) -> dict[str, Any] | None:
    """The button that books a visit, for those who may. No query."""
    return {} if can_book(user) and not patient.deceased_date else None


def _upcoming(patient: Patient) -> list[Appointment]:
    """Asked once per request: it is a piece of the page and a part of its next steps."""
    return remembered(("upcoming", patient.pk), lambda: upcoming_of(patient, timezone.now()))


def own_visits(patient: Patient, viewer: Patient) -> dict[str, Any]:
    """What the patient's own page shows: the visits to come. One query."""
    return {"upcoming": upcoming_of(patient, timezone.now())}


def next_steps(user: User, patient: Patient) -> Iterable[NextStep]:
    """The visits to come, on their day at the site."""
    for one in _upcoming(patient):
        day = one.starts_at.astimezone(ZoneInfo(one.location.time_zone)).date()
        words = {"visit": one.service.name_in(), "state": one.get_confirmation_display()}
        title = _("%(visit)s, %(state)s") % words
        url = reverse("scheduling:visit", args=[one.pk])
        yield NextStep(title, one.practitioner.name, day, _("Visit"), url, "calendar")


def visits_in_line(user: User, patient: Patient, look: Look, size: int) -> Iterable[Entry]:
    """Every visit at its time, those that were moved on as well."""
    if look.is_plain:
        rows: Iterable[Appointment] = _plain(size, bool(look.before)).ask(patient.pk, *look.given)
    else:
        rows = _visits(patient.pk, look, size)
    return [
        Entry(
            Place(row.starts_at, "visit", row.pk), "visit", row.service.name_in(), row.location.name,
            row.practitioner.name, reverse("scheduling:visit", args=[row.pk]), icon="calendar", chip=_chip(row),
        )
        for row in rows
    ]  # fmt: skip


def _visits(patient: Any, look: Look, size: int) -> QuerySet[Appointment]:
    found = Appointment.objects.filter(patient=patient).exclude(status=S.ENTERED_IN_ERROR)
    found = found.filter(look.narrowed("visit", "starts_at"))
    return found.select_related("service", "practitioner", "location", "next").order_by("-starts_at", "-pk")[:size]


@prepared
def _plain(size: int, is_later: bool) -> QuerySet[Appointment]:
    """Of the patient 0, before the place after it."""
    return _visits(Given(0), given_look(1, is_later=is_later), size)


def _chip(row: Appointment) -> tuple[str, str]:
    if row.status == S.CANCELLED and hasattr(row, "next"):
        return _("Moved"), ""
    if row.status == S.BOOKED and row.confirmation == Confirmation.CONFIRMED:
        return row.get_confirmation_display(), "ok"
    return row.get_status_display(), TONES.get(S(row.status), "")
