"""FHIR Appointments taken in: booked, moved, answered and ended through the agenda's own verbs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.common.errors import Conflict, Refused
from inbox import realtime
from scheduling.enums import OCCUPYING, Confirmation, Party, VisitMode
from scheduling.enums import AppointmentStatus as S
from scheduling.foreign import VISIT_SYSTEM, Misunderstood, reference, slot_id
from scheduling.models import Appointment, ExternalVisit, HealthcareService, Location, Practitioner, Schedule
from scheduling.selectors.fhir import MODE_SYSTEM, moment_in, patient_of, row_by_code, version, visit_called
from scheduling.services import attendance, booking

MODELS = {"Practitioner": Practitioner, "Location": Location, "HealthcareService": HealthcareService}
Resource = dict[str, Any]


class VersionPassed(Conflict):
    """If-Match names a version that is not the present one."""


@dataclass(slots=True)
class Said:
    """What a resource says, with our own ids; None where it says nothing."""

    patient_id: int | None = None
    practitioner_id: int | None = None
    location_id: int | None = None
    service_id: int | None = None
    room_id: int | None = None
    starts_at: Any = None
    mode: str = VisitMode.ON_SITE
    patient_status: str = ""
    note: str = ""
    status: str = ""
    reason: str = ""
    asked_by: str = Party.ORGANISATION
    identifiers: tuple[tuple[str, str], ...] = ()


def create(*, actor: User, resource: Resource) -> tuple[Appointment, bool]:
    """Book what a checked FHIR Appointment says; the visit and whether it is new.

    The same identifier of another system books once, for one patient and while that visit stands.
    Raises SlotTaken, Refused, Misunderstood, PermissionDenied.
    """
    said = read(actor, resource)
    for source, value in said.identifiers:
        if (known := visit_called(actor, source, value)) is not None:
            require_same(known, said.patient_id)
            return known, False
    if said.status != S.BOOKED:
        raise Refused(_("Only a visit with the status booked can be created."))
    missing = [
        words for words, value in (
            ("Patient", said.patient_id), ("Practitioner", said.practitioner_id), ("Location", said.location_id),
            ("HealthcareService", said.service_id), ("start", said.starts_at),
        ) if value is None
    ]  # fmt: skip
    if missing:
        raise Misunderstood(_("This is needed: %(what)s.") % {"what": ", ".join(missing)})
    assert said.patient_id is not None
    with realtime.atomic():
        (visit,) = booking.book(actor=actor, patient_id=said.patient_id, wishes=[_wish(said)])
        keep_identifiers(visit, said.identifiers)
    return visit, True


def update(*, actor: User, appointment_id: int, resource: Resource, seen: str = "") -> Appointment:
    """Bring a visit to what a checked FHIR Appointment says. Another time or place moves it: the answer is a new visit.

    `seen` is the version of If-Match. Raises VersionPassed, SlotTaken, Refused, Misunderstood, PermissionDenied,
    Appointment.DoesNotExist.
    """
    booking.require_booker(actor)
    said = read(actor, resource)
    with realtime.atomic():
        visit = booking.lock_appointment(actor, appointment_id)
        if seen and seen != version(visit):
            raise VersionPassed(_("Somebody else changed this visit meanwhile. Read it again."))
        if said.patient_id not in (None, visit.patient_id):
            raise Refused(_("A visit cannot be given to another patient."))
        if said.status and said.status != visit.status:
            return _to_status(actor, visit, said)
        if _is_elsewhere(visit, said):
            visit = _move(actor, visit, said)
        else:  # what the patient answered was about the time before
            _answer(actor, visit, said)
        keep_identifiers(visit, said.identifiers)
        visit.refresh_from_db()
        return visit


def keep_identifiers(visit: Appointment, identifiers: tuple[tuple[str, str], ...]) -> None:
    """Remember what other systems call this visit; a name that another visit has goes along only with its chain."""
    for source, value in identifiers:
        known = ExternalVisit.objects.filter(source=source, value=value).select_related("appointment").first()
        if known is None:
            ExternalVisit.objects.create(source=source, value=value, appointment=visit)
        elif known.appointment_id != visit.pk:
            if known.appointment_id != visit.previous_id:
                raise Refused(_("Another visit has this identifier."))
            known.appointment = visit
            known.save()


def require_same(known: Appointment, patient_id: int | None) -> None:
    """Raise Refused when the visit that already has the identifier is another patient's, or does not stand any more."""
    if patient_id not in (None, known.patient_id) or known.status not in OCCUPYING:
        raise Refused(_("Another visit has this identifier."))


def read(actor: User, resource: Resource) -> Said:
    """What the resource says, with references and codes looked up. Raises Misunderstood for what nobody knows here."""
    said = Said(status=resource.get("status") or "", note=str(resource.get("comment") or "")[:240])
    said.identifiers = tuple(
        (str(one["system"])[:120], str(one["value"])[:120]) for one in resource.get("identifier") or []
        if one.get("system") and one.get("value") and one["system"] != VISIT_SYSTEM
    )  # fmt: skip
    if resource.get("start"):
        said.starts_at = moment_in(str(resource["start"]))
    for one in resource.get("slot") or []:
        _from_slot(said, str(one.get("reference") or ""))
    for participant in resource.get("participant") or []:
        _participant(actor, said, participant)
    for coding in _codings(resource.get("serviceType") or []):
        found = row_by_code(HealthcareService, coding.get("system") or "", str(coding.get("code") or ""))
        said.service_id = said.service_id or (found.pk if found else None)
    for coding in _codings([resource.get("appointmentType") or {}]):
        if coding.get("system") == MODE_SYSTEM and coding.get("code") in VisitMode.values:
            said.mode = coding["code"]
    _why(said, resource.get("cancelationReason") or {})
    return said


def _codings(concepts: list[Resource]) -> list[Resource]:
    return [coding for concept in concepts for coding in concept.get("coding") or []]


def _why(said: Said, concept: Resource) -> None:
    codes = [str(one.get("code") or "") for one in concept.get("coding") or []]
    shown = [str(one.get("display") or "") for one in concept.get("coding") or []]
    said.reason = str(concept.get("text") or next(filter(None, shown), ""))[:240]
    begins = {"pat": Party.PATIENT, "prov": Party.PRACTITIONER}
    said.asked_by = next(
        (party for code in codes for begin, party in begins.items() if code.startswith(begin)), said.asked_by
    )


def _from_slot(said: Said, text: str) -> None:
    slot = slot_id(text.rpartition("/")[2])
    row = Schedule.objects.filter(pk=slot.schedule_id).first()
    if row is None:
        raise Misunderstood(_("No such slot."))
    said.practitioner_id, said.location_id, said.room_id = row.practitioner_id, row.location_id, row.room_id
    said.service_id, said.starts_at = slot.service_id, said.starts_at or slot.starts_at


def _participant(actor: User, said: Said, participant: Resource) -> None:
    who = participant.get("actor") or {}
    text, number = str(who.get("reference") or ""), who.get("identifier") or {}
    kind = reference(text).kind if text else str(who.get("type") or "")
    if kind == "Patient":
        said.patient_status = str(participant.get("status") or "")
        said.patient_id = reference(text).id if text else _patient(actor, number)
    elif kind in MODELS:
        pk = reference(text).id if text else _coded(kind, number)
        field = {"Practitioner": "practitioner_id", "Location": "location_id", "HealthcareService": "service_id"}[kind]
        setattr(said, field, pk)


def _patient(actor: User, number: Resource) -> int:
    found = patient_of(actor, [(str(number.get("system") or ""), str(number.get("value") or ""))])
    if len(found) != 1:
        raise Misunderstood(_("No patient here has this identifier."))
    return found.pop()


def _coded(kind: str, number: Resource) -> int:
    found = row_by_code(MODELS[kind], str(number.get("system") or ""), str(number.get("value") or ""))
    if found is None:
        raise Misunderstood(_("Nobody has said yet which %(kind)s this code means.") % {"kind": kind})
    return int(found.pk)


def _wish(said: Said, *, key: str = "", note: str = "") -> booking.Wish:
    named = key or next((f"{source}|{value}" for source, value in said.identifiers), "")
    return booking.Wish(
        service_id=said.service_id or 0,
        starts_at=said.starts_at,
        practitioner_id=said.practitioner_id or 0,
        location_id=said.location_id or 0,
        room_id=said.room_id or _room(said),
        mode=said.mode,
        note=said.note or note,
        key=uuid5(NAMESPACE_URL, f"fhir:{named}:{said.starts_at.isoformat()}") if named else None,
    )


def _room(said: Said) -> int | None:
    """The room of the schedule at that site, which only a slot names."""
    rows = Schedule.objects.filter(practitioner=said.practitioner_id, location=said.location_id)
    return rows.order_by("pk").values_list("room_id", flat=True).first()


def _is_elsewhere(visit: Appointment, said: Said) -> bool:
    pairs = (
        (said.starts_at, visit.starts_at), (said.practitioner_id, visit.practitioner_id),
        (said.location_id, visit.location_id), (said.service_id, visit.service_id),
    )  # fmt: skip
    return any(new is not None and new != old for new, old in pairs)


def _move(actor: User, visit: Appointment, said: Said) -> Appointment:
    if said.service_id not in (None, visit.service_id):
        raise Refused(_("A visit for another service is booked anew."))
    said.service_id, said.starts_at = visit.service_id, said.starts_at or visit.starts_at
    said.practitioner_id = said.practitioner_id or visit.practitioner_id
    said.location_id = said.location_id or visit.location_id
    wish = _wish(said, key=f"visit:{visit.pk}", note=visit.note)
    reason = said.reason or _("Moved by another system")
    return booking.move(actor=actor, appointment_id=visit.pk, wish=wish, asked_by=said.asked_by, reason=reason)


def _answer(actor: User, visit: Appointment, said: Said) -> None:
    if said.patient_status == "accepted" and visit.confirmation == Confirmation.UNCONFIRMED:
        attendance.confirm(actor=actor, appointment_id=visit.pk)
    elif said.patient_status == "declined" and visit.confirmation != Confirmation.DECLINED:
        attendance.decline(actor=actor, appointment_id=visit.pk)


def _to_status(actor: User, visit: Appointment, said: Said) -> Appointment:
    if said.status == S.CANCELLED:
        reason = said.reason or _("Cancelled by another system")
        done = booking.cancel(actor=actor, appointment_id=visit.pk, asked_by=said.asked_by, reason=reason)
        done.refresh_from_db()
        return done
    verbs: dict[str, Callable[..., Appointment]] = {
        S.ARRIVED: attendance.arrive, S.CHECKED_IN: attendance.check_in, S.FULFILLED: attendance.fulfil,
        S.NOSHOW: attendance.mark_missed, S.ENTERED_IN_ERROR: attendance.discard,
    }  # fmt: skip
    if visit.status == S.NOSHOW:
        verbs[S.BOOKED] = attendance.take_back_missed
    verb = verbs.get(said.status)
    if verb is None:
        raise Refused(_("The visit cannot become “%(state)s”.") % {"state": said.status})
    done = verb(actor=actor, appointment_id=visit.pk)
    done.refresh_from_db()
    return done
