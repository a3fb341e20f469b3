"""The agenda as FHIR R4 resources, and what can be searched in it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from contact_center.accounts.models import User
from contact_center.common.models import TimeStampedModel
from patients.fhir.reading import MRN_SYSTEM
from patients.selectors.people import patients_visible_to
from patients.services.intake import normalise_identifier
from scheduling.enums import AppointmentStatus, Confirmation
from scheduling.foreign import SERVICE_SYSTEM, VISIT_SYSTEM, Misunderstood, reference, span_of
from scheduling.models import Appointment, HealthcareService, Location, Practitioner, Schedule
from scheduling.selectors.appointments import appointments_visible_to

ZONE_EXTENSION = "http://hl7.org/fhir/StructureDefinition/timezone"
PREVIOUS_EXTENSION = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.previousAppointment"
RECURRENCE_EXTENSION = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.recurrenceId"
SERIES_SYSTEM = "urn:continuo:appointment-series"
SESSION_SYSTEM = "urn:continuo:group-session"
MODE_SYSTEM, LANGUAGE_SYSTEM = "urn:continuo:visit-mode", "urn:ietf:bcp:47"
TAKEN_PART = {Confirmation.CONFIRMED: "accepted", Confirmation.DECLINED: "declined"}
Resource = dict[str, Any]
Narrow = Callable[[QuerySet[Any], str], QuerySet[Any]]


def version(row: TimeStampedModel) -> str:
    """What an ETag of this row says: microseconds of its last change."""
    return str(int(row.updated_at.timestamp() * 1_000_000))


def _resource(kind: str, row: Any) -> Resource:
    meta = {"versionId": version(row), "lastUpdated": row.updated_at.isoformat()}
    return {"resourceType": kind, "id": str(row.pk), "meta": meta}


def _refer(kind: str, row: Any) -> Resource:
    return {"reference": f"{kind}/{row.pk}", "display": str(row)}


def appointment_resource(visit: Appointment) -> Resource:
    """FHIR Appointment with patient (no name), practitioner, site and service as participants."""
    found = _resource("Appointment", visit)
    mine = TAKEN_PART.get(Confirmation(visit.confirmation), "needs-action") if visit.confirmation else "needs-action"
    others = (("Practitioner", visit.practitioner), ("Location", visit.location), ("HealthcareService", visit.service))
    found |= {
        "identifier": [{"system": VISIT_SYSTEM, "value": str(visit.pk)}]
        + [{"system": one.source, "value": one.value} for one in visit.external_ids.all()],
        "status": visit.status,
        "serviceType": [{"coding": [{"system": SERVICE_SYSTEM, "code": visit.service.code}]}],
        "appointmentType": {"coding": [{"system": MODE_SYSTEM, "code": visit.mode}]},
        "start": visit.starts_at.isoformat(),
        "end": visit.ends_at.isoformat(),
        "minutesDuration": int((visit.ends_at - visit.starts_at).total_seconds() // 60),
        "created": visit.created_at.isoformat(),
        "participant": [{"actor": {"reference": f"Patient/{visit.patient_id}"}, "required": "required", "status": mine}]
        + [{"actor": _refer(kind, row), "status": "accepted"} for kind, row in others],
    }
    if visit.note:
        found["comment"] = visit.note
    if visit.status == AppointmentStatus.CANCELLED and visit.cancel_reason:
        found["cancelationReason"] = {"text": visit.cancel_reason}
    extensions = _extensions(visit)
    return found | ({"extension": extensions} if extensions else {})


def _extensions(visit: Appointment) -> list[Resource]:
    """What FHIR R4 has no field for: the visit it was moved from, the group it is in (whose other members are not
    said), its place in a series."""
    found: list[Resource] = []
    if visit.previous_id:
        value = {"reference": f"Appointment/{visit.previous_id}"}
        found.append({"url": PREVIOUS_EXTENSION, "valueReference": value})
    if visit.session_id:
        group = {"system": SESSION_SYSTEM, "value": str(visit.session_id)}
        found.append({"url": SESSION_SYSTEM, "valueIdentifier": group})
    if visit.series_id:
        series = {"system": SERIES_SYSTEM, "value": str(visit.series_id)}
        found.append({"url": SERIES_SYSTEM, "valueIdentifier": series})
        found.append({"url": RECURRENCE_EXTENSION, "valuePositiveInt": visit.series_number})
    return found


def schedule_resource(row: Schedule) -> Resource:
    """FHIR Schedule: a practitioner at one site, with what is offered there."""
    days = {"start": row.valid_from_date, "end": row.valid_until_date}
    horizon = {name: day.isoformat() for name, day in days.items() if day}
    offered = row.services.all() or row.practitioner.services.all()
    found = _resource("Schedule", row) | {
        "active": row.practitioner.is_active and row.location.is_active,
        "serviceType": [{"coding": [{"system": SERVICE_SYSTEM, "code": one.code}]} for one in offered],
        "actor": [_refer("Practitioner", row.practitioner), _refer("Location", row.location)],
    }
    found = {name: value for name, value in found.items() if value not in ([], {})}
    return found | ({"planningHorizon": horizon} if horizon else {})


def service_resource(row: HealthcareService) -> Resource:
    """FHIR HealthcareService; how to prepare stands in `extraDetails`, in English."""
    found = _resource("HealthcareService", row) | {
        "identifier": [{"system": SERVICE_SYSTEM, "value": row.code}],
        "active": row.is_active,
        "name": row.name,
        "comment": f"{row.minutes} min" + (f", {row.places} places" if row.is_group else ""),
        "appointmentRequired": True,
    }
    details = row.preparation_in("en")
    return found | ({"extraDetails": details} if details else {})


def practitioner_resource(row: Practitioner) -> Resource:
    """FHIR Practitioner."""
    spoken = [{"coding": [{"system": LANGUAGE_SYSTEM, "code": language}]} for language in row.languages]
    found = _resource("Practitioner", row) | {"active": row.is_active, "name": [{"text": row.name}]}
    return found | ({"communication": spoken} if spoken else {})


def location_resource(row: Location) -> Resource:
    """FHIR Location with its time zone."""
    found = _resource("Location", row) | {
        "extension": [{"url": ZONE_EXTENSION, "valueCode": row.time_zone}],
        "status": "active" if row.is_active else "inactive",
        "name": row.name,
        "mode": "instance",
    }
    return found | ({"address": {"text": row.address}} if row.address else {})


# ---- searching ----


def _is(field: str, kind: str) -> Narrow:
    return lambda rows, text: rows.filter(**{field: reference(text, kind).id})


def _actor(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    said = reference(text)
    fields = {"Patient": "patient", "Practitioner": "practitioner", "Location": "location"}
    if rows.model is Appointment:
        fields["HealthcareService"] = "service"
    else:
        del fields["Patient"]
    if said.kind not in fields:
        raise Misunderstood("No such participant is kept.")
    return rows.filter(**{fields[said.kind]: said.id})


def _when(field: str) -> Narrow:
    def narrow(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        begin, end = span_of(text, ZoneInfo(timezone.get_current_timezone_name()))
        rows = rows.filter(**{f"{field}__gte": begin}) if begin else rows
        return rows.filter(**{f"{field}__lt": end}) if end else rows

    return narrow


def _flag(field: str, words: Mapping[str, bool]) -> Narrow:
    def narrow(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        if text not in words:
            raise Misunderstood(f"One of {', '.join(words)} is expected.")
        return rows.filter(**{field: words[text]})

    return narrow


def _status(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    wanted = text.split(",")
    if not set(wanted) <= set(AppointmentStatus.values):
        raise Misunderstood("A status of FHIR's Appointment is expected.")
    return rows.filter(status__in=wanted)


def _code(field: str) -> Narrow:
    def narrow(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        system, bar, value = text.rpartition("|")
        return rows.filter(**{field: value}) if not bar or system in ("", SERVICE_SYSTEM) else rows.none()

    return narrow


def _visit_identifier(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    system, _bar, value = text.rpartition("|")
    if system == VISIT_SYSTEM:
        return rows.filter(pk=reference(value, "Appointment").id)
    known = {"external_ids__value": value} | ({"external_ids__source": system} if system else {})
    return rows.filter(**known).distinct()


def _name(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    return rows.filter(name__icontains=text)


def _offered(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    mine = _code("services__code")(rows, text) | _code("practitioner__services__code")(rows.filter(services=None), text)
    return mine.distinct()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of resource: its rows for a person, how one is written down, and what it is searched by."""

    rows: Callable[[User], QuerySet[Any]]
    written: Callable[[Any], Resource]
    params: Mapping[str, tuple[str, Narrow]]


_ID = ("token", lambda rows, text: rows.filter(pk=reference(text, "Any").id))
_ACTIVE = {"true": True, "false": False}


def _all(rows: QuerySet[Any]) -> Callable[[User], QuerySet[Any]]:
    return lambda user: rows.all()


def _visits(user: User) -> QuerySet[Appointment]:
    rows = appointments_visible_to(user).select_related("practitioner", "location", "service")
    return rows.prefetch_related("external_ids")


def _schedules(user: User) -> QuerySet[Schedule]:
    rows = Schedule.objects.select_related("practitioner", "location")
    return rows.prefetch_related("services", "practitioner__services")


KINDS: dict[str, Kind] = {
    "Appointment": Kind(_visits, appointment_resource, {
        "_id": _ID, "patient": ("reference", _is("patient", "Patient")), "actor": ("reference", _actor),
        "practitioner": ("reference", _is("practitioner", "Practitioner")),
        "location": ("reference", _is("location", "Location")), "service-type": ("token", _code("service__code")),
        "status": ("token", _status), "date": ("date", _when("starts_at")), "identifier": ("token", _visit_identifier),
        "_lastUpdated": ("date", _when("updated_at")),
    }),
    "Schedule": Kind(_schedules, schedule_resource, {
        "_id": _ID, "actor": ("reference", _actor), "service-type": ("token", _offered),
        "active": ("token", _flag("practitioner__is_active", _ACTIVE)),
    }),
    "HealthcareService": Kind(_all(HealthcareService.objects.order_by()), service_resource, {
        "_id": _ID, "name": ("string", _name), "active": ("token", _flag("is_active", _ACTIVE)),
        "identifier": ("token", _code("code")),
    }),
    "Practitioner": Kind(_all(Practitioner.objects.order_by()), practitioner_resource, {
        "_id": _ID, "name": ("string", _name), "active": ("token", _flag("is_active", _ACTIVE)),
    }),
    "Location": Kind(_all(Location.objects.order_by()), location_resource, {
        "_id": _ID, "name": ("string", _name),
        "status": ("token", _flag("is_active", {"active": True, "inactive": False})),
    }),
}  # fmt: skip
"""Slots are made when they are asked for: see `selectors.fhir_slots`."""


def found_rows(user: User, kind: str, words: Iterable[tuple[str, str]], *, after: int, limit: int) -> list[Any]:
    """Rows that fit all the words, in order of id, behind `after`. Raises Misunderstood, also for an unknown word."""
    known = KINDS[kind]
    rows = known.rows(user)
    for name, text in words:
        if name not in known.params:
            raise Misunderstood(f"{kind} cannot be searched by “{name[:40]}”.")
        rows = known.params[name][1](rows, text)
    return list(rows.filter(pk__gt=after).order_by("pk")[:limit])


def row_of(user: User, kind: str, pk: int) -> Any:
    """One row as `KINDS` writes it down. Raises ObjectDoesNotExist, also for one that this person must not see."""
    return KINDS[kind].rows(user).get(pk=pk)


# ---- what other systems call our rows ----


def patient_of(user: User, numbers: Iterable[tuple[str, str]]) -> set[int]:
    """Ids of the patients, visible to this person, who have one of these numbers (system, value)."""
    wanted = Q(pk__in=[])
    for system, value in numbers:
        if system == MRN_SYSTEM:
            wanted |= Q(mrn=value)
        elif normal := normalise_identifier(value):
            wanted |= Q(identifiers__system=system, identifiers__value=normal)
    return set(patients_visible_to(user).filter(wanted).values_list("pk", flat=True).distinct())


def row_by_code(model: type[Model], source: str, value: str) -> Any:
    """Our row that this system calls so, None when nobody has said which it is."""
    name = {"HealthcareService": "service"}.get(model.__name__, model.__name__.lower())
    rows: QuerySet[Any] = model._default_manager.filter(codes__source=source, codes__value=value)
    if name == "service" and source == SERVICE_SYSTEM:
        rows = HealthcareService.objects.filter(code=value)
    return rows.first()


def visit_called(user: User, source: str, value: str) -> Appointment | None:
    """The visit that another system calls so."""
    return _visits(user).filter(external_ids__source=source, external_ids__value=value).first()


def moment_in(text: str) -> datetime:
    """A FHIR instant. Raises Misunderstood for one without its offset from UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Misunderstood("An instant such as 2026-11-30T09:00:00-05:00 is expected.") from None
    if moment.tzinfo is None or not 1900 < moment.year < 2200:
        raise Misunderstood("An instant with its offset from UTC is expected.")
    return moment
