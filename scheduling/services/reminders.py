"""Planning what a patient is told of a visit, and taking it back. `handing_over` gives it to the outbox."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from contact_center.accounts.models import User
from contact_center.audit.enums import AuditAction
from contact_center.audit.services import record
from contact_center.common.errors import Refused
from contact_center.common.rows import insert_rows
from contact_center.common.wake import wake_on_commit
from inbox import realtime
from inbox.enums import MessageStatus
from inbox.models import Message
from inbox.selectors.gate_facts import time_zone_of
from inbox.services.keywords import SEND_LASTS_SECONDS
from inbox.services.locks import hold_for_transaction
from inbox.services.outbox import save_and_tell
from patients.models import Patient
from scheduling import reminders
from scheduling.ages import is_child
from scheduling.enums import AppointmentStatus, DropReason, ReminderKind
from scheduling.models import Appointment, Reminder

TASK, QUEUE = "scheduling.hand_over_reminders", "reminders"
SWEEP = 1000
HORIZON = timedelta(days=120)
REPEATED = timedelta(minutes=5)


def facts_of(appointment: Appointment) -> reminders.Visit:
    """A visit as the planner sees it. Reads patient, service and location, which the caller has fetched."""
    patient = appointment.patient
    return reminders.Visit(
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        zone=appointment.location.time_zone,
        patient_zone=time_zone_of(patient) if patient.time_zone else appointment.location.time_zone,
        hours=patient.contact_hours,
        has_preparation=any(appointment.service.preparation.values()),
        status=appointment.status,
        confirmation=appointment.confirmation,
        is_prepared=appointment.prepared_at is not None,
    )


def plan_visit(appointment: Appointment) -> list[Reminder]:
    """Plan what is told of a visit that was just booked or moved, in the caller's transaction."""
    dues = reminders.plan(facts_of(appointment), appointment.service.cadence, timezone.now())
    made = _rows(appointment, dues)
    insert_rows(made)
    if dues and dues[0].at <= timezone.now():
        wake_on_commit(TASK, QUEUE)
    return made


def plan_afterwards(appointment: Appointment) -> list[Reminder]:
    """Plan what is told after a visit that took place or was missed, in the caller's transaction.

    What was planned for the other outcome is dropped; what is planned already is not planned twice.
    """
    now = timezone.now()
    dues = reminders.plan_afterwards(facts_of(appointment), appointment.service.cadence, now)
    if is_child(appointment.patient.birth_date, appointment.visit_date):
        dues = [due for due in dues if due.kind != ReminderKind.MISSED]  # a person speaks with those who bring them
    _drop(appointment, DropReason.OTHERWISE, kinds=set(ReminderKind) - {due.kind for due in dues})
    return Reminder.objects.bulk_create(_rows(appointment, dues), ignore_conflicts=True)


def plan_missing(*, limit: int = 100_000) -> int:
    """Plan for visits to come that nobody planned for, such as imported ones; returns for how many.

    Safe beside bookings and other runs: visits that somebody works on are left to the next run. They were not just
    booked, so that nobody is told that they were.
    """
    done, after, now = 0, 0, timezone.now()
    planned = Reminder.objects.filter(appointment=OuterRef("pk"))
    while done < limit:
        with transaction.atomic():
            rows = Appointment.objects.select_for_update(skip_locked=True, of=("self",)).filter(
                status=AppointmentStatus.BOOKED, starts_at__gt=now, starts_at__lt=now + HORIZON, pk__gt=after
            )
            rows = rows.exclude(service__cadence=[]).select_related("patient", "service", "location").order_by("pk")
            found = list(rows.filter(~Exists(planned))[: min(SWEEP, limit - done)])
            made = [row for one in found for row in _rows(one, _without_booking(one, now))]
            Reminder.objects.bulk_create(made, ignore_conflicts=True, batch_size=SWEEP)
        if not found:
            return done
        done, after = done + len(found), found[-1].pk
    return done


def withdraw(appointment: Appointment) -> None:
    """Nothing more is told of a visit that was cancelled, moved or discarded, in the caller's transaction.

    A message that is just leaving is waited for, so that nothing leaves after this is stored; one that waits in the
    outbox is cancelled, and what else it told is planned again. Raises OperationalError when a send takes too long.
    """
    _drop(appointment, DropReason.CANCELLED)
    about = Reminder.objects.filter(appointment=appointment, message__isnull=False).values("message")
    going = Message.objects.filter(pk__in=about, status__in=[MessageStatus.QUEUED, MessageStatus.SENDING])
    for kind, address in sorted(set(going.values_list("channel_kind", "address"))):
        hold_for_transaction("send", kind, address, wait_seconds=SEND_LASTS_SECONDS)
    waiting = Message.objects.select_for_update(of=("self",)).filter(pk__in=about, status=MessageStatus.QUEUED)
    with realtime.atomic():
        for message in waiting.order_by("pk"):
            message.cancel()
            save_and_tell(message)
            same = Reminder.objects.filter(message=message)
            same.filter(appointment=appointment).update(
                handed_at=None, dropped_at=timezone.now(), drop_reason=DropReason.CANCELLED
            )
            same.exclude(appointment=appointment).update(handed_at=None, message=None)


def send_again(*, actor: User, appointment_id: int) -> Reminder:
    """Tell the patient once more of a visit to come, now or at the end of the quiet hours.

    A second click within five minutes sends nothing more. Raises Refused for a visit that is over or cancelled,
    PermissionDenied, Appointment.DoesNotExist.
    """
    return _tell_again(actor, appointment_id)


def send_new_link(*, appointment_id: int) -> Reminder:
    """As `send_again`, because the patient's link is too old: the words with a new one go to the address on record."""
    return _tell_again(None, appointment_id)


def _tell_again(actor: User | None, appointment_id: int) -> Reminder:
    from scheduling.services.booking import lock_appointment, require_booker

    require_booker(actor)
    with transaction.atomic():
        appointment = lock_appointment(actor, appointment_id)
        now = timezone.now()
        if not may_send_again(appointment):
            raise Refused(_("Only of a visit that is to come can the patient be reminded."))
        lately = Reminder.objects.filter(appointment=appointment, kind=ReminderKind.AGAIN)
        known = lately.filter(created_at__gt=now - REPEATED).first()
        if known is not None:
            return known
        made = _rows(appointment, [reminders.Due(now, ReminderKind.AGAIN)])[0]
        made.asked_by = actor
        made.save()
        record(
            actor=actor,
            action=AuditAction.SENT,
            object_type="appointment",
            object_id=appointment.pk,
            patient_id=appointment.patient_id,
            reminder=made.pk,
        )
        wake_on_commit(TASK, QUEUE)
        return made


def may_send_again(appointment: Appointment) -> bool:
    """Whether `send_again` would take this visit, for pages; it decides itself."""
    return appointment.status == AppointmentStatus.BOOKED and appointment.starts_at > timezone.now()


def still_holds(message_id: int) -> bool:
    """Whether everything that a message of ours tells is still so; the send gate asks at the last moment."""
    rows = Reminder.objects.filter(message=message_id)
    rows = rows.select_related("appointment__patient", "appointment__service", "appointment__location")
    now = timezone.now()
    return all(reminders.reason_to_drop(row.kind, row.due_at, facts_of(row.appointment), now) is None for row in rows)


def _rows(appointment: Appointment, dues: Iterable[reminders.Due]) -> list[Reminder]:
    return [
        Reminder(
            appointment=appointment,
            patient_id=appointment.patient_id,
            kind=due.kind,
            channel_kind=_preferred(appointment.patient),
            due_at=due.at,
        )
        for due in dues
    ]


def _preferred(patient: Patient) -> str:
    return str(patient.preferred_channel)


def _without_booking(appointment: Appointment, now: datetime) -> list[reminders.Due]:
    cadence = [kind for kind in appointment.service.cadence if kind != ReminderKind.BOOKED]
    return reminders.plan(facts_of(appointment), cadence, now)


def _drop(appointment: Appointment, reason: DropReason, *, kinds: Iterable[str] | None = None) -> None:
    # One message may tell of several visits of a patient: whoever takes back one of them changes the reminders of the
    # others, so that two who did this at once, each with its own visit locked, would wait for each other.
    hold_for_transaction("reminders of", appointment.patient_id)
    rows = Reminder.objects.filter(appointment=appointment, handed_at=None, dropped_at=None)
    if kinds is not None:
        rows = rows.filter(kind__in=list(kinds))
    rows.update(dropped_at=timezone.now(), drop_reason=reason)
