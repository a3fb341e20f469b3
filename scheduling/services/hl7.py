"""Scheduling messages of a hospital's system: kept in the ledger first, then done through the agenda's own verbs.

What cannot be done without guessing, such as a code that nobody has explained, waits in quarantine with a sentence and
is tried again from there.
"""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Refused
from inbox.adapters.base import UnparseablePayload
from inbox.enums import EventKind, EventStatus
from inbox.models import WebhookEvent
from inbox.services.ledger import accept_event, keep_unreadable, process_event
from inbox.services.locks import hold_for_transaction
from patients.fhir.reading import MRN_SYSTEM
from patients.models import Patient
from scheduling.adapters import er7, siu
from scheduling.enums import AbsenceReason, AppointmentStatus, Party
from scheduling.models import Absence, Appointment, HealthcareService, Location, MassMove, Practitioner, Schedule
from scheduling.policies import can_book
from scheduling.selectors.fhir import patient_of, row_by_code, visit_called
from scheduling.services import attendance, booking
from scheduling.services.claiming import FURTHEST
from scheduling.services.fhir import keep_identifiers, require_same
from scheduling.services.mass_moves import MOST_DAYS

PROVIDER, CONTENT_TYPE = "hl7", "application/hl7-v2"
ACCEPTED, REFUSED, REJECTED = "AA", "AE", "AR"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered: AA done, AE kept for a person (with why), AR not for us."""

    code: str
    message: er7.Message | None
    words: str = ""


def receive(*, actor: User, raw: bytes) -> Answer:
    """Keep a message and do what it says. The same MSH-10 of the same sender is done once, and answered as it stands.

    Raises PermissionDenied for somebody who may not book.
    """
    booking.require_booker(actor)
    try:
        message = er7.read(raw)
    except er7.Unreadable as error:
        return _kept_as_rejected(raw, None, str(error))
    try:
        told = siu.read(message)
    except (siu.Unsupported, er7.Unreadable) as error:
        return _kept_as_rejected(raw, message, str(error))
    head = message.first("MSH")
    key = "|".join([head.get(3), head.get(4), told.control_id])
    accept_event(
        provider=PROVIDER, kind=EventKind.AGENDA, dedupe_key=key, external_id=told.control_id, body=raw,
        content_type=CONTENT_TYPE, headers=json.dumps({"actor": actor.pk, "is_test": head.get(11) == "T"}),
    )  # fmt: skip
    return _answered(key, message, raw)


def _kept_as_rejected(raw: bytes, message: er7.Message | None, why: str) -> Answer:
    keep_unreadable(
        provider=PROVIDER, kind=EventKind.AGENDA, body=raw[: er7.MOST_BYTES], content_type=CONTENT_TYPE, why=why,
    )  # fmt: skip
    return Answer(REJECTED, message, why)


def _answered(key: str, message: er7.Message, raw: bytes) -> Answer:
    event = WebhookEvent.objects.get(provider=PROVIDER, dedupe_key=_stored_key(key))
    if _said(bytes(event.body)) != _said(raw):
        return _kept_as_rejected(raw, message, _("Another message had this control id (MSH-10)."))
    if event.status == EventStatus.RECEIVED:
        process_event(event.pk)
        with transaction.atomic():  # a worker may just be at it
            event = WebhookEvent.objects.select_for_update().get(pk=event.pk)
    if event.status == EventStatus.QUARANTINED:
        return Answer(REFUSED, message, event.error)
    if event.status == EventStatus.RECEIVED:
        return Answer(REFUSED, message, _("It is kept and will be tried again."))
    return Answer(ACCEPTED, message)


def _stored_key(key: str) -> str:
    clean = key.replace("\x00", "")
    return clean if len(clean) <= 200 else f"{clean[:130]}:{hashlib.sha256(clean.encode()).hexdigest()}"


def _said(raw: bytes) -> bytes:
    """All but the head, whose time may differ when a message is sent again."""
    return re.split(rb"[\r\n]+", raw.strip(b"\x0b\x1c\r\n "), maxsplit=1)[-1]


def take(event: WebhookEvent) -> bool:
    """Registered as `inbox.intakes` for the agenda. Raises UnparseablePayload with the words for quarantine."""
    actor = User.objects.filter(pk=event.headers.get("actor")).first()
    if actor is None or not can_book(actor):
        raise UnparseablePayload(_("The key that sent it may not book any more."))
    try:
        told = siu.read(er7.read(bytes(event.body)))
        with transaction.atomic():
            return _VERBS[told.action](actor, told)
    except (er7.Unreadable, siu.Unsupported, Refused) as error:
        raise UnparseablePayload(str(error)) from error
    except (PermissionDenied, ObjectDoesNotExist) as error:
        raise UnparseablePayload(_("The patient or the visit cannot be seen with this key.")) from error


# ---- what a message is about ----


@dataclass(slots=True)
class _Place:
    practitioner: Practitioner
    service: HealthcareService
    location: Location
    room_id: int | None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.location.time_zone)


def _codes(told: siu.Told, codes: Sequence[siu.Code], model: Any, what: str) -> Any:
    """The row that one of these codes means, None where the message names none. Raises Refused for unknown codes."""
    for value, authority in codes:
        for source in filter(None, (authority, told.source)):
            if (row := row_by_code(model, source, value)) is not None:
                return row
    if codes:
        value, authority = codes[0]
        words = _("Nobody has said yet which %(what)s “%(code)s” of “%(source)s” is.")
        raise Refused(words % {"what": what, "code": value[:60], "source": (authority or told.source)[:60]})
    return None


def _visit(actor: User, told: siu.Told) -> Appointment | None:
    called = (visit_called(actor, source, value) for source, value in _named(told))
    return next(filter(None, called), None)


def _known_visit(actor: User, told: siu.Told) -> Appointment:
    visit = _visit(actor, told)
    if visit is None:
        raise Refused(_("No visit here has the number of this message."))
    return visit


def _patient(actor: User, told: siu.Told) -> int:
    numbers = [(source, value) for value, given in told.patients for source in filter(None, (given, told.source))]
    numbers += [(MRN_SYSTEM, value) for value, given in told.patients if given.lower() in ("mrn", "continuo")]
    found = patient_of(actor, numbers)
    if len(found) != 1:
        raise Refused(_("No patient here has the number of this message.") if not found else _("Two patients have it."))
    patient = Patient.objects.get(pk=found.pop())
    born = patient.birth_date.strftime("%Y%m%d") if patient.birth_date else ""
    if told.birth_date and born and told.birth_date != born:
        raise Refused(_("The patient with this number has another birth date here."))
    return patient.pk


def _place(told: siu.Told, visit: Appointment | None = None) -> _Place:
    """Who, what and where; what the message does not name is the visit's, or the only one there is."""
    person = _codes(told, told.practitioners, Practitioner, _("practitioner")) or (visit and visit.practitioner)
    if person is None:
        raise Refused(_("The message names no practitioner."))
    service = _codes(told, told.services, HealthcareService, _("service")) or (visit and visit.service)
    service = service or _only(person.services.filter(is_active=True), _("The message names no service."))
    schedules = Schedule.objects.filter(practitioner=person).select_related("location").order_by("pk")
    location = _codes(told, told.locations, Location, _("site"))
    if location is None and visit is not None and visit.practitioner_id == person.pk:
        location = visit.location
    location = location or _only(
        Location.objects.filter(schedules__in=schedules).distinct(), _("The message names no site.")
    )
    row = schedules.filter(location=location).first()
    return _Place(person, service, location, row.room_id if row else None)


def _only(rows: Any, words: str) -> Any:
    found = list(rows[:2])
    if len(found) != 1:
        raise Refused(words)
    return found[0]


def _wish(told: siu.Told, place: _Place, mode: str = "") -> booking.Wish:
    return booking.Wish(
        service_id=place.service.pk,
        starts_at=siu.moment(told.start, place.zone),
        practitioner_id=place.practitioner.pk,
        location_id=place.location.pk,
        room_id=place.room_id,
        mode=mode or next(iter(place.service.modes), "on_site"),
        note=told.note,
        key=uuid5(NAMESPACE_URL, f"hl7:{told.source}|{told.facility}|{told.control_id}"),
    )


def _named(told: siu.Told) -> tuple[tuple[str, str], ...]:
    return tuple((authority or told.source, value) for value, authority in told.visits)


# ---- what is done ----


def _book(actor: User, told: siu.Told) -> bool:
    if not told.visits:
        raise Refused(_("The message gives the visit no number."))
    place, known, patient_id = _place(told), _visit(actor, told), _patient(actor, told)
    if known is not None:
        require_same(known, patient_id)
        if (known.starts_at, known.practitioner_id) != (siu.moment(told.start, place.zone), place.practitioner.pk):
            raise Refused(_("A visit with this number is booked for another time."))
        return True
    (visit,) = booking.book(actor=actor, patient_id=patient_id, wishes=[_wish(told, place)], may_overlap=True)
    keep_identifiers(visit, _named(told))
    return True


def _change(actor: User, told: siu.Told) -> bool:
    visit = _known_visit(actor, told)
    if told.patients and _patient(actor, told) != visit.patient_id:
        raise Refused(_("The message names another patient than the visit has."))
    place = _place(told, visit)
    if place.service.pk != visit.service_id:
        raise Refused(_("A visit for another service is booked anew."))
    starts_at = siu.moment(told.start, place.zone) if told.start else visit.starts_at
    same = (visit.starts_at, visit.practitioner_id, visit.location_id)
    if (starts_at, place.practitioner.pk, place.location.pk) == same:
        return True
    told.start = told.start or f"{visit.starts_at:%Y%m%d%H%M%S}+0000"
    reason = told.reason or _("Moved by another system")
    booking.move(
        actor=actor, appointment_id=visit.pk, wish=_wish(told, place, visit.mode), asked_by=Party.ORGANISATION,
        reason=reason, may_overlap=True,
    )  # fmt: skip
    return True


def _cancel(actor: User, told: siu.Told) -> bool:
    reason = told.reason or _("Cancelled by another system")
    visit = _known_visit(actor, told)
    booking.cancel(actor=actor, appointment_id=visit.pk, asked_by=Party.ORGANISATION, reason=reason)
    return True


def _discard(actor: User, told: siu.Told) -> bool:
    visit = _known_visit(actor, told)
    if visit.status != AppointmentStatus.ENTERED_IN_ERROR:
        attendance.discard(actor=actor, appointment_id=visit.pk)
    return True


def _miss(actor: User, told: siu.Told) -> bool:
    visit = _known_visit(actor, told)
    if visit.status != AppointmentStatus.NOSHOW:
        attendance.mark_missed(actor=actor, appointment_id=visit.pk)
    return True


def _blocked(told: siu.Told) -> dict[str, Any]:
    person = _codes(told, told.practitioners, Practitioner, _("practitioner"))
    row = person and Schedule.objects.filter(practitioner=person).select_related("location").order_by("pk").first()
    if row is None or not told.start or not told.minutes:
        raise Refused(_("The message does not say whose time it is about, from when and how long."))
    starts_at = siu.moment(told.start, ZoneInfo(row.location.time_zone))
    ends_at = starts_at + timedelta(minutes=told.minutes)
    if starts_at - timezone.now() > FURTHEST or ends_at - starts_at > timedelta(days=MOST_DAYS):
        raise Refused(_("An absence lasts a year at most and lies within ten years."))
    return {"practitioner": person, "starts_at": starts_at, "ends_at": ends_at}


def _block(actor: User, told: siu.Told) -> bool:
    given = _blocked(told)
    hold_for_transaction("agenda", "practitioner", given["practitioner"].pk)
    if Absence.objects.filter(**given).exists():
        return True
    made = Absence.objects.create(**given, reason=AbsenceReason.OTHER)
    _note(actor, AuditAction.CREATED, made)
    return True


def _open(actor: User, told: siu.Told) -> bool:
    rows = list(Absence.objects.select_for_update(of=("self",)).filter(**_blocked(told)))
    if not rows:
        raise Refused(_("No such time is blocked here."))
    move = MassMove.objects.filter(absence__in=rows).first()
    if move is not None:  # patients are being told: a person looks there first
        raise Refused(f"{_('Somebody is absent')}: {reverse('scheduling:mass-move', args=[move.pk])}")
    for one in rows:
        _note(actor, AuditAction.DELETED, one)
        one.delete()
    return True


def _note(actor: User, action: AuditAction, absence: Absence) -> None:
    record(
        actor=actor, action=action, object_type="absence", object_id=absence.pk,
        practitioner_id=absence.practitioner_id,
    )  # fmt: skip


def _part(actor: User, told: siu.Told) -> bool:
    raise Refused(_("A part of a visit was taken away: a person must see to it."))


_VERBS: dict[str, Callable[[User, siu.Told], bool]] = {
    siu.BOOK: _book, siu.CHANGE: _change, siu.CANCEL: _cancel, siu.DISCARD: _discard, siu.MISS: _miss,
    siu.BLOCK: _block, siu.OPEN: _open, siu.PART: _part,
}  # fmt: skip


def refuse(words: str) -> bytes:
    """The ACK for what is no message at all."""
    return acknowledge(Answer(REJECTED, None, words))


def acknowledge(answer: Answer) -> bytes:
    """The ACK of an answer, as it goes back."""
    now = timezone.now()
    stamp, control_id = f"{now:%Y%m%d%H%M%S}+0000", f"C{int(now.timestamp() * 1000)}"
    return er7.acknowledgement(answer.code, answer.message, words=answer.words, moment=stamp, control_id=control_id)
