"""Offering freed times in waves, and who wins them. Whoever changes an offer first locks its freed time."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.deadline import Deadline
from contact_center.common.errors import Conflict, Refused
from contact_center.common.wake import wake_on_commit
from inbox import realtime
from inbox.enums import MessagePurpose
from inbox.gate import quiet_until
from scheduling import links, offer_words
from scheduling.enums import AppointmentStatus, FreedEnd, OfferStatus, Party, Trigger, WishEnd
from scheduling.models import Appointment, CapacityRules, FreedSlot, Occupancy, SlotOffer, WaitlistEntry
from scheduling.selectors.appointments import current_of
from scheduling.selectors.groups import is_cancelled, unhindered
from scheduling.selectors.waitlist import Candidates, candidates, is_to_come, offers_visible_to
from scheduling.selectors.ways import Way, Ways
from scheduling.services import booking
from scheduling.services.freed import QUEUE, TASK, end_wait
from scheduling.services.handing_over import language_of
from scheduling.services.telling import Told, tell

GROUNDS = "offer"
SWEPT = 500


class OfferGone(Conflict):
    """The time is not to be had any more. The patient stays on the waitlist."""

    def __init__(self) -> None:
        super().__init__(_("This time is not free any more. The patient stays on the waitlist."))


def run_waves() -> int:
    """Send the waves that are due and end what was not answered in time; how many freed times were dealt with.

    Safe to run any number of times and beside itself: a freed time is dealt with in a transaction of its own.
    """
    expire_offers()
    deadline, done = Deadline(TASK, QUEUE), 0
    due = FreedSlot.objects.filter(closed_at=None)
    if due.filter(next_wave_at__lte=timezone.now()).exists():
        links.prepare()
    while not deadline.is_over:
        with realtime.atomic():
            rows = due.select_for_update(skip_locked=True, of=("self",)).filter(next_wave_at__lte=timezone.now())
            freed = rows.select_related("service", "location", "practitioner").order_by("next_wave_at").first()
            if freed is None:
                break
            _send_wave(freed, timezone.now())
            done += 1
    return done


def expire_offers() -> int:
    """End the offers whose time is over, and take back those to who waits no more; how many."""
    with transaction.atomic():
        rows = SlotOffer.objects.select_for_update(skip_locked=True, of=("self",)).select_related("entry")
        due = Q(expires_at__lte=timezone.now()) | Q(entry__closed_at__isnull=False)
        over = list(rows.filter(due, status=OfferStatus.OFFERED).order_by("pk")[:SWEPT])
        for offer in over:
            offer.expire() if offer.entry.closed_at is None else offer.withdraw()
            offer.save()
    return len(over)


def accept(*, actor: User | None, offer_id: int) -> Appointment:
    """Book the offered time for the patient, in place of the visit they had; the first of all who accept gets it.

    Accepting again returns the same visit. The time of the visit that was moved is offered on. Raises OfferGone,
    which changes nothing for the patient, Refused, PermissionDenied, SlotOffer.DoesNotExist.
    """
    booking.require_booker(actor)
    with transaction.atomic():
        offer = _locked(actor, offer_id)
        if offer.status == OfferStatus.ACCEPTED and offer.appointment is not None:
            return offer.appointment
        appointment = _take(actor, offer) if _is_open(offer) else None
    if appointment is None:
        raise OfferGone
    return appointment


def decline(*, actor: User | None, offer_id: int) -> SlotOffer:
    """The patient does not want this time and stays on the waitlist; the next are asked at once. Again changes nothing.

    Raises OfferGone, PermissionDenied, SlotOffer.DoesNotExist.
    """
    booking.require_booker(actor)
    with transaction.atomic():
        offer = _locked(actor, offer_id)
        if offer.status == OfferStatus.OFFERED:
            offer.decline()
            offer.save()
            _note(actor, offer, AuditAction.CHANGED)
            if not offer.freed.offers.filter(status=OfferStatus.OFFERED).exists():
                _hurry(offer.freed)
        elif offer.status != OfferStatus.DECLINED:
            raise OfferGone
        return offer


def offer_next(*, actor: User, freed_id: int) -> FreedSlot:
    """Ask the next wave now. Raises Refused when it is offered no more, PermissionDenied, FreedSlot.DoesNotExist."""
    return _by_hand(actor, freed_id, _hurry)


def stop(*, actor: User, freed_id: int) -> FreedSlot:
    """Offer it no more and take the open offers back. Raises as `offer_next`."""
    return _by_hand(actor, freed_id, lambda freed: _close(freed, FreedEnd.STOPPED))


def still_holds(message_id: int) -> bool:
    """Whether what a message of ours offers is still to be had; the send gate asks at the last moment."""
    now = timezone.now()
    rows = SlotOffer.objects.filter(message=message_id, status=OfferStatus.OFFERED, expires_at__gt=now)
    return rows.filter(freed__closed_at=None, entry__closed_at=None).exists()


def _locked(actor: User | None, offer_id: int) -> SlotOffer:
    rows = offers_visible_to(actor) if actor is not None else SlotOffer.objects.all()
    freed_id = rows.values_list("freed_id", flat=True).get(pk=offer_id)
    freed = FreedSlot.objects.select_for_update(of=("self",)).select_related("location", "practitioner", "service")
    locked = freed.get(pk=freed_id)
    offers = SlotOffer.objects.select_for_update(of=("self",)).select_related("entry__patient", "appointment")
    offer = offers.get(pk=offer_id)
    offer.freed = locked
    return offer


def _is_open(offer: SlotOffer) -> bool:
    return (
        offer.status == OfferStatus.OFFERED
        and offer.freed.closed_at is None
        and offer.entry.closed_at is None
        and offer.expires_at > timezone.now()
    )


def _take(actor: User | None, offer: SlotOffer) -> Appointment | None:
    """Book or move; None when somebody else has the time, which is noted."""
    entry, freed = offer.entry, offer.freed
    current = current_of(entry.appointment) if entry.appointment else None
    wish = booking.Wish(
        freed.service_id, freed.starts_at, freed.practitioner_id, freed.location_id, freed.room_id, freed.mode
    )
    try:
        if current is not None and is_to_come(current):
            reason = "An earlier time from the waitlist"
            made = booking.move(
                actor=actor, appointment_id=current.pk, wish=wish, asked_by=Party.PATIENT, reason=reason
            )
            FreedSlot.objects.filter(freed_by=current).update(cause=freed, trigger=Trigger.CASCADE)
        else:
            made = booking.book(actor=actor, patient_id=entry.patient_id, wishes=[wish])[0]
    except booking.SlotTaken:
        _close(freed, FreedEnd.TAKEN)
        return None
    offer.accept(made)
    offer.save()
    freed.filled_by = made
    _close(freed, FreedEnd.FILLED)
    _end_wait_of(entry, actor)
    _note(actor, offer, AuditAction.CHANGED, appointment=made.pk)
    return made


def _end_wait_of(entry: WaitlistEntry, actor: User | None) -> None:
    """Unless it ended with the visit that was moved, or went on to another one that cannot take place."""
    waiting = WaitlistEntry.objects.select_for_update(of=("self",)).filter(pk=entry.pk, closed_at=None)
    left = waiting.exclude(mass_move_visit__appointment__status=AppointmentStatus.BOOKED).first()
    if left is not None:
        end_wait(left, WishEnd.BOOKED, actor=actor)


def _send_wave(freed: FreedSlot, now: datetime) -> None:
    rules = CapacityRules.objects.filter(service=freed.service_id, is_offering=True).first()
    last = freed.starts_at - timedelta(minutes=rules.cut_off_minutes if rules else 0)
    why = _reason_to_close(freed, rules, last, now)
    if rules is None or why is not None:
        _close(freed, why or FreedEnd.STOPPED)
        return
    quiet = quiet_until(now, freed.location.time_zone)
    if quiet is not None:
        _look_again(freed, quiet)
        return
    found = candidates(freed, rules, now)
    sent = _offer_to(freed, found, rules, now, min(last, now + timedelta(minutes=rules.offer_minutes)))
    waits = freed.offers.filter(status=OfferStatus.OFFERED).exists()
    if not sent and not waits and not found.is_worth_waiting:
        _close(freed, FreedEnd.NOBODY)
        return
    freed.waves += bool(sent)
    _look_again(freed, min(last, now + timedelta(minutes=rules.interval_minutes)))


def _reason_to_close(freed: FreedSlot, rules: CapacityRules | None, last: datetime, now: datetime) -> FreedEnd | None:
    if rules is None:
        return FreedEnd.STOPPED
    if now >= last:
        return FreedEnd.CUT_OFF
    return FreedEnd.TAKEN if _is_taken(freed) else None


def _offer_to(
    freed: FreedSlot, found: Candidates, rules: CapacityRules, now: datetime, until: datetime
) -> list[SlotOffer]:
    """Offer it to the best who can be told, as many as a wave takes."""
    best = [found.entries[place.entry_id] for place in found.order]
    ways, sent = Ways({entry.patient_id for entry in best[: rules.group_size * 10]}, now), list[SlotOffer]()
    rank = freed.offers.aggregate(last=Max("rank"))["last"] or 0
    asked: set[int] = set()
    for place, entry in zip(found.order, best, strict=True):
        way = ways.to(entry.patient, MessagePurpose.REMINDERS, has_template=False)
        if not isinstance(way, Way) or entry.patient_id in asked:
            continue
        asked.add(entry.patient_id)
        offer = SlotOffer.objects.create(
            freed=freed, entry=entry, wave=freed.waves + 1, rank=rank + len(sent) + 1, grounds=place.points,
            offered_at=now, expires_at=until,
        )  # fmt: skip
        with translation.override(language_of(entry.patient)):
            words, subject = offer_words.offered(offer), offer_words.subject()
        offer.message = tell(Told(entry.patient, way, words, subject, f"offer-{offer.pk}", GROUNDS), now=now)
        offer.save()
        _note(None, offer, AuditAction.SENT)
        sent.append(offer)
        if len(sent) == rules.group_size:
            break
    return sent


def _is_taken(freed: FreedSlot) -> bool:
    rows = Occupancy.objects.filter(practitioner=freed.practitioner_id, span__overlap=(freed.starts_at, freed.ends_at))
    rows = unhindered(rows, freed.service, freed.starts_at, counts_holds=False)
    if freed.service.is_group and is_cancelled(freed.service_id, freed.practitioner_id, freed.starts_at):
        return True
    return rows.filter(held_until_at=None).exists()


def _look_again(freed: FreedSlot, at: datetime) -> None:
    freed.next_wave_at = at
    freed.save()


def _close(freed: FreedSlot, why: FreedEnd) -> None:
    """Offer it no more; who has not answered need not."""
    for offer in freed.offers.select_for_update(of=("self",)).filter(status=OfferStatus.OFFERED).order_by("pk"):
        offer.withdraw()
        offer.save()
    freed.closed_at, freed.closed_for, freed.next_wave_at = timezone.now(), why, None
    freed.save()


def _hurry(freed: FreedSlot) -> None:
    _look_again(freed, timezone.now())
    wake_on_commit(TASK, QUEUE)


def _by_hand(actor: User, freed_id: int, change: Callable[[FreedSlot], None]) -> FreedSlot:
    booking.require_booker(actor)
    with transaction.atomic():
        freed = FreedSlot.objects.select_for_update(of=("self",)).get(pk=freed_id)
        if freed.closed_at is not None:
            raise Refused(_("This time is not offered any more."))
        change(freed)
        record(actor=actor, action=AuditAction.CHANGED, object_type="freed_slot", object_id=freed.pk)
        return freed


def _note(actor: User | None, offer: SlotOffer, action: AuditAction, **detail: object) -> None:
    record(
        actor=actor,
        action=action,
        object_type="slot_offer",
        object_id=offer.pk,
        patient_id=offer.entry.patient_id,
        status=str(offer.status),
        **detail,
    )
