"""Patients book for themselves: a time is kept, a code proves an address, and only then there is a visit.

Nothing tells whether somebody is known here: everybody is sent a code, and whoever gives it gets the same answer.
"""

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID, uuid4

from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.common.errors import Refused
from inbox import realtime
from inbox.enums import CodeUse
from inbox.models import OneTimeCode
from inbox.services import portal
from inbox.services.codes import digits_of, try_code
from inbox.services.locks import hold_for_transaction
from patients.enums import ProxyScope
from patients.matching.people import fold
from patients.models import Patient
from patients.selectors.family import may_act_for, proxies_of
from patients.selectors.people import match_patients
from patients.services.addresses import NewAddress
from patients.services.records import create_patient
from scheduling.enums import AppointmentStatus, NeedKind
from scheduling.models import Appointment, WaitlistEntry
from scheduling.selectors.public import bookable_span, booked_with, public_services
from scheduling.services import booking, holds, waitlist
from scheduling.services.claiming import Wish
from scheduling.services.needs import ask_by_patient

FILLED_IN = timedelta(minutes=15)
"""How long after it was chosen in time a time may still be booked."""
MOST_TO_COME = 4
"""Visits to come that one patient may have booked without us."""


@dataclass(frozen=True, slots=True)
class Person:
    """The patient, in the words of whoever fills in the form. `preferred_channel` counts for a new record only."""

    given_name: str
    family_name: str
    birth_date: date
    language: str
    preferred_channel: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """The number of a request for a code, and the digits that were given for it."""

    code_id: UUID
    given: str


def keep_time(*, wish: Wish, network: str, instead_of: UUID | None = None) -> UUID:
    """Keep a time that patients may book for five minutes, giving back the one that was kept before; its token.

    Raises SlotTaken, Refused for what is not offered to patients, is too near or too far, and for too many from one
    network.
    """
    _require_public(wish)
    token = uuid4()
    holds.hold_slot(actor=None, wish=wish, network=network, token=token)
    if instead_of is not None:
        holds.release_holds(tokens=[instead_of])
    return token


def ask_for_code(*, scheme: str, address: str, language: str, hold: UUID | None = None) -> UUID:
    """Send a code to a normalised address, known or not, and keep the hold for as long again; the request's number."""
    if hold is not None:
        holds.extend_hold(token=hold)
    return portal.ask_for_code(scheme=scheme, address=address, language=language, use=CodeUse.BOOKING)


def book_for_oneself(
    *, proof: Proof, person: Person, wish: Wish, needs: Collection[NeedKind] = (), wants_earlier: bool = False
) -> Appointment | None:
    """Book for whoever proved an address; None when the code does not fit. The same form again books nothing more.

    `wish.key` is the hold's token, also where another time is taken in its place. Raises SlotTaken and Refused; the
    code is then as good as before.
    """
    _require_public(wish, late=FILLED_IN)
    with realtime.atomic():
        code = _proved(proof)
        if code is None:
            return booked_with(wish.key) if wish.key else None
        patient = _patient_at(code, person)
        _require_few(patient)
        visit = booking.book(actor=None, patient_id=patient.pk, wishes=[wish])[0]
        for kind in needs:
            ask_by_patient(visit, kind)
        if wants_earlier:
            earlier = waitlist.Wishes(
                service_id=wish.service_id, appointment_id=visit.pk, mode=wish.mode, locations=[wish.location_id]
            )
            waitlist.join(actor=None, patient_id=patient.pk, wishes=earlier)
        return visit


def wait_for_oneself(
    *, proof: Proof, person: Person, wishes: waitlist.Wishes, instead_of: UUID | None = None
) -> WaitlistEntry | None:
    """Put whoever proved an address on the waitlist, giving back a time that was kept before; None when the code does
    not fit. The same form again changes nothing. Raises Refused; the code is then as good as before."""
    if not public_services().filter(pk=wishes.service_id).exists():
        raise Refused(_("This is not offered any more. Search again."))
    with realtime.atomic():
        code = _proved(proof)
        if code is None:
            return _joined_before(proof, wishes)
        if instead_of is not None:
            holds.release_holds(tokens=[instead_of])
        return waitlist.join(actor=None, patient_id=_patient_at(code, person).pk, wishes=wishes)


def _require_public(wish: Wish, *, late: timedelta = timedelta(0)) -> None:
    service = public_services().filter(pk=wish.service_id).first()
    if service is None:
        raise Refused(_("This is not offered any more. Search again."))
    earliest, latest = bookable_span(service, timezone.now())
    if not earliest - late <= wish.starts_at <= latest:
        raise Refused(_("This time cannot be booked here. Choose another one, or call us."))


def _proved(proof: Proof) -> OneTimeCode | None:
    code = OneTimeCode.objects.filter(public_id=proof.code_id, use=CodeUse.BOOKING).first()
    if code is None or not try_code(code.pk, proof.given):
        return None
    hold_for_transaction("self-booking", code.scheme, code.address)  # a person who is new becomes one record, not two
    return code


def _patient_at(code: OneTimeCode, person: Person) -> Patient:
    """The one patient of that name and birth date who has the address, or for whom somebody who has it may act; else a
    new record, which is compared with all others as every new one is."""
    here = [one for one in match_patients(code.scheme, code.address) if one.deceased_date is None]
    links = [(relative, link.patient) for relative in here for link in proxies_of(relative)]
    cared_for = [one for relative, one in links if may_act_for(relative, one, ProxyScope.APPOINTMENTS)]
    fitting = {one.pk: one for one in [*here, *cared_for] if _is(one, person)}
    if len(fitting) == 1:
        patient = next(iter(fitting.values()))
    else:
        patient = create_patient(
            actor=None,
            addresses=[NewAddress(code.scheme, code.address)],
            given_name=person.given_name,
            family_name=person.family_name,
            birth_date=person.birth_date,
            language=person.language,
            preferred_channel=person.preferred_channel,
        )
    code.patient = patient
    code.save(update_fields=["patient"])
    return patient


def _is(patient: Patient, person: Person) -> bool:
    """Of the same day and first name; "Ana" is Ana María, Anabel is not."""
    ours, theirs = fold(patient.given_name), fold(person.given_name)
    is_named = ours == theirs or f"{ours} ".startswith(f"{theirs} ") or f"{theirs} ".startswith(f"{ours} ")
    return is_named and patient.deceased_date is None and patient.birth_date == person.birth_date


def _require_few(patient: Patient) -> None:
    own = Appointment.objects.filter(patient=patient, booked_by=None, booking_key__isnull=False)
    if own.filter(status=AppointmentStatus.BOOKED, starts_at__gt=timezone.now()).count() >= MOST_TO_COME:
        raise Refused(_("You have booked several visits already. Call us, and we will help you with the next one."))


def _joined_before(proof: Proof, wishes: waitlist.Wishes) -> WaitlistEntry | None:
    code = OneTimeCode.objects.filter(public_id=proof.code_id, use=CodeUse.BOOKING, used_at__isnull=False).first()
    if code is None or code.patient_id is None:
        return None
    digits = "".join(filter(str.isdecimal, proof.given))
    if not hmac.compare_digest(digits.encode(), digits_of(code).encode()):
        return None
    rows = WaitlistEntry.objects.filter(patient=code.patient_id, service=wishes.service_id, closed_at=None)
    return rows.first()
