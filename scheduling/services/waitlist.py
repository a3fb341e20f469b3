"""Joining and leaving the waitlist."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, time

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Refused
from patients.models import Patient
from patients.selectors.people import get_patient_for
from scheduling.enums import OfferStatus, Urgency, VisitMode, WishEnd
from scheduling.models import Appointment, FreedSlot, HealthcareService, MassMoveVisit, SlotOffer, WaitlistEntry
from scheduling.policies import can_book
from scheduling.selectors.waitlist import is_to_come
from scheduling.services.freed import end_wait, offer_again

SWEPT = 500


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a patient wants. Nothing named: anything. Hours are the site's, the last one for the visit's begin."""

    service_id: int
    appointment_id: int | None = None
    urgency: str = Urgency.ROUTINE
    mode: str = VisitMode.ON_SITE
    weekdays: Collection[int] = ()
    not_before: time | None = None
    not_after: time | None = None
    first_date: date | None = None
    last_date: date | None = None
    notice_minutes: int = 240
    locations: Collection[int] = ()
    practitioners: Collection[int] = ()
    note: str = ""


def join(*, actor: User | None, patient_id: int, wishes: Wishes) -> WaitlistEntry:
    """Put the patient on the waitlist of a service, or change what they want there; their wait goes on all the same.

    `actor` None stands for the patient, who says nothing about urgency. Raises Refused, PermissionDenied,
    Patient.DoesNotExist.
    """
    _require(actor)
    with transaction.atomic():
        who = get_patient_for(actor, patient_id) if actor else Patient.objects.current().get(pk=patient_id)
        visit = _checked(who, wishes)
        entry = WaitlistEntry.objects.select_for_update(of=("self",)).filter(
            patient=who, service=wishes.service_id, closed_at=None
        ).first()  # fmt: skip
        is_new = entry is None
        entry = entry or WaitlistEntry(patient=who, service_id=wishes.service_id, added_by=actor)
        if actor is not None:
            entry.urgency, entry.note = Urgency(wishes.urgency), wishes.note.strip()[:240]
        if actor is not None or not is_to_come(entry.appointment):
            entry.appointment = visit  # a patient who asks anew does not part the wait from a visit that stands
        entry.mode = wishes.mode
        entry.weekdays = sorted(set(wishes.weekdays))
        entry.not_before, entry.not_after = wishes.not_before, wishes.not_after
        entry.first_date, entry.last_date = wishes.first_date, wishes.last_date
        entry.notice_minutes = wishes.notice_minutes
        entry.save()
        entry.locations.set(wishes.locations)
        entry.practitioners.set(wishes.practitioners)
        MassMoveVisit.objects.filter(entry=entry).update(entry=None)  # asked for now: it outlives the absence
        _note(actor, AuditAction.CREATED if is_new else AuditAction.CHANGED, entry)
        offer_again(wishes.service_id)
        return entry


def leave(*, actor: User | None, entry_id: int, why: WishEnd = WishEnd.WITHDRAWN) -> WaitlistEntry:
    """Take the patient off the waitlist and take back what is offered to them. Again changes nothing.

    Raises PermissionDenied, WaitlistEntry.DoesNotExist.
    """
    _require(actor)
    with transaction.atomic():
        open_ones = SlotOffer.objects.filter(entry=entry_id, status=OfferStatus.OFFERED)
        freed = FreedSlot.objects.filter(pk__in=open_ones.values("freed"))
        list(freed.select_for_update(of=("self",)).order_by("pk"))  # whoever accepts locks these first, too
        entry = WaitlistEntry.objects.select_for_update(of=("self",)).get(pk=entry_id)
        if entry.closed_at is None:
            for offer in open_ones.select_for_update(of=("self",)):
                offer.withdraw()
                offer.save()
            end_wait(entry, why, actor=actor)
        return entry


def close_outdated() -> int:
    """Take those off the waitlist whose last day has passed, or whose visit took place; how many."""
    today, closed = timezone.localdate(), 0
    rows = WaitlistEntry.objects.filter(closed_at=None)
    past = rows.filter(last_date__lt=today) | rows.filter(appointment__ends_at__lt=timezone.now())
    for pk in past.order_by("pk").values_list("pk", flat=True)[:SWEPT]:
        leave(actor=None, entry_id=pk, why=WishEnd.OVER)
        closed += 1
    return closed


def _checked(patient: Patient, wishes: Wishes) -> Appointment | None:
    if patient.deceased_date:
        raise Refused(_("This patient has died. No visit can be booked."))
    service = HealthcareService.objects.filter(pk=wishes.service_id, is_active=True).first()
    if service is None or wishes.mode not in service.modes:
        raise Refused(_("This visit is not offered in that way."))
    if wishes.not_before and wishes.not_after and wishes.not_after <= wishes.not_before:
        raise Refused(_("The last hour must come after the first."))
    if wishes.last_date and wishes.last_date < max(wishes.first_date or wishes.last_date, timezone.localdate()):
        raise Refused(_("The last day must not lie before the first, nor in the past."))
    if wishes.appointment_id is None:
        return None
    visit = Appointment.objects.filter(pk=wishes.appointment_id, patient=patient, service=service).first()
    if not is_to_come(visit):
        raise Refused(_("Only for a visit that is to come can an earlier time be looked for."))
    return visit


def _require(actor: User | None) -> None:
    if actor is not None and not can_book(actor):
        raise PermissionDenied


def _note(actor: User | None, action: AuditAction, entry: WaitlistEntry) -> None:
    record(
        actor=actor,
        action=action,
        object_type="waitlist_entry",
        object_id=entry.pk,
        patient_id=entry.patient_id,
    )
